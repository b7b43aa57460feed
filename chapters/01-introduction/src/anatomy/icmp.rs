// ANCHOR: read
//! What the network itself has to say. RFC 792 for IPv4; RFC 4443 and RFC 4861 for
//! IPv6.

use super::Next;
use super::checksum;
use super::ethernet::mac;
use super::ipv6::ipv6;
use super::reader::{Ends, Reader};

pub(super) fn read_v4(frame: &mut Reader) -> Result<Next, Ends> {
    frame.header("ICMP");
    let message = frame.since_header();
    let kind = frame.field("type, code", 2, |bytes| in_words_v4(bytes).into())?;
    frame.number("checksum", |_: u16| checksum::verdict(&[message]))?;
    frame.field("rest", 4, |_| String::new())?;
    frame.about(&frame.ends(None));
    frame.about(in_words_v4(kind));
    // An error brings the beginning of the packet that it is about. We leave it as
    // data.
    Ok(Next::Data)
}

fn in_words_v4(kind_and_code: &[u8]) -> &'static str {
    match kind_and_code {
        [0, _] => "echo reply",
        [3, 0] => "network unreachable",
        [3, 1] => "host unreachable",
        [3, 3] => "port unreachable",
        [3, 4] => "too long, and not to be cut",
        [3, _] => "unreachable",
        [5, _] => "there is a better router",
        [8, _] => "echo request",
        [11, _] => "time exceeded",
        [13, _] => "timestamp request",
        [14, _] => "timestamp reply",
        _ => "a message not known here",
    }
}

pub(super) fn read_v6(frame: &mut Reader) -> Result<Next, Ends> {
    frame.header("ICMPv6");
    let message = frame.since_header();
    let kind = frame.field("type, code", 2, |bytes| in_words_v6(bytes).into())?;
    let pseudo_header = frame.pseudo_header.clone();
    frame.number("checksum", |_: u16| {
        checksum::verdict_with(&pseudo_header, message)
    })?;
    frame.field("rest", 4, |_| String::new())?;
    frame.about(&frame.ends(None));
    match kind[0] {
        // Neighbor discovery does for IPv6 what ARP does for IPv4.
        135 | 136 => {
            let target =
                frame.field("target", 16, |bytes| ipv6(bytes).to_string())?;
            frame.about(&format!("{} {}", in_words_v6(kind), ipv6(target)));
            // Type 1 or 2, length in units of 8 bytes, and whose hardware address it
            // is.
            if frame.left() >= 8 {
                frame.field("option", 8, |option| mac(&option[2..]))?;
            }
        }
        _ => frame.about(in_words_v6(kind)),
    }
    Ok(Next::Data)
}

fn in_words_v6(kind_and_code: &[u8]) -> &'static str {
    match kind_and_code {
        [1, 4] => "port unreachable",
        [1, _] => "unreachable",
        [2, _] => "too long",
        [3, _] => "time exceeded",
        [128, _] => "echo request",
        [129, _] => "echo reply",
        [133, _] => "is there a router?",
        [134, _] => "here is a router",
        [135, _] => "who has",
        [136, _] => "I have",
        [143, _] => "multicast groups",
        _ => "a message not known here",
    }
}
// ANCHOR_END: read
