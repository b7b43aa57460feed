//! Which port do you get when you put the number in as it is?

use std::io::Write;
use std::mem::size_of;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::ExitCode;

use introduction::error::InCall;
use introduction::program::{Outcome, run};
use nix::errno::Errno;

const USAGE: &str = "usage: wrong-port [PORT], a number from 0 to 65535";

fn main() -> ExitCode {
    run(USAGE, work)
}

fn work(arguments: &[&str], out: &mut dyn Write) -> Outcome {
    let port: u16 = match arguments {
        [] => 8000,
        [port] => port.parse().map_err(|_| USAGE)?,
        _ => return Err(USAGE.into()),
    };

    // SAFETY: the call takes no pointers.
    let fd =
        Errno::result(unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0) });
    let fd = fd.in_call("socket")?;
    // SAFETY: the descriptor is new, and nobody else knows its number.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };

    // ANCHOR: bind
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: port,
        sin_addr: libc::in_addr {
            s_addr: u32::from_ne_bytes(Ipv4Addr::LOCALHOST.octets()),
        },
        sin_zero: [0; 8],
    };
    let length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    // SAFETY: `address` is a `sockaddr_in`, and `length` is its size.
    let result = unsafe {
        libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length)
    };
    Errno::result(result).in_call("bind")?;
    // ANCHOR_END: bind

    let bound = TcpListener::from(socket).local_addr()?;
    writeln!(out, "asked for port {port}")?;
    writeln!(out, "bound to {bound}")?;
    Ok(())
}
