//! What is known of one frame: when it came, whom it was for, what it said, and what became of it.

use std::sync::Arc;
use std::time::Duration;

use super::Packet;

/// A host's name, shared by all frames that mention it.
pub type Name = Arc<str>;

/// A frame, as the switch saw it.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its place in the record, from 1.
    pub number: usize,
    /// When the switch took it, counted from when the network was ready.
    pub time: Duration,
    /// The host out of whose cable it came.
    pub from: Name,
    /// The host whose hardware address it bears; nothing when it is for several, or for nobody.
    pub to: Option<Name>,
    /// The bytes as they were sent, from the Ethernet header on. The record keeps only the first 128 of each when it has
    /// grown beyond 64 MiB.
    pub bytes: Arc<[u8]>,
    /// How long it was, in bytes.
    pub length: usize,
    /// The bytes, decoded.
    pub packet: Arc<Packet>,
    /// What became of it, once for each copy on its way to a host; empty while it is held back or under way.
    pub fates: Vec<Fate>,
    /// Index of the switch's port it came in by.
    pub(crate) port: usize,
}

/// What became of one copy of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// The host it was for.
    pub to: Name,
    /// When that was decided: when it arrived, or was lost.
    pub at: Duration,
    /// What it was.
    pub what: What,
    /// The rule that did it; 0 when there was none.
    pub rule: u32,
}

/// What can become of a copy of a frame. When several rules acted on it, the gravest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It arrived.
    Delivered,
    /// It arrived later than it could have.
    Delayed,
    /// It arrived after others that had been sent later.
    Overtaken,
    /// It arrived, once more than it was sent.
    Duplicate,
    /// It arrived with a byte changed.
    Corrupted,
    /// A rule dropped it.
    Dropped,
    /// The host's cable is cut.
    Cut,
    /// The host's device is down, or the host is gone.
    Refused,
}

impl What {
    /// Did it arrive?
    pub fn arrived(self) -> bool {
        !matches!(self, Self::Dropped | Self::Cut | Self::Refused)
    }

    /// What is said of it in a line; nothing of what is as it should be.
    pub fn remark(self) -> &'static str {
        match self {
            Self::Delivered => "",
            Self::Delayed => "delayed",
            Self::Overtaken => "overtaken",
            Self::Duplicate => "duplicated",
            Self::Corrupted => "corrupted",
            Self::Dropped => "dropped",
            Self::Cut => "lost: cable cut",
            Self::Refused => "lost: device down",
        }
    }
}

impl Frame {
    /// The data in it: what a program sent.
    pub fn data(&self) -> &[u8] {
        self.bytes.get(self.packet.data.clone()).unwrap_or_default()
    }

    /// Did at least one copy arrive?
    pub fn arrived(&self) -> bool {
        self.fates.iter().any(|fate| fate.what.arrived())
    }

    /// Are its checksums as it was sent right? A frame of which not all bytes were kept is not wrong.
    pub fn checksums_are_right(&self) -> bool {
        self.bytes.len() < self.length || self.packet.checksums_are_right(&self.bytes)
    }

    /// What is not as it should be, in a few words.
    pub fn remark(&self) -> String {
        let worst = self
            .fates
            .iter()
            .map(|fate| fate.what)
            .max_by_key(|what| *what as u8);
        worst.map_or("", What::remark).to_owned()
    }
}
