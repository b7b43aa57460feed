//! A host loses its power.

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use lab::net::diag;
use lab::prelude::*;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::common::{EchoPair, PORT};

/// Ends the echo server as a power cut does: its host says nothing more, and forgets all connections.
///
/// Only the cable is cut and the processes killed, so the kernel must be kept from a last word.
pub fn goes_off(cx: &Check, pair: &mut EchoPair) -> Result<(), Finding> {
    pair.net.cut("server")?;
    cx.step("the server's host loses its power");
    forget_connection(pair.child)?;
    for pid in [pair.child, pair.server.pid()] {
        kill(Pid::from_raw(pid), Signal::SIGKILL)?;
    }
    cx.wait_until("the server's host to have forgotten all", || {
        let sockets = pair.net.host("server").run(diag::tcp).ok()?;
        sockets
            .iter()
            .all(|socket| socket.local.port() != PORT)
            .then_some(())
    })
}

/// Sets `TCP_REPAIR` on the connections of a process: when it ends, they end without a FIN or RST.
fn forget_connection(pid: i32) -> io::Result<()> {
    // SAFETY: pidfd_open takes a process id and flags.
    let process = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: the descriptor is new, and nobody else knows its number.
    let process = unsafe { OwnedFd::from_raw_fd(process as i32) };
    for number in 3..16 {
        let process = process.as_fd().as_raw_fd();
        // SAFETY: pidfd_getfd takes three numbers.
        let copy = unsafe { libc::syscall(libc::SYS_pidfd_getfd, process, number, 0) };
        if copy < 0 {
            continue;
        }
        // SAFETY: the descriptor is new, and nobody else knows its number.
        let copy = unsafe { OwnedFd::from_raw_fd(copy as i32) };
        let on: libc::c_int = 1;
        let (tcp, repair) = (libc::IPPROTO_TCP, libc::TCP_REPAIR);
        // SAFETY: the option is an int. What is no TCP connection refuses it.
        unsafe { libc::setsockopt(copy.as_raw_fd(), tcp, repair, (&raw const on).cast(), 4) };
    }
    Ok(())
}
