//! **The reader who left.** A newspaper on TCP: whoever connects gets every headline.
//!
//! [`publish`] and [`say_goodbye`] worked for as long as the readers stayed. Now and then one leaves, and
//! the program that calls them is gone, without a word, whatever other readers it had.
//!
//! Mend both. A reader who has left is an error like any other: reported, out of the list, and no concern
//! of the other readers.
//!
//! What happens on `SIGPIPE` belongs to the program, not to you: these functions are part of a library.
//! The program may have a handler, or rely on the default, and what is ignored stays ignored in every
//! program that it starts. When your functions return, all that is as it was, and no `SIGPIPE` has come.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// Sends `headline` and a newline to each of `readers`, which are stream sockets.
///
/// Readers who cannot be reached any more are taken out of the list and closed. The others stay in it, in
/// order. Returns why each of the former could not be reached, in order.
///
/// A reader who has closed its half of the connection can be reached all the same.
pub fn publish(readers: &mut Vec<OwnedFd>, headline: &str) -> Vec<io::Error> {
    let line = format!("{headline}\n");
    let mut errors = Vec::new();
    readers.retain(|reader| match write_all(reader, line.as_bytes()) {
        Ok(()) => true,
        Err(error) => {
            errors.push(error);
            false
        }
    });
    errors
}

/// Sends the number of headlines and a last word to each of `readers`, as in `3 headlines. Goodbye.` and a
/// newline, and closes all connections. Returns how many readers it was sent to.
pub fn say_goodbye(readers: Vec<OwnedFd>, headlines: usize) -> usize {
    let number = headlines.to_string();
    let reached = readers.iter().filter(|reader| {
        // Both in one segment, without a copy.
        let parts = [number.as_bytes(), b" headlines. Goodbye.\n"].map(|part| libc::iovec {
            iov_base: part.as_ptr().cast_mut().cast(),
            iov_len: part.len(),
        });
        // SAFETY: both parts live through the call, and are only read.
        let sent = unsafe { libc::writev(reader.as_raw_fd(), parts.as_ptr(), 2) };
        // So short a text goes into the socket's buffer as a whole, or not at all.
        sent > 0
    });
    reached.count()
}

/// Writes all of `bytes`.
fn write_all(socket: &OwnedFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        // SAFETY: `bytes` is as long as is said.
        match unsafe { libc::write(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) } {
            -1 => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => {}
                error => return Err(error),
            },
            sent => bytes = &bytes[sent as usize..],
        }
    }
    Ok(())
}
