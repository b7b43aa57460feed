//! What does `inet_ntoa` give when you call it twice?

use std::ffi::CStr;
use std::io::Write;
use std::net::Ipv4Addr;
use std::process::ExitCode;

use introduction::program::{Outcome, run_alone};
use sockets_introduction::text::by_inet_ntoa;

fn main() -> ExitCode {
    run_alone("usage: ntoa-twice", work)
}

fn work(out: &mut dyn Write) -> Outcome {
    let client = by_inet_ntoa(Ipv4Addr::new(192, 0, 2, 1));
    let server = by_inet_ntoa(Ipv4Addr::new(192, 0, 2, 80));
    // SAFETY: both point to the one buffer of this thread, which ends with a zero.
    let (client, server) =
        unsafe { (CStr::from_ptr(client), CStr::from_ptr(server)) };
    writeln!(
        out,
        "client {}, server {}",
        client.to_string_lossy(),
        server.to_string_lossy()
    )?;
    Ok(())
}
