//! Who else is running? Child processes, in groups of their own, so that whatever ends us ends them too.
//!
//! Cargo starts compilers and a grader starts the learner's code. Ending only the child that we started would leave
//! those behind. Each child therefore leads a process group, and the whole group is ended: when a newer save makes its
//! work pointless, when it takes too long, and when Ctrl-C ends this program.

use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use crate::terminal;

/// The groups that are running, for the signal handler: it may only look at what needs no lock.
static GROUPS: [AtomicI32; 64] = [const { AtomicI32::new(0) }; 64];

/// How many children are beginning just now: forked, perhaps, and not yet in `GROUPS`.
static BEGINNING: AtomicI32 = AtomicI32::new(0);

/// The signal that wants this program to end; 0 while there is none.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// What a process left behind.
pub struct Finished {
    /// How it ended; `None` when it was ended because it was canceled or too slow.
    pub status: Option<ExitStatus>,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
    /// Whether it was ended because it was too slow.
    pub too_slow: bool,
}

impl Finished {
    /// Whether it ended by itself, and well.
    pub fn success(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

/// Says from another thread that nobody waits for the work any more.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Mutex<Canceled>>);

#[derive(Default)]
struct Canceled {
    yes: bool,
    group: Option<Pid>,
}

impl Cancel {
    /// Ends the group that is running, now, and lets no other begin.
    pub fn now(&self) {
        let mut canceled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        canceled.yes = true;
        if let Some(group) = canceled.group {
            // It may have ended by itself in the meantime.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }

    /// Whether [`now`](Self::now) was called.
    pub fn canceled(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).yes
    }

    fn running(&self, group: Option<Pid>) {
        let mut canceled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        canceled.group = group;
        if let (true, Some(group)) = (canceled.yes, group) {
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

/// Runs `command` in a group of its own, to its end or for `limit`, whichever comes first.
///
/// It has no standard input. `hears` is told each line of its standard error at once. Nothing of its group is left when
/// this returns.
///
/// # Errors
///
/// What `fork(2)` and `execve(2)` report: `ENOENT` for a program that is not there.
pub fn run(
    command: &mut Command,
    limit: Duration,
    cancel: &Cancel,
    mut hears: impl FnMut(&str),
) -> io::Result<Finished> {
    let started = Instant::now();
    command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let (mut child, slot) = begin(command)?;
    let group = Pid::from_raw(child.id() as i32);
    cancel.running(Some(group));

    // A pipe can stay open after the child's end, in a process that it left behind. So the end is what counts, and the
    // pipes have a moment after it.
    let (tell, told) = mpsc::channel();
    let out = child.stdout.take().expect("stdout is a pipe");
    let err = child.stderr.take().expect("stderr is a pipe");
    let tell_out = tell.clone();
    std::thread::spawn(move || read_pieces(out, &tell_out));
    std::thread::spawn(move || read_lines(err, &tell));

    let mut finished = Finished {
        status: None,
        stdout: Vec::new(),
        stderr: Vec::new(),
        too_slow: false,
    };
    let mut ended = false;
    loop {
        let patience = if ended {
            Duration::from_millis(200)
        } else {
            Duration::from_millis(20)
        };
        match told.recv_timeout(patience) {
            Ok(Heard::Out(piece)) => finished.stdout.extend(piece),
            Ok(Heard::Err(line)) => {
                hears(&String::from_utf8_lossy(&line));
                finished.stderr.extend(line);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if ended => break,
            Err(RecvTimeoutError::Timeout) => {
                if started.elapsed() > limit && !finished.too_slow {
                    finished.too_slow = true;
                    let _ = killpg(group, Signal::SIGKILL);
                }
                ended = has_ended(group, WaitPidFlag::WNOHANG);
            }
        }
    }
    has_ended(group, WaitPidFlag::empty());
    // What the child left in its group goes with it. The group's number cannot belong to another before `wait`.
    let _ = killpg(group, Signal::SIGKILL);
    cancel.running(None);
    GROUPS[slot].store(0, Ordering::SeqCst);
    let status = child.wait()?;
    finished.status = (!finished.too_slow && !cancel.canceled()).then_some(status);
    Ok(finished)
}

enum Heard {
    Out(Vec<u8>),
    Err(Vec<u8>),
}

fn read_pieces(mut from: impl Read, tell: &mpsc::Sender<Heard>) {
    let mut piece = [0; 16 * 1024];
    while let Ok(n @ 1..) = from.read(&mut piece) {
        if tell.send(Heard::Out(piece[..n].to_vec())).is_err() {
            return;
        }
    }
}

fn read_lines(from: impl Read, tell: &mpsc::Sender<Heard>) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while let Ok(1..) = from.read_until(b'\n', &mut line) {
        if tell.send(Heard::Err(std::mem::take(&mut line))).is_err() {
            return;
        }
    }
}

/// Whether the leader of `group` has ended. It stays a zombie, so that its number stays its own.
fn has_ended(group: Pid, flags: WaitPidFlag) -> bool {
    let flags = flags | WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    loop {
        match waitid(Id::Pid(group), flags) {
            Ok(WaitStatus::StillAlive) => return false,
            Err(nix::errno::Errno::EINTR) => {}
            _ => return true,
        }
    }
}

/// Starts a child and enlists its group. A signal that comes between the two would miss the child, so it is kept until
/// both are done.
fn begin(command: &mut Command) -> io::Result<(Child, usize)> {
    BEGINNING.fetch_add(1, Ordering::SeqCst);
    // Either this sees the signal, or the handler sees that something begins.
    let begun = if SIGNAL.load(Ordering::SeqCst) == 0 {
        command.spawn().map(|child| {
            let slot = enlist(Pid::from_raw(child.id() as i32));
            (child, slot)
        })
    } else {
        Err(io::ErrorKind::Interrupted.into())
    };
    BEGINNING.fetch_sub(1, Ordering::SeqCst);
    match SIGNAL.load(Ordering::SeqCst) {
        0 => begun,
        signal => end(signal),
    }
}

fn enlist(group: Pid) -> usize {
    loop {
        for (slot, place) in GROUPS.iter().enumerate() {
            if place
                .compare_exchange(0, group.as_raw(), Ordering::SeqCst, Ordering::SeqCst)
                .is_ok()
            {
                return slot;
            }
        }
        // Sixty-four at once is more than verify ever starts; a place will be free soon.
        std::thread::yield_now();
    }
}

/// Ends every group that is running. Safe in a signal handler.
pub fn end_all() {
    for place in &GROUPS {
        let group = place.load(Ordering::SeqCst);
        if group > 0 {
            // SAFETY: kill(2) takes two integers, and is async-signal-safe (signal-safety(7)).
            unsafe { libc::kill(-group, libc::SIGKILL) };
        }
    }
}

/// Ends the children and this process, because of a signal. Safe in its handler.
fn end(signal: i32) -> ! {
    end_all();
    terminal::restore();
    // SAFETY: _exit(2) is async-signal-safe and does not return.
    unsafe { libc::_exit(128 + signal) }
}

/// From now on Ctrl-C, a hang-up or a request to terminate ends the children, restores the terminal, and exits with
/// 128 plus the signal's number: 130 for Ctrl-C.
pub fn end_children_on_signals() {
    extern "C" fn on_signal(signal: i32) {
        SIGNAL.store(signal, Ordering::SeqCst);
        if BEGINNING.load(Ordering::SeqCst) == 0 {
            end(signal);
        }
    }
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: the handler calls only async-signal-safe functions, and reads only atomics and what was written
        // before it could run. The sigaction is initialized: an empty mask, no flags.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_signal as extern "C" fn(i32) as usize;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration, cancel: &Cancel) -> Finished {
        run(
            Command::new("sh").args(["-c", script]),
            limit,
            cancel,
            |_| {},
        )
        .unwrap()
    }

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn output_and_status_come_back() {
        let finished = shell("echo out; echo err >&2; exit 3", LONG, &Cancel::default());
        assert_eq!(finished.stdout, b"out\n");
        assert_eq!(finished.stderr, b"err\n");
        assert_eq!(finished.status.unwrap().code(), Some(3));
    }

    #[test]
    fn what_takes_too_long_is_ended_with_all_it_started() {
        let finished = shell(
            "sleep 100 & echo $!; wait",
            Duration::from_millis(100),
            &Cancel::default(),
        );
        assert!(finished.too_slow && finished.status.is_none());
        let grandchild: i32 = String::from_utf8(finished.stdout)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        assert!(is_gone(grandchild));
    }

    #[test]
    fn a_process_left_behind_does_not_hold_us() {
        let started = Instant::now();
        let finished = shell("sleep 100 & echo $!", LONG, &Cancel::default());
        assert!(finished.success());
        assert!(started.elapsed() < Duration::from_secs(20));
        let left: i32 = String::from_utf8(finished.stdout)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        assert!(is_gone(left));
    }

    #[test]
    fn canceling_ends_what_runs_and_what_would_begin() {
        let cancel = Cancel::default();
        let finished = run(
            Command::new("sh").args(["-c", "echo up >&2; sleep 100"]),
            LONG,
            &cancel,
            |_| cancel.now(),
        );
        assert!(finished.unwrap().status.is_none());
        assert!(shell("sleep 100", LONG, &cancel).status.is_none());
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        let missing = run(
            &mut Command::new("/nowhere/at-all"),
            LONG,
            &Cancel::default(),
            |_| {},
        );
        assert_eq!(
            missing.err().map(|error| error.kind()),
            Some(io::ErrorKind::NotFound)
        );
    }

    /// Gone, or dead and waiting for init to notice.
    fn is_gone(pid: i32) -> bool {
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
                Err(_) => return true,
                Ok(stat) if stat.contains(") Z ") => return true,
                Ok(_) => std::thread::yield_now(),
            }
        }
        false
    }
}
