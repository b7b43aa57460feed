//! What is left of a child that has ended, and how a parent learns of it.

use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};

use lab::prelude::*;
use lab::trial::saw;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, raise, sigaction};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, wait, waitid, waitpid};
use nix::unistd::{Pid, pipe, read, write};
use tcp_client_server::children::children_of;

use crate::common::{child, done, handle};

const ZOMBIE_SERVER: &str = env!("CARGO_BIN_EXE_zombie-server");
const SERVER: &str = env!("CARGO_BIN_EXE_tcp-echo-server");
const LOST_SIGNALS: &str = env!("CARGO_BIN_EXE_lost-signals");

/// The states of this process's children: `Z Z`.
fn states(pid: u32) -> std::io::Result<String> {
    let children = children_of(pid)?;
    let states: Vec<String> = children
        .iter()
        .map(|child| child.state.to_string())
        .collect();
    Ok(states.join(" "))
}

/// Waits until the child has ended, and leaves its status where it is.
fn has_ended(child: Pid) -> nix::Result<()> {
    waitid(Id::Pid(child), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).map(drop)
}

/// It has no memory and no descriptors any more. Its number it has still.
pub fn an_ended_child_keeps_its_number_until_wait(cx: &Check) -> Verdict {
    let ended = child(|| 0)?;
    has_ended(ended)?;
    saw(cx, "the ended child's state", states(std::process::id())?).is("Z")?;
    saw(cx, "a signal to its number", done(kill(ended, None))).is("ok")?;
    waitpid(ended, None)?;
    saw(cx, "after waitpid", done(kill(ended, None))).is("ESRCH")?;
    PASS
}

/// Three clients come and go: a server that forgets its children, and one that does not.
pub fn a_server_that_forgets_its_children_has_zombies(cx: &Check) -> Verdict {
    for (program, what, wanted) in [
        (ZOMBIE_SERVER, "without a handler for SIGCHLD", "Z Z Z"),
        (SERVER, "with one that calls waitpid", ""),
    ] {
        let mut server = cx.program(program, &["127.0.0.1:0"])?;
        let line = server.line()?;
        let at = line.rsplit(' ').next().unwrap_or_default().to_owned();
        for _ in 0..3 {
            drop(TcpStream::connect(&at)?);
            server.line_after("127.0.0.1:")?;
        }
        let pid = server.pid() as u32;
        cx.wait_until(&format!("the children to be {wanted:?}"), || {
            (states(pid).ok()? == wanted).then_some(())
        })?;
        let left = children_of(pid)?.len();
        saw(cx, &format!("children left by three clients {what}"), left)
            .is(wanted.split_whitespace().count())?;
    }
    PASS
}

/// Three ways to have no zombies and not to wait.
pub fn a_parent_may_say_that_it_will_not_wait(cx: &Check) -> Verdict {
    let no_wait = SigAction::new(SigHandler::SigDfl, SaFlags::SA_NOCLDWAIT, SigSet::empty());
    let ignore = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    for (what, action, wanted) in [
        ("with the default", default, 5),
        ("with SIG_IGN", ignore, 0),
        ("with SA_NOCLDWAIT", no_wait, 0),
    ] {
        let parent = cx.spawner().may_leak().subject(move || {
            // SAFETY: none of the actions is a function of ours.
            unsafe { sigaction(Signal::SIGCHLD, &action) }?;
            five_that_end()
        })?;
        saw(
            cx,
            &format!("zombies after five children {what}"),
            parent.value()??,
        )
        .is(wanted)?;
    }
    // The grandchild may still be on its way out when its descriptors are closed.
    let parent = cx.spawner().may_leak().subject(|| {
        let (end, held) = pipe()?;
        let middle = child(|| child(|| 0).map_or(1, |_| 0))?;
        waitpid(middle, None)?;
        drop(held);
        // When the grandchild has ended, too, nobody has the other end of the pipe.
        read(&end, &mut [0])?;
        Ok::<_, Errno>(children_of(std::process::id()).map_or(99, |children| children.len()))
    })?;
    saw(
        cx,
        "zombies after a fork in a child that ends at once",
        parent.value()??,
    )
    .is(0)?;
    PASS
}

/// Has five children end, and counts the zombies.
fn five_that_end() -> nix::Result<usize> {
    let (end, held) = pipe()?;
    for _ in 0..5 {
        child(|| 0)?;
    }
    drop(held);
    read(&end, &mut [0])?;
    // Their descriptors are closed before they are zombies, or gone.
    loop {
        let children = children_of(std::process::id()).map_err(|_| Errno::ENOENT)?;
        if children.iter().all(|child| child.state == 'Z') {
            return Ok(children.len());
        }
    }
}

/// Five children end while SIGCHLD is held back. One signal is left of five.
pub fn one_signal_may_stand_for_five_children(cx: &Check) -> Verdict {
    let table = cx.program(LOST_SIGNALS, &[] as &[&str])?.exits(0)?;
    let numbers: Vec<Vec<&str>> = table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().rev().take(2).collect())
        .collect();
    ensure!(numbers.len() == 2, "not two lines of a table: {table}");
    for (what, numbers, wanted) in [
        ("one wait", &numbers[0], "4"),
        ("waitpid in a loop", &numbers[1], "0"),
    ] {
        saw(cx, &format!("{what}: runs of the handler"), numbers[1]).is("1")?;
        saw(cx, &format!("{what}: zombies left of five"), numbers[0]).is(wanted)?;
    }
    PASS
}

static ROUNDS: AtomicU32 = AtomicU32::new(0);
static LAST: AtomicU32 = AtomicU32::new(0);

/// `while (waitpid(…));` but for a way out after a thousand rounds.
extern "C" fn until_zero(_signal: i32) {
    // SAFETY: `waitpid` takes no status here, and is async-signal-safe.
    while unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } != 0 {
        LAST.store(Errno::last_raw() as u32, Ordering::Relaxed);
        if ROUNDS.fetch_add(1, Ordering::Relaxed) >= 999 {
            break;
        }
    }
}

/// `while (waitpid(…) > 0);`
extern "C" fn while_above_zero(_signal: i32) {
    // SAFETY: `waitpid` takes no status here, and is async-signal-safe.
    while unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } > 0 {
        ROUNDS.fetch_add(1, Ordering::Relaxed);
    }
}

/// -1 is not 0, so it is true.
pub fn minus_one_is_true(cx: &Check) -> Verdict {
    for (what, handler, wanted) in [
        (
            "while (waitpid(...)), stopped at 1000, rounds",
            until_zero as extern "C" fn(i32),
            1000,
        ),
        ("while (waitpid(...) > 0), rounds", while_above_zero, 1),
    ] {
        let subject = cx.subject(move || -> nix::Result<(u32, u32)> {
            handle(Signal::SIGCHLD, handler, 0)?;
            // The signal comes when this child has ended.
            let held_back = SigSet::from(Signal::SIGCHLD);
            held_back.thread_block()?;
            has_ended(child(|| 0)?)?;
            held_back.thread_unblock()?;
            Ok((ROUNDS.load(Ordering::Relaxed), LAST.load(Ordering::Relaxed)))
        })?;
        let (rounds, last) = subject.value()??;
        saw(cx, what, rounds).is(wanted)?;
        if rounds > 1 {
            saw(
                cx,
                "all but one of them gave",
                format!("{:?}", Errno::from_raw(last as i32)),
            )
            .is("ECHILD")?;
        }
    }
    PASS
}

/// The loop that waits: six children, and an end that is no error.
pub fn the_waiting_loop_ends_with_echild(cx: &Check) -> Verdict {
    let subject = cx.subject(|| -> nix::Result<(u32, Errno)> {
        for status in 0..6 {
            child(|| status)?;
        }
        let mut reaped = 0;
        loop {
            match waitpid(None, None) {
                Ok(_) => reaped += 1,
                Err(errno) => return Ok((reaped, errno)),
            }
        }
    })?;
    let (reaped, errno) = subject.value()??;
    saw(cx, "children reaped", reaped).is(6)?;
    saw(cx, "then", format!("{errno:?}")).is("ECHILD")?;
    PASS
}

/// `waitpid` may be asked, and may be asked for one; `wait` waits for any.
pub fn waitpid_asks_and_chooses(cx: &Check) -> Verdict {
    let (end, held) = pipe()?;
    let subject = cx.subject(move || -> nix::Result<(bool, bool, bool)> {
        let lives = child(|| i32::from(read(&end, &mut [0]).is_err()))?;
        let asked = waitpid(lives, Some(WaitPidFlag::WNOHANG))? == WaitStatus::StillAlive;
        // Another ends first, and is waited for by its number while the first lives.
        let ends = child(|| 7)?;
        let chosen = waitpid(ends, None)? == WaitStatus::Exited(ends, 7);
        let any = wait()? == WaitStatus::Exited(lives, 0);
        Ok((asked, chosen, any))
    })?;
    // It sleeps in the wait for any child, which cannot end before this.
    subject.waits_in(&["wait4"])?;
    write(&held, b"!")?;
    let (asked, chosen, any) = subject.value()??;
    saw(cx, "waitpid with WNOHANG says that the child lives", asked).is(true)?;
    saw(cx, "waitpid with a number waits for that child", chosen).is(true)?;
    saw(cx, "wait sleeps until any has ended", any).is(true)?;
    PASS
}

/// Both give the same number, in the same way.
pub fn wait_gives_the_same_status(cx: &Check) -> Verdict {
    let subject = cx.subject(|| -> nix::Result<Vec<i32>> {
        let mut seen = Vec::new();
        for killed in [false, true] {
            for by_number in [false, true] {
                let pid = child(|| {
                    if killed {
                        let _ = raise(Signal::SIGKILL);
                    }
                    7
                })?;
                let mut status = 0;
                let waited = if by_number {
                    // SAFETY: `status` is a place for an int.
                    unsafe { libc::waitpid(pid.as_raw(), &raw mut status, 0) }
                } else {
                    // SAFETY: the same.
                    unsafe { libc::wait(&raw mut status) }
                };
                Errno::result(waited)?;
                seen.push(status);
            }
        }
        Ok(seen)
    })?;
    let seen = subject.value()??;
    let exit = |status: i32| libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
    let signal = |status: i32| libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status));
    for (what, status) in [("wait", seen[0]), ("waitpid", seen[1])] {
        saw(
            cx,
            &format!("exit status from {what}"),
            exit(status).unwrap_or(-1),
        )
        .is(7)?;
    }
    for (what, status) in [("wait", seen[2]), ("waitpid", seen[3])] {
        saw(
            cx,
            &format!("signal from {what}"),
            signal(status).unwrap_or(-1),
        )
        .is(libc::SIGKILL)?;
    }
    PASS
}
