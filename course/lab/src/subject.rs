//! The learner's code, in a process of its own.
//!
//! A closure runs in a forked child. Its value comes back over a pipe, sealed with a number that the
//! child's code has no name for, so that an early `exit(0)`, a closed descriptor, a signal or faked
//! output is never taken for a result.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::marker::PhantomData;
use std::os::fd::AsRawFd;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::rc::Rc;

use nix::errno::Errno;

use crate::bench::{Bench, SharedChild, Wake};
use crate::births;
use crate::calls::Calls;
use crate::child::{Capture, Child, End};
use crate::finding::Finding;
use crate::isolation::{Isolation, isolation};
use crate::seal::{Frame, Seal};
use crate::sealed::Sealed;
use crate::shield;
use crate::spawner::Spawner;
use crate::system::{self, Fork};
use crate::trace::{Attach, Begin, Begins};
use crate::waiting::{Thread, Waiting, threads};

/// Where the capture of a subject's output stands. Its result comes after it.
const OUTPUT: usize = 0;

/// The exit status of a process that the lab could not make ready. A learner's code that ends with it
/// is not rewarded: it only gets a less fitting message.
const UNPREPARED: i32 = 125;

/// The learner's code at work. Dropping it ends the process.
pub struct Subject<T> {
    bench: Rc<Bench>,
    child: SharedChild,
    may_leak: bool,
    /// What it slept in when it was last sent a signal.
    before_signal: RefCell<Vec<String>>,
    value: PhantomData<T>,
}

/// How a subject ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// It returned this value.
    Returned(T),
    /// It panicked with this message, which names file and line.
    Panicked(String),
    /// It ended the process with this status before it returned.
    Exited(i32),
    /// A signal killed it.
    Killed(i32),
    /// A process that it forked came back out of the function as well.
    ReturnedTwice,
}

/// Starts `f` in a child process.
pub(crate) fn spawn<T: Sealed>(
    spawner: &Spawner<'_>,
    f: impl FnOnce() -> T,
) -> Result<Subject<T>, Finding> {
    let bench = spawner.bench();
    let (output, output_end) = system::pipe()?;
    let (result, result_end) = system::pipe()?;
    let seal = Seal::new();
    let tracer = spawner.tracer(&spawner.name)?;
    // SAFETY: the check has one thread.
    match unsafe { system::fork() }? {
        Fork::Child => {
            system::no_input();
            system::install(&output_end, 1);
            system::install(&output_end, 2);
            let result_end = result_end.as_raw_fd();
            let joined = spawner
                .settle()
                .and_then(|()| tracer.as_ref().map(Attach::joins).transpose());
            let traced = joined.unwrap_or_else(|error| {
                // Not the learner's doing: the message says so, and no frame is sent.
                eprintln!("the lab could not prepare this process: {error}");
                system::exit_now(UNPREPARED)
            });
            if traced.is_none() {
                births::ask_from_now_on();
            }
            system::drop_own_fds(Some(result_end));
            shield(spawner);
            run(f, seal, result_end, traced)
        }
        Fork::Parent { pid, pidfd } => {
            // The closure is dropped here, and with it this process's copy of what it captured.
            drop(f);
            let captures = vec![
                Capture::new(output, spawner.limits.output),
                Capture::new(result, 16 << 20),
            ];
            let mut child = Child::new(spawner.name.clone(), pid, pidfd, captures, Some(seal));
            child.watch = tracer.map(|tracer| tracer.ready(&bench)).transpose()?;
            Ok(Subject {
                child: bench.adopt(child),
                bench,
                may_leak: spawner.may_leak,
                before_signal: RefCell::default(),
                value: PhantomData,
            })
        }
    }
}

/// Turns the child into a stranger to those who watch it.
fn shield(spawner: &Spawner<'_>) {
    // A signal to all of its group is one to itself and its children.
    // SAFETY: it takes two numbers.
    unsafe { libc::setpgid(0, 0) };
    // The check looks into it, to say what it waits for; not the other way round.
    system::hide(false);
    let folder = spawner.folder();
    let _ = fs::create_dir_all(folder);
    // SAFETY: this process has one thread.
    unsafe { std::env::set_var("TMPDIR", folder) };
    let own_memory = !matches!(isolation(), Isolation::Loopback(_));
    let memory = own_memory.then_some(Path::new("/dev/shm"));
    if spawner.looks_around {
        return;
    }
    // An older kernel has no such thing: then a subject may do more, but never pass by it.
    let _ = shield::raise(&[&[folder], memory.as_slice()].concat());
}

/// The child's side: runs `f` and sends what came of it.
fn run<T: Sealed>(f: impl FnOnce() -> T, seal: Seal, result_end: i32, traced: Option<Begins>) -> ! {
    thread_local!(static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) });
    let me = std::process::id();
    // A tracer would take the frame of a panic for a call of the learner's.
    let unwatched = traced.is_none();
    panic::set_hook(Box::new(move |info| {
        let what = info.payload_as_str().unwrap_or("(no message)");
        let at = info
            .location()
            .map(|l| format!(" at {}:{}", l.file(), l.line()));
        let text = format!("{what}{}", at.unwrap_or_default());
        if std::thread::current().name() == Some("main") {
            if unwatched && std::process::id() == me {
                // If this panic ends in an abort, nobody comes back to tell it.
                send(result_end, &seal.close(&Frame::Panicking(text.clone())));
            }
            MESSAGE.with(|m| *m.borrow_mut() = text);
        } else {
            // A panic of another thread is not the result, but the learner wants to see it.
            eprintln!("a thread panicked: {text}");
        }
    }));
    let before = open_fds();
    if let Some(traced) = &traced {
        traced.begin(Begin::Now);
    }
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    if let Some(traced) = &traced {
        traced.end();
    }

    let frame = match result {
        _ if std::process::id() != me => Frame::Stray,
        Ok(value) => {
            let mut bytes = Vec::new();
            value.encode(&mut bytes);
            Frame::Value {
                shown: value.show(),
                bytes,
                left: leaks(&before),
            }
        }
        Err(_) => Frame::Panic(MESSAGE.with(|m| m.borrow().clone())),
    };
    send(result_end, &seal.close(&frame));
    system::exit_now(0)
}

/// Writes a frame.
fn send(result_end: i32, frame: &[u8]) {
    // SAFETY: the lab's own write end, which stays open until this process ends. If the learner's
    // code has closed it, the write fails and no result arrives, as it should be.
    let result_end = unsafe { std::os::fd::BorrowedFd::borrow_raw(result_end) };
    let _ = system::write_all(result_end, frame);
}

/// The open descriptors below the lab's own, and what they are.
fn open_fds() -> BTreeMap<i32, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .flatten()
    {
        let number: Option<i32> = entry.file_name().to_str().and_then(|n| n.parse().ok());
        let target = fs::read_link(entry.path());
        if let (Some(number), Ok(target)) = (number, target)
            && number < system::FIRST_OWN_FD
        {
            found.insert(number, target.to_string_lossy().into_owned());
        }
    }
    found
}

/// What the function left behind: descriptors that were not open before, and children.
fn leaks(before: &BTreeMap<i32, String>) -> Vec<String> {
    let mut found = Vec::new();
    for (number, target) in open_fds() {
        // The folder that the listing itself was reading is closed by now.
        if before.get(&number) != Some(&target) && !target.starts_with("/proc/") {
            let what = match target.split_once(':') {
                Some((kind, _)) => format!("a {kind}"),
                None => target,
            };
            found.push(format!("descriptor {number} ({what}) open"));
        }
    }
    // SAFETY: siginfo_t is plain data, valid as zeros.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: info is a valid place for the answer; WNOWAIT leaves the child as it is.
    if unsafe { libc::waitid(libc::P_ALL, 0, &raw mut info, flags) } == 0 {
        // SAFETY: waitid has filled in the fields of a child, or left them zero.
        let ended = unsafe { info.si_pid() } != 0;
        found.push(if ended {
            "a child process that has ended and was not waited for (a zombie)".into()
        } else {
            "a child process running".into()
        });
    }
    found
}

impl<T: Sealed> Subject<T> {
    /// The value that the code returns.
    ///
    /// # Errors
    ///
    /// A failure when it panics, ends the process, is killed, hangs, or leaves descriptors or
    /// children behind.
    pub fn value(self) -> Result<T, Finding> {
        let (outcome, left) = self.finish("to return")?;
        match outcome {
            Outcome::Returned(value) => {
                self.is_clean(&left, &value)?;
                Ok(value)
            }
            other => Err(self.failure("to return", &other)),
        }
    }

    /// Demands that the code returns `expected`.
    ///
    /// # Errors
    ///
    /// A failure when it returns another value, or none.
    pub fn returns(self, expected: T) -> Result<(), Finding> {
        let wanted = format!("to return {}", expected.show());
        let name = self.name();
        let (outcome, left) = self.finish(&wanted)?;
        match outcome {
            Outcome::Returned(value) if value.same(&expected) => {
                self.is_clean(&left, &value)?;
                self.bench.step(format!("{name} returned {}", value.show()));
                Ok(())
            }
            other => Err(self.failure(&wanted, &other)),
        }
    }

    /// Waits until the subject ends, however it ends.
    ///
    /// # Errors
    ///
    /// A failure when it hangs.
    pub fn outcome(self) -> Result<Outcome<T>, Finding> {
        Ok(self.finish("to end")?.0)
    }

    /// Waits until the subject sleeps in one of these system calls: `["read", "recvfrom"]`. After a
    /// signal it must have woken up and gone back to sleep.
    ///
    /// # Errors
    ///
    /// A failure when it ends, or never comes to such a call.
    pub fn waits_in(&self, calls: &[&str]) -> Result<(), Finding> {
        let wanted = format!("{} to wait in {}", self.name(), calls.join(" or "));
        let waiting = self.bench.wait(Wake::Tick, || {
            let child = self.child.borrow();
            if child.end().is_some() {
                return Some(None);
            }
            let now = Waiting::of(child.pid, child.pidfd())?;
            let before = self.before_signal.borrow();
            if !before.is_empty() && *before == fingerprints(child.pid) {
                return None;
            }
            calls.contains(&now.call).then_some(Some(now))
        });
        if let Some(waiting) = waiting.map_err(|s| s.finding(&wanted))? {
            self.bench
                .step(format!("{} waits in {waiting}", self.name()));
            return Ok(());
        }
        let (outcome, _) = self.parse()?;
        Err(Finding::fail(format!(
            "expected {wanted}, but it {}",
            outcome.said()
        )))
    }

    /// Sends the subject a signal.
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        *self.before_signal.borrow_mut() = fingerprints(self.pid());
        self.bench.step(format!("{} gets {signal}", self.name()));
        system::kill(self.child.borrow().pid, signal as i32);
    }

    /// The subject's process id, as the check sees it.
    pub fn pid(&self) -> i32 {
        self.child.borrow().pid
    }

    /// The calls that the subject made, for a subject with [`faults`](Spawner::faults) or
    /// [`records`](Spawner::records). May be asked for at once; it always shows what is there by then.
    ///
    /// # Errors
    ///
    /// A grader fault when nothing is recorded.
    pub fn calls(&self) -> Result<Calls, Finding> {
        Calls::of_child(&self.child.borrow())
    }

    fn name(&self) -> String {
        self.child.borrow().name.clone()
    }

    /// Waits for the end and reads the frame. The leaks come with it.
    fn finish(&self, wanted: &str) -> Result<(Outcome<T>, Vec<String>), Finding> {
        let wanted = format!("{} {wanted}", self.name());
        self.bench
            .wait_for_end(&self.child)
            .map_err(|stalled| stalled.finding(&wanted))?;
        self.parse()
    }

    fn parse(&self) -> Result<(Outcome<T>, Vec<String>), Finding> {
        let child = self.child.borrow();
        let outcome = match child.frame() {
            Some(Frame::Value { bytes, left, .. }) => {
                let value = T::decode(&mut bytes.as_slice());
                let value = value.ok_or_else(|| Finding::fault("a result came back garbled"))?;
                return Ok((Outcome::Returned(value), left));
            }
            Some(Frame::Panic(message)) => Outcome::Panicked(message),
            Some(Frame::Stray) => Outcome::ReturnedTwice,
            Some(Frame::Panicking(message)) if child.end() == Some(End::Killed(libc::SIGABRT)) => {
                Outcome::Panicked(message)
            }
            Some(Frame::Panicking(_)) | None => match child.end() {
                Some(End::Killed(libc::SIGKILL)) if let Some(lost) = child.was_lost() => {
                    return Err(lost);
                }
                Some(End::Killed(signal)) => Outcome::Killed(signal),
                Some(End::Exited(UNPREPARED)) => {
                    return Err(Finding::fault(child.captures[OUTPUT].text()));
                }
                Some(End::Exited(status)) => Outcome::Exited(status),
                None => Outcome::Exited(0),
            },
        };
        Ok((outcome, Vec::new()))
    }

    /// Demands that nothing was left behind.
    fn is_clean(&self, left: &[String], value: &T) -> Result<(), Finding> {
        let mut left = left.to_vec();
        left.extend(strays());
        if left.is_empty() || self.may_leak {
            return Ok(());
        }
        Err(Finding::fail(format!(
            "{} returned {}, but left {}",
            self.name(),
            value.show(),
            left.join(" and ")
        )))
    }

    fn failure(&self, wanted: &str, outcome: &Outcome<T>) -> Finding {
        let name = self.name();
        let output = self.child.borrow().captures[OUTPUT].text();
        let mut what = format!("expected {name} {wanted}, {}", outcome.told());
        if matches!(outcome, Outcome::Killed(libc::SIGABRT)) {
            if output.contains("memory allocation of") {
                what += ": it asked for more memory than a check may have";
            } else if output.contains("has overflowed its stack") {
                what += ": it overflowed its stack";
            }
        }
        Finding::fail(what)
    }
}

impl<T: Sealed> Outcome<T> {
    /// After "it": `returned Ok(3)`.
    fn said(&self) -> String {
        match self {
            Outcome::Returned(value) => format!("returned {}", value.show()),
            Outcome::Panicked(message) => format!("panicked: {message}"),
            Outcome::Exited(status) => {
                format!("ended the process (exit status {status}) before it returned")
            }
            Outcome::Killed(signal) => format!("was killed by {}", signal_name(*signal)),
            Outcome::ReturnedTwice => {
                "came back twice: a process that it forked returned from the function, too".into()
            }
        }
    }

    fn told(&self) -> String {
        match self {
            Outcome::Returned(_) | Outcome::Panicked(_) => format!("it {}", self.said()),
            _ => format!("but it {}", self.said()),
        }
    }
}

/// What each thread is in, and how often it has run: it changes whenever one of them wakes up.
fn fingerprints(pid: i32) -> Vec<String> {
    let threads = threads(pid);
    threads.iter().filter_map(Thread::fingerprint).collect()
}

/// Processes that outlived the one that started them: orphans, which process 1 of the check's namespace
/// has taken in. Without such a namespace nothing can be said.
fn strays() -> Vec<String> {
    if std::process::id() != CHECK {
        return Vec::new();
    }
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // "PID (name) state parent …", where the name may hold anything.
        let Some((head, tail)) = stat.rsplit_once(") ") else {
            continue;
        };
        let (pid, name) = head.split_once(" (").unwrap_or((head, ""));
        let mut tail = tail.split(' ');
        let (state, parent) = (tail.next(), tail.next());
        if parent == Some("1") && state != Some("Z") && pid != CHECK.to_string() {
            found.push(format!(
                "a process running that has no parent any more ({name})"
            ));
        }
    }
    found
}

/// The check's process id in a pid namespace of its own, where process 1 is the lab's.
const CHECK: u32 = 2;

/// `SIGPIPE`.
pub(crate) fn signal_name(number: i32) -> String {
    nix::sys::signal::Signal::try_from(number)
        .map_or_else(|_| format!("signal {number}"), |s| s.as_str().into())
}

impl<T: Sealed> Subject<Result<T, io::Error>> {
    /// Demands that the code returns an error with this `errno`.
    ///
    /// # Errors
    ///
    /// A failure when it returns something else, or nothing.
    pub fn fails_with(self, errno: Errno) -> Result<(), Finding> {
        self.returns(Err(errno.into()))
    }
}

impl<T> Drop for Subject<T> {
    fn drop(&mut self) {
        self.child.borrow_mut().kill();
    }
}
