// ANCHOR: connect
//! How does a client get its connection, though a signal may come first?

use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use introduction::error::{CallError, InCall};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, connect, getsockopt, socket, sockopt,
};
use sockets_introduction::address::Address;

/// A socket connected to `address`: `socket(2)`, `connect(2)`.
///
/// # Errors
///
/// `ECONNREFUSED` when nobody listens there; `ETIMEDOUT` when nobody answers; `EHOSTUNREACH` and
/// `ENETUNREACH` when there is no way.
pub fn connect_to(address: SocketAddr) -> Result<OwnedFd, CallError> {
    let family = if address.is_ipv4() {
        AddressFamily::Inet
    } else {
        AddressFamily::Inet6
    };
    let flags = SockFlag::SOCK_CLOEXEC;
    let connection = socket(family, SockType::Stream, flags, None).in_call("socket")?;
    match connect(connection.as_raw_fd(), &SockaddrStorage::from(address)) {
        Err(Errno::EINTR) => finish_connect(&connection)?,
        result => result.in_call("connect")?,
    }
    Ok(connection)
}

/// Waits for the end of a `connect` that was interrupted: the kernel goes on with it all the same.
fn finish_connect(connection: &OwnedFd) -> Result<(), CallError> {
    let mut ends = [PollFd::new(connection.as_fd(), PollFlags::POLLOUT)];
    while let Err(errno) = poll(&mut ends, PollTimeout::NONE) {
        if errno != Errno::EINTR {
            return Err(errno).in_call("poll");
        }
    }
    let errno = getsockopt(connection, sockopt::SocketError).in_call("getsockopt")?;
    match errno {
        0 => Ok(()),
        errno => Err(Errno::from_raw(errno)).in_call("connect"),
    }
}
// ANCHOR_END: connect

// ANCHOR: address
/// The address and port that a text names, `127.0.0.1:8000` or `[::1]:8000`.
///
/// # Errors
///
/// A sentence that says what is wrong with it.
pub fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let parsed: Result<Address, _> = text.parse();
    let address = parsed.map_err(|error| error.to_string())?.to_std();
    address.ok_or_else(|| format!("{text}: a TCP address looks like 127.0.0.1:8000"))
}
// ANCHOR_END: address
