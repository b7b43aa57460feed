//! Which frames does a rule mean?

use crate::wire::{Flags, Packet};

/// Which frames. Every demand of a match must be met; [`Match::any`] has none.
#[derive(Clone, Debug)]
pub struct Match {
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) criteria: Criteria,
}

/// The demands that need no names.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Criteria {
    kind: Option<Kind>,
    port: Option<u16>,
    data: Option<bool>,
    with: Flags,
    without: Flags,
    longer_than: usize,
    byte: Option<(usize, u8)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Arp,
    Ipv4,
    Ipv6,
    Icmp,
    Udp,
    Tcp,
}

impl Match {
    /// Every frame.
    pub fn any() -> Self {
        Self {
            from: None,
            to: None,
            criteria: Criteria::default(),
        }
    }

    /// Questions and answers about hardware addresses of IPv4.
    pub fn arp() -> Self {
        Self::kind(Kind::Arp)
    }

    /// IPv4 packets, whatever they carry.
    pub fn ipv4() -> Self {
        Self::kind(Kind::Ipv4)
    }

    /// IPv6 packets, whatever they carry. Among them is what ARP is to IPv4.
    pub fn ipv6() -> Self {
        Self::kind(Kind::Ipv6)
    }

    /// ICMP and ICMPv6 messages.
    pub fn icmp() -> Self {
        Self::kind(Kind::Icmp)
    }

    /// UDP datagrams, not in fragments.
    pub fn udp() -> Self {
        Self::kind(Kind::Udp)
    }

    /// TCP segments.
    pub fn tcp() -> Self {
        Self::kind(Kind::Tcp)
    }

    /// What comes in by the cable of this host. A router sends on what others sent it.
    #[must_use]
    pub fn from(mut self, host: &str) -> Self {
        self.from = Some(host.to_owned());
        self
    }

    /// What goes out by the cable of this host. Of a frame for several hosts, only this host's copy is meant.
    #[must_use]
    pub fn to(mut self, host: &str) -> Self {
        self.to = Some(host.to_owned());
        self
    }

    /// From or to this port of TCP or UDP.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.criteria.port = Some(port);
        self
    }

    /// With data in it: bytes after the header of TCP, UDP or ICMP.
    #[must_use]
    pub fn with_data(mut self) -> Self {
        self.criteria.data = Some(true);
        self
    }

    /// Without data: only the header.
    #[must_use]
    pub fn without_data(mut self) -> Self {
        self.criteria.data = Some(false);
        self
    }

    /// TCP segments with all these flags.
    #[must_use]
    pub fn with(mut self, flags: Flags) -> Self {
        self.criteria.with = self.criteria.with | flags;
        self
    }

    /// TCP segments with none of these flags.
    #[must_use]
    pub fn without(mut self, flags: Flags) -> Self {
        self.criteria.without = self.criteria.without | flags;
        self
    }

    /// Frames longer than so many bytes, the Ethernet header's 14 included. With [`super::Case::drop`], a link that swallows
    /// long packets and tells nobody.
    #[must_use]
    pub fn longer_than(mut self, bytes: usize) -> Self {
        self.criteria.longer_than = bytes;
        self
    }

    /// Frames whose byte at this offset, counted from the Ethernet header, has this value.
    #[must_use]
    pub fn byte(mut self, offset: usize, value: u8) -> Self {
        self.criteria.byte = Some((offset, value));
        self
    }

    fn kind(kind: Kind) -> Self {
        Self {
            criteria: Criteria {
                kind: Some(kind),
                ..Criteria::default()
            },
            ..Self::any()
        }
    }
}

impl Criteria {
    pub(super) fn accept(&self, bytes: &[u8]) -> bool {
        if bytes.len() <= self.longer_than && self.longer_than > 0 {
            return false;
        }
        if self
            .byte
            .is_some_and(|(at, value)| bytes.get(at) != Some(&value))
        {
            return false;
        }
        let needs_packet = self.kind.is_some()
            || self.port.is_some()
            || self.data.is_some()
            || self.with != Flags::NONE
            || self.without != Flags::NONE;
        !needs_packet || self.accept_packet(&Packet::decode(bytes))
    }

    fn accept_packet(&self, packet: &Packet) -> bool {
        let kind = match self.kind {
            None => true,
            Some(Kind::Arp) => packet.arp().is_some(),
            Some(Kind::Ipv4) => packet.ip().is_some_and(|ip| ip.source.is_ipv4()),
            Some(Kind::Ipv6) => packet.ip().is_some_and(|ip| ip.source.is_ipv6()),
            Some(Kind::Icmp) => packet.icmp().is_some(),
            Some(Kind::Udp) => packet.udp().is_some(),
            Some(Kind::Tcp) => packet.tcp().is_some(),
        };
        let port = self.port.is_none_or(|port| {
            packet
                .ports()
                .is_some_and(|(from, to)| from == port || to == port)
        });
        let data = self.data.is_none_or(|data| packet.data.is_empty() != data);
        let flags = (self.with == Flags::NONE && self.without == Flags::NONE)
            || packet
                .tcp()
                .is_some_and(|tcp| tcp.flags.has(self.with) && !tcp.flags.intersects(self.without));
        kind && port && data && flags
    }
}
