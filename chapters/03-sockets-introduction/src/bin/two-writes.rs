//! Two writes, one read: what arrives, by stream and by datagram?

use std::io::Write;
use std::process::ExitCode;

use introduction::error::InCall;
use introduction::program::{Outcome, run_alone};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::unistd::{read, write};

fn main() -> ExitCode {
    run_alone("usage: two-writes", work)
}

fn work(out: &mut dyn Write) -> Outcome {
    for (name, kind) in
        [("stream", SockType::Stream), ("datagram", SockType::Datagram)]
    {
        let pair =
            socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC);
        let (here, there) = pair.in_call("socketpair")?;
        write(&there, b"hello").in_call("write")?;
        write(&there, b"world").in_call("write")?;
        let mut buffer = [0; 10];
        let count = read(&here, &mut buffer).in_call("read")?;
        writeln!(out, "{name:8}  {}", buffer[..count].escape_ascii())?;
    }
    Ok(())
}
