// ANCHOR: read
//! The packet: from one host to another, over as many links as lie between. RFC 791.

use super::arp::ipv4;
use super::checksum;
use super::reader::{Ends, Reader};
use super::{Next, by_number};

pub(super) fn read(frame: &mut Reader) -> Result<Next, Ends> {
    frame.header("IPv4");
    let first = frame.number("version", |byte: u8| {
        format!("{}, header {} bytes", byte >> 4, 4 * (byte & 0x0f))
    })?;
    let header_length = 4 * usize::from(first & 0x0f);
    frame.number("service", |byte: u8| format!("{byte:#04x}"))?;
    let total = frame
        .number("length", |total: u16| format!("{total} bytes with the header"))?;
    frame.number("identification", |number: u16| number.to_string())?;
    let fragment = frame.number("fragment", |bits: u16| match bits {
        0x4000 => "whole, not to be cut".into(),
        0 => "whole, may be cut".into(),
        _ => format!("piece from byte {}", 8 * (bits & 0x1fff)),
    })?;
    frame.number("time to live", |hops: u8| format!("{hops} routers"))?;
    let protocol = frame.number("protocol", |number: u8| name_of(number).into())?;
    let header = frame.since_header();
    frame.number("checksum", |_: u16| {
        checksum::verdict(&[header.get(..header_length).unwrap_or(header)])
    })?;
    let source = frame.field("source", 4, |bytes| ipv4(bytes).to_string())?;
    let destination =
        frame.field("destination", 4, |bytes| ipv4(bytes).to_string())?;
    let options = header_length.checked_sub(frame.header_length());
    match options.ok_or_else(|| frame.impossible())? {
        0 => {}
        length => drop(frame.field("options", length, |_| String::new())?),
    }

    let length = usize::from(total).checked_sub(header_length);
    let length = length.ok_or_else(|| frame.impossible())?;
    frame.ends_after(length)?;
    frame.pseudo_header = [source, destination, &[0, protocol]].concat();
    frame.hosts = Some((ipv4(source).into(), ipv4(destination).into()));
    // Only the first piece of a packet has the next header.
    let offset = fragment & 0x1fff;
    Ok(if offset == 0 { by_number(protocol) } else { Next::Data })
}

/// What IP carries, by its number.
pub(super) fn name_of(protocol: u8) -> &'static str {
    match by_number(protocol) {
        Next::Icmp => "ICMP",
        Next::Icmpv6 => "ICMPv6",
        Next::Tcp => "TCP",
        Next::Udp => "UDP",
        _ => "not known here",
    }
}
// ANCHOR_END: read
