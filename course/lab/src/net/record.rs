//! How does what the switch saw come to the process that asks?
//!
//! As one growing sequence of bytes. The switch only ever appends to it; who has read so far asks for the rest. Both ends are
//! the same program, so the layout is nobody else's business.

use std::time::Duration;

use crate::wire::What;

/// Frames are kept whole until the record is this long; after that, their beginnings.
const WHOLE_UNTIL: usize = 64 << 20;
/// How much of a frame is kept then: headers with all options.
const BEGINNING: usize = 128;

/// Something that happened at the switch.
pub(super) enum Event<'a> {
    /// A frame came in. Frames are numbered from 0 by the order of these.
    Came {
        time: Duration,
        port: u8,
        length: u32,
        bytes: &'a [u8],
    },
    /// A copy of a frame came to its end.
    Went {
        frame: u32,
        port: u8,
        time: Duration,
        what: What,
        rule: u32,
    },
}

/// The record, as the switch keeps it.
#[derive(Default)]
pub(super) struct Record {
    bytes: Vec<u8>,
    frames: u32,
}

impl Record {
    /// A frame came in: its number.
    pub(super) fn came(&mut self, time: Duration, port: usize, frame: &[u8]) -> u32 {
        let kept = if self.bytes.len() < WHOLE_UNTIL {
            frame
        } else {
            &frame[..frame.len().min(BEGINNING)]
        };
        self.head(0, port, time, [frame.len() as u32, kept.len() as u32]);
        self.bytes.extend_from_slice(kept);
        self.frames += 1;
        self.frames - 1
    }

    /// A copy of frame `number` came to its end.
    pub(super) fn went(&mut self, number: u32, port: usize, time: Duration, what: What, rule: u32) {
        self.head(1 + what as u8, port, time, [number, rule]);
    }

    fn head(&mut self, kind: u8, port: usize, time: Duration, numbers: [u32; 2]) {
        self.bytes.extend([kind, port as u8]);
        self.bytes.extend((time.as_nanos() as u64).to_ne_bytes());
        self.bytes
            .extend(numbers.into_iter().flat_map(u32::to_ne_bytes));
    }

    /// How long it is, in bytes.
    pub(super) fn length(&self) -> usize {
        self.bytes.len()
    }

    /// What was appended after the first `from` bytes.
    pub(super) fn since(&self, from: usize) -> &[u8] {
        self.bytes.get(from..).unwrap_or_default()
    }
}

/// The events in a piece of a record.
pub(super) fn events(mut bytes: &[u8]) -> impl Iterator<Item = Event<'_>> {
    const HEAD: usize = 18;
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let time = Duration::from_nanos(u64::from_ne_bytes(head[2..10].try_into().ok()?));
        let [a, b] = [10, 14].map(|at| super::netlink::u32_at(head, at));
        let port = head[1];
        bytes = rest;
        if head[0] == 0 {
            let frame;
            (frame, bytes) = rest.split_at_checked(b as usize)?;
            return Some(Event::Came {
                time,
                port,
                length: a,
                bytes: frame,
            });
        }
        Some(Event::Went {
            frame: a,
            port,
            time,
            what: what_of(head[0] - 1)?,
            rule: b,
        })
    })
}

fn what_of(number: u8) -> Option<What> {
    const ALL: [What; 8] = [
        What::Delivered,
        What::Delayed,
        What::Overtaken,
        What::Duplicate,
        What::Corrupted,
        What::Dropped,
        What::Cut,
        What::Refused,
    ];
    ALL.into_iter().find(|what| *what as u8 == number)
}
