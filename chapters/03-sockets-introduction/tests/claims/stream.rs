//! Does a stream keep apart what was written apart?

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use lab::prelude::*;
use lab::trial::saw;

/// Two writes, one read; one write, two reads.
pub fn one_read_is_not_one_write(cx: &Check) -> Verdict {
    let (mut writer, mut reader) = connected()?;
    writer.write_all(b"hel")?;
    writer.write_all(b"lo")?;
    wait_for_five_bytes(&reader)?;
    let all = read_what_is_there(&mut reader, 10)?;
    saw(cx, "written in 2 calls, read in 1", all).is(5)?;

    writer.write_all(b"hello")?;
    wait_for_five_bytes(&reader)?;
    let first = read_what_is_there(&mut reader, 3)?;
    let second = read_what_is_there(&mut reader, 3)?;
    saw(cx, "written in 1 call, the first read", first).is(3)?;
    saw(cx, "and the second", second).is(2)?;
    PASS
}

/// The two ends of a connection over loopback.
fn connected() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    Ok((client, server))
}

/// Returns when five bytes have arrived, and leaves them where they are.
fn wait_for_five_bytes(reader: &TcpStream) -> io::Result<()> {
    reader.set_nonblocking(false)?;
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
    if n == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// One `read(2)` with this much room. Returns the number of bytes it gave; 0 when nothing was there.
fn read_what_is_there(reader: &mut TcpStream, room: usize) -> io::Result<usize> {
    reader.set_nonblocking(true)?;
    match reader.read(&mut vec![0; room]) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        other => other,
    }
}
