//! Writing to a peer that has gone.

use std::net::TcpStream;
use std::os::fd::AsRawFd;

use lab::prelude::*;
use lab::trial::{C, saw};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::socket::{MsgFlags, send};
use nix::unistd::write;

use crate::common::{connection, reset, said};
use crate::gone::broken;

/// A server's end of a connection whose client has closed, or reset it.
fn whose_client_has_gone(by_reset: bool) -> Result<TcpStream, Finding> {
    let (client, server) = connection()?;
    if by_reset {
        reset(client)?;
        broken(&server)?;
    } else {
        drop(client);
    }
    Ok(server)
}

/// Writes, waits for the answer, and writes again, with this action for SIGPIPE. Says how it ended.
fn two_writes(
    cx: &Check,
    by_reset: bool,
    action: SigHandler,
    flags: MsgFlags,
) -> Result<String, Finding> {
    let server = whose_client_has_gone(by_reset)?;
    let subject = cx.subject(move || -> nix::Result<String> {
        // SAFETY: the action is no function of ours.
        unsafe { signal(Signal::SIGPIPE, action) }?;
        let first = said(send(server.as_raw_fd(), b"hello", flags));
        broken(&server)?;
        Ok(format!(
            "{first}, {}",
            said(send(server.as_raw_fd(), b"hello", flags))
        ))
    })?;
    Ok(match subject.outcome()? {
        Outcome::Returned(said) => said?,
        Outcome::Killed(number) => Signal::try_from(number)?.to_string(),
        other => format!("{other:?}"),
    })
}

/// What ends a server that does nothing about it.
pub fn sigpipe_ends_a_server_that_does_nothing(cx: &Check) -> Verdict {
    let none = MsgFlags::empty();
    let ended = two_writes(cx, false, SigHandler::SigDfl, none)?;
    saw(cx, "the client has closed, two writes with SIG_DFL", ended).is("SIGPIPE")?;
    let ended = two_writes(cx, false, SigHandler::SigIgn, none)?;
    saw(cx, "with SIG_IGN", ended).is("5, EPIPE")?;
    PASS
}

/// A client that disconnects sends a FIN. To write after that is no error.
pub fn the_first_write_to_a_closed_peer_succeeds(cx: &Check) -> Verdict {
    let server = whose_client_has_gone(false)?;
    let subject = cx.subject(move || -> nix::Result<String> {
        // SAFETY: the action is no function of ours.
        unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }?;
        Ok(said(write(&server, b"hello")))
    })?;
    saw(
        cx,
        "the client has closed, the first write with SIG_DFL",
        subject.value()??,
    )
    .is("5")?;
    let ended = two_writes(cx, false, SigHandler::SigDfl, MsgFlags::empty())?;
    saw(cx, "the second", ended).is("SIGPIPE")?;
    PASS
}

/// It depends on whether a FIN came before it.
pub fn after_a_reset_the_first_write_says_so(cx: &Check) -> Verdict {
    for (what, by_reset, wanted) in [
        ("FIN, then RST: the writes", false, "5, EPIPE"),
        ("RST alone: the writes", true, "ECONNRESET, EPIPE"),
    ] {
        let ended = two_writes(cx, by_reset, SigHandler::SigIgn, MsgFlags::empty())?;
        saw(cx, what, ended).is(wanted)?;
    }
    let server = whose_client_has_gone(true)?;
    let subject = cx.subject(move || -> nix::Result<String> {
        // SAFETY: the action is no function of ours.
        unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }?;
        Ok(said(write(&server, b"hello")))
    })?;
    saw(
        cx,
        "RST alone, the first write with SIG_DFL",
        subject.value()??,
    )
    .is("ECONNRESET")?;
    PASS
}

/// For the whole program, or for each call; and a Rust program has ignored it before `main`.
pub fn msg_nosignal_is_another_remedy(cx: &Check) -> Verdict {
    for (what, action, flags, wanted) in [
        ("SIG_DFL", SigHandler::SigDfl, MsgFlags::empty(), "SIGPIPE"),
        ("SIG_IGN", SigHandler::SigIgn, MsgFlags::empty(), "5, EPIPE"),
        (
            "SIG_DFL and MSG_NOSIGNAL",
            SigHandler::SigDfl,
            MsgFlags::MSG_NOSIGNAL,
            "5, EPIPE",
        ),
    ] {
        saw(cx, what, two_writes(cx, false, action, flags)?).is(wanted)?;
    }
    let mut sleeper = cx.program(env!("CARGO_BIN_EXE_tcp-echo-server"), &["127.0.0.1:0"])?;
    sleeper.line()?;
    let status = std::fs::read_to_string(format!("/proc/{}/status", sleeper.pid()))?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0);
    let ignored = mask >> (libc::SIGPIPE - 1) & 1 == 1;
    saw(
        cx,
        "a Rust program, started with SIG_DFL, ignores SIGPIPE",
        ignored,
    )
    .is(true)?;
    PASS
}

/// A message for an error that never comes.
pub fn no_error_is_seen_by_the_dead(cx: &Check) -> Verdict {
    let source = r#"
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
static int pair(int *end) {
    struct sockaddr_in at; socklen_t length = sizeof at;
    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET; at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (void *)&at, sizeof at) || listen(listener, 1)) return -1;
    getsockname(listener, (void *)&at, &length);
    *end = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(*end, (void *)&at, sizeof at)) return -1;
    return accept(listener, NULL, NULL);
}
int main(void) {
    for (int ignore = 0; ignore < 2; ignore++) {
        int client, server = pair(&client), status;
        if (server < 0) return 1;
        close(client);
        fflush(stdout);
        if (fork() == 0) {
            struct pollfd broken = { server, 0, 0 };
            signal(SIGPIPE, ignore ? SIG_IGN : SIG_DFL);
            for (int i = 0; i < 2; i++) {
                if (write(server, "hello", 5) < 0) printf("peer close ");
                fflush(stdout);
                poll(&broken, 1, -1);
            }
            _exit(0);
        }
        wait(&status);
        printf("%d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    }
    return 0;
}
"#;
    let printed = C::compiler(cx)?
        .run(source)?
        .works(cx, "if (write(...) < 0) printf(\"peer close\")")?;
    let lines: Vec<&str> = printed.lines().collect();
    ensure!(lines.len() == 2, "it printed {printed:?}");
    saw(cx, "it prints, and is killed by signal", lines[0]).is("13")?;
    saw(cx, "with SIG_IGN", lines[1]).is("peer close 0")?;
    PASS
}
