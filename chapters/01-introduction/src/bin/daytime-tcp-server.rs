//! Tells everybody who connects what time it is, one after the other.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::process::ExitCode;

use introduction::clock;
use introduction::error::CallError;
use introduction::program::{Outcome, run};
use introduction::server::{accept, address_of, listen_at, peer_of, send};

const USAGE: &str =
    "usage: daytime-tcp-server [--byte-a-write] [ADDRESS:PORT], for example [::]:0";

fn main() -> ExitCode {
    run(USAGE, work)
}

// ANCHOR: work
fn work(arguments: &[&str], out: &mut dyn Write) -> Outcome {
    let (byte_a_write, rest) = match arguments {
        ["--byte-a-write", rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let address: SocketAddr = match rest {
        [] => ([127, 0, 0, 1], 0).into(),
        [address] => address
            .parse()
            .map_err(|_| format!("{address} is no address with a port; {USAGE}"))?,
        _ => return Err(USAGE.into()),
    };

    let listener = listen_at(address)?;
    writeln!(out, "listening on {}", address_of(&listener)?)?;
    loop {
        let connection = accept(&listener)?;
        match answer(&connection, byte_a_write) {
            Ok(client) => writeln!(out, "told {}", client.ip())?,
            // A client that goes away is no reason to leave the others without an
            // answer.
            Err(error) => writeln!(io::stderr(), "a client got no answer: {error}")?,
        }
    }
}
// ANCHOR_END: work

// ANCHOR: answer
fn answer(connection: &OwnedFd, byte_a_write: bool) -> Result<SocketAddr, CallError> {
    let client = peer_of(connection)?;
    let line = clock::line();
    let size = if byte_a_write { 1 } else { line.len() };
    for piece in line.as_bytes().chunks(size) {
        send(connection, piece)?;
    }
    Ok(client)
}
// ANCHOR_END: answer
