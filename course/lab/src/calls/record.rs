//! One call, as it was made.

use std::time::Duration;

use nix::errno::Errno;

use crate::calls::Call;
use crate::calls::table::numbered;
use crate::trace::{Entry, State, Watch, errno_name};

/// A system call that a subject made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// As its man page is called: `recvfrom`.
    pub name: &'static str,
    /// What it does.
    pub call: Call,
    /// The descriptor that it is about.
    pub fd: Option<i32>,
    /// What that descriptor was: `stream socket 127.0.0.1:7 listening`.
    pub what: String,
    /// The arguments in words, as between its parentheses.
    pub arguments: String,
    /// The result as the code got it. Nothing when it has not come back.
    pub result: Option<Result<i64, Errno>>,
    /// The first of the bytes that were moved, 48 at most.
    pub data: Vec<u8>,
    /// When it began, on the check's clock.
    pub began: Duration,
    /// How long it took.
    pub took: Option<Duration>,
    /// The process, as the check sees it.
    pub pid: i32,
    /// The thread.
    pub tid: i32,
    /// 0 is the subject itself, 1 the first process that it forked, and so on.
    pub process: u32,
    /// What the check did to it, in words; empty when nothing.
    pub effect: String,
    /// The process ended in it.
    pub(crate) ended_in: bool,
}

impl CallRecord {
    pub(crate) fn new(entry: &Entry, watch: &Watch) -> Option<CallRecord> {
        let call = numbered(entry.number)?;
        let result = match entry.state {
            State::Open | State::Ended => None,
            State::Returned | State::Interrupted => Some(entry.result),
        };
        let result = result.map(|value| match value {
            -4095..0 => Err(Errno::from_raw(-value as i32)),
            value => Ok(value),
        });
        let took = entry.ended.checked_sub(entry.began);
        Some(CallRecord {
            name: call.name,
            call: call.family,
            fd: (entry.fd >= 0).then_some(entry.fd),
            what: entry.what.text(),
            arguments: entry.arguments.text(),
            result,
            data: entry.data[..usize::from(entry.data_len).min(48)].to_vec(),
            began: watch.since_began(entry.began),
            took: took.filter(|_| entry.ended != 0).map(Duration::from_nanos),
            pid: entry.pid,
            tid: entry.tid,
            process: entry.process,
            effect: entry.effect.text(),
            ended_in: entry.state == State::Ended,
        })
    }

    /// Whether it is of the conversation: not the loader's reading of libraries, nor a program's of files.
    pub(crate) fn is_talk(&self) -> bool {
        let is_file = self.what.starts_with('/') && !self.what.starts_with("/dev/");
        !is_file || self.fd.is_some_and(|fd| fd <= 2)
    }

    /// How many bytes it moved, or which number it gave. Nothing when it failed.
    pub fn value(&self) -> Option<i64> {
        self.result?.ok()
    }

    /// The error that the code got.
    pub fn errno(&self) -> Option<Errno> {
        self.result?.err()
    }

    /// The call without its result: `read(3, "hel", 5)`.
    pub fn said(&self) -> String {
        format!("{}({})", self.name, self.arguments)
    }

    /// The result in words: `= 3`, `= -1 EINTR`.
    pub fn came_to(&self) -> String {
        match self.result {
            Some(Ok(value)) => format!("= {value}"),
            Some(Err(errno)) => format!("= -1 {}", errno_name(errno as i32)),
            None if self.call == Call::Exit => String::new(),
            None if self.ended_in => "… the process ended in it".into(),
            None => "… has not come back".into(),
        }
    }
}
