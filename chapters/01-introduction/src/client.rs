// ANCHOR: connect
//! How does a program reach another one? With three system calls, and `close`.

use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use libc::{SOCK_CLOEXEC, SOCK_STREAM};
use nix::errno::Errno;

use crate::error::{CallError, InCall};
use crate::name::Name;

/// One end of a TCP connection. Dropping it closes it.
pub struct Connection {
    socket: OwnedFd,
}

impl Connection {
    /// Connects to a server.
    ///
    /// # Errors
    ///
    /// Those of `connect(2)`: `ECONNREFUSED` where nobody listens, `ENETUNREACH`
    /// where no route leads, `EHOSTUNREACH` where no host answers. `EMFILE` of
    /// `socket(2)` at the limit of descriptors.
    pub fn to(server: SocketAddr) -> Result<Connection, CallError> {
        let name = Name::from(server);
        // SAFETY: the call takes no pointers.
        let fd =
            unsafe { libc::socket(name.family(), SOCK_STREAM | SOCK_CLOEXEC, 0) };
        let fd = Errno::result(fd).in_call("socket")?;
        // SAFETY: the descriptor is new, and nobody else knows its number.
        let socket = unsafe { OwnedFd::from_raw_fd(fd) };

        let (pointer, length) = name.parts();
        // SAFETY: `pointer` is to a structure of `length` bytes, in `name`, which is
        // still alive.
        let result = unsafe { libc::connect(socket.as_raw_fd(), pointer, length) };
        Errno::result(result).in_call("connect")?;
        Ok(Connection { socket })
    }
    // ANCHOR_END: connect

    // ANCHOR: read
    /// Waits until something has arrived, and reads it: at most `buffer.len()` bytes,
    /// at least one. Returns how many; 0 when the server has closed its side and
    /// nothing more will come.
    ///
    /// # Errors
    ///
    /// Those of `read(2)`: `ECONNRESET` when the server has broken the connection
    /// off.
    pub fn read(&self, buffer: &mut [u8]) -> Result<usize, CallError> {
        let fd = self.socket.as_raw_fd();
        // SAFETY: the kernel writes at most `buffer.len()` bytes, and `buffer` has
        // that many.
        let count =
            unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) };
        let count = Errno::result(count).in_call("read")?;
        Ok(count.cast_unsigned())
    }
    // ANCHOR_END: read
}

// ANCHOR: as_fd
impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
// ANCHOR_END: as_fd
