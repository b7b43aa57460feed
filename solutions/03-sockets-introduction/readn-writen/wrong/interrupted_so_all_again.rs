//! After EINTR, write it again: nothing was written.

use std::io;
use std::os::fd::BorrowedFd;

use nix::errno::Errno;
use nix::unistd::{read, write};

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

pub fn writen(fd: BorrowedFd<'_>, buf: &[u8]) -> io::Result<()> {
    let mut left = buf;
    while !left.is_empty() {
        match write(fd, left) {
            Ok(n) => left = &left[n..],
            Err(Errno::EINTR) => left = buf,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
