//! Which rare thing shall happen to which call?
//!
//! A check that waits for a short read, an interrupted `accept` or a full descriptor table waits for
//! luck. A plan makes it happen, at the call that it names, every time:
//!
//! ```ignore
//! let plan = Faults::new()
//!     .on(Call::Read).fd(&end).nth(1).fails(Errno::EINTR)
//!     .on(Call::Read).fd(&end).nth(2..=4).at_most(3);
//! let subject = cx.spawner().faults(plan).subject(move || read_full(&end))?;
//! ```
//!
//! Where several lines fit a call, each counts it and the first whose turn it is decides.

mod gate;

use std::net::SocketAddr;
use std::ops::{Range, RangeFrom, RangeInclusive};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::Signal;

use crate::calls::Call;
pub use gate::Gate;

/// What is planned for a subject's system calls, and which of them are written down.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    pub(crate) rules: Vec<Rule>,
    pub(crate) recorded: Vec<Call>,
}

/// One line of a plan.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) fits: Fits,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) effect: Effect,
}

/// Which calls a line is about.
#[derive(Debug, Clone)]
pub(crate) struct Fits {
    pub(crate) call: Call,
    pub(crate) fd: Option<RawFd>,
    pub(crate) kind: Option<Kind>,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) path: Option<String>,
    pub(crate) process: Option<Who>,
}

/// Which of a subject's processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    First,
    Others,
}

/// What a descriptor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any socket.
    Socket,
    /// A stream socket that does not listen: TCP or Unix domain.
    Stream,
    /// A datagram socket: UDP or Unix domain.
    Datagram,
    /// A socket that listens.
    Listener,
    /// A pipe or FIFO.
    Pipe,
    /// A file on a disk.
    File,
    /// A terminal.
    Terminal,
}

/// What happens to a call.
#[derive(Debug, Clone)]
pub(crate) enum Effect {
    /// It is not executed, and this is its error.
    Fails(Errno),
    /// It is executed, and this is its error all the same.
    FailsAfterwards(Errno),
    /// It moves at most so many bytes.
    AtMost(usize),
    /// It begins so much later.
    Delayed(Duration),
    /// The signal's handler runs first.
    SignalBefore(Signal),
    /// The signal comes when the thread sleeps in the call.
    SignalDuring(Signal),
    /// The signal's handler runs before the code learns the result.
    SignalAfter(Signal),
    /// It waits before the kernel sees it.
    WaitsAt(Gate),
    /// It waits before the code learns the result.
    ReturnsAt(Gate),
}

impl Faults {
    /// Nothing planned.
    pub fn new() -> Faults {
        Faults::default()
    }

    /// Begins a line about these calls. Without more, it is about each of them.
    pub fn on(self, call: Call) -> On {
        On {
            faults: self,
            fits: Fits {
                call,
                fd: None,
                kind: None,
                peer: None,
                path: None,
                process: None,
            },
            first: 1,
            last: u64::MAX,
        }
    }

    /// Writes these calls down as well. Calls that the plan names always are.
    #[must_use]
    pub fn records(mut self, calls: &[Call]) -> Faults {
        self.recorded.extend_from_slice(calls);
        self
    }

    /// The calls that have to be stopped at.
    pub(crate) fn calls(&self) -> impl Iterator<Item = Call> {
        let planned = self.rules.iter().map(|rule| rule.fits.call);
        planned.chain(self.recorded.iter().copied())
    }
}

impl Rule {
    /// In a message: `nth read fails with EINTR`.
    pub(crate) fn words(&self) -> String {
        let which = match (self.first, self.last) {
            (1, u64::MAX) => "each".into(),
            (first, u64::MAX) => format!("from number {first} on, each"),
            (first, last) if first == last => format!("number {first} of the calls to"),
            (first, last) => format!("numbers {first} to {last} of the calls to"),
        };
        let call = self.fits.call.name();
        let at = self
            .fits
            .fd
            .map_or(String::new(), |fd| format!(" at descriptor {fd}"));
        format!("{which} {call}{at}")
    }
}

/// A line of a plan in the making: say what happens.
#[derive(Debug)]
#[must_use = "a line without an effect does nothing: say what happens"]
pub struct On {
    faults: Faults,
    fits: Fits,
    first: u64,
    last: u64,
}

impl On {
    /// Only at this descriptor, by its number: what has the number then counts, whoever opened it.
    pub fn fd(mut self, fd: &impl AsRawFd) -> On {
        self.fits.fd = Some(fd.as_raw_fd());
        self
    }

    /// Only at the descriptor with this number: `0` is standard input.
    pub fn number(mut self, fd: RawFd) -> On {
        self.fits.fd = Some(fd);
        self
    }

    /// Only at descriptors of this kind.
    pub fn at_a(mut self, kind: Kind) -> On {
        self.fits.kind = Some(kind);
        self
    }

    /// Only at sockets with this peer: connected to it, being connected to it, or sending to it.
    pub fn peer(mut self, peer: SocketAddr) -> On {
        self.fits.peer = Some(peer);
        self
    }

    /// Only at files whose path ends like this, as the code says it: `/net/tcp6`.
    pub fn path(mut self, end: &str) -> On {
        self.fits.path = Some(end.to_owned());
        self
    }

    /// Only in the subject's first process.
    pub fn in_parent(mut self) -> On {
        self.fits.process = Some(Who::First);
        self
    }

    /// Only in the processes that the subject has forked.
    pub fn in_child(mut self) -> On {
        self.fits.process = Some(Who::Others);
        self
    }

    /// Only the nth of the calls that fit, counted from 1 over all threads: `1`, `2..=4`, `3..`.
    pub fn nth(mut self, which: impl Nth) -> On {
        (self.first, self.last) = which.bounds();
        self
    }

    /// The call fails with `errno` and is not executed, as when a signal had arrived before it, the
    /// descriptor table was full, or the peer had gone.
    pub fn fails(self, errno: Errno) -> Faults {
        self.with(Effect::Fails(errno))
    }

    /// The call is executed and says that it has failed: `close` and `connect` with `EINTR`.
    pub fn fails_afterwards(self, errno: Errno) -> Faults {
        self.with(Effect::FailsAfterwards(errno))
    }

    /// A read or write moves at most so many bytes; nothing is lost, the kernel does a true short
    /// transfer. Over several parts (`readv`, `sendmsg`) it is their sum. Calls at datagram sockets are left as
    /// they are, since a datagram is never cut and continued.
    pub fn at_most(self, bytes: usize) -> Faults {
        self.with(Effect::AtMost(bytes))
    }

    /// The call begins this much later. `LAB_TIME_SCALE` stretches it like all of a check's times.
    pub fn delayed(self, by: Duration) -> Faults {
        self.with(Effect::Delayed(by))
    }

    /// The signal comes just before: its handler runs, then the call is made.
    pub fn signal_before(self, signal: Signal) -> Faults {
        self.with(Effect::SignalBefore(signal))
    }

    /// The signal comes as soon as the thread sleeps in the call. A call that need not sleep is not
    /// disturbed, and the record says so.
    pub fn signal_during(self, signal: Signal) -> Faults {
        self.with(Effect::SignalDuring(signal))
    }

    /// The signal comes just after: its handler runs before the code learns the result.
    pub fn signal_after(self, signal: Signal) -> Faults {
        self.with(Effect::SignalAfter(signal))
    }

    /// The call waits at the gate before the kernel sees it, until the check opens the gate.
    pub fn waits_at(self, gate: &Gate) -> Faults {
        self.with(Effect::WaitsAt(gate.clone()))
    }

    /// The call is executed, and its result waits at the gate until the check opens it.
    pub fn returns_at(self, gate: &Gate) -> Faults {
        self.with(Effect::ReturnsAt(gate.clone()))
    }

    fn with(mut self, effect: Effect) -> Faults {
        self.faults.rules.push(Rule {
            fits: self.fits,
            first: self.first,
            last: self.last,
            effect,
        });
        self.faults
    }
}

/// Which of the calls that fit, counted from 1.
pub trait Nth {
    /// The first and the last.
    fn bounds(self) -> (u64, u64);
}

impl Nth for u64 {
    fn bounds(self) -> (u64, u64) {
        (self, self)
    }
}

impl Nth for RangeInclusive<u64> {
    fn bounds(self) -> (u64, u64) {
        self.into_inner()
    }
}

impl Nth for Range<u64> {
    fn bounds(self) -> (u64, u64) {
        (self.start, self.end.saturating_sub(1))
    }
}

impl Nth for RangeFrom<u64> {
    fn bounds(self) -> (u64, u64) {
        (self.start, u64::MAX)
    }
}
