//! Messages in a stream: the four remedies, and the loops that read and write them.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;

use lab::prelude::*;
use lab::trial::{C, saw};
use nix::sys::socket::{MsgFlags, recv, setsockopt, sockopt};
use nix::unistd::{read, write};
use std::os::fd::AsRawFd;
use tcp_client_server::framing::delimited::Delimited;
use tcp_client_server::framing::fixed::Fixed;
use tcp_client_server::framing::length::LengthPrefix;
use tcp_client_server::framing::{Framing, Malformed, Receiver};

use crate::common::said;

/// Cuts the stream between any two bytes, in every way there is. In how many do the messages come out, and of how many?
fn splits(framing: &dyn Framing, stream: &[u8], messages: &[&[u8]]) -> (u32, u32) {
    let all = 1 << (stream.len() - 1);
    let right = (0..all).filter(|cuts: &u32| {
        let mut receiver = Receiver::new(framing);
        let (mut got, mut begin) = (Vec::new(), 0);
        for end in 1..=stream.len() {
            if end == stream.len() || cuts >> (end - 1) & 1 == 1 {
                got.extend(receiver.push(&stream[begin..end]).unwrap_or_default());
                begin = end;
            }
        }
        got == messages && receiver.end().is_ok()
    });
    (right.count() as u32, all)
}

/// A record is complete when its bytes are; nobody may stop before.
pub fn records_of_one_size_survive_every_split(cx: &Check) -> Verdict {
    let framing = Fixed { size: 4 };
    let (right, all) = splits(&framing, b"onestwos", &[b"ones", b"twos"]);
    saw(
        cx,
        "two records of 4 bytes, splits that give both",
        format!("{right} of {all}"),
    )
    .is("128 of 128")?;

    // One read is not one record.
    let (end, mut other) = UnixStream::pair()?;
    other.write_all(b"on")?;
    let mut record = [0; 4];
    saw(
        cx,
        "half a record has come, read",
        said(read(&end, &mut record)),
    )
    .is("2")?;
    let subject =
        cx.subject(move || sockets_introduction::whole::read_n(&end, &mut [0; 2]).ok())?;
    subject.waits_in(&["read"])?;
    other.write_all(b"es")?;
    subject.returns(Some(2))?;
    cx.evidence("read_n for the rest of it: 2");
    PASS
}

/// The bytes that end a message may be in the message.
pub fn a_delimiter_must_not_be_in_the_message(cx: &Check) -> Verdict {
    let message = "a\r\nb";
    let naive = format!("{message}\r\n");
    let lines = naive.split_terminator("\r\n").count();
    saw(
        cx,
        "one message with a CRLF in it, ended by CRLF: messages",
        lines,
    )
    .is(2)?;

    let framing = Delimited { limit: 64 };
    let stream = framing
        .encode(b"a\nb")
        .map_err(|error| Finding::fault(error.to_string()))?;
    let (right, all) = splits(&framing, &stream, &[b"a\nb"]);
    saw(
        cx,
        "the same escaped, splits that give it",
        format!("{right} of {all}"),
    )
    .is("16 of 16")?;
    PASS
}

/// The number in front is the peer's word, and not to be trusted.
pub fn a_length_needs_a_limit(cx: &Check) -> Verdict {
    let framing = LengthPrefix { limit: 1024 };
    let stream = framing
        .encode(b"hello")
        .map_err(|error| Finding::fault(error.to_string()))?;
    let (right, all) = splits(&framing, &stream, &[b"hello"]);
    saw(
        cx,
        "a message behind its length, splits that give it",
        format!("{right} of {all}"),
    )
    .is("256 of 256")?;
    let refused = Receiver::new(&framing).push(&[0xff; 4]);
    let wanted = Malformed::TooLong {
        bytes: u32::MAX as usize,
        limit: 1024,
    };
    ensure!(
        refused == Err(wanted.clone()),
        "a length of four billion gave {refused:?}"
    );
    cx.evidence(format!("a length of ff ff ff ff: {wanted}"));
    PASS
}

/// `readn` as it is written everywhere: it returns -1 on an error, whatever it has read before.
fn readn(socket: &UnixStream, buffer: &mut [u8]) -> nix::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match read(socket, &mut buffer[got..]) {
            Ok(0) => break,
            Ok(count) => got += count,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(got)
}

/// Pieces and the end are its business. An error in the middle takes with it what was read.
pub fn readn_loses_what_came_before_an_error(cx: &Check) -> Verdict {
    let (end, other) = UnixStream::pair()?;
    let subject = cx.subject(move || readn(&end, &mut [0; 5]))?;
    for byte in b"hello" {
        subject.waits_in(&["read"])?;
        (&other).write_all(&[*byte])?;
    }
    saw(cx, "five pieces of a byte", said(subject.value()?)).is("5")?;

    let (end, mut other) = UnixStream::pair()?;
    other.write_all(b"hel")?;
    drop(other);
    saw(
        cx,
        "three bytes and the end",
        said(readn(&end, &mut [0; 5])),
    )
    .is("3")?;

    let (end, mut other) = UnixStream::pair()?;
    end.set_nonblocking(true)?;
    other.write_all(b"hel")?;
    saw(
        cx,
        "three bytes, and the socket does not block",
        said(readn(&end, &mut [0; 5])),
    )
    .is("EAGAIN")?;
    other.write_all(b"lo")?;
    let mut rest = [0; 5];
    let count =
        readn(&end, &mut rest).unwrap_or_else(|_| rest.iter().filter(|byte| **byte != 0).count());
    saw(
        cx,
        "when the rest is there, bytes that are left of five",
        count,
    )
    .is(2)?;
    PASS
}

/// `writen` as it is written everywhere.
fn writen(socket: &UnixStream, mut bytes: &[u8]) -> nix::Result<usize> {
    let whole = bytes.len();
    while !bytes.is_empty() {
        match write(socket, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(whole)
}

/// The same loop in the other direction, with the same hole; and as printed in the notes it is no C.
pub fn writen_cannot_say_how_far_it_came(cx: &Check) -> Verdict {
    let (end, mut other) = UnixStream::pair()?;
    let subject = cx.subject(move || writen(&end, &vec![b'x'; 1 << 20]))?;
    let mut got = Vec::new();
    other.read_to_end(&mut got)?;
    saw(
        cx,
        "a megabyte to a socket that blocks",
        said(subject.value()?),
    )
    .is("1048576")?;
    saw(cx, "and at the other end", got.len()).is(1 << 20)?;

    let (end, mut other) = UnixStream::pair()?;
    setsockopt(&end, sockopt::SndBuf, &4096)?;
    end.set_nonblocking(true)?;
    saw(
        cx,
        "a megabyte to one that does not",
        said(writen(&end, &vec![b'x'; 1 << 20])),
    )
    .is("EAGAIN")?;
    other.set_nonblocking(true)?;
    let mut got = Vec::new();
    let rest = other.read_to_end(&mut got).map_err(|error| error.kind());
    ensure!(
        rest == Err(ErrorKind::WouldBlock),
        "the other end read {rest:?}"
    );
    let some = !got.is_empty() && got.len() < 1 << 20;
    saw(
        cx,
        "of which some went out, and nobody knows how many",
        some,
    )
    .is(true)?;

    let body = "
        size_t left = 5; const char *at = \"hello\";
        while (left > 0) {
            if ((nwrite = write(1, at, left)) <= 0) return 1;
            left -= nwrite; at += nwrite;
        }";
    let c = C::compiler(cx)?;
    c.program(&["unistd.h"], body)?
        .refused(cx, "as printed", &["undeclared"])?;
    PASS
}

/// A buffer that C functions take for a string: full of zeros, and the last of them stays.
struct Line([u8; 64]);

impl Line {
    /// Looks at what has come, and takes it up to the newline: `MSG_PEEK`, then `readn`.
    fn read(socket: &UnixStream) -> nix::Result<(Line, usize)> {
        let mut line = Line([0; 64]);
        let peeked = recv(socket.as_raw_fd(), &mut line.0[..63], MsgFlags::MSG_PEEK)?;
        let newline = line.0[..peeked].iter().position(|byte| *byte == b'\n');
        let wanted = newline.map_or(peeked, |at| at + 1);
        let count = readn(socket, &mut line.0[..wanted])?;
        if newline.is_none() {
            // The rest of the line, behind what is there.
            let more = recv(
                socket.as_raw_fd(),
                &mut line.0[count..63],
                MsgFlags::MSG_PEEK,
            )?;
            return Ok((line, count + more));
        }
        Ok((line, count))
    }

    /// What `strlen` and `printf` see of it.
    fn text(&self) -> String {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(64);
        self.0[..end].escape_ascii().to_string()
    }
}

/// Two lines in one segment, echoed one after the other.
pub fn a_peeked_line_has_more_than_the_line(cx: &Check) -> Verdict {
    let (end, mut other) = UnixStream::pair()?;
    other.write_all(b"a\nb\n")?;
    for (what, taken, wanted) in [("the first line", 2, "a\\nb\\n"), ("the second", 2, "b\\n")] {
        let (line, count) = Line::read(&end)?;
        saw(cx, &format!("{what}, bytes taken from the stream"), count).is(taken)?;
        saw(cx, "the string in the buffer", line.text()).is(wanted)?;
    }
    PASS
}

/// Half a line, and no waiting.
pub fn half_a_line_is_an_error_without_blocking(cx: &Check) -> Verdict {
    let (end, mut other) = UnixStream::pair()?;
    end.set_nonblocking(true)?;
    other.write_all(b"hel")?;
    let half = Line::read(&end).map(|(line, _)| line.text());
    saw(cx, "half a line has come", said(half)).is("EAGAIN")?;
    other.write_all(b"lo\n")?;
    let rest = Line::read(&end).map(|(line, _)| line.text());
    saw(cx, "with the other half, what is left", said(rest)).is("lo\\n")?;
    PASS
}
