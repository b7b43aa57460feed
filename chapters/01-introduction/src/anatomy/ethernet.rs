// ANCHOR: read
//! The frame: from one network card to another on the same link. IEEE 802.3.

use super::Next;
use super::reader::{Ends, Reader};

pub(super) fn read(frame: &mut Reader) -> Result<Next, Ends> {
    frame.header("Ethernet");
    frame.field("destination", 6, mac)?;
    frame.field("source", 6, mac)?;
    let next = frame.number("type", |number: u16| match number {
        0x0800 => "IPv4".into(),
        0x0806 => "ARP".into(),
        0x86dd => "IPv6".into(),
        _ => "not known here".into(),
    })?;
    Ok(match next {
        0x0800 => Next::Ipv4,
        0x0806 => Next::Arp,
        0x86dd => Next::Ipv6,
        _ => Next::Data,
    })
}

/// A hardware address. It has no meaning beyond the link.
pub(super) fn mac(bytes: &[u8]) -> String {
    if bytes == [0xff; 6] {
        return "everybody".into();
    }
    let digits: Vec<String> =
        bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(":")
}
// ANCHOR_END: read
