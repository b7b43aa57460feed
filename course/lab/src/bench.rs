//! The one place where a check waits.
//!
//! A check has one thread. Whatever it waits for (bytes at a peer, the end of a subject, a frame on the
//! wire), it waits here, and here the output of all its children is drained, its deadline is kept, and
//! a hang that nothing can end is recognized.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::child::{Capture, Child, End};
use crate::finding::Finding;
use crate::hang::{HangDetector, processes};
use crate::net::{Net, diag};
use crate::steps::StepLog;
use crate::trace::Watch;
use crate::waiting::doing;

/// A child that its handle and the bench both know.
pub type SharedChild = Rc<RefCell<Child>>;

/// What a check has on its table.
pub struct Bench {
    /// What was done so far.
    pub log: RefCell<StepLog>,
    /// What a claim's experiment saw.
    pub evidence: RefCell<Vec<String>>,
    /// When the check must be over.
    pub deadline: Cell<Instant>,
    /// Whether to look for hangs that nothing can end. Off where the subject's wait ends by a timer
    /// that the lab cannot see, such as `alarm(2)`.
    pub watch_for_hangs: Cell<bool>,
    /// The networks that the check has built.
    pub nets: RefCell<Vec<Rc<Net>>>,
    children: RefCell<Vec<SharedChild>>,
}

/// What can bring about what is waited for.
#[derive(Clone, Copy)]
pub enum Wake<'a> {
    /// An event on this descriptor, or on a child.
    Fd(BorrowedFd<'a>, PollFlags),
    /// An event on a child: output, its end.
    Children,
    /// Something that no descriptor announces: it is asked for every millisecond.
    Tick,
}

/// Why a wait ended without what was waited for.
#[derive(Debug)]
pub enum Stalled {
    /// The check's time is over. What each child did then, a line each.
    Deadline(Vec<String>),
    /// Everything waits for something else, for ever. Who waits for what, a line each.
    Hang(Vec<String>),
    /// A call of the lab itself failed.
    Broken(io::Error),
}

/// So many processes are worth a word.
const MANY: usize = 64;

/// How often a condition is looked at that no descriptor announces.
const TICK: Duration = Duration::from_millis(1);

impl Bench {
    /// An empty table.
    pub fn new(time: Duration) -> Bench {
        Bench {
            log: RefCell::new(StepLog::new()),
            evidence: RefCell::default(),
            deadline: Cell::new(Instant::now() + time),
            watch_for_hangs: Cell::new(true),
            children: RefCell::default(),
            nets: RefCell::default(),
        }
    }

    /// Notes a step.
    pub fn step(&self, what: impl Into<String>) {
        self.log.borrow_mut().add(what);
    }

    /// What is left of the check's time.
    pub fn time_left(&self) -> Duration {
        let deadline = self.deadline.get();
        deadline.saturating_duration_since(Instant::now())
    }

    /// Puts a new child on the table.
    pub fn adopt(&self, child: Child) -> SharedChild {
        let child = Rc::new(RefCell::new(child));
        self.children.borrow_mut().push(child.clone());
        child
    }

    /// The children that live.
    pub fn living(&self) -> Vec<SharedChild> {
        let all = self.children.borrow();
        let alive = all.iter().filter(|c| c.borrow().end().is_none());
        alive.cloned().collect()
    }

    /// All children, the ended ones too.
    pub fn children(&self) -> Vec<SharedChild> {
        self.children.borrow().clone()
    }

    /// Those who watch the calls of children.
    pub fn watches(&self) -> impl Iterator<Item = Rc<Watch>> + use<> {
        let watches = self.children();
        let watches = watches.into_iter().map(|c| c.borrow().watch.clone());
        watches.collect::<Vec<_>>().into_iter().flatten()
    }

    /// What each living child does now, in words, or how each ended when none lives.
    pub fn doings(&self) -> Vec<String> {
        let children = match self.living() {
            living if living.is_empty() => self.children(),
            living => living,
        };
        let mut doings: Vec<String> = children.iter().map(|c| doing(&c.borrow())).collect();
        doings.dedup();
        doings
    }

    /// Waits until `done` gives a value. It is asked at once, then whenever `wake` says.
    pub fn wait<R>(
        &self,
        wake: Wake<'_>,
        mut done: impl FnMut() -> Option<R>,
    ) -> Result<R, Stalled> {
        let mut hang = HangDetector::new();
        loop {
            for child in self.living() {
                child.borrow_mut().collect().map_err(Stalled::Broken)?;
            }
            if let Some(value) = done() {
                return Ok(value);
            }
            let left = self.time_left();
            if left.is_zero() {
                let mut doings = self.doings();
                let crowd = processes(self).len();
                if crowd > MANY {
                    doings.push(format!("there are {crowd} processes of your code"));
                }
                return Err(Stalled::Deadline(doings));
            }
            let nap = match wake {
                Wake::Tick => TICK,
                _ => HangDetector::LOOK,
            };
            if self.poll(wake, left.min(nap)).map_err(Stalled::Broken)? {
                hang.reset();
            } else if self.watch_for_hangs.get()
                && let Some(who) = hang.look(self)
            {
                // What was held back may have come, and may have been answered, while we looked.
                if let Some(value) = done() {
                    return Ok(value);
                }
                return Err(Stalled::Hang(who));
            }
        }
    }

    /// Waits until a child has ended.
    pub fn wait_for_end(&self, child: &SharedChild) -> Result<End, Stalled> {
        self.wait(Wake::Children, || child.borrow().end())
    }

    /// The TCP sockets of this check's own network and of all its hosts.
    pub fn tcp_sockets(&self) -> io::Result<Vec<diag::Socket>> {
        let mut sockets = diag::tcp()?;
        for net in self.nets.borrow().iter() {
            for host in net.hosts() {
                sockets.extend(host.run(diag::tcp)?);
            }
        }
        Ok(sockets)
    }

    /// Polls everything for at most `time`. Whether anything happened.
    fn poll(&self, wake: Wake<'_>, time: Duration) -> io::Result<bool> {
        let living = self.living();
        let living: Vec<_> = living.iter().map(|c| c.borrow()).collect();
        let mut fds: Vec<PollFd<'_>> = Vec::new();
        if let Wake::Fd(fd, events) = wake {
            fds.push(PollFd::new(fd, events));
        }
        let mut traced = Vec::new();
        for child in &living {
            if child.watch.is_some() {
                traced.push(fds.len());
            }
            fds.push(PollFd::new(child.pidfd(), PollFlags::POLLIN));
            let sources = child.captures.iter().filter_map(Capture::source);
            fds.extend(sources.map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
        }
        let millis = u16::try_from(time.as_micros().div_ceil(1000)).unwrap_or(u16::MAX);
        match poll(&mut fds, PollTimeout::from(millis)) {
            Ok(n) => {
                // A traced child's end is told to its tracer first. It must get the processor for that.
                let has_ended = |i: &usize| fds[*i].revents().is_some_and(|r| !r.is_empty());
                if traced.iter().any(has_ended) {
                    std::thread::sleep(Duration::from_micros(50));
                }
                Ok(n > 0)
            }
            Err(nix::errno::Errno::EINTR) => Ok(true),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl Stalled {
    /// The finding, where `wanted` says what was waited for: `your code to return`.
    pub fn finding(self, wanted: &str) -> Finding {
        match self {
            Stalled::Deadline(who) if who.is_empty() => Finding::fail(format!(
                "expected {wanted}, but the time of the check was over"
            )),
            Stalled::Deadline(who) => Finding::fail(format!(
                "expected {wanted}, but at the end of the check's time {}",
                who.join("; ")
            )),
            Stalled::Hang(who) => {
                let finding = Finding::fail(format!("expected {wanted}, but {}", who.join("; ")));
                finding.with_detail(
                    "Nothing can end this wait: everything that could is waiting, too, or has ended.",
                )
            }
            Stalled::Broken(error) => Finding::fault(format!("waiting for {wanted}: {error}")),
        }
    }
}
