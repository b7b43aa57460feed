//! What a signal handler may do, and how it is registered.

use std::io::Write;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};

use lab::prelude::*;
use lab::trial::{C, Compiled, saw};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::unistd::{dup, dup2_stdout, pipe, read};
use tcp_client_server::children::reap_all;

use crate::common::{child, handle};

static RUNS: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_signal: i32) {
    RUNS.fetch_add(1, Ordering::Relaxed);
}

/// One that a process sends itself comes before the call returns. One that is held back can be read like data.
pub fn some_signals_come_when_they_are_called(cx: &Check) -> Verdict {
    let subject = cx.subject(|| -> nix::Result<u32> {
        handle(Signal::SIGUSR1, count, 0)?;
        raise(Signal::SIGUSR1)?;
        Ok(RUNS.load(Ordering::Relaxed))
    })?;
    saw(
        cx,
        "runs of the handler when raise returns",
        subject.value()??,
    )
    .is(1)?;

    let subject = cx.subject(|| -> nix::Result<(u32, u32)> {
        handle(Signal::SIGUSR1, count, 0)?;
        let set = SigSet::from(Signal::SIGUSR1);
        set.thread_block()?;
        // SAFETY: the set is a whole one, and -1 asks for a new descriptor.
        let fd = unsafe { libc::signalfd(-1, set.as_ref(), libc::SFD_CLOEXEC) };
        // SAFETY: the descriptor is new, and nobody else knows its number.
        let fd = unsafe { OwnedFd::from_raw_fd(Errno::result(fd)?) };
        let mut bytes = [0; size_of::<libc::signalfd_siginfo>()];
        read(&fd, &mut bytes)?;
        let number = u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        Ok((number, RUNS.load(Ordering::Relaxed)))
    })?;
    subject.waits_in(&["read"])?;
    subject.signal(Signal::SIGUSR1);
    let (number, runs) = subject.value()??;
    saw(
        cx,
        "a read of a signalfd gives SIGUSR1",
        number == libc::SIGUSR1 as u32,
    )
    .is(true)?;
    saw(cx, "and the handler runs", runs).is(0)?;
    PASS
}

/// Enough lines for several buffers of the C library.
const LINES: usize = 4096;

extern "C" fn prints(_signal: i32) {
    // SAFETY: a format without arguments. That it is called from a handler is what is on trial.
    unsafe { libc::printf(c"HANDLER\n".as_ptr()) };
}

/// `main` is in the middle of a `printf` when the handler runs: one that does not print, and one that does.
pub fn printf_in_a_handler_garbles(cx: &Check) -> Verdict {
    let whole = "main\n".repeat(LINES);
    let undisturbed = printed(cx, count)?;
    saw(
        cx,
        "what main printed came out once, and whole",
        undisturbed == whole,
    )
    .is(true)?;
    // Whatever the handler has printed may stand between two lines, or in the middle of one.
    let disturbed = printed(cx, prints)?;
    let lines = disturbed.matches("main\n").count();
    cx.evidence(format!(
        "with printf in the handler, lines of main: {lines} of {LINES}"
    ));
    let same = disturbed.replacen("HANDLER\n", "", 1) == whole;
    saw(cx, "with printf in the handler", same).is(false)?;
    PASS
}

/// What comes out when `main` prints its lines, and waits in a full pipe when a signal comes for this handler.
fn printed(cx: &Check, handler: extern "C" fn(i32)) -> Result<String, Finding> {
    let (end, stdout) = pipe()?;
    let full = fill(&stdout)?;
    let subject = cx.subject(move || -> nix::Result<()> {
        handle(Signal::SIGUSR1, handler, libc::SA_RESTART)?;
        let before = dup(std::io::stdout())?;
        dup2_stdout(&stdout)?;
        drop(stdout);
        for _ in 0..LINES {
            // SAFETY: a format without arguments.
            unsafe { libc::printf(c"main\n".as_ptr()) };
        }
        // SAFETY: null stands for all that is open.
        Errno::result(unsafe { libc::fflush(null_mut()) })?;
        dup2_stdout(&before)
    })?;
    subject.waits_in(&["write", "writev"])?;
    subject.signal(Signal::SIGUSR1);
    subject.waits_in(&["write", "writev"])?;
    let mut text = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match read(&end, &mut piece)? {
            0 => break,
            count => text.extend(&piece[..count]),
        }
    }
    subject.returns(Ok(()))?;
    Ok(String::from_utf8_lossy(&text[full..]).into_owned())
}

/// Writes into the pipe until nothing more goes in. Returns how much that was.
fn fill(pipe: &OwnedFd) -> Result<usize, Finding> {
    let set = |on: bool| {
        let mut on = i32::from(on);
        // SAFETY: FIONBIO reads an int.
        Errno::result(unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONBIO, &raw mut on) })
    };
    set(true)?;
    let mut file = std::fs::File::from(pipe.try_clone()?);
    let mut full = 0;
    while let Ok(count) = file.write(&[b'.'; 4096]) {
        full += count;
    }
    set(false)?;
    Ok(full)
}

/// `waitpid` until nothing more is there, as [`reap_all`], but for what it does to `errno`.
extern "C" fn reap_and_forget(_signal: i32) {
    // SAFETY: `waitpid` takes no status here, and is async-signal-safe.
    while unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } > 0 {}
}

/// The handler runs between two lines of `main`, of which the second looks at `errno`.
pub fn a_handler_changes_errno_under_main(cx: &Check) -> Verdict {
    for (what, handler, wanted) in [
        (
            "which does not save it",
            reap_and_forget as extern "C" fn(i32),
            "ECHILD",
        ),
        ("which does", reap_all, "EDOM"),
    ] {
        let subject = cx.subject(move || -> nix::Result<Errno> {
            handle(Signal::SIGCHLD, handler, 0)?;
            let held_back = SigSet::from(Signal::SIGCHLD);
            held_back.thread_block()?;
            let status = child(|| 0)?;
            let flags = nix::sys::wait::WaitPidFlag::WEXITED | nix::sys::wait::WaitPidFlag::WNOWAIT;
            nix::sys::wait::waitid(nix::sys::wait::Id::Pid(status), flags)?;
            Errno::EDOM.set();
            held_back.thread_unblock()?;
            Ok(Errno::last())
        })?;
        let errno = subject.value()??;
        saw(
            cx,
            &format!("errno, EDOM before, after a handler {what}"),
            format!("{errno:?}"),
        )
        .is(wanted)?;
    }
    // The errno of an interrupted call is set when the handler has run.
    let (end, _held) = pipe()?;
    let subject = cx.subject(move || -> nix::Result<usize> {
        handle(Signal::SIGUSR1, reap_and_forget, 0)?;
        read(&end, &mut [0])
    })?;
    subject.waits_in(&["read"])?;
    subject.signal(Signal::SIGUSR1);
    subject.returns(Err(Errno::EINTR))?;
    cx.evidence("a read that the same handler interrupts: EINTR");
    PASS
}

/// The flags with which `signal` registers a handler.
pub fn signal_is_sigaction_with_flags_of_the_library(cx: &Check) -> Verdict {
    let subject = cx.subject(|| -> nix::Result<bool> {
        // SAFETY: the handler may be called at any time, and the actions are whole ones.
        unsafe {
            libc::signal(libc::SIGUSR1, count as *const () as libc::sighandler_t);
            let mut action: libc::sigaction = zeroed();
            Errno::result(libc::sigaction(libc::SIGUSR1, null_mut(), &raw mut action))?;
            Ok(action.sa_flags & libc::SA_RESTART != 0)
        }
    })?;
    saw(
        cx,
        "after signal, sigaction says SA_RESTART",
        subject.value()??,
    )
    .is(true)?;

    let c = C::compiler(cx)?;
    for (what, standard, wanted) in [
        ("compiled as usual", "", "restart 1, reset 0, nodefer 0"),
        (
            "compiled for XPG",
            "#define _XOPEN_SOURCE 700\n",
            "restart 0, reset 1, nodefer 1",
        ),
    ] {
        let source = format!(
            "{standard}{}",
            r#"
#include <signal.h>
#include <stdio.h>
#ifndef __GLIBC__
#error not the GNU C library
#endif
static void handler(int number) { (void)number; }
int main(void) {
    struct sigaction action;
    signal(SIGUSR1, handler);
    sigaction(SIGUSR1, NULL, &action);
    int flags = action.sa_flags;
    printf("restart %d, reset %d, nodefer %d", (flags & 0x10000000) != 0, (flags & (int)0x80000000) != 0, (flags & 0x40000000) != 0);
    return 0;
}
"#
        );
        match c.run(&source)? {
            Compiled::Refused(why) if why.contains("not the GNU C library") => {
                return Err(Finding::needs("the GNU C library"));
            }
            compiled => {
                saw(cx, what, compiled.works(cx, "signal")?).is(wanted)?;
            }
        }
    }
    PASS
}
