//! Four framings, every split of a stream there is, and peers that mean no good.

use std::io::Write;
use std::process::ExitCode;

use introduction::program::{Outcome, run_alone};
use tcp_client_server::framing::delimited::Delimited;
use tcp_client_server::framing::fixed::Fixed;
use tcp_client_server::framing::length::LengthPrefix;
use tcp_client_server::framing::tagged::Tagged;
use tcp_client_server::framing::{Framing, Receiver};

fn main() -> ExitCode {
    run_alone("usage: framing-lab", work)
}

// ANCHOR: splits
const LIMIT: usize = 1024;

const FRAMINGS: [(&str, &dyn Framing); 4] = [
    ("fixed", &Fixed { size: 2 }),
    ("delimited", &Delimited { limit: LIMIT }),
    ("length", &LengthPrefix { limit: LIMIT }),
    (
        "tagged",
        &Tagged {
            chunk: 1,
            limit: LIMIT,
        },
    ),
];

fn work(out: &mut dyn Write) -> Outcome {
    let messages = [b"a\n".to_vec(), b"\\b".to_vec()];
    for (name, framing) in FRAMINGS {
        let mut stream = Vec::new();
        for message in &messages {
            stream.extend(framing.encode(message)?);
        }
        let (all, right) = every_split(framing, &stream, &messages);
        writeln!(out, "{name:9}  {}", stream.escape_ascii())?;
        writeln!(out, "{:9}  {right} of {all} splits give both messages", "")?;
    }
    for (name, what, attack) in attacks() {
        for (_, framing) in FRAMINGS.iter().filter(|(other, _)| *other == name) {
            writeln!(out, "{name:9}  {what}: {}", said_to(*framing, &attack))?;
        }
    }
    Ok(())
}

/// Cuts the stream in every way there is, between any two bytes or not, and counts how often the
/// messages come out whole.
fn every_split(framing: &dyn Framing, stream: &[u8], messages: &[Vec<u8>]) -> (u32, u32) {
    let all = 1 << (stream.len() - 1);
    let mut right = 0;
    for cuts in 0..all {
        let mut receiver = Receiver::new(framing);
        let mut got = Vec::new();
        let mut begin = 0;
        for end in 1..=stream.len() {
            if end == stream.len() || cuts >> (end - 1) & 1 == 1 {
                got.extend(receiver.push(&stream[begin..end]).unwrap_or_default());
                begin = end;
            }
        }
        right += u32::from(got == messages && receiver.end().is_ok());
    }
    (all, right)
}
// ANCHOR_END: splits

// ANCHOR: hostile
/// What no honest peer sends: the framing it is meant for, what it is, its bytes.
fn attacks() -> [(&'static str, &'static str, Vec<u8>); 8] {
    [
        ("fixed", "half a message", b"a".to_vec()),
        ("delimited", "a megabyte, no end", vec![b'x'; 1 << 20]),
        ("delimited", "a bad escape", b"a\\b\n".to_vec()),
        ("length", "a length of four billion", vec![0xff; 1 << 20]),
        ("length", "half a message", b"\0\0\0\x02a".to_vec()),
        ("tagged", "empty chunks for ever", b"M\0\0".repeat(1 << 20)),
        ("tagged", "a kind to skip", b"z\0\x03newL\0\x02ok".to_vec()),
        (
            "tagged",
            "a kind to understand",
            b"Z\0\x03newL\0\x02ok".to_vec(),
        ),
    ]
}

/// Gives a framing the attack in pieces of 100 bytes, and says how that ended and how soon.
fn said_to(framing: &dyn Framing, attack: &[u8]) -> String {
    let mut receiver = Receiver::new(framing);
    let mut taken = 0;
    let mut messages = Vec::new();
    for piece in attack.chunks(100) {
        taken += piece.len();
        match receiver.push(piece) {
            Ok(got) => messages.extend(got),
            Err(malformed) => return format!("{malformed} (after {taken})"),
        }
    }
    match receiver.end() {
        Ok(()) => format!("\"{}\"", messages.concat().escape_ascii()),
        Err(malformed) => malformed.to_string(),
    }
}
// ANCHOR_END: hostile
