//! **The wrong port.** A server that starts, says so, and is nowhere to be found.
//!
//! [`listening_socket`] has served for years. Then its port was taken by another program, and it
//! *still* started: no error, no warning, only that no client ever came. `ss -tln` showed why: it
//! listened at a port that nobody had asked for, and for the whole world.
//!
//! Mend it. When a call fails, return its name and its `errno`; leave nothing open; never end the
//! process, because it is not yours to end.

use std::net::SocketAddrV4;
use std::os::fd::{FromRawFd, OwnedFd};

pub use nix::errno::Errno;

/// A system call that failed, by its name in the manual (`"bind"`), and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallError {
    pub call: &'static str,
    pub errno: Errno,
}

/// A TCP socket that listens at this address, and at no other.
///
/// # Errors
///
/// That of the first call which fails: `socket`, `bind` or `listen`.
pub fn listening_socket(address: SocketAddrV4) -> Result<OwnedFd, CallError> {
    let name = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: address.port().to_be(),
        sin_addr: libc::in_addr {
            s_addr: u32::from_ne_bytes(address.ip().octets()),
        },
        sin_zero: [0; 8],
    };
    let length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    // SAFETY: `name` is a `sockaddr_in` of `length` bytes, and nobody else knows the new descriptor.
    unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        libc::bind(fd, (&raw const name).cast(), length);
        libc::listen(fd, 16);
        Ok(OwnedFd::from_raw_fd(fd))
    }
}
