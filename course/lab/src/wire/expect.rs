//! Did on the wire what should?
//!
//! A pattern says it as a reader would: `client → server: SYN`. Before the colon stand the hosts, or `*` for any; without them,
//! any frame is meant. `->` does for `→`. After it stand words, all of which the frame must have:
//!
//! - TCP's flags. `SYN`, `FIN` and `RST` must be set if named, and not if not. `ACK` is looked at beside `SYN`, and alone: `ACK`
//!   is a segment that acknowledges and does nothing else. `PSH` and `URG` matter only if named. `FIN` may carry data.
//! - `data`: with data; `empty`: without.
//! - A number as [`Frame`] shows it: `len=5`, `seq=1`, `ack=6`, `win=0`, `mss=1460`.
//! - Any other word of the frame's line: `UDP`, `ARP`, `ICMP`, `unreachable`, `dropped`.

use std::sync::Arc;

use super::{Flags, Frame, Wire};
use crate::Finding;

impl Wire {
    /// Demands that frames as these patterns say are on the wire in this order; others may be between them.
    ///
    /// # Errors
    /// A failure that shows the first pattern that was not met, and the wire.
    pub fn expect(&self, patterns: &[&str]) -> Result<(), Finding> {
        let mut rest = self.frames.iter();
        for (i, pattern) in patterns.iter().enumerate() {
            let wanted = Pattern::parse(pattern)?;
            if !rest.any(|frame| wanted.fits(frame)) {
                let after = if i > 0 {
                    format!(" after {:?}", patterns[i - 1])
                } else {
                    String::new()
                };
                return Err(self.failure(format!("nothing on the wire is {pattern:?}{after}")));
            }
        }
        Ok(())
    }

    /// Demands that these frames are on the wire in this order, and no others.
    ///
    /// # Errors
    /// A failure that shows the first difference, and the wire.
    pub fn expect_exactly(&self, patterns: &[&str]) -> Result<(), Finding> {
        for (i, pattern) in patterns.iter().enumerate() {
            let wanted = Pattern::parse(pattern)?;
            match self.frames.get(i) {
                Some(frame) if wanted.fits(frame) => {}
                Some(frame) => {
                    return Err(
                        self.failure(format!("frame {} is not {pattern:?}: {frame}", i + 1))
                    );
                }
                None => return Err(self.failure(format!("the wire ends before {pattern:?}"))),
            }
        }
        match self.frames.get(patterns.len()) {
            None => Ok(()),
            Some(frame) => Err(self.failure(format!("one frame more than expected: {frame}"))),
        }
    }

    /// Demands that no frame is as this pattern says.
    ///
    /// # Errors
    /// A failure that shows the frame, and the wire.
    pub fn expect_none(&self, pattern: &str) -> Result<(), Finding> {
        match self.find(pattern)?.frames.first() {
            None => Ok(()),
            Some(frame) => Err(self.failure(format!("there is {pattern:?} on the wire: {frame}"))),
        }
    }

    /// The frames that are as this pattern says.
    ///
    /// # Errors
    /// A fault if the pattern cannot be understood.
    pub fn find(&self, pattern: &str) -> Result<Self, Finding> {
        let wanted = Pattern::parse(pattern)?;
        Ok(self.only(|frame| wanted.fits(frame)))
    }

    fn failure(&self, what: String) -> Finding {
        Finding::fail(what).with_detail(self.ladder())
    }
}

/// A pattern, taken apart.
struct Pattern {
    from: Option<String>,
    to: Option<String>,
    flags: Flags,
    words: Vec<String>,
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, Finding> {
        let text = text.replace("->", "→");
        let unclear = || {
            Finding::fault(format!(
                "not a pattern: {text:?}; write it as \"client → server: SYN\""
            ))
        };
        let (hosts, words) = match text.split_once(':') {
            Some((hosts, words)) if hosts.contains('→') => (Some(hosts), words),
            None if text.contains('→') => (Some(&*text), ""),
            _ => (None, &*text),
        };
        let name = |name: &str| (name.trim() != "*").then(|| name.trim().to_owned());
        let (from, to) = match hosts {
            Some(hosts) => {
                let (from, to) = hosts.split_once('→').ok_or_else(unclear)?;
                (name(from), name(to))
            }
            None => (None, None),
        };
        let mut flags = Flags::NONE;
        let mut others = Vec::new();
        for word in words.split_whitespace() {
            match Flags::named(word) {
                Some(flag) => flags = flags | flag,
                None => others.push(word.to_lowercase()),
            }
        }
        if from.is_none()
            && to.is_none()
            && flags == Flags::NONE
            && others.is_empty()
            && hosts.is_none()
        {
            return Err(unclear());
        }
        Ok(Self {
            from,
            to,
            flags,
            words: others,
        })
    }

    fn fits(&self, frame: &Frame) -> bool {
        let host = |wanted: &Option<String>, name: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == name)
        };
        host(&self.from, &frame.from)
            && host(&self.to, &frame.addressee())
            && self.fits_flags(frame)
            && self.fits_words(frame)
    }

    fn fits_flags(&self, frame: &Frame) -> bool {
        if self.flags == Flags::NONE {
            return true;
        }
        let Some(tcp) = frame.packet.tcp() else {
            return false;
        };
        let turning = [Flags::SYN, Flags::FIN, Flags::RST];
        let turns = turning
            .iter()
            .all(|flag| tcp.flags.has(*flag) == self.flags.has(*flag));
        let acknowledges =
            !self.flags.has(Flags::SYN) || tcp.flags.has(Flags::ACK) == self.flags.has(Flags::ACK);
        let nothing_else = self.flags != Flags::ACK
            || frame.data().is_empty()
            || self.words.iter().any(|word| is_about_data(word));
        tcp.flags.has(self.flags) && turns && acknowledges && nothing_else
    }

    fn fits_words(&self, frame: &Frame) -> bool {
        let line = frame.summary().to_lowercase();
        let known: Vec<&str> = line
            .split(|c: char| c.is_whitespace() || "(),?:".contains(c))
            .collect();
        self.words.iter().all(|word| match word.as_str() {
            "data" => !frame.packet.data.is_empty(),
            "empty" | "len=0" => frame.packet.data.is_empty(),
            word => known.contains(&word),
        })
    }
}

fn is_about_data(word: &str) -> bool {
    word == "data" || word.starts_with("len=")
}

impl Wire {
    /// The frames of which `wanted` is true.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&Frame) -> bool) -> Self {
        let frames: Vec<Arc<Frame>> = self
            .frames
            .iter()
            .filter(|frame| wanted(frame))
            .cloned()
            .collect();
        Self {
            frames,
            ..self.clone()
        }
    }
}
