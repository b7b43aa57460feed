//! **All of it, or to the end.** A stream hands over what it has room for, not what you asked for.
//!
//! Write [`readn`] and [`writen`], which keep at it until all is done. `fd` is always a connected,
//! blocking stream socket, so `EAGAIN` does not occur. Signals do: a handler may run at any time, and
//! the call in which you wait then comes back early.
//!
//! Begin at `read` and `write` (of `libc` or `nix`) and write the loops yourself: `read_exact` and
//! `write_all` of `std` are what you are about to write. A Rust program starts with `SIGPIPE` ignored,
//! so a write to a peer that is gone is an error and not the end of the process.

use std::io;
use std::os::fd::BorrowedFd;

/// Reads from `fd` until `buf` is full or the peer has closed its half.
///
/// Returns the number of bytes read: `buf.len()`, or fewer when end-of-file came first. No byte beyond
/// `buf.len()` is taken from the socket. An empty `buf` is full at once.
///
/// # Errors
///
/// What `read(2)` reports, `ECONNRESET` for one, also when some bytes came before. Never `EINTR`:
/// after a signal it reads on.
pub fn readn(fd: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<usize> {
    todo!("fill {} bytes from {fd:?}", buf.len())
}

/// Writes all of `buf` to `fd`. An empty `buf` is written at once.
///
/// # Errors
///
/// What `write(2)` reports, `EPIPE` for one, also when some bytes went out before. Never `EINTR`:
/// after a signal it writes on.
pub fn writen(fd: BorrowedFd<'_>, buf: &[u8]) -> io::Result<()> {
    todo!("write {} bytes to {fd:?}", buf.len())
}
