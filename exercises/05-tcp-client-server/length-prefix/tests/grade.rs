//! Grades `length-prefix`.
//!
//! No socket is needed: a stream is its bytes, and the pieces it comes in. A short stream is cut in every
//! way there is.

use lab::prelude::*;
use length_prefix::{Decoder, Malformed, encode};

pub fn main() -> std::process::ExitCode {
    Grader::new("length-prefix")
        .section("05-tcp-client-server#framing")
        .check(1, the_length_stands_before_the_message)
        .check(3, every_cut_gives_the_same_messages)
        .check(1, a_message_may_be_empty)
        .check(2, too_long_is_refused_at_once)
        .check(1, a_length_costs_no_memory)
        .check(1, the_limit_itself_is_allowed)
        .check(1, what_came_before_is_given_before)
        .check(1, an_end_in_the_middle_is_told)
        .see("05-tcp-client-server#server-process-dies")
        .main()
}

/// The most bytes that a message may have here, where nothing else is said.
const LIMIT: u32 = 1000;

const CUTS: &str = "The network cuts a stream where it likes. Keep what has come until a message is complete, take it from the \
     front, and leave what follows it for the next call.";

/// The messages that a decoder gave, and how it ended.
type Given = (Vec<Vec<u8>>, Result<(), String>);

/// Four bytes with the big end first, then the message.
fn the_length_stands_before_the_message(cx: &Check) -> Verdict {
    const WHY: &str = "The length counts the bytes of the message, not its own four, and its first byte is the big end: network \
         byte order, which does not ask whose machine it is.";
    let long = vec![b'x'; 515];
    for (message, prefix) in [
        (&b"hello"[..], [0, 0, 0, 5]),
        (&long, [0, 0, 2, 3]),
        (b"", [0, 0, 0, 0]),
    ] {
        let subject = cx
            .spawner()
            .named("encode")
            .subject(|| encode(message, LIMIT).map_err(told))?;
        let expected = [&prefix, message].concat();
        subject.returns(Ok(expected)).because(WHY)?;
    }
    let subject = cx
        .spawner()
        .named("encode")
        .subject(|| encode(&[b'x'; 1001], LIMIT).map_err(told))?;
    subject
        .returns(Err(told(Malformed::TooLong(1001))))
        .because(
            "The other end would refuse it, and close the connection. Better to hear it here.",
        )?;
    PASS
}

/// The same messages, whatever pieces the stream comes in.
fn every_cut_gives_the_same_messages(cx: &Check) -> Verdict {
    // 00 00 00 02 h i 00 00 00 01 , 00 00 00 01 u: 16 bytes, 32768 ways to cut.
    same_in_every_cut(cx, &[b"hi", b",", b"u"], CUTS)
}

/// A length of 0 is a message, the first, the last, or between others.
fn a_message_may_be_empty(cx: &Check) -> Verdict {
    const WHY: &str = "A message without bytes is a message: it says that nothing is in it. The end of the stream is told \
         by read, not by a length.";
    same_in_every_cut(cx, &[b"", b"a", b"", b""], WHY)
}

/// A length above the limit is an error when its four bytes are there, before any byte behind it.
fn too_long_is_refused_at_once(cx: &Check) -> Verdict {
    const WHY: &str = "Look at the limit before you do anything else with a length. It has no sign: as an i32, ff ff ff ff is -1, \
         and below every limit. And who waits for the bytes behind it waits for a stranger's promise.";
    for length in [LIMIT + 1, 0x0100_0000, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        let prefix = length.to_be_bytes();
        cx.begins_again(format!(
            "four bytes come: {prefix:02x?}; the limit is {LIMIT}"
        ));
        let subject = cx.subject(|| {
            let mut decoder = Decoder::new(LIMIT);
            decoder.feed(&prefix[..3]);
            let early = decoder.next_message().map_err(told);
            decoder.feed(&prefix[3..]);
            let first = decoder.next_message().map_err(told);
            decoder.feed(b"\0\0\0\x02hi");
            (early, first, decoder.next_message().map_err(told))
        })?;
        let (early, first, again) = subject.value().because(WHY)?;
        ensure!(
            early == Ok(None),
            "with three of four bytes of a length there, next_message gave {}, expected None",
            shown(&early)
        );
        let too_long = Err(told(Malformed::TooLong(length)));
        for (when, said) in [("", &first), (" when asked again,", &again)] {
            if *said != too_long {
                let said = shown(said);
                return Err(Finding::fail(format!(
                    "for length {length}{when} next_message gave {said}, expected TooLong({length})"
                )))
                .because(WHY);
            }
        }
    }
    PASS
}

/// With a limit of 4 GiB, a length of almost as much costs nothing until the bytes come.
fn a_length_costs_no_memory(cx: &Check) -> Verdict {
    const WHY: &str = "Four bytes are cheap to send, and a thousand clients can send them. Let the buffer grow with what has \
         come, not with what was announced.";
    // The whole process may have 256 MiB.
    let limits = Limits {
        memory: 256 << 20,
        ..Limits::default()
    };
    let subject = cx.spawner().limits(limits).subject(|| {
        let mut decoder = Decoder::new(u32::MAX);
        decoder.feed(&[0xf0, 0, 0, 0]);
        let first = decoder.next_message().map_err(told);
        decoder.feed(b"the first bytes of many");
        (first, decoder.next_message().map_err(told))
    })?;
    subject.returns((Ok(None), Ok(None))).because(WHY)?;
    PASS
}

/// A message of exactly the limit passes, both ways; with a limit of 0, the empty message does.
fn the_limit_itself_is_allowed(cx: &Check) -> Verdict {
    const WHY: &str =
        "The limit is the most bytes that a message may have, so it may have as many.";
    for limit in [LIMIT, 1, 0] {
        let message = vec![b'x'; limit as usize];
        let sent = [&limit.to_be_bytes()[..], &message].concat();
        cx.begins_again(format!("the limit is {limit}, and so is the length"));
        let subject = cx.subject(|| {
            let encoded = encode(&message, limit).map_err(told);
            let mut decoder = Decoder::new(limit);
            decoder.feed(&sent);
            (encoded, decoder.next_message().map_err(told))
        })?;
        subject
            .returns((Ok(sent.clone()), Ok(Some(message.clone()))))
            .because(WHY)?;
    }
    PASS
}

/// Two messages and a hostile length in one piece: the two are given, then the error.
fn what_came_before_is_given_before(cx: &Check) -> Verdict {
    let stream = b"\0\0\0\x02hi\0\0\0\x03you\xff\xff\xff\xffrest";
    let subject = cx.subject(|| in_pieces(&[stream]))?;
    let expected = (
        vec![b"hi".to_vec(), b"you".to_vec()],
        Err(told(Malformed::TooLong(u32::MAX))),
    );
    subject.returns(expected).because(
        "Those messages are whole and well-formed. What comes after them makes them no worse.",
    )?;
    PASS
}

/// An end between two messages is fine. Anywhere else it is `CutShort`.
fn an_end_in_the_middle_is_told(cx: &Check) -> Verdict {
    const WHY: &str = "A stream that ends in the middle of a message means that the other end died, or gave up. Nobody else can \
         tell half a message from no message: to read, both are the end.";
    let stream = b"\0\0\0\x02hi\0\0\0\x03you";
    let subject = cx.subject(|| {
        let ends = (0..=stream.len()).map(|length| in_pieces(&[&stream[..length]]).1);
        ends.collect::<Vec<_>>()
    })?;
    for (length, said) in subject.value()?.into_iter().enumerate() {
        let whole = [0, 6, stream.len()].contains(&length);
        let expected = if whole {
            Ok(())
        } else {
            Err(told(Malformed::CutShort))
        };
        if said != expected {
            let (said, expected) = (ended(&said), ended(&expected));
            let sent = stream[..length].escape_ascii();
            return Err(Finding::fail(format!(
                "after \"{sent}\" and the end of the stream, end gave {said}, expected {expected}"
            )))
            .because(WHY);
        }
    }
    PASS
}

/// Demands the same messages from a stream in every way to cut it. The first that differs is told.
fn same_in_every_cut(cx: &Check, messages: &[&[u8]], why: &str) -> Verdict {
    let mut stream = Vec::new();
    for message in messages {
        stream.extend((message.len() as u32).to_be_bytes());
        stream.extend_from_slice(message);
    }
    let expected: Given = (messages.iter().map(|m| m.to_vec()).collect(), Ok(()));
    cx.step(format!("the stream is {}", bytes(&stream)));
    let subject = cx.subject(|| {
        // Bit n of a way says whether there is a cut behind byte n. The fewest cuts come first.
        let mut ways: Vec<u32> = (0..1 << (stream.len() - 1)).collect();
        ways.sort_by_key(|way| way.count_ones());
        ways.into_iter().find_map(|way| {
            let pieces = cut(&stream, way);
            let given = in_pieces(&pieces);
            let lengths: Vec<usize> = pieces.iter().map(|piece| piece.len()).collect();
            (given != expected).then_some((lengths, given.0, given.1))
        })
    })?;
    let Some((lengths, given, end)) = subject.value().because(why)? else {
        return PASS;
    };
    let mut at = 0;
    let pieces: Vec<String> = lengths
        .iter()
        .map(|length| {
            at += length;
            bytes(&stream[at - length..at])
        })
        .collect();
    let list = |messages: &[Vec<u8>]| {
        let all: Vec<String> = messages
            .iter()
            .map(|m| format!("\"{}\"", m.escape_ascii()))
            .collect();
        if all.is_empty() {
            "no message".to_string()
        } else {
            all.join(", ")
        }
    };
    let mut what = if lengths.len() == 1 {
        "the stream in one piece".to_string()
    } else {
        format!("the stream cut into {}", pieces.join(" | "))
    };
    what += &format!(" gave {}, expected {}", list(&given), list(&expected.0));
    if let Err(error) = end {
        what += &format!("; and at the end {error}");
    }
    Err(Finding::fail(what)).because(why)
}

/// Cuts a stream behind each byte whose bit is set.
fn cut(stream: &[u8], way: u32) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for at in 1..stream.len() {
        if way >> (at - 1) & 1 == 1 {
            pieces.push(&stream[from..at]);
            from = at;
        }
    }
    pieces.push(&stream[from..]);
    pieces
}

/// Feeds the pieces, takes all messages after each, and ends.
fn in_pieces(pieces: &[&[u8]]) -> Given {
    let mut decoder = Decoder::new(LIMIT);
    let mut messages = Vec::new();
    for piece in pieces {
        decoder.feed(piece);
        loop {
            match decoder.next_message() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Err(told(error))),
            }
            // A decoder that does not come on would fill the memory.
            if messages.len() > 100 {
                return (messages[..5].to_vec(), Err("no end of messages".into()));
            }
        }
    }
    (messages, decoder.end().map_err(told))
}

fn told(error: Malformed) -> String {
    format!("{error:?}")
}

fn shown(said: &Result<Option<Vec<u8>>, String>) -> String {
    match said {
        Ok(Some(message)) => format!("the message \"{}\"", message.escape_ascii()),
        Ok(None) => "None".into(),
        Err(error) => error.clone(),
    }
}

fn ended(said: &Result<(), String>) -> String {
    match said {
        Ok(()) => "Ok".into(),
        Err(error) => error.clone(),
    }
}

fn bytes(bytes: &[u8]) -> String {
    let all: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    all.join(" ")
}
