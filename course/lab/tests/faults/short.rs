//! Transfers that move less than was asked for.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;

use lab::prelude::*;
use nix::sys::socket::{MsgFlags, SockType, recvmsg, sendmsg};

use crate::read_full;

pub fn short_reads_lose_nothing(cx: &Check) -> Verdict {
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
    calls.of(Call::Read).times(5)?;
    let moved: Vec<_> = calls.list().iter().map(lab::CallRecord::value).collect();
    ensure!(
        moved == [None, Some(3), Some(3), Some(3), Some(2)],
        "the reads moved {moved:?}"
    );
    PASS
}

pub fn short_writes_lose_nothing(cx: &Check) -> Verdict {
    let (peer, end) = cx.tcp_pair()?;
    let plan = Faults::new().on(Call::Write).fd(&end).at_most(4);
    let subject = cx.spawner().faults(plan).subject(move || {
        let mut stream = TcpStream::from(end);
        stream.write_all(b"hello world")
    })?;
    let calls = subject.calls()?;
    subject.returns(Ok(()))?;
    peer.expects(b"hello world")?;
    calls.of(Call::Write).times(3)?;
    let asked: Vec<_> = calls.list().into_iter().map(|c| c.arguments).collect();
    ensure!(
        asked[0].contains("\"hello world\", 11"),
        "the record shows what the check made of it: {asked:?}"
    );
    PASS
}

/// `readv` and `writev`: the third part is not reached, the second only in part; nothing of the code's memory stays changed.
pub fn parts_are_cut_by_their_sum(cx: &Check) -> Verdict {
    let (peer, end) = cx.tcp_pair()?;
    peer.sends(b"0123456789")?;
    let plan = Faults::new()
        .on(Call::Exact("readv"))
        .fd(&end)
        .nth(1)
        .at_most(4)
        .on(Call::Exact("writev"))
        .fd(&end)
        .nth(1)
        .at_most(5);
    let subject = cx.spawner().faults(plan).subject(move || {
        let mut stream = TcpStream::from(end);
        let (mut a, mut b, mut c) = ([0; 3], [0; 3], [0; 4]);
        let mut parts = [
            IoSliceMut::new(&mut a),
            IoSliceMut::new(&mut b),
            IoSliceMut::new(&mut c),
        ];
        let read = stream.read_vectored(&mut parts)?;
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        let mut rest = [0; 6];
        stream.read_exact(&mut rest)?;
        let parts = [
            IoSlice::new(b"abc"),
            IoSlice::new(b"def"),
            IoSlice::new(b"g"),
        ];
        let written = stream.write_vectored(&parts)?;
        let whole = stream.write_vectored(&parts)?;
        Ok::<_, io::Error>((
            read,
            lengths,
            a.to_vec(),
            b[..1].to_vec(),
            rest.to_vec(),
            written * 100 + whole,
        ))
    })?;
    let calls = subject.calls()?;
    subject.returns(Ok((
        4,
        vec![3, 3, 4],
        b"012".to_vec(),
        b"3".to_vec(),
        b"456789".to_vec(),
        507,
    )))?;
    peer.expects(b"abcdeabcdefg")?;
    calls.of(Call::Exact("writev")).times(2)?;
    calls.met_every_fault()?;
    PASS
}

/// The same with `recvmsg` and `sendmsg`.
pub fn messages_are_cut_and_put_back(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    peer.sends(b"012345")?;
    let plan = Faults::new()
        .on(Call::Exact("recvmsg"))
        .nth(1)
        .at_most(4)
        .on(Call::Exact("sendmsg"))
        .nth(1)
        .at_most(2);
    let subject = cx.spawner().faults(plan).subject(move || {
        let fd = end.as_raw_fd();
        let (mut a, mut b) = ([0; 3], [0; 3]);
        let mut parts = [IoSliceMut::new(&mut a), IoSliceMut::new(&mut b)];
        let read = |parts: &mut [IoSliceMut<'_>]| {
            let message = recvmsg::<()>(fd, parts, None, MsgFlags::empty());
            message.map(|m| m.bytes)
        };
        let first = read(&mut parts)?;
        let second = read(&mut parts)?;
        let parts = [IoSlice::new(b"ab"), IoSlice::new(b"cd")];
        let send = || sendmsg::<()>(fd, &parts, &[], MsgFlags::empty(), None);
        Ok::<_, io::Error>((first, second, send()?, send()?, a[..2].to_vec()))
    })?;
    subject.returns(Ok((4, 2, 2, 4, b"45".to_vec())))?;
    peer.expects(b"ababcd")?;
    PASS
}

pub fn datagrams_are_left_whole(cx: &Check) -> Verdict {
    let (peer, end) = cx.unix_pair(SockType::Datagram)?;
    peer.sends(b"hello")?;
    let plan = Faults::new().on(Call::Read).at_most(2);
    let subject = cx.spawner().faults(plan).subject(move || {
        let mut buf = [0; 8];
        nix::unistd::read(&end, &mut buf).map_err(io::Error::from)
    })?;
    let calls = subject.calls()?;
    subject.returns(Ok(5))?;
    ensure!(
        calls.met_every_fault().is_err(),
        "the plan says it took place"
    );
    PASS
}

pub fn files_and_pipes_are_cut_too(cx: &Check) -> Verdict {
    let file = cx.folder()?.join("text");
    let plan = Faults::new()
        .on(Call::Write)
        .at_a(lab::Kind::File)
        .at_most(2)
        .on(Call::Read)
        .at_a(lab::Kind::Pipe)
        .at_most(1);
    let subject = cx.spawner().faults(plan).subject(move || {
        let written = std::fs::File::create(&file)?.write(b"hello")?;
        let (reader, writer) = nix::unistd::pipe()?;
        nix::unistd::write(&writer, b"hello")?;
        let read = nix::unistd::read(&reader, &mut [0; 5])?;
        Ok::<_, io::Error>((written, read))
    })?;
    subject.returns(Ok((2, 1)))?;
    PASS
}
