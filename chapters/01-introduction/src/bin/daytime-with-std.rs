//! What does `std::net` do for you?

use std::io::{self, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use introduction::program::{Outcome, run};

const USAGE: &str = "usage: daytime-with-std HOST:PORT, for example localhost:13";

fn main() -> ExitCode {
    run(USAGE, work)
}

// ANCHOR: work
fn work(arguments: &[&str], out: &mut dyn Write) -> Outcome {
    let [server] = arguments else {
        return Err(USAGE.into());
    };
    let mut connection = TcpStream::connect(server)?;
    io::copy(&mut connection, out)?;
    Ok(())
}
// ANCHOR_END: work
