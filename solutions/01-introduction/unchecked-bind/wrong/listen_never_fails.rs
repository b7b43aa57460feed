//! What could go wrong after bind?

use std::net::SocketAddrV4;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

pub use nix::errno::Errno;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallError {
    pub call: &'static str,
    pub errno: Errno,
}

pub fn listening_socket(address: SocketAddrV4) -> Result<OwnedFd, CallError> {
    let failed = |call| move |errno| CallError { call, errno };
    let name = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: address.port().to_be(),
        sin_addr: libc::in_addr {
            s_addr: u32::from_ne_bytes(address.ip().octets()),
        },
        sin_zero: [0; 8],
    };
    // SAFETY: the call takes no pointers.
    let fd = unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) };
    let fd = Errno::result(fd).map_err(failed("socket"))?;
    // SAFETY: the descriptor is new, and nobody else knows its number.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    // SAFETY: `name` is a `sockaddr_in`, and `length` is its size.
    let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const name).cast(), length) };
    Errno::result(bound).map_err(failed("bind"))?;
    // SAFETY: the call takes no pointers.
    unsafe { libc::listen(socket.as_raw_fd(), 16) };
    Ok(socket)
}
