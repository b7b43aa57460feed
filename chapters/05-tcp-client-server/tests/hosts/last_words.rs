//! What is left when it is over: the client's last words, and what was on the wire.

use std::fs;
use std::path::PathBuf;

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

/// Keeps what was on the wire, for the book: with BLESS set, as `wire/NAME.pcapng`.
pub fn record(name: &str, net: &Net) -> Result<(), Finding> {
    if std::env::var_os("BLESS").is_some() {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("wire");
        fs::create_dir_all(&folder)?;
        let mut file = fs::File::create(folder.join(format!("{name}.pcapng")))?;
        net.wire()?.tcp(PORT).pcapng(&mut file)?;
    }
    Ok(())
}
