//! One read brings what was asked for.

use std::io;
use std::os::fd::BorrowedFd;

use nix::errno::Errno;
use nix::unistd::{read, write};

pub fn readn(fd: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<usize> {
    loop {
        match read(fd, buf) {
            Err(Errno::EINTR) => {}
            other => return Ok(other?),
        }
    }
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
