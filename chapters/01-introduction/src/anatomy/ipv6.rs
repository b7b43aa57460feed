// ANCHOR: read
//! The packet, with longer addresses and a simpler header. RFC 8200.

use std::net::Ipv6Addr;

use super::ipv4::name_of;
use super::reader::{Ends, Reader};
use super::{Next, by_number};

pub(super) fn read(frame: &mut Reader) -> Result<Next, Ends> {
    frame.header("IPv6");
    frame.number("version", |word: u32| {
        format!("{}, flow {:#x}", word >> 28, word & 0xf_ffff)
    })?;
    let length = frame.number("length", |length: u16| {
        format!("{length} bytes behind the header")
    })?;
    let next = frame.number("next header", |number: u8| name_of(number).into())?;
    frame.number("hop limit", |hops: u8| format!("{hops} routers"))?;
    let source = frame.field("source", 16, |bytes| ipv6(bytes).to_string())?;
    let destination =
        frame.field("destination", 16, |bytes| ipv6(bytes).to_string())?;

    frame.ends_after(length.into())?;
    frame.pseudo_header = [source, destination, &[0, next]].concat();
    frame.hosts = Some((ipv6(source).into(), ipv6(destination).into()));
    Ok(by_number(next))
}

/// An address of IPv6: sixteen bytes.
pub(super) fn ipv6(bytes: &[u8]) -> Ipv6Addr {
    let octets: [u8; 16] = bytes.try_into().expect("a field of sixteen bytes");
    Ipv6Addr::from(octets)
}
// ANCHOR_END: read
