//! What does an address look like in memory?

use std::io::Write;
use std::process::ExitCode;

use introduction::program::{Outcome, run};
use sockets_introduction::address::Address;
use sockets_introduction::layout::{Field, of_family};

const USAGE: &str =
    "usage: address-tool ADDRESS..., for example 192.0.2.1:80 or /tmp/socket";

fn main() -> ExitCode {
    run(USAGE, work)
}

fn work(arguments: &[&str], out: &mut dyn Write) -> Outcome {
    if arguments.is_empty() {
        return Err(USAGE.into());
    }
    for text in arguments {
        show(&text.parse()?, out)?;
    }
    Ok(())
}

// ANCHOR: show
/// Writes the address as text, then its bytes, a line or more to a field.
fn show(address: &Address, out: &mut dyn Write) -> Outcome {
    let layout = of_family(address.family());
    writeln!(out, "{address}: {}, {} bytes", layout.name, address.len())?;
    for Field { name, offset, size } in layout.fields {
        let bytes = &address.bytes()[*offset..];
        let bytes = &bytes[..bytes.len().min(*size)];
        for (row, bytes) in bytes.chunks(16).enumerate() {
            let offset = offset + 16 * row;
            let name = if row == 0 { name } else { "" };
            writeln!(out, "  {offset:>3}  {name:14} {}", hex(bytes))?;
        }
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}
// ANCHOR_END: show
