//! send has failed, so this reader has gone.

use std::io;
use std::mem::zeroed;
use std::os::fd::{AsRawFd, OwnedFd};

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

pub fn say_goodbye(readers: Vec<OwnedFd>, headlines: usize) -> usize {
    let number = headlines.to_string();
    let reached = readers.iter().filter(|reader| {
        // Both in one segment, without a copy.
        let mut parts = [number.as_bytes(), b" headlines. Goodbye.\n"].map(|part| libc::iovec {
            iov_base: part.as_ptr().cast_mut().cast(),
            iov_len: part.len(),
        });
        // SAFETY: all zeros are a message without address, parts, control data and flags.
        let mut message: libc::msghdr = unsafe { zeroed() };
        message.msg_iov = parts.as_mut_ptr();
        message.msg_iovlen = parts.len();
        let (socket, flags) = (reader.as_raw_fd(), libc::MSG_NOSIGNAL);
        // SAFETY: the parts live through the call, and are only read.
        let sent = unsafe { libc::sendmsg(socket, &raw const message, flags) };
        // So short a text goes into the socket's buffer as a whole, or not at all.
        sent > 0
    });
    reached.count()
}

fn write_all(socket: &OwnedFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let (socket, flags) = (socket.as_raw_fd(), libc::MSG_NOSIGNAL);
        // SAFETY: `bytes` is as long as is said.
        match unsafe { libc::send(socket, bytes.as_ptr().cast(), bytes.len(), flags) } {
            -1 => return Err(io::Error::last_os_error()),
            sent => bytes = &bytes[sent as usize..],
        }
    }
    Ok(())
}
