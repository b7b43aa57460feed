//! Adds two numbers for each client: lines of text, or structures as some machine has them.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::process::ExitCode;

use introduction::program::{Outcome, run};
use introduction::server::listen_at;
use sockets_introduction::line::LineReader;
use sockets_introduction::value_result::local_address;
use sockets_introduction::whole::{read_n, write_n};
use tcp_client_server::accept::next_client;
use tcp_client_server::connection::parse_address;
use tcp_client_server::sum::{Machine, sum_of_line};

const USAGE: &str = "usage: tcp-sum-server [--struct MACHINE] [ADDRESS]";

fn main() -> ExitCode {
    run(USAGE, work)
}

fn work(arguments: &[&str], out: &mut dyn Write) -> Outcome {
    let (machine, rest) = match arguments {
        ["--struct", name, rest @ ..] => (Some(Machine::named(name)?), rest),
        rest => (None, rest),
    };
    let address = match rest {
        [] => "127.0.0.1:0",
        [address] if !address.starts_with('-') => address,
        _ => return Err(USAGE.into()),
    };
    let listener = listen_at(parse_address(address)?)?;
    writeln!(out, "listening on {}", local_address(&listener)?)?;
    loop {
        let (connection, client) = next_client(&listener)?;
        let served = match machine {
            None => serve_text(connection, out),
            Some(machine) => serve_struct(connection, machine, out),
        };
        if let Err(error) = served {
            writeln!(out, "{client}: {error}")?;
        }
    }
}

// ANCHOR: text
fn serve_text(connection: OwnedFd, out: &mut dyn Write) -> Outcome {
    let mut lines = LineReader::new(std::fs::File::from(connection.try_clone()?), 80);
    loop {
        let line = lines.read_line()?;
        if line.is_empty() {
            return Ok(());
        }
        let answer = match sum_of_line(&line) {
            Ok(sum) => sum.to_string(),
            Err(wrong) => format!("error: {wrong}"),
        };
        writeln!(out, "{} -> {answer}", line.trim_ascii_end().escape_ascii())?;
        write_n(&connection, format!("{answer}\n").as_bytes())?;
    }
}
// ANCHOR_END: text

// ANCHOR: struct
fn serve_struct(connection: OwnedFd, machine: Machine, out: &mut dyn Write) -> Outcome {
    let mut request = vec![0; 2 * machine.word];
    loop {
        let count = read_n(&connection, &mut request)?;
        if count == 0 {
            return Ok(());
        }
        if count < request.len() {
            return Err(
                format!("the client ended after {count} of {} bytes", request.len()).into(),
            );
        }
        let (a, b) = request.split_at(machine.word);
        let (a, b) = (machine.number_in(a), machine.number_in(b));
        let sum = a.wrapping_add(b);
        writeln!(out, "{a} + {b} = {sum}")?;
        write_n(&connection, &machine.bytes_of(sum))?;
    }
}
// ANCHOR_END: struct
