//! Has a server add two numbers, asked by a line of text, or by a structure as some machine has it.

use std::io::Write;
use std::os::fd::AsRawFd;
use std::process::ExitCode;

use introduction::error::InCall;
use introduction::program::{Outcome, run};
use nix::sys::socket::{Shutdown, shutdown};
use sockets_introduction::line::LineReader;
use sockets_introduction::whole::{read_n, write_n};
use tcp_client_server::connection::{connect_to, parse_address};
use tcp_client_server::sum::Machine;

const USAGE: &str = "usage: tcp-sum-client [--struct MACHINE] ADDRESS NUMBER NUMBER";

fn main() -> ExitCode {
    run(USAGE, work)
}

fn work(arguments: &[&str], out: &mut dyn Write) -> Outcome {
    let (machine, rest) = match arguments {
        ["--struct", name, rest @ ..] => (Some(Machine::named(name)?), rest),
        rest => (None, rest),
    };
    let [server, a, b] = rest else {
        return Err(USAGE.into());
    };
    // ANCHOR: ask
    let number = |text: &str| {
        text.parse()
            .map_err(|_| format!("{text} is not a number; {USAGE}"))
    };
    let (a, b): (i64, i64) = (number(a)?, number(b)?);
    let server = connect_to(parse_address(server)?)?;
    match machine {
        None => write_n(&server, format!("{a} {b}\n").as_bytes())?,
        Some(machine) => write_n(
            &server,
            &[machine.bytes_of(a), machine.bytes_of(b)].concat(),
        )?,
    }
    // There will be no second question: whoever waits for more is not to wait for ever.
    shutdown(server.as_raw_fd(), Shutdown::Write).in_call("shutdown")?;
    let sum = match machine {
        None => {
            let line = LineReader::new(std::fs::File::from(server), 80).read_line()?;
            line.trim_ascii_end().escape_ascii().to_string()
        }
        Some(machine) => {
            let mut bytes = vec![0; machine.word];
            match read_n(&server, &mut bytes)? {
                count if count == machine.word => machine.number_in(&bytes).to_string(),
                count => format!("the server ended after {count} of {} bytes", machine.word),
            }
        }
    };
    writeln!(out, "{a} + {b} = {sum}")?;
    // ANCHOR_END: ask
    Ok(())
}
