// ANCHOR: read
//! Which network card has this IPv4 address? RFC 826.

use std::net::Ipv4Addr;

use super::Next;
use super::ethernet::mac;
use super::reader::{Ends, Reader};

pub(super) fn read(frame: &mut Reader) -> Result<Next, Ends> {
    frame.header("ARP");
    frame.number("hardware", |kind: u16| match kind {
        1 => "Ethernet".into(),
        _ => format!("{kind}"),
    })?;
    frame.number("protocol", |kind: u16| match kind {
        0x0800 => "IPv4".into(),
        _ => format!("{kind:#06x}"),
    })?;
    let lengths =
        frame.field("lengths", 2, |of| format!("{} and {}", of[0], of[1]))?;
    let operation = frame.number("operation", |number: u16| match number {
        1 => "who has the target's address?".into(),
        2 => "the sender has it".into(),
        _ => format!("{number}"),
    })?;
    if lengths != [6, 4] {
        return Err(frame.impossible());
    }
    let mac_of_sender = frame.field("sender", 6, mac)?;
    let sender =
        ipv4(frame.field("its address", 4, |bytes| ipv4(bytes).to_string())?);
    frame.field("target", 6, mac)?;
    let target =
        ipv4(frame.field("its address", 4, |bytes| ipv4(bytes).to_string())?);
    match operation {
        1 => frame.about(&format!("who has {target}? tell {sender}")),
        _ => frame.about(&format!("{sender} is at {}", mac(mac_of_sender))),
    }
    // Whatever follows made the frame long enough for the cable.
    frame.ends_after(0)?;
    Ok(Next::Data)
}

/// An address of IPv4: four bytes.
pub(super) fn ipv4(bytes: &[u8]) -> Ipv4Addr {
    Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3])
}
// ANCHOR_END: read
