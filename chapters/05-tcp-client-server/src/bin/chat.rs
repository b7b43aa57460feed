//! Two people, two processes each: one reads the keyboard, the other the socket.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::ExitCode;

use introduction::error::InCall;
use introduction::program::{Outcome, run};
use introduction::server::listen_at;
use nix::errno::Errno;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{Shutdown, shutdown};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, getpid, getppid};
use sockets_introduction::line::LineReader;
use sockets_introduction::value_result::local_address;
use sockets_introduction::whole::write_n;
use tcp_client_server::accept::next_client;
use tcp_client_server::connection::{connect_to, parse_address};

const USAGE: &str = "usage: chat --listen [ADDRESS], or chat ADDRESS";
/// The longest line that either end may say, in bytes.
const LINE: usize = 4096;

fn main() -> ExitCode {
    run(USAGE, work)
}

fn work(arguments: &[&str], out: &mut dyn Write) -> Outcome {
    let connection = match arguments {
        ["--listen", rest @ ..] if rest.len() < 2 => {
            let address = rest.first().unwrap_or(&"127.0.0.1:0");
            let listener = listen_at(parse_address(address)?)?;
            writeln!(out, "waiting at {}", local_address(&listener)?)?;
            let (connection, client) = next_client(&listener)?;
            writeln!(out, "{client} is here")?;
            connection
        }
        [address] if !address.starts_with('-') => {
            let connection = connect_to(parse_address(address)?)?;
            writeln!(out, "connected to {address}")?;
            connection
        }
        _ => return Err(USAGE.into()),
    };
    converse(connection, out)
}

// ANCHOR: converse
/// One process for each direction. The conversation is over when either side ends its input.
fn converse(connection: OwnedFd, out: &mut dyn Write) -> Outcome {
    let parent = getpid();
    // SAFETY: this process has one thread.
    match unsafe { fork() }.in_call("fork")? {
        ForkResult::Child => {
            // If the parent is killed, nobody else will end a process that waits for the keyboard.
            set_pdeathsig(Signal::SIGTERM).in_call("prctl")?;
            if getppid() != parent {
                return Ok(());
            }
            speak(&connection)
        }
        ForkResult::Parent { child } => {
            let heard = hear(connection, out);
            // It has not been waited for, so its number is still its own, even if it has ended.
            kill(child, Signal::SIGTERM).in_call("kill")?;
            while let Err(errno) = waitpid(child, None) {
                if errno != Errno::EINTR {
                    return Err(errno).in_call("waitpid")?;
                }
            }
            heard
        }
    }
}

/// From the keyboard to the socket. At the end of the input, the peer reads end-of-file.
fn speak(connection: &OwnedFd) -> Outcome {
    let mut keyboard = LineReader::new(io::stdin(), LINE);
    loop {
        let line = keyboard.read_line()?;
        if line.is_empty() {
            return Ok(shutdown(connection.as_raw_fd(), Shutdown::Write).in_call("shutdown")?);
        }
        write_n(connection, &line)?;
    }
}

/// From the socket to the screen, until the peer will say no more.
fn hear(connection: OwnedFd, out: &mut dyn Write) -> Outcome {
    let mut lines = LineReader::new(File::from(connection), LINE);
    loop {
        let line = lines.read_line()?;
        if line.is_empty() {
            return Ok(writeln!(out, "the conversation is over")?);
        }
        // A peer may send what makes a terminal do things. Show it, do not pass it on.
        let text = String::from_utf8_lossy(line.trim_ascii_end());
        writeln!(out, "peer: {}", text.replace(char::is_control, "?"))?;
    }
}
// ANCHOR_END: converse
