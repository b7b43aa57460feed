//! What is left when it is over: the client's last words, and what was on the wire.

use lab::net::Net;
use lab::prelude::*;

use crate::common::{EchoPair, PORT};

/// Types a line, and demands that the client then ends with this message.
pub fn says_at_last(pair: &mut EchoPair, line: &str, message: &str) -> Result<(), Finding> {
    pair.client.types(line)?;
    pair.client.exits(1)?;
    let said = pair.client.stderr();
    ensure!(
        said.trim_end() == message,
        "expected the client to say {message:?}, it said {said:?}"
    );
    Ok(())
}

/// Compares what was on the wire with the record that the book draws. `LAB_BLESS=1` keeps it anew.
pub fn record(cx: &Check, name: &str, net: &Net) -> Result<(), Finding> {
    let file = format!("{}/wire/{name}.wire", env!("CARGO_MANIFEST_DIR"));
    cx.golden(file, &net.wire()?.tcp(PORT))
}
