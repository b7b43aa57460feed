//! Grades `line-reader`.
//!
//! The source is no socket but a script: it says what each `read` brings, and knows how much was read.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};
use std::rc::Rc;

use lab::prelude::*;
use line_reader::LineReader;

pub fn main() -> std::process::ExitCode {
    Grader::new("line-reader")
        .section("05-tcp-client-server#framing")
        .check(1, one_line_a_call)
        .check(2, every_cut_gives_the_same_lines)
        .check(1, nothing_but_its_end_is_taken_from_a_line)
        .check(1, the_last_line_needs_no_newline)
        .check(1, a_line_that_is_there_is_not_waited_for)
        .check(2, a_line_without_end_is_refused_in_time)
        .check(1, a_line_of_the_limit_is_fine)
        .check(1, what_follows_the_lines_is_kept)
        .check(1, a_signal_is_no_error)
        .see("05-tcp-client-server#interrupted-calls")
        .main()
}

const LIMIT: usize = 100;

const CUTS: &str = "A read brings what has arrived, which has nothing to do with lines. Put it behind what is left of the reads \
     before, and look for the end of a line in all of it: the \\r may have come with one read, and the \\n with the next.";

/// Three lines come with one read, and each call gives one. Then there is none, now and later.
fn one_line_a_call(cx: &Check) -> Verdict {
    const WHY: &str = "One read may bring many lines. Give the first, and keep what follows it for the next call.";
    let subject = cx.subject(|| {
        let mut lines = LineReader::new(Script::of([Step::brings("one\ntwo\nthree\n")]), LIMIT);
        let first = some(&mut lines, 4);
        (first, lines.read_line().map_err(told))
    })?;
    let lines = ["one", "two", "three"].map(|line| line.as_bytes().to_vec());
    subject
        .returns((Ok(lines.to_vec()), Ok(None)))
        .because(WHY)?;
    PASS
}

/// The same lines, whatever pieces they come in.
fn every_cut_gives_the_same_lines(cx: &Check) -> Verdict {
    let stream = b"hey\r\n\na\nyou\r\n";
    let expected = vec![
        b"hey".to_vec(),
        b"".to_vec(),
        b"a".to_vec(),
        b"you".to_vec(),
    ];
    cx.step(format!("the stream is \"{}\"", stream.escape_ascii()));
    let wanted = expected.clone();
    let subject = cx.subject(move || {
        // Bit n of a way says whether there is a cut behind byte n. The fewest cuts come first.
        let mut ways: Vec<u32> = (0..1 << (stream.len() - 1)).collect();
        ways.sort_by_key(|way| way.count_ones());
        ways.into_iter().find_map(|way| {
            let pieces = cut(stream, way);
            let steps = pieces.iter().map(|piece| Step::Brings(piece.clone()));
            let given = some(&mut LineReader::new(Script::of(steps), LIMIT), 10);
            (given.as_ref() != Ok(&wanted)).then_some((pieces, given))
        })
    })?;
    let Some((pieces, given)) = subject.value().because(CUTS)? else {
        return PASS;
    };
    let read = if pieces.len() == 1 {
        "one read brings it".to_string()
    } else {
        format!("the reads bring {}", list(&pieces, " | "))
    };
    let gave = match given {
        Ok(lines) => list(&lines, ", "),
        Err(error) => format!("the error {error}"),
    };
    let what = format!(
        "when {read}, the lines are {gave}, expected {}",
        list(&expected, ", ")
    );
    Err(Finding::fail(what)).because(CUTS)
}

/// Blanks, a `\r` inside, zero bytes and bytes that are no text stay where they are.
fn nothing_but_its_end_is_taken_from_a_line(cx: &Check) -> Verdict {
    const WHY: &str = "A line ends with \\n, or with one \\r and \\n. Everything before that was sent for somebody to read, \
         and may be no text at all.";
    for (stream, line) in [
        (&b" a blank \r\n"[..], &b" a blank "[..]),
        (b"a\rb\n", b"a\rb"),
        (b"two\r\r\n", b"two\r"),
        (b"\xff\xfe\0\r\n", b"\xff\xfe\0"),
        (b"tab\t\n", b"tab\t"),
    ] {
        cx.begins_again(format!("the stream is \"{}\"", stream.escape_ascii()));
        let subject = cx.subject(|| {
            let steps = [Step::Brings(stream.to_vec())];
            some(&mut LineReader::new(Script::of(steps), LIMIT), 2)
        })?;
        subject.returns(Ok(vec![line.to_vec()])).because(WHY)?;
    }
    PASS
}

/// The stream ends without a newline: what is left is the last line.
fn the_last_line_needs_no_newline(cx: &Check) -> Verdict {
    const WHY: &str = "Not everybody ends the last line. What is left at the end of the stream is a line, if it is anything; \
         and where no \\n came, a \\r is a byte like others.";
    for (stream, lines) in [
        ("one\ntwo", &["one", "two"][..]),
        ("two", &["two"]),
        ("one\r\ntwo\r", &["one", "two\r"]),
        ("", &[]),
    ] {
        cx.begins_again(format!("the stream is \"{}\"", stream.escape_debug()));
        let subject = cx.subject(|| {
            let mut lines = LineReader::new(Script::of([Step::brings(stream)]), LIMIT);
            some(&mut lines, 3)
        })?;
        let expected = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
        subject.returns(Ok(expected)).because(WHY)?;
    }
    PASS
}

/// A line has come and half of the next: the line is given, though the peer says nothing more.
fn a_line_that_is_there_is_not_waited_for(cx: &Check) -> Verdict {
    const WHY: &str = "The peer waits for your answer to that line, and you would wait for more of its lines: for ever, both. Look \
         for a line in what has come before each read, and read only when there is none.";
    let subject = cx.subject(|| {
        let steps = [Step::brings("HELO there\r\nMA"), Step::NothingMore];
        let mut lines = LineReader::new(Script::of(steps), LIMIT);
        lines.read_line().map_err(told)
    })?;
    subject
        .returns(Ok(Some(b"HELO there".to_vec())))
        .because(WHY)?;
    PASS
}

/// A line that is too long is refused as soon as that is certain, with or without its end.
fn a_line_without_end_is_refused_in_time(cx: &Check) -> Verdict {
    const WHY: &str = "A limit that is looked at when the line is complete protects from nothing: the line that hurts is \
         the one that is never complete. Ask after each read.";
    for size in [1, 60] {
        cx.begins_again(format!(
            "{size} bytes a read, and no end of the line; the limit is {LIMIT}"
        ));
        let subject = cx.subject(|| {
            let script = Script::of(std::iter::repeat_n(
                Step::Brings(vec![b'x'; size]),
                2_000 / size,
            ));
            let read = script.read.clone();
            let said = LineReader::new(script, LIMIT).read_line();
            (
                said.map_err(|error| error.kind() == ErrorKind::InvalidData),
                read.get(),
            )
        })?;
        let (said, read) = subject.value()?;
        if read > LIMIT + size + 1 {
            let what =
                format!("read_line read {read} bytes of a line without end; {LIMIT} are the limit");
            return Err(Finding::fail(what)).because(WHY);
        }
        refused(said).because(WHY)?;
    }
    let full = "x".repeat(LIMIT);
    // A \r that is not followed by a \n is a byte of the line.
    for end in ["x\n", "x", "\r"] {
        let stream = full.clone() + end;
        cx.begins_again(format!(
            "a stream of {} bytes; the limit is {LIMIT}",
            stream.len()
        ));
        let subject = cx.subject(|| {
            let mut lines = LineReader::new(Script::of([Step::brings(&stream)]), LIMIT);
            let said = lines.read_line();
            said.map_err(|error| error.kind() == ErrorKind::InvalidData)
        })?;
        refused(subject.value()?).because(WHY)?;
    }
    PASS
}

/// A line of exactly the limit passes, however it ends and wherever it is cut.
fn a_line_of_the_limit_is_fine(cx: &Check) -> Verdict {
    const WHY: &str = "The end of a line does not count. So one byte more than the limit is not too long yet, if that byte is \
         a \\r: the \\n may be what comes next.";
    let line = "x".repeat(LIMIT);
    for steps in [
        vec![format!("{line}\n")],
        vec![format!("{line}\r\n")],
        vec![line.clone(), "\r".into(), "\n".into()],
        vec![format!("{line}\r"), "\n".into()],
        vec![line.clone()],
    ] {
        cx.begins_again(format!(
            "{} reads bring a line of {LIMIT} bytes",
            steps.len()
        ));
        let subject = cx.subject(|| {
            let script = Script::of(steps.iter().map(|text| Step::brings(text)));
            some(&mut LineReader::new(script, LIMIT), 2)
        })?;
        let expected = line.clone().into_bytes();
        subject.returns(Ok(vec![expected])).because(WHY)?;
    }
    PASS
}

/// After the lines comes something else. Not a byte of it is lost.
fn what_follows_the_lines_is_kept(cx: &Check) -> Verdict {
    const WHY: &str = "Whoever reads ahead has read more than lines: the first bytes of the body of a message, say. They are in \
         nobody's socket any more, so hand them on.";
    let subject = cx.subject(|| {
        let script = Script::of([
            Step::brings("POST /\r\n\r\nbody\r\n"),
            Step::brings(" and more\n"),
        ]);
        let left = script.left.clone();
        let mut lines = LineReader::new(script, LIMIT);
        let head = [
            lines.read_line().map_err(told),
            lines.read_line().map_err(told),
        ];
        let mut rest = lines.into_rest();
        rest.extend(left.take());
        (head.to_vec(), rest)
    })?;
    let head = [Ok(Some(b"POST /".to_vec())), Ok(Some(Vec::new()))];
    let body = b"body\r\n and more\n".to_vec();
    subject.returns((head.to_vec(), body)).because(WHY)?;
    PASS
}

/// `Interrupted` is no error. Others are, in the middle of a line, too.
fn a_signal_is_no_error(cx: &Check) -> Verdict {
    const WHY: &str = "Interrupted is EINTR: a signal came before any byte did. Nothing was read and nothing is lost, so read again.";
    let subject = cx.subject(|| {
        let steps = [
            Step::Fails(ErrorKind::Interrupted),
            Step::brings("on"),
            Step::Fails(ErrorKind::Interrupted),
            Step::brings("e\n"),
        ];
        some(&mut LineReader::new(Script::of(steps), LIMIT), 2)
    })?;
    subject.returns(Ok(vec![b"one".to_vec()])).because(WHY)?;

    cx.begins_again("a read brings \"on\", the next one fails");
    let subject = cx.subject(|| {
        let steps = [Step::brings("on"), Step::Fails(ErrorKind::ConnectionReset)];
        let mut lines = LineReader::new(Script::of(steps), LIMIT);
        lines
            .read_line()
            .map_err(|error| error.kind() == ErrorKind::ConnectionReset)
    })?;
    subject.returns(Err(true)).because(
        "An error is not the end of the stream, and half a line is no line. Hand it on.",
    )?;
    PASS
}

/// Reads lines until there are no more, at most `most`.
fn some(lines: &mut LineReader<Script>, most: usize) -> Result<Vec<Vec<u8>>, String> {
    let mut all = Vec::new();
    while all.len() < most {
        match lines.read_line().map_err(told)? {
            Some(line) => all.push(line),
            None => break,
        }
    }
    Ok(all)
}

fn refused(said: Result<Option<Vec<u8>>, bool>) -> Result<(), Finding> {
    match said {
        Err(true) => Ok(()),
        Err(false) => Err(Finding::fail(
            "read_line failed with another error than InvalidData",
        )),
        Ok(Some(line)) => Err(Finding::fail(format!(
            "read_line gave a line of {} bytes, expected InvalidData; {LIMIT} are the limit",
            line.len()
        ))),
        Ok(None) => Err(Finding::fail("read_line gave None, expected InvalidData")),
    }
}

/// What a `read` does.
#[derive(Clone)]
enum Step {
    /// It brings these bytes, or as many of them as there is room for.
    Brings(Vec<u8>),
    /// It fails.
    Fails(ErrorKind),
    /// It would wait for ever.
    NothingMore,
}

impl Step {
    fn brings(text: &str) -> Step {
        Step::Brings(text.as_bytes().to_vec())
    }
}

/// A source that does as it is told. At the end of the script the stream has ended.
struct Script {
    steps: VecDeque<Step>,
    /// How many bytes were read.
    read: Rc<Cell<usize>>,
    /// What was never read.
    left: Rc<Cell<Vec<u8>>>,
}

impl Script {
    fn of(steps: impl IntoIterator<Item = Step>) -> Script {
        Script {
            steps: steps
                .into_iter()
                .filter(|step| !matches!(step, Step::Brings(bytes) if bytes.is_empty()))
                .collect(),
            read: Rc::default(),
            left: Rc::default(),
        }
    }
}

impl Read for Script {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        assert!(!room.is_empty(), "read was called with room for no bytes");
        match self.steps.pop_front() {
            None => Ok(0),
            Some(Step::Fails(kind)) => Err(kind.into()),
            Some(Step::NothingMore) => {
                panic!(
                    "read was called once more, and the peer sends nothing: it would wait for ever"
                )
            }
            Some(Step::Brings(mut bytes)) => {
                let count = bytes.len().min(room.len());
                room[..count].copy_from_slice(&bytes[..count]);
                if count < bytes.len() {
                    self.steps.push_front(Step::Brings(bytes.split_off(count)));
                }
                self.read.set(self.read.get() + count);
                Ok(count)
            }
        }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let steps = self.steps.drain(..);
        let bytes = steps.filter_map(|step| match step {
            Step::Brings(bytes) => Some(bytes),
            _ => None,
        });
        self.left.set(bytes.flatten().collect());
    }
}

/// Cuts a stream behind each byte whose bit is set.
fn cut(stream: &[u8], way: u32) -> Vec<Vec<u8>> {
    let mut pieces = vec![Vec::new()];
    for (at, byte) in stream.iter().enumerate() {
        if at > 0 && way >> (at - 1) & 1 == 1 {
            pieces.push(Vec::new());
        }
        pieces.last_mut().expect("there is one").push(*byte);
    }
    pieces
}

fn list(pieces: &[Vec<u8>], between: &str) -> String {
    if pieces.is_empty() {
        return "none".into();
    }
    let all = pieces
        .iter()
        .map(|piece| format!("\"{}\"", piece.escape_ascii()));
    all.collect::<Vec<_>>().join(between)
}

fn told(error: io::Error) -> String {
    format!("{:?}: {error}", error.kind())
}
