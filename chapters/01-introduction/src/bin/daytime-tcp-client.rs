//! What time is it over there?

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

use introduction::client::Connection;
use introduction::program::{Outcome, run};

const USAGE: &str =
    "usage: daytime-tcp-client [--reads] ADDRESS:PORT, for example 127.0.0.1:13";

fn main() -> ExitCode {
    run(USAGE, work)
}

// ANCHOR: work
fn work(arguments: &[&str], out: &mut dyn Write) -> Outcome {
    let (count_reads, server) = match arguments {
        ["--reads", server] => (true, server),
        [server] => (false, server),
        _ => return Err(USAGE.into()),
    };
    let server: SocketAddr = server
        .parse()
        .map_err(|_| format!("{server} is no address with a port; {USAGE}"))?;

    let connection = Connection::to(server)?;
    let mut buffer = [0; 1024];
    let (mut bytes, mut reads) = (0, 0);
    loop {
        let count = connection.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        out.write_all(&buffer[..count])?;
        bytes += count;
        reads += 1;
    }
    if count_reads {
        writeln!(out, "bytes: {bytes}, reads: {reads}")?;
    }
    Ok(())
}
// ANCHOR_END: work
