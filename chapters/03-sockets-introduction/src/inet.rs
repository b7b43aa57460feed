// ANCHOR: from_std
//! What do IPv4 and IPv6 addresses have in common: a host and a port.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use libc::{in_addr, in6_addr, sa_family_t, sockaddr_in, sockaddr_in6};

use crate::address::{Address, Structure};

impl From<SocketAddr> for Address {
    fn from(std: SocketAddr) -> Address {
        match std {
            SocketAddr::V4(v4) => Address::of(sockaddr_in {
                sin_family: sockaddr_in::FAMILY as sa_family_t,
                sin_port: v4.port().to_be(),
                sin_addr: in_addr { s_addr: u32::from_ne_bytes(v4.ip().octets()) },
                sin_zero: [0; 8],
            }),
            SocketAddr::V6(v6) => Address::of(sockaddr_in6 {
                sin6_family: sockaddr_in6::FAMILY as sa_family_t,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: in6_addr { s6_addr: v6.ip().octets() },
                sin6_scope_id: v6.scope_id(),
            }),
        }
    }
}
// ANCHOR_END: from_std

// ANCHOR: to_std
impl Address {
    /// The same address as `std` has it. `None` when it is neither IPv4 nor IPv6.
    pub fn to_std(&self) -> Option<SocketAddr> {
        if let Some(v4) = self.view::<sockaddr_in>() {
            let ip = Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes());
            return Some(SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into());
        }
        let v6 = self.view::<sockaddr_in6>()?;
        let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
        let port = u16::from_be(v6.sin6_port);
        Some(SocketAddrV6::new(ip, port, v6.sin6_flowinfo, v6.sin6_scope_id).into())
    }
    // ANCHOR_END: to_std

    // ANCHOR: parts
    /// The host's address. `None` when this is no Internet address.
    pub fn host(&self) -> Option<IpAddr> {
        self.to_std().map(|std| std.ip())
    }

    /// The port, in host order. `None` when this is no Internet address.
    pub fn port(&self) -> Option<u16> {
        self.to_std().map(|std| std.port())
    }

    /// The same address with another port. `None` when it has none.
    pub fn with_port(&self, port: u16) -> Option<Address> {
        let mut std = self.to_std()?;
        std.set_port(port);
        Some(std.into())
    }

    /// The same port at another host, of any family. `None` when it has none.
    pub fn with_host(&self, host: IpAddr) -> Option<Address> {
        Some(SocketAddr::new(host, self.port()?).into())
    }

    /// The same port at every address of this host: `INADDR_ANY`, or `in6addr_any`.
    pub fn with_wildcard(&self) -> Option<Address> {
        self.with_host(match self.host()? {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        })
    }
    // ANCHOR_END: parts

    // ANCHOR: compare
    /// Whether both name the same host: one address, on one link.
    pub fn same_host(&self, other: &Address) -> bool {
        let scope = |one: &Address| {
            one.view().map_or(0, |v6: &sockaddr_in6| v6.sin6_scope_id)
        };
        self.host().is_some()
            && self.host() == other.host()
            && scope(self) == scope(other)
    }

    /// Whether both name the same port, at whatever host.
    pub fn same_port(&self, other: &Address) -> bool {
        self.port().is_some() && self.port() == other.port()
    }
    // ANCHOR_END: compare
}
