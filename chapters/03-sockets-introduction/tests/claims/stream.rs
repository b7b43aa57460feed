//! Does a stream keep apart what was written apart?

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use lab::prelude::*;

use crate::evidence::saw;

/// Two writes, one read; one write, two reads.
pub fn one_read_is_not_one_write(cx: &Check) -> Verdict {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut writer = TcpStream::connect(listener.local_addr()?)?;
    let (mut reader, _) = listener.accept()?;
    let mut buf = [0; 10];

    writer.write_all(b"hel")?;
    writer.write_all(b"lo")?;
    wait_for_five_bytes(&reader)?;
    saw(cx, "written in 2 calls, read in 1", reader.read(&mut buf)?).is(5)?;

    writer.write_all(b"hello")?;
    wait_for_five_bytes(&reader)?;
    let first = reader.read(&mut buf[..3])?;
    let second = reader.read(&mut buf[..3])?;
    saw(cx, "written in 1 call, the first read", first).is(3)?;
    saw(cx, "and the second", second).is(2)?;
    PASS
}

/// Returns when five bytes have arrived, and leaves them where they are.
fn wait_for_five_bytes(reader: &TcpStream) -> std::io::Result<()> {
    let mut five = [0_u8; 5];
    let flags = libc::MSG_PEEK | libc::MSG_WAITALL;
    // SAFETY: room of the length that stands beside it.
    let n = unsafe {
        libc::recv(
            reader.as_raw_fd(),
            five.as_mut_ptr().cast(),
            five.len(),
            flags,
        )
    };
    if n == 5 {
        return Ok(());
    }
    Err(std::io::Error::last_os_error())
}
