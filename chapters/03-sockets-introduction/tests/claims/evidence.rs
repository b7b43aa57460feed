//! What did the experiment see, and is it what the verdict says?

use std::fmt::{Display, Write};
use std::io;

use lab::prelude::*;

/// Something that an experiment saw. It is evidence already; [`Sight::is`] says what it proves.
#[must_use = "say what it must be, or the experiment cannot fail"]
pub struct Sight<'a, S> {
    what: &'a str,
    seen: S,
}

/// Records `what: seen` as evidence.
pub fn saw<'a, S: Display>(cx: &Check, what: &'a str, seen: S) -> Sight<'a, S> {
    cx.evidence(format!("{what}: {seen}"));
    Sight { what, seen }
}

impl<S: Display> Sight<'_, S> {
    /// Fails the experiment unless this is what the verdict rests on.
    pub fn is<W: Display>(self, wanted: W) -> Result<(), Finding>
    where
        S: PartialEq<W>,
    {
        let Sight { what, seen } = self;
        ensure!(seen == wanted, "{what}: {seen}; the verdict says {wanted}");
        Ok(())
    }
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

/// *Not run* on a big-endian machine: there is nothing to convert, and no mistake to be seen.
pub fn little_endian_machine() -> Result<(), Finding> {
    if cfg!(target_endian = "big") {
        return Err(Finding::needs(
            "a little-endian machine, for the two orders to differ",
        ));
    }
    Ok(())
}
