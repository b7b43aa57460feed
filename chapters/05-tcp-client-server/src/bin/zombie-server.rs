//! Echoes, with a process for each client, and forgets the processes.

use std::io::Write;
use std::process::ExitCode;

use introduction::error::InCall;
use introduction::program::{Outcome, run};
use introduction::server::listen_at;
use nix::unistd::{ForkResult, fork};
use sockets_introduction::value_result::{accept, local_address};
use tcp_client_server::connection::parse_address;
use tcp_client_server::echo::echo;

const USAGE: &str = "usage: zombie-server [ADDRESS], for example 127.0.0.1:8000";

fn main() -> ExitCode {
    run(USAGE, work)
}

fn work(arguments: &[&str], out: &mut dyn Write) -> Outcome {
    let address = match arguments {
        [] => "127.0.0.1:0",
        [address] => address,
        _ => return Err(USAGE.into()),
    };
    // ANCHOR: serve
    let listener = listen_at(parse_address(address)?)?;
    let pid = std::process::id();
    writeln!(
        out,
        "process {pid} listens on {}",
        local_address(&listener)?
    )?;
    loop {
        let (connection, client) = accept(&listener)?;
        // SAFETY: this process has one thread, so no lock is held by another.
        match unsafe { fork() }.in_call("fork")? {
            ForkResult::Parent { .. } => drop(connection),
            ForkResult::Child => {
                drop(listener);
                let echoed = echo(&connection)?;
                writeln!(out, "{client} has ended after {echoed} bytes")?;
                return Ok(());
            }
        }
    }
    // ANCHOR_END: serve
}
