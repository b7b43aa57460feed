//! SIGPIPE is a nuisance, so ignore it.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

pub fn publish(readers: &mut Vec<OwnedFd>, headline: &str) -> Vec<io::Error> {
    ignore_sigpipe();
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

pub fn say_goodbye(readers: Vec<OwnedFd>, headlines: usize) -> usize {
    ignore_sigpipe();
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

fn ignore_sigpipe() {
    // SAFETY: SIG_IGN is a valid action.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

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
