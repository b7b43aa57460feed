// ANCHOR: name
//! What does the kernel want to know of a peer?

use std::mem::size_of_val;
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};

use libc::{
    c_int, in_addr, in6_addr, sa_family_t, sockaddr, sockaddr_in, sockaddr_in6,
    socklen_t,
};

/// An address and a port, in the structure that the kernel reads: 16 bytes for IPv4,
/// 28 for IPv6.
pub enum Name {
    /// See ip(7).
    V4(sockaddr_in),
    /// See ipv6(7).
    V6(sockaddr_in6),
}

impl Name {
    /// `AF_INET` or `AF_INET6`: which of the two `socket(2)` is to make.
    pub fn family(&self) -> c_int {
        match self {
            Name::V4(_) => libc::AF_INET,
            Name::V6(_) => libc::AF_INET6,
        }
    }

    /// A pointer to the structure, and its length, as `connect(2)` takes them.
    pub fn parts(&self) -> (*const sockaddr, socklen_t) {
        match self {
            Name::V4(name) => {
                ((&raw const *name).cast(), size_of_val(name) as socklen_t)
            }
            Name::V6(name) => {
                ((&raw const *name).cast(), size_of_val(name) as socklen_t)
            }
        }
    }
}
// ANCHOR_END: name

// ANCHOR: from
impl From<SocketAddr> for Name {
    fn from(address: SocketAddr) -> Name {
        match address {
            SocketAddr::V4(address) => Name::V4(v4(address)),
            SocketAddr::V6(address) => Name::V6(v6(address)),
        }
    }
}

fn v4(address: SocketAddrV4) -> sockaddr_in {
    sockaddr_in {
        sin_family: libc::AF_INET as sa_family_t,
        sin_port: address.port().to_be(),
        sin_addr: in_addr { s_addr: u32::from_ne_bytes(address.ip().octets()) },
        sin_zero: [0; 8],
    }
}

fn v6(address: SocketAddrV6) -> sockaddr_in6 {
    sockaddr_in6 {
        sin6_family: libc::AF_INET6 as sa_family_t,
        sin6_port: address.port().to_be(),
        sin6_flowinfo: address.flowinfo().to_be(),
        sin6_addr: in6_addr { s6_addr: address.ip().octets() },
        sin6_scope_id: address.scope_id(),
    }
}
// ANCHOR_END: from
