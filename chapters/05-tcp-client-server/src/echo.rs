// ANCHOR: echo
//! What does an echo server do for one client?

use std::os::fd::AsFd;

use introduction::error::{CallError, InCall};
use nix::errno::Errno;
use nix::unistd::read;
use sockets_introduction::whole::write_n;

/// Sends back all that comes, until the client has no more. Returns how many bytes that was.
///
/// # Errors
///
/// `ECONNRESET` when the client reset the connection, `ETIMEDOUT` when it has vanished; and what
/// else `read(2)` and `write(2)` report, but never `EINTR`.
pub fn echo(connection: impl AsFd) -> Result<usize, CallError> {
    let mut buffer = [0; 4096];
    let mut echoed = 0;
    loop {
        match read(&connection, &mut buffer) {
            Ok(0) => return Ok(echoed),
            Ok(count) => {
                write_n(&connection, &buffer[..count])?;
                echoed += count;
            }
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno).in_call("read"),
        }
    }
}
// ANCHOR_END: echo
