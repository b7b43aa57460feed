//! Errors that are planned.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};

use lab::prelude::*;

pub fn a_planned_error_is_what_the_code_gets(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    peer.sends(b"hello")?;
    let plan = Faults::new()
        .on(Call::Read)
        .fd(&end)
        .nth(2)
        .fails(Errno::EAGAIN);
    let subject = cx.spawner().faults(plan).subject(move || {
        let mut buf = [0; 2];
        let mut read = || nix::unistd::read(&end, &mut buf).map_err(io::Error::from);
        (read(), read(), read(), buf.to_vec())
    })?;
    let calls = subject.calls()?;
    subject.returns((Ok(2), Err(Errno::EAGAIN.into()), Ok(2), b"ll".to_vec()))?;
    calls.of(Call::Read).times(3)?;
    calls.failed_with(Errno::EAGAIN).once()?;
    calls.met_every_fault()?;
    PASS
}

/// std receives with `recv`, nix and libc with whatever they are asked for.
pub fn each_library_gets_its_error(cx: &Check) -> Verdict {
    let (_peer, end) = cx.tcp_pair()?;
    let plan = Faults::new()
        .on(Call::Read)
        .fd(&end)
        .fails(Errno::ECONNRESET)
        .on(Call::Write)
        .fd(&end)
        .nth(1..=2)
        .fails(Errno::EPIPE)
        .on(Call::Write)
        .fd(&end)
        .nth(3..)
        .fails(Errno::ENOBUFS);
    let subject = cx.spawner().faults(plan).subject(move || {
        let fd = end.as_raw_fd();
        let mut stream = TcpStream::from(end);
        let mut buf = [0_u8; 4];
        let std = stream.read(&mut buf);
        let nix = nix::unistd::read(&stream, &mut buf).map_err(io::Error::from);
        // SAFETY: the buffer has the length given.
        let libc = unsafe { libc::recv(fd, buf.as_mut_ptr().cast(), buf.len(), 0) };
        let libc = Errno::result(libc)
            .map(|n| n as usize)
            .map_err(io::Error::from);
        let written = (
            stream.write(b"a"),
            nix::unistd::write(&stream, b"b"),
            stream.write(b"c"),
        );
        (
            std,
            nix,
            libc,
            written.0,
            written.1.map_err(io::Error::from),
            written.2,
        )
    })?;
    let calls = subject.calls()?;
    let reset = || Err(Errno::ECONNRESET.into());
    let pipe = || Err(Errno::EPIPE.into());
    subject.returns((
        reset(),
        reset(),
        reset(),
        pipe(),
        pipe(),
        Err(Errno::ENOBUFS.into()),
    ))?;
    calls.met_every_fault()?;
    PASS
}

/// The code asks once and gets the third answer but one: std asks again after `EINTR`.
pub fn std_accept_retries_an_interrupted_call(cx: &Check) -> Verdict {
    let plan = Faults::new()
        .on(Call::Accept)
        .nth(1)
        .fails(Errno::EINTR)
        .on(Call::Accept)
        .nth(2)
        .fails(Errno::ECONNABORTED)
        .on(Call::Accept)
        .nth(3)
        .fails(Errno::EMFILE);
    let subject = cx.spawner().faults(plan).subject(|| {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let _client = TcpStream::connect(listener.local_addr()?)?;
        let accept = || listener.accept().map(drop);
        Ok::<_, io::Error>((accept(), accept(), accept()))
    })?;
    let calls = subject.calls()?;
    let (aborted, full) = (Errno::ECONNABORTED, Errno::EMFILE);
    subject.returns(Ok((Err(aborted.into()), Err(full.into()), Ok(()))))?;
    calls.of(Call::Accept).times(4)?;
    PASS
}

/// `close` that says `EINTR` has closed all the same, and `connect` has connected.
pub fn a_call_that_says_it_failed_was_made(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    let plan = Faults::new()
        .on(Call::Close)
        .fd(&end)
        .nth(1)
        .fails_afterwards(Errno::EINTR);
    let subject = cx.spawner().faults(plan).subject(move || {
        let fd = end.into_raw_fd();
        // SAFETY: the number is not used by anything else; the second call proves that the first has
        // closed it.
        let close = || Errno::result(unsafe { libc::close(fd) }).map_err(io::Error::from);
        (close(), close())
    })?;
    subject.returns((Err(Errno::EINTR.into()), Err(Errno::EBADF.into())))?;
    ensure!(peer.receives_to_end()?.is_empty(), "it was not closed");
    PASS
}

pub fn waiting_calls_are_interrupted(cx: &Check) -> Verdict {
    let plan = Faults::new()
        .on(Call::Wait)
        .nth(1..=2)
        .fails(Errno::EINTR)
        .on(Call::Poll)
        .nth(1..=2)
        .fails(Errno::EINTR);
    let subject = cx.spawner().faults(plan).subject(|| {
        use nix::poll::{PollTimeout, poll};
        use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
        // SAFETY: the subject has one thread.
        let fork = || match unsafe { nix::unistd::fork() } {
            Ok(nix::unistd::ForkResult::Parent { child }) => child,
            // SAFETY: _exit does not return.
            _ => unsafe { libc::_exit(0) },
        };
        let child = fork();
        let waited = waitpid(child, None).map(drop).err();
        let again = waitid(Id::Pid(child), WaitPidFlag::WEXITED).map(drop).err();
        let third = waitpid(child, None).map(drop).err();
        let polled = poll(&mut [], PollTimeout::ZERO).err();
        // SAFETY: no descriptors are asked for, and no time is waited.
        let mut time = libc::timeval {
            tv_sec: 0,
            tv_usec: 0,
        };
        let none = std::ptr::null_mut();
        // SAFETY: null sets are allowed, and the time is valid.
        let selected = Errno::result(unsafe { libc::select(0, none, none, none, &raw mut time) });
        [waited, again, third, polled, selected.err()]
            .map(|e| e == Some(Errno::EINTR))
            .to_vec()
    })?;
    subject.returns(vec![true, true, false, true, true])?;
    PASS
}

pub fn connecting_fails_as_planned(cx: &Check) -> Verdict {
    let listener = cx.listens("127.0.0.1:0".parse().expect("an address"))?;
    let to = listener.address()?;
    let plan = Faults::new()
        .on(Call::Connect)
        .peer(to)
        .nth(1)
        .fails(Errno::EADDRNOTAVAIL)
        .on(Call::Connect)
        .peer(to)
        .nth(2)
        .fails(Errno::ETIMEDOUT);
    let subject = cx.spawner().faults(plan).subject(move || {
        let connect = || TcpStream::connect(to).map(drop);
        (connect(), connect(), connect())
    })?;
    let calls = subject.calls()?;
    let (first, second) = (Errno::EADDRNOTAVAIL, Errno::ETIMEDOUT);
    subject.returns((Err(first.into()), Err(second.into()), Ok(())))?;
    calls.met_every_fault()?;
    PASS
}

pub fn a_full_table_is_met_by_every_call_that_opens(cx: &Check) -> Verdict {
    let full = Errno::EMFILE;
    let opening = [Call::Socket, Call::Pipe, Call::Dup, Call::Open];
    let plan = opening
        .into_iter()
        .fold(Faults::new(), |plan, call| plan.on(call).nth(1).fails(full));
    let subject = cx.spawner().faults(plan).subject(move || {
        let try_all = || {
            let socket = TcpListener::bind("127.0.0.1:0").map(drop);
            let pipe = nix::unistd::pipe().map(drop).map_err(io::Error::from);
            let dup = nix::unistd::dup(io::stdin())
                .map(drop)
                .map_err(io::Error::from);
            let open = std::fs::File::open("/dev/null").map(drop);
            (socket, pipe, dup, open)
        };
        let first = try_all();
        let second: (io::Result<()>, _, _, _) = try_all();
        (first, second)
    })?;
    let calls = subject.calls()?;
    let error = || Err::<(), io::Error>(full.into());
    subject.returns((
        (error(), error(), error(), error()),
        (Ok(()), Ok(()), Ok(()), Ok(())),
    ))?;
    calls.met_every_fault()?;
    PASS
}

/// Used by the compiler to see that a plan takes what a check has in its hand.
#[allow(dead_code)]
fn a_plan_takes_any_descriptor(end: &OwnedFd, stream: &TcpStream) -> Faults {
    Faults::new()
        .on(Call::Read)
        .fd(end)
        .fails(Errno::EINTR)
        .on(Call::Read)
        .fd(stream)
        .fails(Errno::EINTR)
}
