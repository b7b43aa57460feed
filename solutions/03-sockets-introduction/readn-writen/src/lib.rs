//! **All of it, or to the end.** The reference answer.
//!
//! Both loops keep a slice of what is left to do, so that there is one thing to look at: whether it is
//! empty. What a call moved is cut off its front, and a signal moves nothing.

use std::io;
use std::os::fd::BorrowedFd;

use nix::errno::Errno;
use nix::unistd::{read, write};

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
    let mut filled = 0;
    while filled < buf.len() {
        match read(fd, &mut buf[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(filled)
}

/// Writes all of `buf` to `fd`. An empty `buf` is written at once.
///
/// # Errors
///
/// What `write(2)` reports, `EPIPE` for one, also when some bytes went out before. Never `EINTR`:
/// after a signal it writes on.
pub fn writen(fd: BorrowedFd<'_>, buf: &[u8]) -> io::Result<()> {
    let mut left = buf;
    while !left.is_empty() {
        match write(fd, left) {
            Ok(n) => left = &left[n..],
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
