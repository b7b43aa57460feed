// ANCHOR: read_n
//! How do you read or write as many bytes as you meant to?

use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::unistd::{read, write};

use introduction::error::{CallError, InCall};

/// Reads until `buffer` is full or the peer will send no more.
///
/// Returns how many bytes there are: fewer than `buffer` has only at the end of the
/// stream.
///
/// # Errors
///
/// What `read(2)` reports, but never `EINTR`. What had been read by then is in
/// `buffer`.
pub fn read_n(fd: impl AsFd, buffer: &mut [u8]) -> Result<usize, CallError> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read(&fd, &mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno).in_call("read"),
        }
    }
    Ok(filled)
}
// ANCHOR_END: read_n

// ANCHOR: write_n
/// Writes all of `bytes`.
///
/// # Errors
///
/// What `write(2)` reports, but never `EINTR`: `EPIPE` when the peer has closed,
/// `ECONNRESET`. How many bytes had been written by then is lost, as they may be
/// anywhere on the way.
pub fn write_n(fd: impl AsFd, bytes: &[u8]) -> Result<(), CallError> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match write(&fd, rest) {
            Ok(count) => rest = &rest[count..],
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno).in_call("write"),
        }
    }
    Ok(())
}
// ANCHOR_END: write_n
