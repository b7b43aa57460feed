//! What do calls do when there is too little room for an address?

use std::io::Write;
use std::net::{Ipv6Addr, TcpListener};
use std::process::ExitCode;

use introduction::program::{Outcome, run_alone};
use sockets_introduction::text::of_ip;
use sockets_introduction::value_result::local_with_room;

fn main() -> ExitCode {
    run_alone("usage: short-room", work)
}

fn work(out: &mut dyn Write) -> Outcome {
    let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0))?;
    for room in [128, 28, 16, 0] {
        let (bytes, length) = local_with_room(&listener, room)?;
        writeln!(
            out,
            "getsockname, room {room:>3}: {} bytes of {length}",
            bytes.len()
        )?;
    }
    for room in [46, 4, 3] {
        let text = of_ip(Ipv6Addr::LOCALHOST.into(), room)
            .unwrap_or_else(|error| error.errno.to_string());
        writeln!(out, "inet_ntop,   room {room:>3}: {text}")?;
    }
    Ok(())
}
