//! What of a record do several drawings need: times, and in which states the ends were after each frame?

use std::time::Duration;

use lab::wire::{Name, State, Told, Wire};

/// The ends of the one connection of a record.
pub(super) struct Ends {
    /// Both, from the left to the right.
    pub hosts: Vec<Name>,
    /// In which state each of them is before the first frame, and after each.
    pub steps: Vec<Vec<State>>,
}

impl Ends {
    /// Nothing if it is not one connection of TCP between two hosts.
    pub fn of(wire: &Wire, story: &[Told]) -> Option<Ends> {
        if connections(story) != 1 {
            return None;
        }
        let begins = &story.iter().find(|told| !told.begins.is_empty())?.begins;
        let known = |host: &Name| begins.iter().find(|(name, _)| name == host);
        let (hosts, first): (Vec<Name>, Vec<State>) =
            wire.hosts().iter().filter_map(known).cloned().unzip();
        if hosts.len() != 2 {
            return None;
        }
        let mut steps = vec![first];
        for told in story {
            let mut now = steps.last()?.clone();
            for (host, state) in &told.changes {
                let at = hosts.iter().position(|known| known == host)?;
                now[at] = *state;
            }
            steps.push(now);
        }
        Some(Ends { hosts, steps })
    }
}

/// How many TCP connections there are.
pub(super) fn connections(story: &[Told]) -> usize {
    story.iter().filter(|told| !told.begins.is_empty()).count()
}

/// When a frame was sent, counted from the first.
pub(super) fn since_first(wire: &Wire, at: usize) -> Duration {
    let frames = wire.frames();
    frames[at].time.saturating_sub(frames[0].time)
}

/// A time with a unit that suits it, and no more digits than matter.
pub(super) fn clock(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        0 => "0".into(),
        1..1_000 => format!("{micros} µs"),
        1_000..100_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        _ => format!(
            "{}.{:02} s",
            micros / 1_000_000,
            micros % 1_000_000 / 10_000
        ),
    }
}
