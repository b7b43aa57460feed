//! What did the experiment see, and is it what the verdict says?

use std::fmt::{Display, Write};
use std::io;

use lab::prelude::*;

/// Records `what: seen` as evidence, and fails the experiment when the verdict rests on something else.
#[allow(
    clippy::needless_pass_by_value,
    reason = "a call is to read like a sentence"
)]
pub fn saw<S, W>(cx: &Check, what: &str, seen: S, wanted: W) -> Result<(), Finding>
where
    S: Display + PartialEq<W>,
    W: Display,
{
    cx.evidence(format!("{what}: {seen}"));
    ensure!(seen == wanted, "{what}: {seen}; the verdict says {wanted}");
    Ok(())
}

/// How a call ended: `ok`, or the name of its errno.
pub fn said<T>(result: &io::Result<T>) -> String {
    match result {
        Ok(_) => "ok".into(),
        Err(error) => match error.raw_os_error() {
            Some(number) => format!("{:?}", Errno::from_raw(number)),
            None => error.to_string(),
        },
    }
}

/// Bytes as two hexadecimal digits each, in the order of their addresses.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (i, byte) in bytes.iter().enumerate() {
        let gap = if i == 0 { "" } else { " " };
        write!(text, "{gap}{byte:02x}").expect("a String takes all text");
    }
    text
}
