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
use super::matching::{Criteria, Match};

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
