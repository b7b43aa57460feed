//! How does a fault become true?
//!
//! At a planned call the learner's thread stands still before the kernel has seen the call. What
//! happens to it is decided here; the result is put right when the call is over.

use std::time::Instant;

use nix::sys::signal::Signal;

use crate::calls::table::{Arg, Syscall};
use crate::fault::{Effect, Gate, Who};
use crate::trace::decode::{self, Message, Words};
use crate::trace::descriptor::Descriptor;
use crate::trace::log::{Entry, Text};
use crate::trace::names;
use crate::trace::ptrace::{Engine, Info, Stopped};
use crate::trace::tracer::Plan;

/// A call that has begun.
pub struct InCall {
    pub(super) call: &'static Syscall,
    pub(super) arguments: [u64; 6],
    pub(super) words: Words,
    pub(super) places: Vec<(u64, u64)>,
    pub(super) entry: Entry,
    /// Where it was called: how a call is known again that a signal has interrupted.
    pub(super) ip: u64,
    pub(super) sp: u64,
    /// What is to be done when it is over.
    pub(super) after: After,
    /// The line of the plan that it falls under.
    pub(super) line: Option<usize>,
    /// The signal that is to come while it sleeps.
    pub(super) during: Option<Signal>,
    /// Words of memory to be put back.
    restore: Vec<(u64, u64)>,
}

/// What is to be done when a call is over.
pub enum After {
    /// Nothing.
    Nothing,
    /// It was not executed, or shall not have succeeded: this is its result.
    Result(i64),
    /// It was not executed: the signal comes, then the call is made.
    Again(Signal),
    /// The signal comes.
    Signal(Signal),
    /// It waits.
    Gate(Gate),
}

/// Why a thread is held.
pub enum Hold {
    /// Until then, before its call.
    Until(Instant),
    /// Until the gate is open, before its call.
    Gate(Gate),
    /// Until the gate is open, after its call.
    Result(Gate),
}

/// Which effect is due to this call. All lines that fit have counted it.
pub fn due(
    plan: &mut Plan,
    thread: Stopped,
    call: &Syscall,
    arguments: &[u64; 6],
    descriptor: Option<&mut Descriptor<'_>>,
    process: u32,
) -> Option<(usize, Effect)> {
    let mut descriptor = descriptor;
    let mut found = None;
    for (i, rule) in plan.rules.iter().enumerate() {
        let fits = &rule.fits;
        let fd = arguments[0] as i32;
        if !fits.call.covers(call)
            || fits
                .fd
                .is_some_and(|wanted| descriptor.is_none() || wanted != fd)
            || fits
                .process
                .is_some_and(|who| (who == Who::First) != (process == 0))
        {
            continue;
        }
        if let Some(kind) = fits.kind
            && !descriptor.as_mut().is_some_and(|d| d.is(kind))
        {
            continue;
        }
        if let Some(peer) = fits.peer
            && decode::internet_address(thread, call, arguments) != Some(peer)
            && descriptor.as_mut().and_then(|d| d.peer()) != Some(peer)
        {
            continue;
        }
        if let Some(end) = &fits.path
            && !decode::path_ends_with(thread, call, arguments, end)
        {
            continue;
        }
        if matches!(rule.effect, Effect::AtMost(_))
            && !descriptor.as_mut().is_some_and(|d| d.has_no_edges())
        {
            continue;
        }
        plan.counts[i] += 1;
        let turn = plan.counts[i];
        if found.is_none() && (rule.first..=rule.last).contains(&turn) {
            found = Some((i, rule.effect.clone()));
        }
    }
    found
}

impl InCall {
    pub(super) fn new(
        call: &'static Syscall,
        info: &Info,
        words: Words,
        places: Vec<(u64, u64)>,
        entry: &Entry,
    ) -> InCall {
        InCall {
            call,
            arguments: info.arguments(),
            words,
            places,
            entry: *entry,
            ip: info.ip,
            sp: info.sp,
            after: After::Nothing,
            line: None,
            during: None,
            restore: Vec::new(),
        }
    }

    /// Whether a call that begins is this one, made once more by the kernel.
    pub(super) fn is_again(&self, info: &Info) -> bool {
        self.ip == info.ip && self.sp == info.sp
    }

    /// Before the kernel sees the call. What it is to wait for, if anything.
    pub(super) fn begins(
        &mut self,
        effect: Effect,
        thread: Stopped,
        engine: &mut Engine,
        info: &Info,
        scale: f64,
    ) -> Option<Hold> {
        let mut hold = None;
        let said = match effect {
            Effect::Fails(errno) => {
                let _ = thread.skip(engine, info);
                self.after = After::Result(-i64::from(errno as i32));
                let why = reason(errno);
                format!("made to fail by the check{why}")
            }
            Effect::FailsAfterwards(errno) => {
                self.after = After::Result(-i64::from(errno as i32));
                "executed, and made to say that it failed by the check".into()
            }
            Effect::AtMost(most) => {
                if self.shorten(most as u64, thread, engine, info) {
                    format!("cut to {most} bytes by the check")
                } else {
                    String::new()
                }
            }
            Effect::Delayed(by) => {
                let by = by.mul_f64(scale);
                hold = Some(Hold::Until(Instant::now() + by));
                format!("delayed by the check by {} ms", by.as_secs_f64() * 1e3)
            }
            Effect::SignalBefore(signal) => {
                let _ = thread.skip(engine, info);
                self.after = After::Again(signal);
                format!("{signal} came just before")
            }
            Effect::SignalDuring(signal) => {
                self.during = Some(signal);
                // Changed when it was sent.
                format!("{signal} was to come while it slept, but it did not sleep")
            }
            Effect::SignalAfter(signal) => {
                self.after = After::Signal(signal);
                format!("{signal} came just after")
            }
            Effect::WaitsAt(gate) => {
                hold = Some(Hold::Gate(gate));
                "held by the check before it began".into()
            }
            Effect::ReturnsAt(gate) => {
                self.after = After::Gate(gate);
                "held by the check before it returned".into()
            }
        };
        self.entry.effect = Text::of(&said);
        hold
    }

    /// Lets the call move at most so many bytes. Whether that changed anything.
    fn shorten(&mut self, most: u64, thread: Stopped, engine: &mut Engine, info: &Info) -> bool {
        let arguments = self.arguments;
        for (i, arg) in self.call.arguments.iter().enumerate() {
            match arg {
                Arg::Given | Arg::Got => {
                    return arguments[i + 1] > most
                        && thread.set_argument(engine, info, i + 1, most).is_ok();
                }
                Arg::GivenParts | Arg::GotParts => {
                    let Some(count) = self.cut(most, thread, arguments[i], arguments[i + 1]) else {
                        return false;
                    };
                    return thread.set_argument(engine, info, i + 1, count).is_ok();
                }
                Arg::GivenMessage | Arg::GotMessage => {
                    let Some(message) = Message::at(thread, arguments[i]) else {
                        return false;
                    };
                    let Some(count) = self.cut(most, thread, message.parts, message.count) else {
                        return false;
                    };
                    self.overwrite(thread, arguments[i] + Message::COUNT, count);
                    return true;
                }
                _ => {}
            }
        }
        // sendfile, splice: the count stands alone.
        let count = self
            .call
            .arguments
            .iter()
            .rposition(|arg| *arg == Arg::Size);
        count.is_some_and(|i| {
            arguments[i] > most && thread.set_argument(engine, info, i, most).is_ok()
        })
    }

    /// Cuts `iovec`s so that their sum is `most`. How many are left; nothing when they hold no more.
    fn cut(&mut self, most: u64, thread: Stopped, at: u64, count: u64) -> Option<u64> {
        let mut left = most;
        for (i, (_, len)) in decode::parts(thread, at, count).into_iter().enumerate() {
            if len > left {
                self.overwrite(thread, at + i as u64 * 16 + 8, left);
                return Some(i as u64 + 1);
            }
            left -= len;
        }
        None
    }

    /// Changes a word of the learner's memory until the call is over.
    fn overwrite(&mut self, thread: Stopped, at: u64, word: u64) {
        if let Some(before) = thread.word(at)
            && thread.poke(at, word).is_ok()
        {
            self.restore.push((at, before));
        }
    }

    /// When the call is over: puts back what was changed.
    pub(super) fn put_back(&mut self, thread: Stopped) {
        for (at, word) in self.restore.drain(..) {
            let _ = thread.poke(at, word);
        }
    }

    /// Notes that the signal was sent while it slept.
    pub(super) fn was_signaled(&mut self, signal: Signal) {
        self.entry.effect = Text::of(&format!("{signal} came while it slept"));
    }

    /// The result, as messages have it.
    pub(super) fn ends(&mut self, thread: Stopped, result: i64, now: u64) {
        self.entry.ended = now;
        self.entry.result = result;
        if result >= 0 {
            self.words
                .complete(thread, self.call, &self.arguments, result);
            let moved = decode::bytes(thread, &self.places, result as u64);
            self.entry.data[..moved.len()].copy_from_slice(&moved);
            self.entry.data_len = moved.len() as u8;
        }
        self.entry.arguments = Text::of(&self.words.text(self.call));
    }
}

/// What an injected errno stands for, in the words of a message.
fn reason(errno: nix::errno::Errno) -> String {
    use nix::errno::Errno;
    let why = match errno {
        Errno::EINTR => "as if a signal had arrived",
        Errno::EAGAIN => "as if there were nothing yet",
        Errno::ECONNABORTED => "as if the peer had gone while it waited to be accepted",
        Errno::EMFILE => "as if all of its descriptors were in use",
        Errno::ENFILE => "as if all of the machine's descriptors were in use",
        Errno::ENOBUFS | Errno::ENOMEM => "as if the kernel had no memory",
        Errno::EPIPE => "as if the peer had closed",
        Errno::ECONNRESET => "as if the peer had reset the connection",
        _ => return format!(" with {}", names::errno(errno as i32)),
    };
    format!(", {why}")
}
