//! The four framings, against the stream and against hostile peers.

use lab::prelude::*;
use tcp_client_server::framing::delimited::Delimited;
use tcp_client_server::framing::fixed::Fixed;
use tcp_client_server::framing::length::LengthPrefix;
use tcp_client_server::framing::tagged::Tagged;
use tcp_client_server::framing::{Framing, Malformed, Receiver};

/// The program of the book, whole.
pub fn every_split_gives_the_messages(cx: &Check) -> Verdict {
    let said = cx
        .program(env!("CARGO_BIN_EXE_framing-lab"), &[] as &[&str])?
        .exits(0)?;
    for line in [
        "8 of 8 splits give both messages",
        "128 of 128 splits give both messages",
        "2048 of 2048 splits give both messages",
        "32768 of 32768 splits give both messages",
        "delimited  a megabyte, no end: 1101 bytes where 1024 are the limit (after 1100)",
        "length     a length of four billion: 4294967295 bytes where 1024 are the limit (after 100)",
        "tagged     empty chunks for ever: 1026 bytes where 1024 are the limit (after 1100)",
        "tagged     a kind to skip: \"ok\"",
    ] {
        ensure!(said.contains(line), "it did not print {line:?}:\n{said}");
    }
    PASS
}

/// A number that looks random, the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 as usize % bound
    }
}

/// Messages of all bytes and many lengths, in pieces of many lengths.
pub fn any_message_and_any_pieces(_cx: &Check) -> Verdict {
    let mut dice = Dice(0x5eed);
    for round in 0..500 {
        let size = 1 + dice.below(40);
        let chunk = 1 + dice.below(8) as u16;
        let framings: [(&dyn Framing, bool); 4] = [
            (&Fixed { size }, true),
            (&Delimited { limit: 4096 }, false),
            (&LengthPrefix { limit: 4096 }, false),
            (&Tagged { chunk, limit: 4096 }, false),
        ];
        for (framing, one_size) in framings {
            let mut messages: Vec<Vec<u8>> = Vec::new();
            for _ in 0..dice.below(6) {
                let length = if one_size { size } else { dice.below(60) };
                // Many of the bytes that mean something to one of them.
                let byte = |dice: &mut Dice| {
                    b"\n\\nML\0\x01a"[dice.below(8)] ^ (dice.below(16) / 15) as u8
                };
                messages.push((0..length).map(|_| byte(&mut dice)).collect());
            }
            let mut receiver = Receiver::new(framing);
            let mut got = Vec::new();
            let encoded: Result<Vec<_>, _> = messages.iter().map(|m| framing.encode(m)).collect();
            let stream = encoded
                .map_err(|error| Finding::fail(error.to_string()))?
                .concat();
            let mut rest = &stream[..];
            while !rest.is_empty() {
                let (piece, after) = rest.split_at((1 + dice.below(20)).min(rest.len()));
                got.extend(
                    receiver
                        .push(piece)
                        .map_err(|error| Finding::fail(error.to_string()))?,
                );
                rest = after;
            }
            ensure!(
                got == messages,
                "round {round}: {messages:?} came out as {got:?}"
            );
            ensure!(receiver.end() == Ok(()), "round {round}: something is left");
        }
    }
    PASS
}

/// What no framing can carry is refused on the way out; what is too long, before it is kept.
pub fn each_attack_is_refused_early(_cx: &Check) -> Verdict {
    let limit = 8;
    let too_long = |bytes| Err(Malformed::TooLong { bytes, limit });
    let fixed = Fixed { size: 2 };
    ensure!(
        fixed.encode(b"abc") == Err(Malformed::NotThisLong(3)),
        "fixed: three for two"
    );

    let delimited = Delimited { limit };
    ensure!(
        delimited.encode(b"1234567").is_ok(),
        "delimited: seven and the end are eight"
    );
    ensure!(
        delimited.encode(b"12345678") == too_long(9).map(|()| vec![]),
        "delimited: nine"
    );
    ensure!(
        delimited.encode(b"\n\n\n\n") == too_long(9).map(|()| vec![]),
        "delimited: escapes"
    );
    ensure!(
        delimited.decode(b"1234567") == Ok(None),
        "delimited: the end may come"
    );
    ensure!(
        delimited.decode(b"12345678") == too_long(9).map(|()| None),
        "delimited: too late"
    );
    ensure!(
        delimited.decode(b"12345678\n") == too_long(9).map(|()| None),
        "delimited: nine, in"
    );
    let dangling = delimited.decode(b"a\\\n");
    ensure!(
        dangling == Err(Malformed::Meaningless(b'\n')),
        "delimited: {dangling:?}"
    );

    let length = LengthPrefix { limit };
    ensure!(
        length.encode(&[0; 9]) == too_long(9).map(|()| vec![]),
        "length: nine"
    );
    ensure!(
        length.decode(&[0, 0, 0, 9]) == too_long(9).map(|()| None),
        "length: announced"
    );
    ensure!(
        length.decode(&[0, 0, 0]) == Ok(None),
        "length: half a prefix"
    );
    ensure!(
        length.decode(&[0, 0, 0, 0]) == Ok(Some((vec![], 4))),
        "length: an empty message"
    );

    let tagged = Tagged { chunk: 4, limit };
    ensure!(
        tagged.decode(b"M\0\x06") == too_long(9).map(|()| None),
        "tagged: announced"
    );
    ensure!(
        tagged.decode(b"M\0\0M\0\0M") == Ok(None),
        "tagged: half a head"
    );
    ensure!(
        tagged.decode(b"M\0\0M\0\0M\0\0") == too_long(9).map(|()| None),
        "tagged: for ever"
    );
    ensure!(
        tagged.decode(b"q\0\x02??L\0\0") == Ok(Some((vec![], 8))),
        "tagged: skipped"
    );
    ensure!(
        tagged.decode(b"Q\0\0") == Err(Malformed::Meaningless(b'Q')),
        "tagged: unknown"
    );
    PASS
}
