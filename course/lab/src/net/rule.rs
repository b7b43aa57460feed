//! Which frames shall the switch treat badly, and how?
//!
//! A rule is a [`Match`] (which frames), a count (which of them), and what befalls them:
//!
//! ```ignore
//! net.rule(Rule::on(Match::tcp().from("client").with_data()).nth(2).drop())?;
//! ```
//!
//! A rule is plain data: it goes to the switch through a socket.

use std::io;
use std::time::Duration;

use super::Net;
use crate::wire::{Flags, Packet};

/// Which frames. Every demand of a match must be met; [`Match::any`] has none.
#[derive(Clone, Debug)]
pub struct Match {
    from: Option<String>,
    to: Option<String>,
    criteria: Criteria,
}

/// The demands that need no names.
#[derive(Clone, Copy, Debug, Default)]
struct Criteria {
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

    /// Frames longer than so many bytes, the Ethernet header's 14 included. With [`Rule::drop`], a link that swallows
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
    fn accept(&self, bytes: &[u8]) -> bool {
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

/// What befalls which of the frames that match. Begin with [`Rule::on`].
///
/// Several rules may act on one frame, in the order in which they were added.
#[derive(Clone, Debug)]
pub struct Rule {
    matching: Match,
    chosen: Chosen,
    action: Action,
}

/// Frames of a rule, and which of them; next comes what befalls them.
#[derive(Clone, Debug)]
#[must_use]
pub struct Case {
    matching: Match,
    chosen: Chosen,
}

/// Which of the frames that match: those from `first` to `last`, of these every so many-th, of these some by chance.
#[derive(Clone, Copy, Debug)]
struct Chosen {
    first: u64,
    last: u64,
    every: u64,
    probability: f64,
    seed: u64,
}

/// What befalls a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Action {
    Drop,
    Delay(Duration),
    Duplicate,
    HoldUntil { later: u64 },
    Corrupt { at: At, flip: u8 },
    Rate { bytes_per_second: u64 },
}

/// A place in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum At {
    Frame(usize),
    Data(usize),
}

impl Rule {
    /// A rule on all frames that match. [`Case::nth`] and its like choose among them.
    pub fn on(matching: Match) -> Case {
        let chosen = Chosen {
            first: 1,
            last: u64::MAX,
            every: 1,
            probability: 1.0,
            seed: 0,
        };
        Case { matching, chosen }
    }
}

impl Case {
    /// Only the nth that matches, from 1, counted from when the rule is added.
    pub fn nth(mut self, n: u64) -> Self {
        (self.chosen.first, self.chosen.last) = (n, n);
        self
    }

    /// The nth that matches, and all after it.
    pub fn since(mut self, n: u64) -> Self {
        self.chosen.first = n;
        self
    }

    /// None after the nth that matches.
    pub fn until(mut self, n: u64) -> Self {
        self.chosen.last = n;
        self
    }

    /// Every nth that matches.
    pub fn every(mut self, n: u64) -> Self {
        self.chosen.every = n.max(1);
        self
    }

    /// Each with this probability, 0 to 1. The same seed makes the same choices.
    pub fn with_probability(mut self, probability: f64, seed: u64) -> Self {
        (self.chosen.probability, self.chosen.seed) = (probability, seed);
        self
    }

    /// They are lost.
    pub fn drop(self) -> Rule {
        self.then(Action::Drop)
    }

    /// They arrive this much later.
    pub fn delay(self, by: Duration) -> Rule {
        self.then(Action::Delay(by))
    }

    /// They arrive twice.
    pub fn duplicate(self) -> Rule {
        self.then(Action::Duplicate)
    }

    /// They are held back until so many later frames of the same match have passed.
    pub fn overtaken_by(self, later: u64) -> Rule {
        self.then(Action::HoldUntil { later })
    }

    /// The byte at this offset of the frame, counted from the Ethernet header, arrives with all its bits flipped. The
    /// checksums stay as they were.
    pub fn corrupt(self, offset: usize) -> Rule {
        self.then(Action::Corrupt {
            at: At::Frame(offset),
            flip: 0xff,
        })
    }

    /// As [`Case::corrupt`], the offset counted from the first byte of the data.
    pub fn corrupt_data(self, offset: usize) -> Rule {
        self.then(Action::Corrupt {
            at: At::Data(offset),
            flip: 0xff,
        })
    }

    /// They share a line that carries so many bytes a second, one after the other; none is lost.
    pub fn rate(self, bytes_per_second: u64) -> Rule {
        self.then(Action::Rate {
            bytes_per_second: bytes_per_second.max(1),
        })
    }

    fn then(self, action: Action) -> Rule {
        Rule {
            matching: self.matching,
            chosen: self.chosen,
            action,
        }
    }
}

/// A set of ports of the switch, one bit each.
pub(super) type Ports = u64;

/// A rule as the switch knows it: ports instead of names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compiled {
    from: Ports,
    to: Ports,
    criteria: Criteria,
    chosen: Chosen,
    pub(super) action: Action,
}

impl Compiled {
    pub(super) fn new(rule: &Rule, net: &Net) -> io::Result<Self> {
        let ports = |name: &Option<String>| {
            name.as_ref()
                .map_or(Ok(Ports::MAX), |name| net.ports_of(name))
        };
        Ok(Self {
            from: ports(&rule.matching.from)?,
            to: ports(&rule.matching.to)?,
            criteria: rule.matching.criteria,
            chosen: rule.chosen,
            action: rule.action,
        })
    }

    /// The ports, of those in `targets`, to which this frame is on its way as the rule means it.
    pub(super) fn concerns(&self, from: usize, targets: Ports, bytes: &[u8]) -> Ports {
        let concerned = targets & self.to;
        if self.from & 1 << from == 0 || concerned == 0 || !self.criteria.accept(bytes) {
            0
        } else {
            concerned
        }
    }

    /// Is the `count`th that matches, from 1, one of the chosen?
    pub(super) fn chooses(&self, count: u64) -> bool {
        let Chosen {
            first,
            last,
            every,
            probability,
            seed,
        } = self.chosen;
        (first..=last).contains(&count)
            && (count + 1 - first).is_multiple_of(every)
            && chance(seed, count) < probability
    }
}

/// A number from 0 to below 1 that looks random and depends on nothing but the seed and the count (the last steps of SplitMix64).
fn chance(seed: u64, count: u64) -> f64 {
    let mut x = seed.wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    f64::from((x >> 32) as u32) / (f64::from(u32::MAX) + 1.0)
}
