//! Two directions at once: two processes, or one that waits for both.

use std::os::fd::{AsFd, OwnedFd};

use lab::prelude::*;
use lab::trial::saw;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigHandler, Signal, kill, signal};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{getpid, getppid, pipe, read, write};
use tcp_client_server::children::children_of;

use crate::common::{child, handle};

extern "C" fn leave(_signal: i32) {
    // SAFETY: `_exit` is async-signal-safe.
    unsafe { libc::_exit(7) }
}

/// How the child ends to which its parent sends SIGUSR1 as soon as it can.
fn early_signal(before_fork: bool) -> nix::Result<String> {
    let (go, held) = pipe()?;
    // SAFETY: SIG_DFL is no function of ours.
    unsafe { signal(Signal::SIGUSR1, SigHandler::SigDfl) }?;
    if before_fork {
        handle(Signal::SIGUSR1, leave, 0)?;
    }
    let pid = child(|| {
        // Anything that takes a moment between fork and the registration.
        let _ = read(&go, &mut [0]);
        i32::from(handle(Signal::SIGUSR1, leave, 0).is_err())
    })?;
    kill(pid, Signal::SIGUSR1)?;
    let status = waitpid(pid, None)?;
    drop(held);
    Ok(match status {
        WaitStatus::Exited(_, 7) => "its handler runs".into(),
        WaitStatus::Signaled(_, signal, _) => format!("killed by {signal}"),
        other => format!("{other:?}"),
    })
}

/// A signal does not wait until its handler is there.
pub fn a_handler_registered_after_fork_may_be_late(cx: &Check) -> Verdict {
    for (what, before_fork, wanted) in [
        (
            "registered in the child, the signal came first",
            false,
            "killed by SIGUSR1",
        ),
        ("registered before fork", true, "its handler runs"),
    ] {
        let subject = cx.subject(move || early_signal(before_fork))?;
        saw(cx, what, subject.value()??).is(wanted)?;
    }
    PASS
}

/// End-of-file is not an event that passes.
pub fn an_ended_input_is_always_ready(cx: &Check) -> Verdict {
    let (input, typing) = pipe()?;
    drop(typing);
    let subject = cx.subject(move || -> nix::Result<u32> {
        let mut ends = 0;
        for _ in 0..1000 {
            ends += u32::from(read(&input, &mut [0; 16])? == 0);
        }
        Ok(ends)
    })?;
    saw(
        cx,
        "of 1000 reads at the end of the input returned 0 at once",
        subject.value()??,
    )
    .is(1000)?;
    let (input, typing) = pipe()?;
    drop(typing);
    let mut ends = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
    let ready = poll(&mut ends, PollTimeout::ZERO)?;
    saw(cx, "poll says that it is ready", ready == 1).is(true)?;
    PASS
}

/// The parent has ended. Who is it now?
pub fn the_parent_may_be_somebody_else(cx: &Check) -> Verdict {
    // The grandchild may not have ended yet when it has answered.
    let subject = cx
        .spawner()
        .may_leak()
        .subject(|| -> nix::Result<(i32, i32)> {
            let (said, says) = pipe()?;
            let (asked, asks) = pipe()?;
            let parent = child(|| {
                let parent = getpid();
                let grandchild = child(|| {
                    let before = getppid() == parent;
                    let _ = write(&asks, b"!");
                    while getppid() == parent {
                        std::thread::yield_now();
                    }
                    let _ = write(&says, &[u8::from(before), u8::from(getppid() == parent)]);
                    0
                });
                // It ends as soon as it has been asked for.
                i32::from(grandchild.is_err() || read(&asked, &mut [0]).is_err())
            })?;
            waitpid(parent, None)?;
            let mut answer = [9; 2];
            read(&said, &mut answer)?;
            Ok((i32::from(answer[0]), i32::from(answer[1])))
        })?;
    let (before, after) = subject.value()??;
    saw(
        cx,
        "getppid while the parent lives: the parent",
        before == 1,
    )
    .is(true)?;
    saw(cx, "when it has ended: the parent", after == 1).is(false)?;
    PASS
}

/// Reads from the keyboard and from the socket, whichever has something, and copies to the other side.
fn converse(keyboard: &OwnedFd, peer: &OwnedFd, screen: &OwnedFd) -> nix::Result<()> {
    let mut buffer = [0; 256];
    loop {
        let mut ends = [keyboard, peer].map(|end| PollFd::new(end.as_fd(), PollFlags::POLLIN));
        poll(&mut ends, PollTimeout::NONE)?;
        let ready = ends.map(|end| end.any().unwrap_or(false));
        for (ready, from, to) in [(ready[0], keyboard, peer), (ready[1], peer, screen)] {
            if ready {
                let count = read(from, &mut buffer)?;
                if count == 0 {
                    return Ok(());
                }
                write(to, &buffer[..count])?;
            }
        }
    }
}

/// The same talk, without a second process and without a signal.
pub fn one_process_can_chat_with_poll(cx: &Check) -> Verdict {
    let (typing, keyboard) = cx.stream_pair()?;
    let (seen, screen) = cx.stream_pair()?;
    let (peer, socket) = cx.tcp_pair()?;
    let subject = cx.subject(move || converse(&keyboard, &socket, &screen))?;
    // In either order: nobody has to wait for the other's turn.
    peer.sends("hello")?;
    seen.expects("hello")?;
    cx.evidence("the peer speaks first, on the screen: hello");
    for word in ["one", "two"] {
        typing.sends(word)?;
        peer.expects(word)?;
        cx.evidence(format!("typed, and heard by the peer: {word}"));
    }
    subject.waits_in(&["poll", "ppoll"])?;
    saw(cx, "its children", children_of(subject.pid() as u32)?.len()).is(0)?;
    typing.closes();
    subject.returns(Ok(()))?;
    cx.evidence("at the end of its input: it ends");
    PASS
}
