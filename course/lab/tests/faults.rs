//! Faults happen to the calls that a plan names, and to no others; records say what was called.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::ExitCode;

use lab::prelude::*;

fn main() -> ExitCode {
    Suite::new("faults")
        .check(a_planned_error_is_what_read_gives)
        .check(short_reads_lose_nothing)
        .check(std_accept_retries_an_interrupted_call)
        .main()
}

/// Reads until the buffer is full, as chapter 3 does it.
fn read_full(fd: &OwnedFd, buf: &mut [u8]) -> io::Result<()> {
    let mut done = 0;
    while done < buf.len() {
        match nix::unistd::read(fd, &mut buf[done..]) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => done += n,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

fn a_planned_error_is_what_read_gives(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    peer.sends(b"hello")?;
    let plan = Faults::new()
        .on(Call::Read)
        .fd(&end)
        .nth(2)
        .fails(Errno::EAGAIN);
    let subject = cx.spawner().faults(plan).subject(move || {
        let mut buf = [0; 2];
        let read = |buf: &mut [u8]| nix::unistd::read(&end, buf).map_err(io::Error::from);
        (read(&mut buf), read(&mut buf), read(&mut buf), buf.to_vec())
    })?;
    let calls = subject.calls()?;
    subject.returns((Ok(2), Err(Errno::EAGAIN.into()), Ok(2), b"ll".to_vec()))?;
    calls.of(Call::Read).times(3)?;
    calls.met_every_fault()?;
    for call in calls.list() {
        cx.evidence(format!(
            "{} {} {} {:?}",
            call.said(),
            call.came_to(),
            call.effect,
            call.what
        ));
    }
    PASS
}

fn short_reads_lose_nothing(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    peer.sends(b"hello world")?;
    let plan = Faults::new()
        .on(Call::Read)
        .fd(&end)
        .nth(1)
        .fails(Errno::EINTR)
        .on(Call::Read)
        .fd(&end)
        .nth(2..=4)
        .at_most(3);
    let subject = cx.spawner().faults(plan).subject(move || {
        let mut buf = [0; 11];
        read_full(&end, &mut buf).map(|()| buf)
    })?;
    let calls = subject.calls()?;
    subject.returns(Ok(*b"hello world"))?;
    for call in calls.list() {
        cx.evidence(format!(
            "{} {} {}",
            call.said(),
            call.came_to(),
            call.effect
        ));
    }
    calls.of(Call::Read).times(5)?;
    PASS
}

fn std_accept_retries_an_interrupted_call(cx: &Check) -> Verdict {
    let plan = Faults::new()
        .on(Call::Accept)
        .nth(1)
        .fails(Errno::EINTR)
        .on(Call::Accept)
        .nth(2)
        .fails(Errno::ECONNABORTED);
    let subject = cx
        .spawner()
        .faults(plan)
        .records(Call::NETWORK)
        .subject(move || {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let first = listener.accept().map(drop);
            let second = listener.accept().map(drop);
            (first, second)
        })?;
    let calls = subject.calls()?;
    subject.returns((Err(Errno::ECONNABORTED.into()), Ok(())))?;
    for call in calls.list() {
        cx.evidence(format!(
            "{} {} {} {}",
            call.said(),
            call.came_to(),
            call.effect,
            call.what
        ));
    }
    calls.of(Call::Accept).times(3)?;
    PASS
}
