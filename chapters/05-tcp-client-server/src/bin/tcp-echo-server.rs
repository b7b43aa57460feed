//! Echoes, with a process for each client, for as long as it is let.

use std::io::Write;
use std::process::ExitCode;

use introduction::program::{Outcome, run};
use introduction::server::listen_at;
use nix::sys::signal::Signal;
use nix::unistd::{ForkResult, fork};
use sockets_introduction::value_result::local_address;
use tcp_client_server::accept::next_client;
use tcp_client_server::children::reap_all;
use tcp_client_server::connection::parse_address;
use tcp_client_server::echo::echo;
use tcp_client_server::signals::on_signal;

const USAGE: &str = "usage: tcp-echo-server [ADDRESS], for example 127.0.0.1:8000";

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
    on_signal(Signal::SIGCHLD, reap_all, libc::SA_RESTART)?;
    let listener = listen_at(parse_address(address)?)?;
    let pid = std::process::id();
    writeln!(
        out,
        "process {pid} listens on {}",
        local_address(&listener)?
    )?;
    loop {
        let (connection, client) = next_client(&listener)?;
        // SAFETY: this process has one thread, so no lock is held by another.
        match unsafe { fork() } {
            Ok(ForkResult::Parent { .. }) => drop(connection),
            Ok(ForkResult::Child) => {
                drop(listener);
                writeln!(out, "{client} is served by process {}", std::process::id())?;
                match echo(&connection) {
                    Ok(count) => writeln!(out, "{client} has ended after {count} bytes")?,
                    Err(error) => writeln!(out, "{client} is lost: {error}")?,
                }
                return Ok(());
            }
            // This client is turned away. The others keep their server.
            Err(errno) => writeln!(out, "{client} is turned away: fork: {errno}")?,
        }
    }
    // ANCHOR_END: serve
}
