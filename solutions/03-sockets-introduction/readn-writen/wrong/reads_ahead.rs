//! Reading more than is wanted saves system calls.

use std::io;
use std::os::fd::BorrowedFd;

use nix::errno::Errno;
use nix::unistd::{read, write};

pub fn readn(fd: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<usize> {
    let mut all = Vec::new();
    let mut piece = [0; 4096];
    while all.len() < buf.len() {
        match read(fd, &mut piece) {
            Ok(0) => break,
            Ok(n) => all.extend_from_slice(&piece[..n]),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let n = all.len().min(buf.len());
    buf[..n].copy_from_slice(&all[..n]);
    Ok(n)
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
