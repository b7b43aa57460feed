//! Who has this TCP port, on either end of a connection?

use std::io::Write;
use std::process::ExitCode;

use introduction::program::{Outcome, run};
use tcp_client_server::owner::{Owner, owners_of};
use tcp_client_server::sock_diag::tcp_sockets;

const USAGE: &str = "usage: port-owner PORT, a number from 1 to 65535";

fn main() -> ExitCode {
    run(USAGE, work)
}

// ANCHOR: work
fn work(arguments: &[&str], out: &mut dyn Write) -> Outcome {
    let [port] = arguments else {
        return Err(USAGE.into());
    };
    let port: u16 = port
        .parse()
        .map_err(|_| format!("{port} is not a port; {USAGE}"))?;
    let mut sockets = tcp_sockets()?;
    sockets.retain(|socket| [socket.local.port(), socket.peer.port()].contains(&port));
    if sockets.is_empty() {
        return Err(format!("nobody uses TCP port {port}").into());
    }
    // Those who listen first, then the end that has the port, then its peers.
    sockets.sort_by_key(|socket| {
        (
            socket.peer.port() != 0,
            socket.local.port() != port,
            socket.local,
            socket.peer,
        )
    });
    for socket in sockets {
        let owners = match owners_of(socket.inode) {
            _ if socket.inode == 0 => "no process".to_owned(),
            none if none.is_empty() => {
                format!("a process of user {}, hidden from you", socket.user)
            }
            some => some.iter().map(in_words).collect::<Vec<_>>().join(", "),
        };
        writeln!(out, "{socket}  {owners}")?;
    }
    Ok(())
}

fn in_words(owner: &Owner) -> String {
    let Owner {
        pid,
        name,
        descriptor,
    } = owner;
    format!("{pid} {name} ({descriptor})")
}
// ANCHOR_END: work
