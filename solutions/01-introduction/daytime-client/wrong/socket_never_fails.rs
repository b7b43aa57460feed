//! socket only reserves a number. It cannot fail.

use std::net::SocketAddr;
use std::os::fd::AsRawFd;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, connect, socket};
use nix::unistd::read;

pub use nix::errno::Errno;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallError {
    pub call: &'static str,
    pub errno: Errno,
}

pub fn daytime(server: SocketAddr) -> Result<Vec<u8>, CallError> {
    let failed = |call| move |errno| CallError { call, errno };
    let family = match server {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let socket = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)
        .expect("there is always a socket");
    connect(socket.as_raw_fd(), &SockaddrStorage::from(server)).map_err(failed("connect"))?;
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        match read(&socket, &mut buffer).map_err(failed("read"))? {
            0 => return Ok(answer),
            count => answer.extend_from_slice(&buffer[..count]),
        }
    }
}
