//! What was on the wire? Each check here makes one exchange of the chapter anew, on hosts of its own, and compares it with
//! the capture that the book shows.
//!
//! `LAB_BLESS=1 cargo test -p introduction --test wire` writes the captures that the programs and the book use.

use std::process::ExitCode;

use lab::prelude::*;
use lab::wire::Wire;

#[path = "wire/exchange.rs"]
mod exchange;
#[path = "wire/golden.rs"]
mod golden;

fn main() -> ExitCode {
    Suite::new("wire")
        .section("01-introduction#what-was-on-the-wire")
        .check(daytime)
        .check(daytime_ipv6)
        .check(nobody_there)
        .check(byte_a_write)
        .main()
}

/// Compares with the capture that the programs read, and with the record that the book draws.
fn keep(cx: &Check, name: &str, wire: &Wire) -> Verdict {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/wire");
    cx.golden(format!("{folder}/{name}.wire"), wire)?;
    golden::compare(name, wire.frames())
}

/// The daytime pair over IPv4: who has the address, the handshake, one line, the close.
fn daytime(cx: &Check) -> Verdict {
    let net = exchange::daytime(cx, |server| server.v4().into(), &[])?;
    keep(cx, "daytime", &exchange::talk(&net)?)
}

/// The same programs over IPv6.
fn daytime_ipv6(cx: &Check) -> Verdict {
    let net = exchange::daytime(cx, |server| server.v6().into(), &[])?;
    golden::compare("daytime-ipv6", exchange::talk(&net)?.frames())
}

/// A datagram for a port that nobody has, and what the host says to that.
fn nobody_there(cx: &Check) -> Verdict {
    let net = exchange::nobody_there(cx)?;
    golden::compare("nobody-there", exchange::talk(&net)?.frames())
}

/// Twenty-six writes are two segments: the first byte, and all that was written while it was on its way.
fn byte_a_write(cx: &Check) -> Verdict {
    let net = exchange::byte_a_write(cx)?;
    keep(cx, "byte-a-write", &exchange::talk(&net)?)
}
