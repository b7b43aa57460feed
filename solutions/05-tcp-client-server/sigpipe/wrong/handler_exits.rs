//! Whoever gets SIGPIPE has nobody left to talk to, so the handler ends the program in good order.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

pub fn publish(readers: &mut Vec<OwnedFd>, headline: &str) -> Vec<io::Error> {
    catch_sigpipe();
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
    catch_sigpipe();
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

fn catch_sigpipe() {
    // SAFETY: the handler ends the process, and calls nothing else.
    unsafe {
        libc::signal(
            libc::SIGPIPE,
            ends_in_order as *const () as libc::sighandler_t,
        )
    };
}

extern "C" fn ends_in_order(_signal: libc::c_int) {
    // SAFETY: _exit does not return.
    unsafe { libc::_exit(0) }
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
