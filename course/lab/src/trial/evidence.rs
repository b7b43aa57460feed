//! What did the experiment see, and is it what the verdict says?

use std::fmt::{Display, Write};
use std::io;

use nix::errno::Errno;

use crate::check::Check;
use crate::ensure;
use crate::finding::Finding;

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
    /// Demands that this is what the verdict rests on.
    ///
    /// # Errors
    ///
    /// A failure when it is something else: then the verdict does not hold here.
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

/// Asks for a machine on which there is something to convert, and a mistake to be seen.
///
/// # Errors
///
/// *Not run* on a big-endian machine.
pub fn little_endian_machine() -> Result<(), Finding> {
    if cfg!(target_endian = "big") {
        return Err(Finding::needs(
            "a little-endian machine, for the two orders to differ",
        ));
    }
    Ok(())
}
