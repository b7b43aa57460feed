// ANCHOR: dissect
//! What do the bytes of a frame say?
//!
//! Each protocol reads its own header and says who reads what follows. Nobody knows
//! the whole frame.

mod arp;
mod checksum;
mod ethernet;
mod icmp;
mod ipv4;
mod ipv6;
mod reader;
mod tcp;
mod udp;

pub use reader::{Dissection, Field, Header};

use reader::Reader;

/// Who reads next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Ethernet,
    Arp,
    Ipv4,
    Ipv6,
    Icmp,
    Icmpv6,
    Tcp,
    Udp,
    /// Nobody here: what is left is data.
    Data,
}

/// Takes a frame apart, as far as it goes.
pub fn dissect(frame: &[u8]) -> Dissection {
    let mut reader = Reader::new(frame);
    let mut next = Next::Ethernet;
    while next != Next::Data {
        let read = match next {
            Next::Ethernet => ethernet::read(&mut reader),
            Next::Arp => arp::read(&mut reader),
            Next::Ipv4 => ipv4::read(&mut reader),
            Next::Ipv6 => ipv6::read(&mut reader),
            Next::Icmp => icmp::read_v4(&mut reader),
            Next::Icmpv6 => icmp::read_v6(&mut reader),
            Next::Tcp => tcp::read(&mut reader),
            Next::Udp => udp::read(&mut reader),
            Next::Data => Ok(Next::Data),
        };
        match read {
            Ok(then) => next = then,
            Err(ends) => return reader.broken(ends),
        }
    }
    reader.finish()
}
// ANCHOR_END: dissect

// ANCHOR: by_number
/// Who reads what IP carries: the numbers of IPv4's field `protocol` and IPv6's `next
/// header`.
fn by_number(protocol: u8) -> Next {
    match i32::from(protocol) {
        libc::IPPROTO_ICMP => Next::Icmp,
        libc::IPPROTO_TCP => Next::Tcp,
        libc::IPPROTO_UDP => Next::Udp,
        libc::IPPROTO_ICMPV6 => Next::Icmpv6,
        _ => Next::Data,
    }
}
// ANCHOR_END: by_number
