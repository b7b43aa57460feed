//! Do all bytes arrive, however the stream is cut?

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use lab::prelude::*;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use sockets_introduction::line::{LineReader, read_line_slowly};
use sockets_introduction::whole::{read_n, write_n};

fn main() -> std::process::ExitCode {
    Suite::new("streams")
        .section("03-sockets-introduction#a-stream-has-no-edges")
        .check(read_n_waits_for_the_rest)
        .check(read_n_stops_at_the_end)
        .check(read_n_leaves_what_follows)
        .check(read_n_goes_on_after_a_signal)
        .check(read_n_reports_errors)
        .check(write_n_writes_more_than_fits)
        .check(write_n_goes_on_after_a_signal)
        .check(write_n_reports_a_closed_peer)
        .check(lines_come_whole_however_they_are_cut)
        .check(long_lines_are_refused)
        .check(both_readers_agree)
        .check(what_was_read_ahead_is_shown)
        .check(the_book_plots_this)
        .main()
}

fn five(end: &OwnedFd) -> Result<(usize, [u8; 5]), String> {
    let mut buffer = [0; 5];
    let count = read_n(end, &mut buffer).map_err(|error| error.to_string())?;
    Ok((count, buffer))
}

fn read_n_waits_for_the_rest(cx: &Check) -> Verdict {
    for split in 1..5 {
        let (peer, end) = cx.stream_pair()?;
        let subject = cx.subject(|| five(&end))?;
        peer.sends(&b"hello"[..split])?;
        peer.sends_once_read(&b"hello"[split..])?;
        subject.returns(Ok((5, *b"hello")))?;
    }
    PASS
}

fn read_n_stops_at_the_end(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    peer.sends("hel")?;
    peer.shuts_down_writing()?;
    cx.subject(|| (five(&end), five(&end)))?
        .returns((Ok((3, *b"hel\0\0")), Ok((0, [0; 5]))))?;
    PASS
}

fn read_n_leaves_what_follows(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    peer.sends("helloworld")?;
    cx.subject(|| (five(&end), five(&end)))?
        .returns((Ok((5, *b"hello")), Ok((5, *b"world"))))?;
    PASS
}

extern "C" fn noted(_: i32) {}

/// Installs a handler that does nothing, after which calls are not taken up again.
fn interrupted_by_signals() {
    let action = SigAction::new(
        SigHandler::Handler(noted),
        SaFlags::empty(),
        SigSet::empty(),
    );
    // SAFETY: the handler does nothing, and that is safe at any time.
    unsafe { sigaction(Signal::SIGUSR1, &action) }.expect("SIGUSR1 can be caught");
}

fn read_n_goes_on_after_a_signal(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    let subject = cx.subject(|| {
        interrupted_by_signals();
        five(&end)
    })?;
    peer.sends("hel")?;
    peer.is_read()?;
    subject.waits_in(&["read"])?;
    subject.signal(Signal::SIGUSR1);
    subject.waits_in(&["read"])?;
    peer.sends("lo")?;
    subject.returns(Ok((5, *b"hello")))?;
    PASS
}

fn read_n_reports_errors(cx: &Check) -> Verdict {
    let (peer, end) = cx.tcp_pair()?;
    peer.resets()?;
    let Err(line) = cx.subject(|| five(&end))?.value()? else {
        return Err(Finding::fail("a connection that was reset can be read"));
    };
    ensure!(
        line.starts_with("read: ECONNRESET"),
        "the error reads {line:?}"
    );
    PASS
}

/// Far more than a socket's buffer.
const MUCH: usize = 1 << 20;

fn many_bytes() -> Vec<u8> {
    (0..MUCH).map(|at| (at % 251) as u8).collect()
}

fn write_n_writes_more_than_fits(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    let subject = cx.subject(|| write_n(&end, &many_bytes()).map_err(|error| error.to_string()))?;
    ensure!(
        peer.receives(MUCH)? == many_bytes(),
        "other bytes arrived than were sent"
    );
    subject.returns(Ok(()))?;
    PASS
}

fn write_n_goes_on_after_a_signal(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    let subject = cx.subject(|| {
        interrupted_by_signals();
        write_n(&end, &many_bytes()).map_err(|error| error.to_string())
    })?;
    subject.waits_in(&["write"])?;
    subject.signal(Signal::SIGUSR1);
    subject.waits_in(&["write"])?;
    ensure!(
        peer.receives(MUCH)? == many_bytes(),
        "other bytes arrived than were sent"
    );
    subject.returns(Ok(()))?;
    PASS
}

fn write_n_reports_a_closed_peer(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    peer.closes();
    let subject = cx.subject(|| write_n(&end, b"hello").map_err(|error| error.to_string()))?;
    let Err(line) = subject.value()? else {
        return Err(Finding::fail("it wrote to nobody"));
    };
    ensure!(line.starts_with("write: EPIPE"), "the error reads {line:?}");
    PASS
}

/// Gives out its bytes in pieces of the sizes in turn, with an interruption before each.
struct Pieces<'a> {
    rest: &'a [u8],
    sizes: Vec<usize>,
    turn: usize,
}

impl Pieces<'_> {
    fn of<'a>(bytes: &'a [u8], sizes: &[usize]) -> Pieces<'a> {
        Pieces {
            rest: bytes,
            sizes: sizes.to_vec(),
            turn: 0,
        }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.turn += 1;
        if self.turn % 2 == 1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let size = self.sizes[self.turn / 2 % self.sizes.len()];
        let count = size.min(buffer.len()).min(self.rest.len());
        buffer[..count].copy_from_slice(&self.rest[..count]);
        self.rest = &self.rest[count..];
        Ok(count)
    }
}

const TEXT: &[u8] = b"first\n\nthird line\nno newline";
const LINES: [&[u8]; 5] = [b"first\n", b"\n", b"third line\n", b"no newline", b""];

fn lines_come_whole_however_they_are_cut(_: &Check) -> Verdict {
    for first in 1..=TEXT.len() {
        for second in 1..=TEXT.len() {
            let mut lines = LineReader::new(Pieces::of(TEXT, &[first, second]), 11);
            for expected in LINES {
                let line = lines.read_line()?;
                ensure!(
                    line == expected,
                    "{first}, {second}: {}",
                    line.escape_ascii()
                );
            }
        }
    }
    PASS
}

fn long_lines_are_refused(_: &Check) -> Verdict {
    for (text, limit, fits) in [
        (&b"1234\n"[..], 5, true),
        (b"12345\n", 5, false),
        (b"1234", 5, true),
        (b"12345", 5, false),
        (b"123456789", 5, false),
        (b"123456789\n", 5, false),
    ] {
        for size in 1..=text.len() {
            let slow = read_line_slowly(Pieces::of(text, &[size]), limit);
            let fast = LineReader::new(Pieces::of(text, &[size]), limit).read_line();
            for read in [slow, fast] {
                let seen = read.as_ref().map_err(io::Error::kind);
                let right = match seen {
                    Ok(line) => fits && line == text,
                    Err(kind) => !fits && kind == io::ErrorKind::InvalidData,
                };
                let text = text.escape_ascii();
                ensure!(
                    right,
                    "{text} with a limit of {limit}, {size} at a time: {read:?}"
                );
            }
        }
    }
    // What does not end is refused too, and does not fill the memory first.
    let endless = LineReader::new(io::repeat(b'x'), 100_000).read_line();
    ensure!(endless.is_err(), "an endless line was read");
    PASS
}

/// Seeded texts, cut in seeded ways: the plain reader is the judge of the fast one.
fn both_readers_agree(_: &Check) -> Verdict {
    let mut state = 314_159_265_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize % below
    };
    for _ in 0..500 {
        let text: Vec<u8> = (0..random(300)).map(|_| b"\nabcdefg"[random(8)]).collect();
        let sizes: Vec<usize> = (0..5).map(|_| 1 + random(90)).collect();
        let mut slow = &text[..];
        let mut fast = LineReader::new(Pieces::of(&text, &sizes), 30);
        loop {
            let expected = read_line_slowly(&mut slow, 30);
            let line = fast.read_line();
            match (expected, line) {
                (Ok(expected), Ok(line)) => {
                    ensure!(line == expected, "{line:?}, not {expected:?}");
                    if line.is_empty() {
                        break;
                    }
                }
                (Err(_), Err(_)) => break,
                (expected, line) => {
                    return Err(Finding::fail(format!("{line:?}, not {expected:?}")));
                }
            }
        }
    }
    PASS
}

fn what_was_read_ahead_is_shown(_: &Check) -> Verdict {
    let (end, mut peer) = UnixStream::pair()?;
    peer.write_all(b"a line\nand more")?;
    let mut lines = LineReader::new(&end, 100);
    ensure!(lines.read_line()? == b"a line\n", "the line is another");
    let ahead = lines.ahead().escape_ascii();
    ensure!(lines.ahead() == b"and more", "read ahead: {ahead}");
    PASS
}

/// Counts how often it is read.
struct Counted<'b> {
    source: &'b [u8],
    reads: usize,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        self.source.read(buffer)
    }
}

/// How many reads a hundred lines take, by their length, as numbers that the book plots. `LAB_BLESS=1` keeps them anew.
fn the_book_plots_this(cx: &Check) -> Verdict {
    let lengths = [15, 30, 60, 120, 240, 480];
    let mut slowly = String::new();
    let mut ahead = String::new();
    for length in lengths {
        let text = format!("{:0width$}\n", 0, width = length - 1).repeat(100);
        let mut source = Counted {
            source: text.as_bytes(),
            reads: 0,
        };
        while !read_line_slowly(&mut source, length)?.is_empty() {}
        slowly += &format!("  {length} {}\n", source.reads);
        let mut source = Counted {
            source: text.as_bytes(),
            reads: 0,
        };
        let mut lines = LineReader::new(&mut source, length);
        while !lines.read_line()?.is_empty() {}
        ahead += &format!("  {length} {}\n", source.reads);
    }
    let text = format!(
        "# How often a hundred lines make a program read. Counted by a test.\n\
         x bytes in a line\ny reads\nseries a byte at a time\n{slowly}series through a buffer\n{ahead}"
    );
    cx.kept(
        concat!(env!("CARGO_MANIFEST_DIR"), "/plot/line-cost.plot"),
        &text,
    )?;
    PASS
}
