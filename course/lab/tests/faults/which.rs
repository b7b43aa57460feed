//! Which calls a line of a plan is about.

use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;

use lab::Kind;
use lab::prelude::*;

fn read(fd: impl AsFd) -> io::Result<usize> {
    nix::unistd::read(fd, &mut [0; 8]).map_err(io::Error::from)
}

/// A call whose error tells which kind of descriptor it was taken for.
pub fn kinds_of_descriptors_are_told_apart(cx: &Check) -> Verdict {
    let file = cx.folder()?.join("text");
    let plan = Faults::new()
        .on(Call::Read)
        .at_a(Kind::Listener)
        .fails(Errno::EL2HLT)
        .on(Call::Read)
        .at_a(Kind::Stream)
        .fails(Errno::EL3HLT)
        .on(Call::Read)
        .at_a(Kind::Datagram)
        .fails(Errno::EL3RST)
        .on(Call::Read)
        .at_a(Kind::Socket)
        .fails(Errno::ELNRNG)
        .on(Call::Read)
        .at_a(Kind::Pipe)
        .fails(Errno::EUNATCH)
        .on(Call::Read)
        .at_a(Kind::Terminal)
        .fails(Errno::ENOCSI)
        .on(Call::Read)
        .at_a(Kind::File)
        .fails(Errno::EBADE);
    let subject = cx.spawner().faults(plan).subject(move || {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let stream = TcpStream::connect(listener.local_addr()?)?;
        let datagram = UdpSocket::bind("127.0.0.1:0")?;
        let (pipe, _writer) = nix::unistd::pipe()?;
        let file = std::fs::File::create(file)?;
        let codes = [
            read(&listener),
            read(&stream),
            read(&datagram),
            read(&pipe),
            read(&file),
        ];
        let codes = codes.map(|r| r.err().and_then(|e| e.raw_os_error()).unwrap_or(0));
        Ok::<_, io::Error>(codes.to_vec())
    })?;
    let (listener, stream, datagram) = (Errno::EL2HLT, Errno::EL3HLT, Errno::EL3RST);
    let (pipe, file) = (Errno::EUNATCH, Errno::EBADE);
    let codes = [listener, stream, datagram, pipe, file].map(|e| e as i32);
    subject.returns(Ok(codes.to_vec()))?;
    PASS
}

pub fn a_file_is_known_by_its_path(cx: &Check) -> Verdict {
    let plan = Faults::new()
        .on(Call::Open)
        .path("/net/tcp6")
        .nth(1)
        .fails(Errno::ENOENT);
    let subject = cx.spawner().faults(plan).subject(|| {
        let open = |path| {
            let opened = std::fs::File::open(path);
            opened.err().and_then(|error| error.raw_os_error())
        };
        ["/proc/net/tcp", "/proc/net/tcp6", "/proc/self/net/tcp6"]
            .map(open)
            .to_vec()
    })?;
    let calls = subject.calls()?;
    subject.returns(vec![None, Some(libc::ENOENT), None])?;
    calls.met_every_fault()?;
    PASS
}

pub fn a_terminal_is_told_from_a_file(cx: &Check) -> Verdict {
    let terminal = nix::pty::openpty(None, None)?;
    let plan = Faults::new()
        .on(Call::Read)
        .at_a(Kind::File)
        .fails(Errno::EBADE)
        .on(Call::Read)
        .at_a(Kind::Terminal)
        .fails(Errno::ENOCSI);
    let slave = terminal.slave;
    let subject = cx.spawner().faults(plan).subject(move || read(&slave))?;
    subject.fails_with(Errno::ENOCSI)?;
    PASS
}

pub fn peers_are_told_apart(cx: &Check) -> Verdict {
    let first = TcpListener::bind("127.0.0.1:0")?;
    let second = TcpListener::bind("127.0.0.1:0")?;
    let (a, b) = (first.local_addr()?, second.local_addr()?);
    let plan = Faults::new().on(Call::Write).peer(b).fails(Errno::EPIPE);
    let subject = cx.spawner().faults(plan).subject(move || {
        use std::io::Write;
        let (mut to_a, mut to_b) = (TcpStream::connect(a)?, TcpStream::connect(b)?);
        let datagrams = UdpSocket::bind("127.0.0.1:0")?;
        let results = (
            to_a.write(b"x"),
            to_b.write(b"x"),
            datagrams.send_to(b"x", a),
            datagrams.send_to(b"x", b),
        );
        Ok::<_, io::Error>(results)
    })?;
    let pipe = || Err(Errno::EPIPE.into());
    subject.returns(Ok((Ok(1), pipe(), Ok(1), pipe())))?;
    PASS
}

pub fn numbers_are_counted_over_all_that_fit(cx: &Check) -> Verdict {
    let (peer, one) = cx.stream_pair()?;
    let (other_peer, two) = cx.stream_pair()?;
    peer.sends(b"aaaa")?;
    other_peer.sends(b"bbbb")?;
    let plan = Faults::new()
        .on(Call::Read)
        .nth(3)
        .fails(Errno::EIO)
        .on(Call::Read)
        .fd(&two)
        .nth(2)
        .fails(Errno::EAGAIN);
    let subject = cx.spawner().faults(plan).subject(move || {
        let read = |fd| nix::unistd::read(fd, &mut [0; 1]).map_err(io::Error::from);
        (read(&one), read(&two), read(&one), read(&two), read(&one))
    })?;
    subject.returns((
        Ok(1),
        Ok(1),
        Err(Errno::EIO.into()),
        Err(Errno::EAGAIN.into()),
        Ok(1),
    ))?;
    PASS
}

pub fn parent_and_child_are_told_apart(cx: &Check) -> Verdict {
    let plan = Faults::new()
        .on(Call::Pipe)
        .in_child()
        .fails(Errno::EMFILE)
        .on(Call::Dup)
        .in_parent()
        .fails(Errno::EMFILE);
    let subject = cx.spawner().faults(plan).subject(|| {
        let both = || {
            let pipe = nix::unistd::pipe().is_ok();
            i32::from(pipe) * 2 + i32::from(nix::unistd::dup(io::stdin()).is_ok())
        };
        // SAFETY: the subject has one thread.
        match unsafe { nix::unistd::fork() } {
            Ok(nix::unistd::ForkResult::Parent { child }) => {
                let status = nix::sys::wait::waitpid(child, None);
                let nix::sys::wait::WaitStatus::Exited(_, code) = status? else {
                    return Err(io::Error::other("killed"));
                };
                Ok((both(), code))
            }
            // SAFETY: _exit does not return.
            Ok(_) => unsafe { libc::_exit(both()) },
            Err(errno) => Err(errno.into()),
        }
    })?;
    subject.returns(Ok((2, 1)))?;
    PASS
}

pub fn the_first_line_whose_turn_it_is_decides(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    peer.sends(b"aaaa")?;
    let plan = Faults::new()
        .on(Call::Read)
        .nth(2..4)
        .fails(Errno::EIO)
        .on(Call::Read)
        .nth(1..)
        .fails(Errno::EAGAIN);
    let subject = cx.spawner().faults(plan).subject(move || {
        let code = || read(&end).err().and_then(|e| e.raw_os_error()).unwrap_or(0);
        vec![code(), code(), code(), code()]
    })?;
    let (io, again) = (Errno::EIO as i32, Errno::EAGAIN as i32);
    subject.returns(vec![again, io, io, again])?;
    PASS
}

pub fn exact_names_are_exact(cx: &Check) -> Verdict {
    let (peer, end) = cx.tcp_pair()?;
    peer.sends(b"aaaa")?;
    let plan = Faults::new().on(Call::Exact("recvfrom")).fails(Errno::EIO);
    let subject = cx.spawner().faults(plan).subject(move || {
        use std::io::Read;
        let by_read = nix::unistd::read(&end, &mut [0; 1]).map_err(io::Error::from);
        (by_read, TcpStream::from(end).read(&mut [0; 1]))
    })?;
    subject.returns((Ok(1), Err(Errno::EIO.into())))?;
    PASS
}
