//! A client connects and resets the connection before the server accepts it. What does the server see?

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ExitCode;

use introduction::error::InCall;
use introduction::program::{Outcome, run_alone};
use nix::sys::socket::{setsockopt, sockopt};
use nix::unistd::read;
use sockets_introduction::value_result::accept;

fn main() -> ExitCode {
    run_alone("usage: abort-in-queue", work)
}

fn work(out: &mut dyn Write) -> Outcome {
    // ANCHOR: abort
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    // Close with RST instead of FIN, see chapter 7.
    let at_once = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    setsockopt(&client, sockopt::Linger, &at_once).in_call("setsockopt")?;
    drop(client);

    match accept(&listener) {
        Err(error) => writeln!(out, "{error}")?,
        Ok((connection, _)) => {
            writeln!(out, "accept4: a connection")?;
            for _ in 0..2 {
                match read(&connection, &mut [0; 16]) {
                    Ok(count) => writeln!(out, "read: {count}")?,
                    Err(errno) => writeln!(out, "read: {errno}")?,
                }
            }
        }
    }
    // ANCHOR_END: abort
    Ok(())
}
