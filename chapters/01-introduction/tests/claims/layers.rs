//! Which layers are there in a frame, and how do they hang together?

use introduction::anatomy::{Dissection, dissect};
use lab::prelude::*;
use lab::trial::saw;
use lab::wire::Frame;

use crate::paths::{Talk, tell};

fn names(dissection: &Dissection) -> String {
    let names: Vec<&str> = dissection
        .headers
        .iter()
        .map(|header| header.name)
        .collect();
    names.join(", ")
}

/// What these bytes are, as hexadecimal digits.
fn bytes(frame: &Frame, at: std::ops::Range<usize>) -> String {
    let digits: Vec<String> = frame.bytes[at]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    digits.join(" ")
}

/// Daytime, taken off the wire: nothing that would be a session or a presentation.
pub fn a_frame_has_three_headers_and_data(cx: &Check) -> Verdict {
    let talk = Talk::tcp(cx)?;
    let frame = talk.with_data()?;
    let dissection = dissect(&frame.bytes);
    saw(cx, "what is in the frame", names(&dissection).as_str()).is("Ethernet, IPv4, TCP, data")?;
    saw(
        cx,
        "headers",
        dissection
            .headers
            .iter()
            .filter(|header| !header.fields.is_empty())
            .count(),
    )
    .is(3)?;
    PASS
}

/// The type of the frame names IP, the protocol of the packet names TCP, UDP or ICMP.
pub fn each_header_names_the_next(cx: &Check) -> Verdict {
    let frame = Talk::tcp(cx)?.with_data()?;
    saw(
        cx,
        "the frame's type, for IPv4",
        bytes(&frame, 12..14).as_str(),
    )
    .is("08 00")?;
    saw(
        cx,
        "the packet's protocol, for TCP",
        bytes(&frame, 23..24).as_str(),
    )
    .is("06")?;
    let talk = Talk::udp(cx)?;
    let datagram = talk.with_data()?;
    saw(
        cx,
        "the packet's protocol, for UDP",
        bytes(&datagram, 23..24).as_str(),
    )
    .is("11")?;
    let message = talk.icmp()?;
    saw(
        cx,
        "the packet's protocol, for ICMP",
        bytes(&message, 23..24).as_str(),
    )
    .is("01")?;
    let frame = Talk::tcp_over_ipv6(cx)?.with_data()?;
    saw(
        cx,
        "the frame's type, for IPv6",
        bytes(&frame, 12..14).as_str(),
    )
    .is("86 dd")?;
    saw(
        cx,
        "the packet's next header, for TCP",
        bytes(&frame, 20..21).as_str(),
    )
    .is("06")?;
    tell(cx, &dissect(&frame.bytes));
    PASS
}

/// Two ports, a length, a checksum over more than the datagram.
pub fn a_udp_header_is_eight_bytes(cx: &Check) -> Verdict {
    let talk = Talk::udp(cx)?;
    let frame = talk.with_data()?;
    let udp = &frame.bytes[34..];
    let number = |at: usize| u16::from_be_bytes([udp[at], udp[at + 1]]);
    saw(cx, "destination port", number(2)).is(13)?;
    saw(cx, "length, of which the data is 16", number(4)).is(24)?;
    saw(cx, "bytes behind the IPv4 header", udp.len()).is(24)?;

    // RFC 768: the ones' complement sum over addresses, protocol, length, and the datagram, comes to ffff.
    let protocol_and_length = [0, 17, udp[4], udp[5]];
    let words = [&frame.bytes[26..34], &protocol_and_length, udp].concat();
    let mut sum: u32 = words
        .chunks(2)
        .map(|word| u32::from(word[0]) << 8 | u32::from(word[1]))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    saw(
        cx,
        "the sum with the checksum in it",
        format!("{sum:04x}").as_str(),
    )
    .is("ffff")?;
    PASS
}
