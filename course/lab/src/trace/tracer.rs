//! The process that stops the learner's threads at planned calls, and does nothing else.
//!
//! It has one thread and no descriptors of the check's. It dies with the check; when it dies first, the
//! kernel ends the learner (`PTRACE_O_EXITKILL`), because unwatched code proves nothing.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use crate::calls::table::{Arg, numbered};
use crate::fault::Rule;
use crate::system;
use crate::trace::attach::{Begin, Marker};
use crate::trace::decode::{self, Words};
use crate::trace::descriptor::Descriptor;
use crate::trace::effects::{After, Hold, InCall, due};
use crate::trace::log::{Entry, Log, State, Text};
use crate::trace::look::{now, process_of, send, sleep_until_child, sleeps_in};
use crate::trace::ptrace::{Engine, Info, Stopped};

/// What is planned, and how far it has come.
pub struct Plan {
    pub(super) rules: Vec<Rule>,
    /// How many calls have fitted each line.
    pub(super) counts: Vec<u64>,
    /// The factor on delays.
    pub(super) scale: f64,
}

/// One of the learner's threads.
struct Thread {
    pid: i32,
    /// The lab's own code runs in it, not the learner's.
    muted: bool,
    in_call: Option<Box<InCall>>,
    /// Calls that a signal has interrupted, and that the kernel may make once more.
    interrupted: Vec<InCall>,
    hold: Option<Hold>,
}

/// One of the learner's processes.
struct Process {
    ordinal: u32,
    pidfd: Option<OwnedFd>,
}

/// The tracer at work.
pub struct Tracer<'l> {
    log: &'l Log,
    plan: Plan,
    engine: Engine,
    marker: Marker,
    threads: HashMap<i32, Thread>,
    processes: HashMap<i32, Process>,
    /// The thread that the check has started.
    first: i32,
    begun: Begun,
    /// Threads with something that comes of the tracer itself: held, or to be signaled.
    waiting: Vec<i32>,
    /// Told once: the learner's code is about to begin.
    ready: &'l mut dyn FnMut(),
}

/// Whether the learner's code runs.
#[derive(PartialEq)]
enum Begun {
    No,
    /// It begins when the program is loaded.
    AtExec,
    Yes,
}

/// The kernel makes the call once more, or tells the code `EINTR`: include/linux/errno.h. Programs
/// never see these.
const RESTARTS: std::ops::RangeInclusive<i64> = -516..=-512;
const INTERRUPTED: i64 = -(libc::EINTR as i64);

/// How often held threads are looked at.
const LOOK: Duration = Duration::from_micros(300);

impl<'l> Tracer<'l> {
    pub(super) fn new(
        log: &'l Log,
        plan: Plan,
        engine: Engine,
        marker: Marker,
        first: i32,
        ready: &'l mut dyn FnMut(),
    ) -> Tracer<'l> {
        Tracer {
            log,
            plan,
            engine,
            marker,
            threads: HashMap::new(),
            processes: HashMap::new(),
            first,
            begun: Begun::No,
            waiting: Vec::new(),
            ready,
        }
    }

    /// Follows the learner's threads until none is left. How the first one ended.
    pub(super) fn run(mut self) -> i32 {
        let mut last = 0;
        while let Some((tid, status)) = self.next() {
            if libc::WIFSTOPPED(status) {
                self.stopped(tid, status);
            } else {
                self.gone(tid);
                if tid == self.first {
                    last = status;
                }
            }
        }
        last
    }

    /// The next thread that has stopped or ended.
    fn next(&mut self) -> Option<(i32, i32)> {
        loop {
            let flags = if self.waiting.is_empty() {
                libc::__WALL
            } else {
                libc::__WALL | libc::WNOHANG
            };
            let mut status = 0;
            // SAFETY: status is a valid place for an int.
            let tid = unsafe { libc::waitpid(-1, &raw mut status, flags) };
            match tid {
                0 => {
                    self.look_at_waiting();
                    if !self.waiting.is_empty() {
                        sleep_until_child(LOOK);
                    }
                }
                1.. => return Some((tid, status)),
                _ if nix::errno::Errno::last() == nix::errno::Errno::EINTR => {}
                _ => return None,
            }
        }
    }

    fn stopped(&mut self, tid: i32, status: i32) {
        let signal = libc::WSTOPSIG(status);
        let event = status >> 16;
        let thread = Stopped(tid);
        self.meet(tid);
        match event {
            libc::PTRACE_EVENT_SECCOMP => self.begins(tid),
            libc::PTRACE_EVENT_STOP if signal != libc::SIGTRAP => thread.stays(),
            libc::PTRACE_EVENT_EXEC => {
                self.execs(tid);
                self.go_on(tid, 0);
            }
            0 if signal == libc::SIGTRAP | 0x80 => self.ends(tid),
            0 => self.go_on(tid, signal),
            _ => self.go_on(tid, 0),
        }
    }

    /// Makes a new thread's acquaintance.
    fn meet(&mut self, tid: i32) {
        if self.threads.contains_key(&tid) {
            return;
        }
        let pid = process_of(tid).unwrap_or(tid);
        let ordinal = self.processes.len() as u32;
        self.processes.entry(pid).or_insert_with(|| Process {
            ordinal,
            pidfd: system::pidfd_open(pid).ok(),
        });
        self.threads.insert(
            tid,
            Thread {
                pid,
                muted: false,
                in_call: None,
                interrupted: Vec::new(),
                hold: None,
            },
        );
    }

    /// Goes on to whatever comes next for this thread.
    fn go_on(&mut self, tid: i32, signal: i32) {
        let in_call = self.threads.get(&tid).is_some_and(|t| t.in_call.is_some());
        if in_call {
            Stopped(tid).go_to_end_of_call(signal);
        } else {
            Stopped(tid).go_on(signal);
        }
    }

    /// A planned call is about to begin.
    fn begins(&mut self, tid: i32) {
        let stopped = Stopped(tid);
        let Ok(info) = stopped.info() else {
            return stopped.go_on(0);
        };
        if info.number() == libc::SYS_prctl {
            if let Some(begin) = self.marker.is_in(&info) {
                self.marked(tid, begin);
            }
            return stopped.go_on(0);
        }
        let thread = self.threads.get_mut(&tid).expect("met before");
        if thread.muted || self.begun != Begun::Yes {
            return stopped.go_on(0);
        }
        if info.number() == libc::SYS_rt_sigreturn {
            self.handled(tid, &info);
            return stopped.go_on(0);
        }
        // A handler that runs in between stands lower on the stack.
        while let Some(last) = thread.interrupted.last() {
            if info.sp < last.sp {
                break;
            }
            let mut last = thread.interrupted.pop().expect("there is a last one");
            if info.number() == libc::SYS_restart_syscall
                || (last.is_again(&info) && info.number() == last.call.number)
            {
                last.entry.state = State::Open;
                self.log.put(&last.entry);
                thread.in_call = Some(Box::new(last));
                return stopped.go_to_end_of_call(0);
            }
            last.entry.state = State::Interrupted;
            self.log.put(&last.entry);
        }
        let Some(call) = numbered(info.number()) else {
            return stopped.go_on(0);
        };
        let arguments = info.arguments();
        let process = &self.processes[&thread.pid];
        let takes_fd = call.arguments.first() == Some(&Arg::Fd);
        let mut descriptor =
            takes_fd.then(|| Descriptor::new(process.pidfd.as_ref(), tid, arguments[0] as i32));
        let due = due(
            &mut self.plan,
            stopped,
            call,
            &arguments,
            descriptor.as_mut(),
            process.ordinal,
        );
        let words = Words::of(stopped, call, &arguments);
        let mut entry = Entry::new(call.number, now());
        entry.pid = thread.pid;
        entry.tid = tid;
        entry.process = process.ordinal;
        entry.arguments = Text::of(&words.text(call));
        if let Some(descriptor) = &mut descriptor {
            entry.fd = arguments[0] as i32;
            entry.what = Text::of(&descriptor.words());
        }
        let places = decode::data(stopped, call, &arguments);
        let mut in_call = Box::new(InCall::new(call, &info, words, places, &entry));
        let mut hold = None;
        if let Some((line, effect)) = due {
            let scale = self.plan.scale;
            hold = in_call.begins(effect, stopped, &mut self.engine, &info, scale);
            if in_call.during.is_none() {
                self.log.happens(line);
            }
            in_call.line = Some(line);
        }
        in_call.entry.index = self.log.add(in_call.entry);
        let during = in_call.during.is_some();
        thread.in_call = Some(in_call);
        if let Some(hold) = hold {
            return self.hold(tid, hold);
        }
        if during {
            self.waiting.push(tid);
            self.log.set_busy(true);
        }
        stopped.go_to_end_of_call(0);
    }

    /// A handler comes to its end. When it goes back behind the call that it interrupted, the code has
    /// learned of it; when it goes back to the call, the kernel makes it once more.
    fn handled(&mut self, tid: i32, info: &Info) {
        let thread = self.threads.get_mut(&tid).expect("met before");
        let behind = Stopped(tid).goes_back_to(info);
        if let Some(mut call) = thread.interrupted.pop_if(|call| Some(call.ip) == behind) {
            call.entry.state = State::Interrupted;
            self.log.put(&call.entry);
        }
    }

    /// A call is over.
    fn ends(&mut self, tid: i32) {
        let stopped = Stopped(tid);
        let thread = self.threads.get_mut(&tid).expect("met before");
        let (Some(mut call), Ok(info)) = (thread.in_call.take(), stopped.info()) else {
            return stopped.go_on(0);
        };
        if !info.is_exit() {
            // The stop at the beginning, behind the filter's: the call goes on.
            thread.in_call = Some(call);
            return stopped.go_to_end_of_call(0);
        }
        call.put_back(stopped);
        if call.during.take().is_some() {
            self.forget(tid);
        }
        let thread = self.threads.get_mut(&tid).expect("met before");
        let mut result = info.result();
        match std::mem::replace(&mut call.after, After::Nothing) {
            After::Again(signal) => {
                let _ = stopped.rewind(call.call.number, &call.arguments);
                self.log.put(&call.entry);
                let pid = thread.pid;
                // Back at the instruction itself.
                thread.interrupted.push(*call);
                send(pid, tid, signal as i32);
                return stopped.go_on(0);
            }
            After::Result(changed) => {
                let _ = stopped.set_result(&mut self.engine, &info, changed);
                result = changed;
            }
            After::Signal(signal) => send(thread.pid, tid, signal as i32),
            After::Gate(gate) => {
                call.ends(stopped, result, 0);
                self.log.put(&call.entry);
                thread.in_call = Some(call);
                return self.hold(tid, Hold::Result(gate));
            }
            After::Nothing => {}
        }
        if RESTARTS.contains(&result) {
            // Whether the code learns of it depends on its handler. If it does, then so:
            call.entry.result = INTERRUPTED;
            call.entry.ended = now();
            self.log.put(&call.entry);
            thread.interrupted.push(*call);
            return stopped.go_on(0);
        }
        call.ends(stopped, result, now());
        call.entry.state = State::Returned;
        self.log.put(&call.entry);
        stopped.go_on(0);
    }

    /// A program was loaded. Its first thread is the only one left, whichever it was before.
    fn execs(&mut self, tid: i32) {
        if let Some(former) = Stopped(tid).message()
            && former != tid
            && let Some(thread) = self.threads.remove(&former)
        {
            self.threads.insert(tid, thread);
        }
        if self.begun == Begun::AtExec && tid == self.first {
            self.begun = Begun::Yes;
        }
    }

    /// A thread has ended, and perhaps was in a call.
    fn gone(&mut self, tid: i32) {
        self.forget(tid);
        let Some(thread) = self.threads.remove(&tid) else {
            return;
        };
        let open = thread.in_call.map(|call| *call);
        for mut call in open.into_iter().chain(thread.interrupted) {
            if call.entry.ended == 0 || call.entry.state == State::Open {
                call.entry.state = State::Ended;
                call.entry.ended = now();
                self.log.put(&call.entry);
            }
        }
        if let Some(Hold::Gate(gate) | Hold::Result(gate)) = thread.hold {
            gate.lets_go();
        }
        if !self.threads.values().any(|t| t.pid == thread.pid)
            && let Some(process) = self.processes.get_mut(&thread.pid)
        {
            process.pidfd = None;
        }
    }

    /// The lab's code in the learner's process says where the learner's begins and ends.
    fn marked(&mut self, tid: i32, begin: Begin) {
        match begin {
            Begin::Now => self.begun = Begun::Yes,
            Begin::AtExec => self.begun = Begun::AtExec,
            Begin::End => {
                if let Some(thread) = self.threads.get_mut(&tid) {
                    thread.muted = true;
                }
                return;
            }
        }
        (self.ready)();
    }

    fn hold(&mut self, tid: i32, hold: Hold) {
        if let Hold::Gate(gate) | Hold::Result(gate) = &hold {
            gate.holds();
        }
        self.log.set_busy(true);
        self.threads.get_mut(&tid).expect("met before").hold = Some(hold);
        self.waiting.push(tid);
        self.look_at_waiting();
    }

    /// It waits no longer for the tracer.
    fn forget(&mut self, tid: i32) {
        self.waiting.retain(|t| *t != tid);
        if self.waiting.is_empty() {
            self.log.set_busy(false);
        }
    }

    /// Lets go on whoever may, and signals whoever sleeps.
    fn look_at_waiting(&mut self) {
        for tid in self.waiting.clone() {
            let thread = self.threads.get_mut(&tid).expect("met before");
            let stopped = Stopped(tid);
            match &thread.hold {
                Some(Hold::Until(then)) if Instant::now() >= *then => {
                    thread.hold = None;
                    self.forget(tid);
                    stopped.go_to_end_of_call(0);
                }
                Some(Hold::Gate(gate)) if gate.is_open() => {
                    gate.lets_go();
                    thread.hold = None;
                    self.forget(tid);
                    stopped.go_to_end_of_call(0);
                }
                Some(Hold::Result(gate)) if gate.is_open() => {
                    gate.lets_go();
                    thread.hold = None;
                    if let Some(mut call) = thread.in_call.take() {
                        call.entry.ended = now();
                        call.entry.state = State::Returned;
                        self.log.put(&call.entry);
                    }
                    self.forget(tid);
                    stopped.go_on(0);
                }
                Some(_) => {}
                None => {
                    let Some(call) = &mut thread.in_call else {
                        continue;
                    };
                    if let Some(signal) = call.during
                        && sleeps_in(tid, call.call.number)
                    {
                        call.was_signaled(signal);
                        call.during = None;
                        self.log.put(&call.entry);
                        if let Some(line) = call.line {
                            self.log.happens(line);
                        }
                        send(thread.pid, tid, signal as i32);
                        self.forget(tid);
                    }
                }
            }
        }
    }
}
