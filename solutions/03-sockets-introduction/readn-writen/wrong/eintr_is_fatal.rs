//! An error is an error.

use std::io;
use std::os::fd::BorrowedFd;

use nix::errno::Errno;
use nix::unistd::{read, write};

pub fn readn(fd: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buf.len() {
        let n = read(fd, &mut buf[filled..])?;
        if n == 0 {
            break;
        }
        filled += n;
    }
    Ok(filled)
}

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
