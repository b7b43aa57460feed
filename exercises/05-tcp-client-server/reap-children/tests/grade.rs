//! Grades `reap-children`.
//!
//! The children are the subject's. What became of them is read in `/proc`, from outside. Descriptors may stay open:
//! a signalfd(2) is a way to hear of signals, too.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use lab::prelude::*;
use nix::sys::signal::Signal;
use reap_children::{reap_children, reaped};

pub fn main() -> std::process::ExitCode {
    Grader::new("reap-children")
        .section("05-tcp-client-server#zombies")
        .check(2, a_child_that_ends_is_reaped)
        .check(2, five_that_end_at_once)
        .check(2, does_not_wait_for_the_living)
        .check(1, errno_is_as_it_was)
        .check(1, a_slow_call_goes_on)
        .see("05-tcp-client-server#interrupted-calls")
        .main()
}

/// One child ends, then another: both are reaped and counted.
fn a_child_that_ends_is_reaped(cx: &Check) -> Verdict {
    const WHY: &str = "Somebody has to take the status of each child, each time: the second as the first. See waitpid(2) \
         and sigaction(2).";
    let (peer, end) = cx.stream_pair()?;
    let subject = cx.spawner().may_leak().subject(move || {
        reap_children()?;
        for _ in 0..2 {
            child(|| {})?;
            patiently(&end)?;
        }
        Ok::<_, io::Error>(counted(2))
    })?;
    for nth in ["first", "second"] {
        subject
            .waits_in(&["read"])
            .because("A program that has called reap_children goes on with its work.")?;
        only_live(cx, &subject, 0, &format!("the {nth} child")).because(WHY)?;
        peer.sends("go on")?;
    }
    counts(subject, 2)
}

/// Five children have ended before the program hears of it: one signal for all.
fn five_that_end_at_once(cx: &Check) -> Verdict {
    const WHY: &str = "Signals do not queue: however many children end while SIGCHLD is pending, it comes once. So one signal \
         means at least one child. Ask again until waitpid has no more to give.";
    let (peer, end) = cx.stream_pair()?;
    let subject = cx.spawner().may_leak().subject(move || {
        reap_children()?;
        let before = block_sigchld()?;
        let children: io::Result<Vec<i32>> = (0..5).map(|_| child(|| {})).collect();
        for child in children? {
            has_ended(child)?;
        }
        restore_signals(&before)?;
        patiently(&end)?;
        Ok::<_, io::Error>(counted(5))
    })?;
    cx.step("five children end while SIGCHLD is blocked; then it comes");
    subject.waits_in(&["read"]).because(WHY)?;
    only_live(cx, &subject, 0, "five children that ended at once").because(WHY)?;
    peer.sends("go on")?;
    counts(subject, 5).because(WHY)
}

/// One child ends while another lives: the program goes on.
fn does_not_wait_for_the_living(cx: &Check) -> Verdict {
    const WHY: &str = "waitpid waits for a child to end unless it gets WNOHANG. Then it returns a child's id, 0 when children \
         live and none has ended, or -1 when there are none: only the first is a reason to ask again.";
    let (peer, end) = cx.stream_pair()?;
    let subject = cx.spawner().may_leak().subject(move || {
        ends_when_busy()?;
        reap_children()?;
        // It ends when this process does, at the latest.
        let living = child(|| {
            loop {
                // SAFETY: pause takes nothing.
                unsafe { libc::pause() };
            }
        })?;
        child(|| {})?;
        patiently(&end)?;
        let count = counted(1);
        // SAFETY: kill takes two numbers.
        unsafe { libc::kill(living, libc::SIGKILL) };
        patiently(&end)?;
        Ok::<_, io::Error>(count)
    })?;
    cx.step("one child ends, another lives on");
    let goes_on = subject.waits_in(&["read"]).and_then(|()| {
        only_live(cx, &subject, 1, "the child that ended")?;
        peer.sends("go on")?;
        // It has killed the other child by now. That one is to be reaped, too.
        only_live(cx, &subject, 0, "the child that was killed")?;
        peer.sends("go on")
    });
    if goes_on.is_err() && !is_alive(subject.pid()) {
        return Err(match subject.outcome()? {
            Outcome::Killed(libc::SIGPROF) => Finding::fail(
                "after 0.2 seconds of processor time your code was still asking for children, \
                 though one lives and none has ended",
            ),
            other => Finding::fail(format!(
                "your code did not come through it: {}",
                said(&other)
            )),
        })
        .because(WHY);
    }
    goes_on.because(WHY)?;
    counts(subject, 1)
}

/// The code that was interrupted finds `errno` as it left it.
fn errno_is_as_it_was(cx: &Check) -> Verdict {
    let subject = cx.spawner().may_leak().subject(|| {
        reap_children()?;
        let before = block_sigchld()?;
        has_ended(child(|| {})?)?;
        // A call has just failed with EDOM, say, and before anybody looks, SIGCHLD comes.
        Errno::set_raw(libc::EDOM);
        // SAFETY: the set is the one that sigprocmask gave. Nothing else is called until errno is read.
        let errno = unsafe {
            libc::sigprocmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
            *libc::__errno_location()
        };
        Ok::<_, io::Error>(errno)
    })?;
    let errno = subject.value()?;
    let errno = errno.map_err(|error| Finding::fail(format!("reap_children returned {error}")))?;
    if errno != libc::EDOM {
        let now = Errno::from_raw(errno);
        return Err(Finding::fail(format!(
            "errno was EDOM when SIGCHLD came, and is {now:?} afterwards"
        )))
        .because(
            "The last waitpid of a handler fails with ECHILD when no child is left. The program may be about to look at the \
             errno of a call of its own: put back what was there.",
        );
    }
    PASS
}

/// A `read` that waits goes on waiting when `SIGCHLD` comes, and gets what is sent.
fn a_slow_call_goes_on(cx: &Check) -> Verdict {
    const WHY: &str = "A handler without SA_RESTART makes slow calls fail with EINTR: read, accept and others, anywhere in the \
         program. With SA_RESTART the kernel repeats them.";
    let (peer, end) = cx.stream_pair()?;
    let subject = cx.spawner().may_leak().subject(move || {
        reap_children()?;
        let mut word = [0; 5];
        let count = nix::unistd::read(&end, &mut word)?;
        Ok::<_, io::Error>((word[..count].to_vec(), reaped()))
    })?;
    subject.waits_in(&["read"])?;
    subject.signal(Signal::SIGCHLD);
    // How it ended is told by what it returned.
    let _ = subject.waits_in(&["read"]);
    let sent = peer.sends("hello");
    subject.returns(Ok((b"hello".to_vec(), 0))).because(WHY)?;
    sent?;
    PASS
}

/// How many children have been reaped, in the end. What takes them may count them a moment later, in a thread of
/// its own.
fn counted(expected: usize) -> usize {
    for _ in 0..10_000 {
        if reaped() >= expected {
            break;
        }
        std::thread::yield_now();
    }
    reaped()
}

/// Demands that the subject returns that it has reaped so many.
fn counts(subject: Subject<io::Result<usize>>, count: usize) -> Verdict {
    subject
        .returns(Ok(count))
        .because("reaped() counts children, not signals: each status that was taken is one.")?;
    PASS
}

/// Waits until the subject has so many children and none of them is a zombie. Says how many are, if that never
/// happens.
fn only_live<T: Sealed>(
    cx: &Check,
    subject: &Subject<T>,
    count: usize,
    who: &str,
) -> Result<(), Finding> {
    let mut zombies = Vec::new();
    let waited = cx.wait_until(&format!("{who} to be reaped"), || {
        zombies = children(subject.pid());
        let all = zombies.len();
        zombies.retain(|(_, state)| *state == 'Z');
        (zombies.is_empty() && all == count).then_some(())
    });
    waited.map_err(|finding| {
        if zombies.is_empty() || !finding.is_failure() {
            return finding;
        }
        let are = if zombies.len() == 1 {
            "is a zombie"
        } else {
            "are zombies"
        };
        let what = format!("expected {who} to be reaped, but {} {are}", zombies.len());
        let pids: Vec<String> = zombies.iter().map(|(pid, _)| pid.to_string()).collect();
        Finding::fail(what).with_detail(format!("State Z in /proc/PID/stat: {}", pids.join(", ")))
    })
}

/// The children of a process, and their states.
fn children(pid: i32) -> Vec<(i32, char)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats = entries.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let found = stats.filter_map(|stat| {
        // 77 (the name, which may hold anything) Z 1 …
        let (before, after) = stat.rsplit_once(") ")?;
        let mut after = after.split(' ');
        let (state, parent) = (after.next()?.chars().next()?, after.next()?);
        let number = before.split(' ').next()?.parse().ok()?;
        (parent == pid.to_string()).then_some((number, state))
    });
    found.collect()
}

fn is_alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| !"ZX".contains(state))
}

fn said<T: Sealed>(outcome: &Outcome<T>) -> String {
    match outcome {
        Outcome::Returned(value) => format!("it returned {}", value.show()),
        Outcome::Panicked(message) => format!("it panicked: {message}"),
        Outcome::Exited(status) => format!("it ended the process, exit status {status}"),
        Outcome::Killed(signal) => format!("signal {signal} killed it"),
        Outcome::ReturnedTwice => "a child of it came back, too".into(),
    }
}

/// Makes a child that does `work` and ends, and gives its id.
fn child(work: impl FnOnce()) -> io::Result<i32> {
    // SAFETY: the child calls nothing that another thread may have locked: it pauses, or ends.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            // A child does not outlive the one that made it.
            // SAFETY: prctl and _exit take numbers.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
            work();
            // SAFETY: as above.
            unsafe { libc::_exit(0) }
        }
        pid => Ok(pid),
    }
}

/// Waits until a child has ended, and takes nothing. Somebody else may have taken it already.
fn has_ended(child: i32) -> io::Result<()> {
    // SAFETY: siginfo_t is plain data, valid as zeros, and a valid place for the answer.
    let result = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let flags = libc::WEXITED | libc::WNOWAIT;
        libc::waitid(libc::P_PID, child as libc::id_t, &raw mut info, flags)
    };
    match Errno::result(result) {
        Err(Errno::ECHILD) | Ok(_) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Ends this process, by `SIGPROF`, when it has used up 0.2 seconds of processor time. What it has to do takes less than
/// a hundredth of that.
fn ends_when_busy() -> io::Result<()> {
    let time = |micros| libc::timeval {
        tv_sec: 0,
        tv_usec: micros,
    };
    let timer = libc::itimerval {
        it_interval: time(0),
        it_value: time(200_000),
    };
    // SAFETY: the timer is whole, and nobody asks for the one before.
    match unsafe { libc::setitimer(libc::ITIMER_PROF, &raw const timer, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Blocks `SIGCHLD` and gives the mask that was before.
fn block_sigchld() -> io::Result<libc::sigset_t> {
    // SAFETY: both sets are valid places, and sigemptyset makes one whole.
    unsafe {
        let (mut set, mut before): (libc::sigset_t, libc::sigset_t) =
            (std::mem::zeroed(), std::mem::zeroed());
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        match libc::sigprocmask(libc::SIG_BLOCK, &raw const set, &raw mut before) {
            0 => Ok(before),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

fn restore_signals(before: &libc::sigset_t) -> io::Result<()> {
    // SAFETY: the set is the one that sigprocmask gave.
    match unsafe { libc::sigprocmask(libc::SIG_SETMASK, before, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Reads what the check sends, however often it is interrupted: that is another check's question.
fn patiently(end: &OwnedFd) -> io::Result<()> {
    let mut word = [0; 5];
    loop {
        // SAFETY: `word` has room for as many bytes as are asked for.
        let count = unsafe { libc::read(end.as_raw_fd(), word.as_mut_ptr().cast(), word.len()) };
        match Errno::result(count) {
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
            Ok(0) => return Err(io::Error::other("the check has gone")),
            Ok(_) => return Ok(()),
        }
    }
}
