//! Do all bytes arrive, once each, whatever the calls do?

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::process::ExitCode;

use lab::Kind;
use lab::prelude::*;
use sockets_introduction::line::{LineReader, read_line_slowly};
use sockets_introduction::value_result::accept;
use sockets_introduction::whole::{read_n, write_n};

const ONE_READ: &str = env!("CARGO_BIN_EXE_one-read");

fn main() -> ExitCode {
    Suite::new("faults")
        .section("03-sockets-introduction#a-stream-has-no-edges")
        .check(read_n_fills_the_buffer_whatever_a_read_gives)
        .check(read_n_says_how_far_it_came_before_an_error)
        .check(write_n_writes_each_byte_once)
        .check(lines_are_whole_whatever_a_read_gives)
        .check(accept_hands_its_errors_on)
        .check(one_read_is_not_enough_and_all_is)
        .main()
}

/// A signal before the first byte and one between the others, and never more than two bytes.
fn read_n_fills_the_buffer_whatever_a_read_gives(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    let plan = Faults::new()
        .on(Call::Read)
        .fd(&end)
        .nth(1)
        .fails(Errno::EINTR)
        .on(Call::Read)
        .fd(&end)
        .nth(2)
        .at_most(2)
        .on(Call::Read)
        .fd(&end)
        .nth(3)
        .fails(Errno::EINTR)
        .on(Call::Read)
        .fd(&end)
        .nth(4..=6)
        .at_most(1);
    peer.sends("helloworld")?;
    let both = move || (five(&end), five(&end));
    let subject = cx.spawner().faults(plan).subject(both)?;
    let calls = subject.calls()?;
    subject.returns((Ok((5, *b"hello")), Ok((5, *b"world"))))?;
    calls.met_every_fault()?;
    // Two signals, four short reads, and one that gives all five.
    calls.of(Call::Read).times(7)?;
    PASS
}

/// Three bytes came before the connection was lost. They are in the buffer, and the error is not hidden.
fn read_n_says_how_far_it_came_before_an_error(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    let plan = Faults::new()
        .on(Call::Read)
        .fd(&end)
        .nth(2)
        .fails(Errno::ECONNRESET);
    peer.sends("hel")?;
    let subject = cx.spawner().faults(plan).subject(move || {
        let mut buffer = [0; 5];
        let result = read_n(&end, &mut buffer).map_err(|error| error.to_string());
        (result, buffer)
    })?;
    let (result, buffer) = subject.value()?;
    let error = result.err().unwrap_or_default();
    ensure!(
        error.starts_with("read: ECONNRESET"),
        "the error reads {error:?}"
    );
    ensure!(buffer == *b"hel\0\0", "the buffer holds {buffer:?}");
    PASS
}

fn write_n_writes_each_byte_once(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    let plan = Faults::new()
        .on(Call::Write)
        .fd(&end)
        .nth(1)
        .at_most(1)
        .on(Call::Write)
        .fd(&end)
        .nth(2..=3)
        .fails(Errno::EINTR)
        .on(Call::Write)
        .fd(&end)
        .nth(4)
        .at_most(4);
    let write = move || write_n(&end, b"hello world").map_err(|error| error.to_string());
    let subject = cx.spawner().faults(plan).subject(write)?;
    let calls = subject.calls()?;
    subject.returns(Ok(()))?;
    let got = peer.receives_to_end()?;
    ensure!(got == b"hello world", "the peer got {got:?}");
    calls.met_every_fault()?;
    calls.of(Call::Write).times(5)?;
    PASS
}

fn lines_are_whole_whatever_a_read_gives(cx: &Check) -> Verdict {
    for slowly in [true, false] {
        let (peer, end) = cx.stream_pair()?;
        let plan = Faults::new()
            .on(Call::Read)
            .fd(&end)
            .nth(1)
            .fails(Errno::EINTR)
            .on(Call::Read)
            .fd(&end)
            .nth(2)
            .at_most(1)
            .on(Call::Read)
            .fd(&end)
            .nth(3..=4)
            .fails(Errno::EINTR)
            .on(Call::Read)
            .fd(&end)
            .nth(5..)
            .at_most(3);
        peer.sends("one\ntwo\nthr")?;
        peer.shuts_down_writing()?;
        let subject = cx
            .spawner()
            .faults(plan)
            .subject(move || lines(end, slowly))?;
        let calls = subject.calls()?;
        let wanted = [b"one\n".to_vec(), b"two\n".to_vec(), b"thr".to_vec()];
        subject.returns(Ok(wanted.to_vec()))?;
        calls.met_every_fault()?;
    }
    PASS
}

/// Which of them end a server, and which one client, is chapter 5's business.
fn accept_hands_its_errors_on(cx: &Check) -> Verdict {
    for errno in [
        Errno::EINTR,
        Errno::ECONNABORTED,
        Errno::EMFILE,
        Errno::ENOBUFS,
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let plan = Faults::new()
            .on(Call::Accept)
            .fd(&listener)
            .nth(1)
            .fails(errno);
        let subject = cx.spawner().faults(plan).subject(move || {
            let accepted = accept(&listener);
            accepted.map(drop).map_err(|error| error.errno)
        })?;
        subject.returns(Err(errno))?;
    }
    PASS
}

/// The program of the page, without the second's pause that the page needs to show it.
fn one_read_is_not_enough_and_all_is(cx: &Check) -> Verdict {
    for (arguments, printed) in [
        (&[][..], "asked for 5 bytes, got 3: \"hel\"\n"),
        (&["--all"][..], "asked for 5 bytes, got 5: \"hello\"\n"),
    ] {
        let listener = cx.listens(([127, 0, 0, 1], 0).into())?;
        let at = listener.address()?.to_string();
        let plan = Faults::new()
            .on(Call::Read)
            .at_a(Kind::Stream)
            .nth(1)
            .at_most(3);
        let arguments: Vec<&str> = arguments.iter().copied().chain([at.as_str()]).collect();
        let mut client = cx.spawner().faults(plan).program(ONE_READ, &arguments)?;
        let peer = listener.accepts()?;
        peer.sends("hello")?;
        let seen = client.exits(0)?;
        ensure!(seen == printed, "{arguments:?} printed {seen:?}");
    }
    PASS
}

fn five(end: &OwnedFd) -> Result<(usize, [u8; 5]), String> {
    let mut buffer = [0; 5];
    let count = read_n(end, &mut buffer).map_err(|error| error.to_string())?;
    Ok((count, buffer))
}

/// All lines until the end of the stream.
fn lines(end: OwnedFd, slowly: bool) -> io::Result<Vec<Vec<u8>>> {
    let mut file = File::from(end);
    let mut lines = Vec::new();
    if slowly {
        loop {
            match read_line_slowly(&mut file, 100)? {
                line if line.is_empty() => return Ok(lines),
                line => lines.push(line),
            }
        }
    }
    let mut reader = LineReader::new(file, 100);
    loop {
        match reader.read_line()? {
            line if line.is_empty() => return Ok(lines),
            line => lines.push(line),
        }
    }
}
