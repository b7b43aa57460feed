//! Says `hel`, waits a second, and says `lo`.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use introduction::program::{Outcome, run_alone};
use sockets_introduction::value_result::{accept, local_address};
use sockets_introduction::whole::write_n;

fn main() -> ExitCode {
    run_alone("usage: slow-writer", work)
}

fn work(out: &mut dyn Write) -> Outcome {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    writeln!(out, "listening on {}", local_address(&listener)?)?;
    let (peer, address) = accept(&listener)?;
    writeln!(out, "{address} is here")?;
    write_n(&peer, b"hel")?;
    sleep(Duration::from_secs(1));
    write_n(&peer, b"lo")?;
    Ok(())
}
