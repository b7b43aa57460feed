//! Sends each line of its input to an echo server, and prints what comes back.

use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::process::ExitCode;

use introduction::error::InCall;
use introduction::program::{Outcome, run};
use nix::sys::socket::{Shutdown, shutdown};
use sockets_introduction::line::LineReader;
use sockets_introduction::value_result::local_address;
use sockets_introduction::whole::{read_n, write_n};
use tcp_client_server::connection::{connect_to, parse_address};

const USAGE: &str = "usage: tcp-echo-client ADDRESS, for example 127.0.0.1:8000";

fn main() -> ExitCode {
    run(USAGE, work)
}

fn work(arguments: &[&str], out: &mut dyn Write) -> Outcome {
    let [server] = arguments else {
        return Err(USAGE.into());
    };
    // ANCHOR: converse
    let server = connect_to(parse_address(server)?)?;
    writeln!(out, "connected from {}", local_address(&server)?)?;
    let mut keyboard = LineReader::new(io::stdin(), 4096);
    loop {
        let line = keyboard.read_line()?;
        if line.is_empty() {
            break;
        }
        write_n(&server, &line)?;
        let mut echo = vec![0; line.len()];
        let count = read_n(&server, &mut echo)?;
        if count < line.len() {
            let wanted = line.len();
            return Err(format!("the server ended after {count} of {wanted} bytes").into());
        }
        out.write_all(&echo)?;
    }
    // ANCHOR_END: converse

    // ANCHOR: end
    shutdown(server.as_raw_fd(), Shutdown::Write).in_call("shutdown")?;
    match read_n(&server, &mut [0; 1])? {
        0 => Ok(writeln!(out, "the server has ended, too")?),
        _ => Err("the server sent more than it was sent".into()),
    }
    // ANCHOR_END: end
}
