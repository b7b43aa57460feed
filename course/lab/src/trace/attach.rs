//! How do check, tracer and learner come together?
//!
//! The learner says who it is and waits; the tracer seizes it, names the processor that both will share
//! (a wake-up on the other one costs five times as much), and lets it go on. The learner then puts the
//! filter on itself and marks where its own code begins. The first mark that stops proves that all
//! works, and the check learns of it over a pipe.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use crate::bench::Bench;
use crate::fault::{Effect, Faults, Rule};
use crate::finding::Finding;
use crate::process::time_scale;
use crate::system::{self, Fork};
use crate::trace::Watch;
use crate::trace::filter;
use crate::trace::log::Log;
use crate::trace::look::now;
use crate::trace::names;
use crate::trace::ptrace::{Engine, Info, Stopped};
use crate::trace::tracer::{Plan, Tracer};

/// A tracer that waits for its learner.
pub struct Attach {
    watch: Rc<Watch>,
    filter: Vec<libc::sock_filter>,
    marker: Marker,
    /// To the tracer, for the learner.
    line: OwnedFd,
    /// From the tracer, for the check.
    verdict: OwnedFd,
}

/// By this the tracer knows the lab's own code.
#[derive(Debug, Clone, Copy)]
pub struct Marker([u64; 2]);

/// Where the learner's code begins, or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// At once.
    Now = 1,
    /// With the program that is loaded next.
    AtExec = 2,
    /// What this thread does from now on is not the learner's.
    End = 3,
}

/// An option that `prctl(2)` does not have: it answers `EINVAL` and does nothing.
const OPTION: u64 = 0x4c61_6221;

impl Marker {
    fn new() -> Marker {
        let number = u128::from_ne_bytes(system::nonce());
        Marker([number as u64, (number >> 64) as u64])
    }

    /// Tells the tracer.
    pub fn tell(self, begin: Begin) {
        // SAFETY: an unknown option, with numbers only.
        unsafe {
            libc::syscall(
                libc::SYS_prctl,
                OPTION,
                self.0[0],
                self.0[1],
                begin as u64,
                0_u64,
            )
        };
    }

    /// Whether this call is such a word.
    pub(super) fn is_in(self, info: &Info) -> Option<Begin> {
        let [option, first, second, begin, ..] = info.arguments();
        if option != OPTION || [first, second] != self.0 {
            return None;
        }
        match begin {
            1 => Some(Begin::Now),
            2 => Some(Begin::AtExec),
            3 => Some(Begin::End),
            _ => None,
        }
    }
}

/// What a machine lacks that cannot trace.
fn needs(why: &str) -> Finding {
    Finding::needs(format!(
        "system call tracing ({why}), see cargo course doctor"
    ))
}

impl Attach {
    /// Forks a tracer with this plan.
    ///
    /// # Errors
    ///
    /// *Not run* where `LAB_TRACING=none` asks for it; a grader fault when no process can be had.
    pub fn new(bench: &Bench, whose: &str, host: &str, faults: &Faults) -> Result<Attach, Finding> {
        let wish = std::env::var("LAB_TRACING").unwrap_or_default();
        if wish == "none" {
            return Err(needs("LAB_TRACING=none is set"));
        }
        let engine = if wish == "registers" {
            Engine::Registers
        } else {
            Engine::Info
        };
        let flags = SockFlag::SOCK_CLOEXEC;
        let (line, tracer_line) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
        let (line, tracer_line) = (system::own(line)?, system::own(tracer_line)?);
        let (verdict, tracer_verdict) = system::pipe()?;
        let log = Log::new()?;
        let marker = Marker::new();
        let gates = || faults.rules.iter().filter_map(gate_of);
        log.give_to_children(true);
        gates().for_each(|gate| gate.page().give_to_children(true));
        // SAFETY: the check has one thread.
        match unsafe { system::fork() }? {
            Fork::Child => {
                drop((line, verdict));
                trace(&log, faults, engine, marker, &tracer_line, &tracer_verdict);
                system::exit_now(0)
            }
            Fork::Parent { pid, .. } => {
                log.give_to_children(false);
                gates().for_each(|gate| gate.page().give_to_children(false));
                let began = bench.log.borrow().elapsed();
                let watch = Watch {
                    whose: whose.into(),
                    host: host.into(),
                    pid,
                    log,
                    began: now() - began.as_nanos() as u64,
                    lines: faults.rules.iter().map(Rule::words).collect(),
                    end: None.into(),
                    whole: None.into(),
                };
                Ok(Attach {
                    watch: Rc::new(watch),
                    filter: filter::filter(faults.calls()),
                    marker,
                    line,
                    verdict,
                })
            }
        }
    }

    /// In the learner's process, before its code: comes under the tracer's eyes. What puts the filter
    /// on, later, has to be called behind the lab's own calls.
    ///
    /// # Errors
    ///
    /// When the tracer may not trace. The check has learned why.
    pub fn joins(&self) -> io::Result<Begins> {
        // Where Yama restricts ptrace to descendants, the child names its tracer.
        // SAFETY: prctl with plain numbers; an error means that there is no Yama.
        unsafe {
            libc::prctl(
                libc::PR_SET_PTRACER,
                self.watch.pid as libc::c_ulong,
                0,
                0,
                0,
            )
        };
        // The check may have hidden itself from ptrace, and this process with it; the tracer is not the
        // check, and an ordinary user's has no privilege to look past that.
        // SAFETY: prctl with plain numbers.
        unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0) };
        let me = std::process::id() as i32;
        nix::unistd::write(&self.line, &me.to_ne_bytes())?;
        let mut answer = [0; 8];
        if nix::unistd::read(&self.line, &mut answer)? != answer.len() {
            return Err(io::Error::other("the lab's tracer has ended"));
        }
        let [e0, e1, e2, e3, c0, c1, c2, c3] = answer;
        let code = i32::from_ne_bytes([e0, e1, e2, e3]);
        if code != 0 {
            return Err(io::Error::from_raw_os_error(code));
        }
        share_processor(i32::from_ne_bytes([c0, c1, c2, c3]));
        // Another number than those that the lab drops: it is needed until the filter is in place.
        Ok(Begins {
            filter: self.filter.clone(),
            marker: self.marker,
        })
    }

    /// In the check, once the learner was forked: waits until it is traced.
    ///
    /// # Errors
    ///
    /// *Not run* where tracing is not permitted, with the reason.
    pub fn ready(self, bench: &Bench) -> Result<Rc<Watch>, Finding> {
        drop(self.line);
        loop {
            let left = bench.time_left();
            let millis = u16::try_from(left.as_millis()).unwrap_or(u16::MAX);
            let mut fds = [PollFd::new(
                std::os::fd::AsFd::as_fd(&self.verdict),
                PollFlags::POLLIN,
            )];
            match poll(&mut fds, PollTimeout::from(millis)) {
                Ok(0) => return Err(Finding::fault("the lab's tracer did not begin in time")),
                Err(Errno::EINTR) => {}
                _ => break,
            }
        }
        let mut words = [0; 256];
        let n = system::read_some(&self.verdict, &mut words);
        match words[..n].split_first() {
            // It ended before it was ready, and says itself why.
            None | Some((b'+', _)) => Ok(self.watch),
            Some((_, why)) => Err(needs(&String::from_utf8_lossy(why))),
        }
    }
}

/// What is left to do in the learner's process right before its own code.
pub struct Begins {
    filter: Vec<libc::sock_filter>,
    marker: Marker,
}

impl Begins {
    /// Puts the filter on and says that the learner's code begins.
    pub fn begin(&self, begin: Begin) {
        if let Err(error) = filter::install(&self.filter) {
            // The tracer reads it from the status: see `trace`.
            system::exit_now(error.raw_os_error().unwrap_or(libc::EINVAL));
        }
        self.marker.tell(begin);
    }

    /// The learner's code has come to its end in this thread.
    pub fn end(&self) {
        self.marker.tell(Begin::End);
    }
}

fn gate_of(rule: &Rule) -> Option<&crate::fault::Gate> {
    match &rule.effect {
        Effect::WaitsAt(gate) | Effect::ReturnsAt(gate) => Some(gate),
        _ => None,
    }
}

/// The tracer's process.
fn trace(
    log: &Log,
    faults: &Faults,
    engine: Engine,
    marker: Marker,
    line: &OwnedFd,
    verdict: &OwnedFd,
) {
    let (line, verdict) = settle(line, verdict);
    let mut who = [0; 4];
    if nix::unistd::read(&line, &mut who) != Ok(4) {
        // The learner's process could not be made ready, and says so itself.
        return;
    }
    let tid = i32::from_ne_bytes(who);
    let seized = Stopped::seize(tid);
    let code = seized
        .as_ref()
        .err()
        .map_or(0, |e| e.raw_os_error().unwrap_or(libc::EPERM));
    if code != 0 {
        let why = format!("-ptrace: {}", names::errno(code));
        let _ = system::write_all(&verdict, why.as_bytes());
    }
    // SAFETY: no arguments.
    let processor = unsafe { libc::sched_getcpu() };
    share_processor(processor);
    let answer = [code.to_ne_bytes(), processor.to_ne_bytes()].concat();
    let _ = nix::unistd::write(&line, &answer);
    if code != 0 {
        return;
    }
    let told = std::cell::Cell::new(false);
    let mut ready = || {
        told.set(true);
        let _ = system::write_all(&verdict, b"+");
    };
    let plan = Plan {
        rules: faults.rules.clone(),
        counts: vec![0; faults.rules.len()],
        scale: time_scale(),
    };
    let last = Tracer::new(log, plan, engine, marker, tid, &mut ready).run();
    if !told.get() && libc::WIFEXITED(last) {
        let why = format!("-seccomp: {}", names::errno(libc::WEXITSTATUS(last)));
        let _ = system::write_all(&verdict, why.as_bytes());
    }
}

/// Makes the tracer a stranger to all that the check has: its descriptors, its process group.
fn settle(line: &OwnedFd, verdict: &OwnedFd) -> (OwnedFd, OwnedFd) {
    use std::os::fd::FromRawFd;
    system::no_input();
    // SAFETY: plain numbers. 0 to 2 become /dev/null, 3 and 4 the two that are kept, the rest is closed;
    // nothing in this process uses the closed ones any more. A process of another user's, or the
    // learner's, must not look into this one.
    unsafe {
        libc::setsid();
        libc::dup2(0, 1);
        libc::dup2(0, 2);
        libc::dup2(line.as_raw_fd(), 3);
        libc::dup2(verdict.as_raw_fd(), 4);
        libc::syscall(libc::SYS_close_range, 5, u32::MAX, 0);
        libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0);
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        (OwnedFd::from_raw_fd(3), OwnedFd::from_raw_fd(4))
    }
}

/// Keeps the calling process to one processor.
fn share_processor(number: i32) {
    let Ok(number) = usize::try_from(number) else {
        return;
    };
    // SAFETY: the set is plain data, valid as zeros; the number is below its size on all machines that
    // have fewer than 1024 processors, and left alone on others.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        if number < libc::CPU_SETSIZE as usize {
            libc::CPU_SET(number, &mut set);
            libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
        }
    }
}
