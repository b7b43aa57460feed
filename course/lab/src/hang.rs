//! Is this a hang that nothing can ever end?
//!
//! A deadline of seconds makes a learner wait for what was clear at once. When every thread of every
//! child sleeps in a system call without a timeout, none of them has run for a while, and nothing is on
//! its way (no TCP timer, no frame held back, no armed timer descriptor), then waiting longer brings
//! nothing.

use std::fs;
use std::time::{Duration, Instant};

use crate::bench::Bench;
use crate::net::diag;
use crate::waiting::threads;

/// Looks again and again, and remembers what it saw.
pub struct HangDetector {
    since: Instant,
    last: Vec<String>,
}

impl HangDetector {
    /// The time between two looks.
    pub const LOOK: Duration = Duration::from_millis(10);
    /// How long nothing must have moved. A process that is woken shows as running at once, however
    /// busy the machine is; this covers what is under way inside the kernel.
    const STILL: Duration = Duration::from_millis(80);

    /// Nothing seen yet.
    pub fn new() -> HangDetector {
        HangDetector {
            since: Instant::now(),
            last: Vec::new(),
        }
    }

    /// Something happened: begin again.
    pub fn reset(&mut self) {
        self.last.clear();
    }

    /// Looks at all children. When they hang: who waits for what, a line each.
    pub fn look(&mut self, bench: &Bench) -> Option<Vec<String>> {
        if self.last.is_empty() {
            self.since = Instant::now();
            self.last = still_life(bench)?;
            return None;
        }
        if self.since.elapsed() < Self::STILL {
            return None;
        }
        // In this order: what came while we asked has woken somebody by the time of the last look.
        let still = || still_life(bench).as_ref() == Some(&self.last);
        if !still() || something_will_come(bench) || !still() {
            self.reset();
            return None;
        }
        Some(bench.doings())
    }
}

/// What every thread sleeps in and how often it ran, or `None` when one does not sleep for ever.
fn still_life(bench: &Bench) -> Option<Vec<String>> {
    if bench.watches().any(|watch| watch.is_busy()) {
        return None;
    }
    let mut seen = Vec::new();
    // A switch is no party: whether it has something under way is asked of it.
    let helpers: Vec<i32> = {
        let nets = bench.nets.borrow();
        let switches = nets.iter().flat_map(|net| net.helpers());
        switches
            .chain(bench.watches().map(|watch| watch.pid))
            .collect()
    };
    let parties = processes(bench)
        .into_iter()
        .filter(|pid| !helpers.contains(pid));
    for pid in parties {
        for thread in threads(pid) {
            if thread.has_ended() {
                continue;
            }
            if !thread.sleeps_for_ever() {
                return None;
            }
            seen.push(thread.fingerprint()?);
        }
    }
    if seen.is_empty() && !bench.children().is_empty() {
        // Who has ended does nothing any more.
        seen.push("ended".into());
    }
    // A check that has started nobody waits for something of its own.
    (!seen.is_empty()).then_some(seen)
}

/// The check's children and theirs: all of the pid namespace where there is one.
pub fn processes(bench: &Bench) -> Vec<i32> {
    let me = std::process::id() as i32;
    let mut found: Vec<i32> = Vec::new();
    if me == 2 {
        // Process 1 is the lab's own, process 2 the check.
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let pid: Option<i32> = entry.file_name().to_str().and_then(|n| n.parse().ok());
            found.extend(pid.filter(|pid| *pid > 2));
        }
        return found;
    }
    let mut queue: Vec<i32> = bench.living().iter().map(|c| c.borrow().pid).collect();
    while let Some(pid) = queue.pop() {
        found.push(pid);
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.unwrap_or_default();
        queue.extend(
            children
                .split_whitespace()
                .filter_map(|p| p.parse::<i32>().ok()),
        );
    }
    found
}

/// Whether the kernel or a switch has something under way that will wake somebody.
fn something_will_come(bench: &Bench) -> bool {
    // What cannot be asked is taken for a yes: better to wait for the deadline.
    let held_back = bench
        .nets
        .borrow()
        .iter()
        .any(|net| !net.is_quiet().unwrap_or(false));
    // A retransmission or a probe may yet change what the sockets say. TIME_WAIT wakes nobody.
    let timers = bench.tcp_sockets().map_or(true, |sockets| {
        sockets.iter().any(|socket| {
            matches!(
                socket.timer,
                diag::Timer::Retransmit | diag::Timer::Persist | diag::Timer::Keepalive
            )
        })
    });
    held_back || timers
}
