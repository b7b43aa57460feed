//! Two writes to a peer that has gone. Which of them fails, and how?

use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::process::ExitCode;

use introduction::error::InCall;
use introduction::program::{Outcome, run_alone};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::socket::{MsgFlags, send, setsockopt, sockopt};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, write};

fn main() -> ExitCode {
    run_alone("usage: second-write", work)
}

// ANCHOR: work
fn work(out: &mut dyn Write) -> Outcome {
    for reset in [false, true] {
        let how = if reset {
            "reset the connection"
        } else {
            "closed"
        };
        writeln!(out, "the peer has {how}")?;
        let socket = whose_peer_has_gone(reset)?;
        writeln!(
            out,
            "  first write             {}",
            said(write(&socket, b"hello"))
        )?;
        // Nothing announces that the answer has come, except that the socket is broken.
        let mut broken = [PollFd::new(socket.as_fd(), PollFlags::empty())];
        poll(&mut broken, PollTimeout::NONE).in_call("poll")?;
        for (name, action, flags) in [
            ("SIG_DFL", SigHandler::SigDfl, MsgFlags::empty()),
            ("SIG_IGN", SigHandler::SigIgn, MsgFlags::empty()),
            ("MSG_NOSIGNAL", SigHandler::SigDfl, MsgFlags::MSG_NOSIGNAL),
        ] {
            let end = in_a_child(|| {
                // SAFETY: neither action is a function of ours.
                unsafe { signal(Signal::SIGPIPE, action) }?;
                send(socket.as_raw_fd(), b"world", flags)
            })?;
            writeln!(out, "  second, {name:14}  {end}")?;
        }
    }
    Ok(())
}

/// A connection whose other end was closed, politely or with RST.
fn whose_peer_has_gone(reset: bool) -> io::Result<TcpStream> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let here = TcpStream::connect(listener.local_addr()?)?;
    let (there, _) = listener.accept()?;
    let at_once = libc::linger {
        l_onoff: i32::from(reset),
        l_linger: 0,
    };
    setsockopt(&there, sockopt::Linger, &at_once)?;
    Ok(here)
}
// ANCHOR_END: work

// ANCHOR: child
/// Does `attempt` in a child process, and says what it returned, or what killed the child.
fn in_a_child(attempt: impl FnOnce() -> nix::Result<usize>) -> Result<String, io::Error> {
    // SAFETY: this process has one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            let errno = attempt().err().map_or(0, |errno| errno as i32);
            // SAFETY: `_exit` ends the process, without what the parent has in its buffers.
            unsafe { libc::_exit(errno) }
        }
        ForkResult::Parent { child } => Ok(match waitpid(child, None)? {
            WaitStatus::Exited(_, 0) => "5".to_owned(),
            WaitStatus::Exited(_, errno) => said(Err(Errno::from_raw(errno))),
            WaitStatus::Signaled(_, signal, _) => format!("killed by {signal}"),
            other => format!("{other:?}"),
        }),
    }
}

fn said(result: nix::Result<usize>) -> String {
    match result {
        Ok(count) => count.to_string(),
        Err(errno) => errno.to_string(),
    }
}
// ANCHOR_END: child
