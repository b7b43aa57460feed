//! How many of five bytes does one `read` bring?

use std::io::Write;
use std::net::TcpStream;
use std::process::ExitCode;

use introduction::error::InCall;
use introduction::program::{Outcome, run};
use nix::unistd::read;
use sockets_introduction::address::Address;
use sockets_introduction::whole::read_n;

const USAGE: &str = "usage: one-read [--all] ADDRESS, for example 127.0.0.1:8000";

fn main() -> ExitCode {
    run(USAGE, work)
}

fn work(arguments: &[&str], out: &mut dyn Write) -> Outcome {
    let (all, text) = match arguments {
        ["--all", text] => (true, text),
        [text] => (false, text),
        _ => return Err(USAGE.into()),
    };
    let address: Address = text.parse()?;
    let peer = TcpStream::connect(address.to_std().ok_or(USAGE)?);
    let peer = peer.map_err(|error| format!("connect: {error}"))?;
    // ANCHOR: read
    let mut buffer = [0; 5];
    let count = if all {
        read_n(&peer, &mut buffer)?
    } else {
        read(&peer, &mut buffer).in_call("read")?
    };
    let text = buffer[..count].escape_ascii();
    writeln!(out, "asked for {} bytes, got {count}: \"{text}\"", buffer.len())?;
    // ANCHOR_END: read
    Ok(())
}
