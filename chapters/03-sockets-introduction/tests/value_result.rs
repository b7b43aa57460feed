//! What does the kernel do with the room that it is given?

use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use introduction::error::CallError;
use lab::prelude::*;
use sockets_introduction::value_result::{accept, local_address, local_with_room, peer_address};

fn main() -> std::process::ExitCode {
    Suite::new("value_result")
        .section("03-sockets-introduction#value-result")
        .check(both_ends_give_the_same_names)
        .check(errors_name_their_call)
        .check(too_little_room_cuts_and_says_so)
        .check(a_length_left_over_overflows_the_room)
        .main()
}

fn failed(error: CallError) -> Finding {
    Finding::fail(error.to_string())
}

fn both_ends_give_the_same_names(_: &Check) -> Verdict {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, caller) = accept(&listener).map_err(failed)?;
    let ours = client.local_addr()?;
    ensure!(
        caller.to_std() == Some(ours),
        "accept says {caller}, it is {ours}"
    );
    let peer = peer_address(&server).map_err(failed)?;
    ensure!(
        peer.to_std() == Some(ours),
        "getpeername says {peer}, it is {ours}"
    );
    let local = local_address(&server).map_err(failed)?;
    let theirs = client.peer_addr()?;
    ensure!(
        local.to_std() == Some(theirs),
        "getsockname says {local}, it is {theirs}"
    );
    PASS
}

fn errors_name_their_call(_: &Check) -> Verdict {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let Err(error) = peer_address(&listener) else {
        return Err(Finding::fail("a listener has a peer"));
    };
    let line = error.to_string();
    ensure!(
        line.starts_with("getpeername: ENOTCONN"),
        "the error reads {line:?}"
    );
    let Err(error) = local_address(std::io::stdin()) else {
        return Err(Finding::fail("standard input is a socket"));
    };
    let line = error.to_string();
    ensure!(
        line.starts_with("getsockname: ENOTSOCK"),
        "the error reads {line:?}"
    );
    PASS
}

fn too_little_room_cuts_and_says_so(_: &Check) -> Verdict {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let whole = local_address(&listener).map_err(failed)?;
    for room in 0..=20 {
        let (bytes, length) = local_with_room(&listener, room).map_err(failed)?;
        ensure!(length == 16, "with room for {room} the length is {length}");
        let fit = room.min(16);
        ensure!(
            bytes == whole.bytes()[..fit],
            "with room for {room}: {bytes:02x?}"
        );
    }
    PASS
}

/// The chapter says what happens where nobody sets the length again. Here there is room for it.
fn a_length_left_over_overflows_the_room(cx: &Check) -> Verdict {
    let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else {
        return Err(Finding::needs("IPv6 on the loopback interface"));
    };
    let mut length: libc::socklen_t = 16;
    for expected in [16, 28] {
        let mut memory = [0xee_u8; 64];
        let _caller = TcpStream::connect(listener.local_addr()?)?;
        // SAFETY: `memory` has more bytes than any address, whatever `length` says.
        let fd = unsafe {
            libc::accept(
                listener.as_raw_fd(),
                memory.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        Errno::result(fd)?;
        // SAFETY: `accept` has just made it.
        Errno::result(unsafe { libc::close(fd) })?;
        let written = memory
            .iter()
            .rposition(|&byte| byte != 0xee)
            .map_or(0, |at| at + 1);
        cx.evidence(format!("written: {written}, length: {length}"));
        ensure!(
            written == expected,
            "{written} bytes were written, not {expected}"
        );
        ensure!(length == 28, "the length is {length}");
    }
    PASS
}
