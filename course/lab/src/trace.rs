//! What calls did the learner's code make, and who made them go wrong?
//!
//! The check forks a small *tracer*, then the learner. The tracer seizes the learner, who stays the
//! check's own child: process ids, wait statuses and the search for leaks are as they always are. A
//! seccomp filter stops the learner at planned and recorded calls only. What was called goes to shared
//! memory, which the learner does not have.

mod attach;
mod decode;
mod descriptor;
mod effects;
mod filter;
mod log;
mod look;
mod names;
mod ptrace;
mod registers;
mod shared;
mod tracer;

pub(crate) use attach::{Attach, Begin, Begins};
pub(crate) use log::{Entry, State};
pub(crate) use names::errno as errno_name;
pub(crate) use shared::Shared;

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use crate::finding::Finding;
use crate::system;
use crate::trace::log::Log;

/// The check's side of a tracer. Dropping it ends the tracer.
pub(crate) struct Watch {
    /// Whose calls these are: `your code`.
    pub(crate) whose: String,
    /// The host in which they are made; empty outside of hosts.
    pub(crate) host: String,
    /// The tracer's process id.
    pub(crate) pid: i32,
    log: Log,
    /// When the check began, in nanoseconds of `CLOCK_MONOTONIC`.
    began: u64,
    /// The plan's lines, as messages call them.
    lines: Vec<String>,
    end: Cell<Option<i32>>,
    /// What has been read once the tracer had ended.
    whole: RefCell<Option<(Vec<Entry>, u64)>>,
}

impl Watch {
    /// The calls so far, and how many more there were that are not kept.
    pub(crate) fn entries(&self) -> (Vec<Entry>, u64) {
        if let Some(whole) = &*self.whole.borrow() {
            return whole.clone();
        }
        let ended = self.ended().is_some();
        let read = self.log.read();
        if ended {
            *self.whole.borrow_mut() = Some(read.clone());
        }
        read
    }

    /// The time of an entry on the check's clock.
    pub(crate) fn since_began(&self, nanos: u64) -> Duration {
        Duration::from_nanos(nanos.saturating_sub(self.began))
    }

    /// Whether the tracer is about to do something by itself.
    pub(crate) fn is_busy(&self) -> bool {
        self.ended().is_none() && self.log.is_busy()
    }

    /// The plan's lines that never took place.
    pub(crate) fn idle_lines(&self) -> Vec<String> {
        let lines = self.lines.iter().enumerate();
        let idle = lines.filter(|(i, _)| self.log.happened(*i) == 0);
        idle.map(|(_, line)| line.clone()).collect()
    }

    /// How the tracer ended, as `waitpid(2)` has it, if it has.
    fn ended(&self) -> Option<i32> {
        if self.end.get().is_none() {
            let mut status = 0;
            // SAFETY: status is a valid place for an int; the tracer is this process's child.
            let r = unsafe { libc::waitpid(self.pid, &raw mut status, libc::WNOHANG) };
            if r == self.pid {
                self.end.set(Some(status));
            }
        }
        self.end.get()
    }

    /// After the subject was killed: whether that is so because its tracer was.
    pub(crate) fn was_lost(&self) -> Option<Finding> {
        // The kernel kills the subject while the tracer is still ending.
        let give_up = Instant::now() + Duration::from_secs(1);
        let status = loop {
            match self.ended() {
                Some(status) => break status,
                None if Instant::now() > give_up => return None,
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0 {
            return None;
        }
        let how = if libc::WIFSIGNALED(status) {
            let signal = crate::subject::signal_name(libc::WTERMSIG(status));
            format!("was killed by {signal}")
        } else {
            format!("ended with status {}", libc::WEXITSTATUS(status))
        };
        Some(Finding::fail(format!(
            "the lab's process that watches the calls of {} {how}, and {} was ended with it: code under a \
             check must leave processes alone that it has not started",
            self.whose, self.whose
        )))
    }

    /// Ends the tracer, and with it all that it traces.
    pub(crate) fn stop(&self) {
        if self.ended().is_none() {
            system::kill(self.pid, libc::SIGKILL);
            self.end.set(Some(system::reap(self.pid)));
        }
    }
}

/// Whether system calls can be traced here, found out by doing it. The process must have one thread.
///
/// # Errors
///
/// What is not permitted.
pub fn tracing() -> Result<(), String> {
    let check = crate::Check::new(Duration::from_secs(10), std::env::temp_dir());
    let plan = crate::Faults::new()
        .on(crate::Call::Dup)
        .fails(nix::errno::Errno::EMFILE);
    let subject = check.spawner().faults(plan).subject(|| {
        let dup = nix::unistd::dup(std::io::stdin());
        dup.err() == Some(nix::errno::Errno::EMFILE)
    });
    match subject.and_then(crate::Subject::value) {
        Ok(true) => Ok(()),
        Ok(false) => Err("a planned error did not come".into()),
        Err(finding) => {
            let what = finding.what();
            let reason = what
                .split_once('(')
                .and_then(|(_, rest)| rest.split_once("), see"));
            Err(reason.map_or(what, |(reason, _)| reason).into())
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop();
    }
}
