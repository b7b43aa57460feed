//! The echo servers, and what they leave behind.

use std::net::{SocketAddr, TcpStream};

use lab::prelude::*;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, pause};
use tcp_client_server::children::children_of;

const ECHO: &str = env!("CARGO_BIN_EXE_tcp-echo-server");
const ZOMBIES: &str = env!("CARGO_BIN_EXE_zombie-server");

/// Starts a server and takes its address from what it prints.
fn start(cx: &Check, path: &str) -> Result<(Program, SocketAddr), Finding> {
    let mut server = cx.program(path, &[] as &[&str])?;
    let line = server.line()?;
    let address = line
        .rsplit_once(" listens on ")
        .and_then(|(_, at)| at.parse().ok());
    let address = address.ok_or_else(|| Finding::fail(format!("the server said {line:?}")))?;
    Ok((server, address))
}

/// The states of the server's children, `ZZ` for two zombies.
fn states(server: &Program) -> Option<String> {
    let children = children_of(server.pid() as u32).ok()?;
    Some(children.iter().map(|child| child.state).collect())
}

fn comes_and_goes(cx: &Check, server: &mut Program, at: SocketAddr) -> Result<(), Finding> {
    let client = cx.connects(at)?;
    client.sends("hello\n")?;
    client.expects("hello\n")?;
    client.closes();
    while !server.line()?.ends_with(" has ended after 6 bytes") {}
    Ok(())
}

/// Three clients, three zombies, and they stay.
pub fn each_client_leaves_a_zombie(cx: &Check) -> Verdict {
    let (mut server, at) = start(cx, ZOMBIES)?;
    for zombies in ["Z", "ZZ", "ZZZ"] {
        comes_and_goes(cx, &mut server, at)?;
        cx.wait_until(&format!("children in states {zombies}"), || {
            (states(&server)? == zombies).then_some(())
        })?;
    }
    PASS
}

/// Ten clients at once and three in a row, and no child is left.
pub fn no_client_leaves_a_zombie(cx: &Check) -> Verdict {
    let (mut server, at) = start(cx, ECHO)?;
    let clients: Result<Vec<_>, _> = (0..10).map(|_| TcpStream::connect(at)).collect();
    let clients = clients?;
    cx.wait_until("ten children", || {
        (states(&server)?.len() == 10).then_some(())
    })?;
    drop(clients);
    for _ in 0..3 {
        comes_and_goes(cx, &mut server, at)?;
    }
    cx.wait_until("no child", || states(&server)?.is_empty().then_some(()))?;
    PASS
}

/// What one client says does not come to another.
pub fn every_client_gets_its_own_bytes(cx: &Check) -> Verdict {
    let (_server, at) = start(cx, ECHO)?;
    let clients: Result<Vec<_>, _> = (0..20).map(|_| cx.connects(at)).collect();
    let clients = clients?;
    let text = |number: usize| format!("client {number} ").repeat(1000);
    for (number, client) in clients.iter().enumerate() {
        client.sends(text(number))?;
    }
    for (number, client) in clients.iter().enumerate() {
        client.expects(text(number))?;
        client.shuts_down_writing()?;
        ensure!(
            client.receives_to_end()?.is_empty(),
            "something came after the echo"
        );
    }
    PASS
}

/// A child that loses its client says so; the server goes on.
pub fn a_client_that_resets_does_no_harm(cx: &Check) -> Verdict {
    let (mut server, at) = start(cx, ECHO)?;
    let client = cx.connects(at)?;
    ensure!(
        server.line()?.contains(" is served by "),
        "the server did not take the client"
    );
    client.resets()?;
    let line = server.line()?;
    ensure!(
        line.contains(" is lost: read: ECONNRESET"),
        "the server said {line:?}"
    );
    comes_and_goes(cx, &mut server, at)?;
    cx.wait_until("no child", || states(&server)?.is_empty().then_some(()))?;
    PASS
}

/// When `fork` fails, that client reads end-of-file, and those that are served go on.
pub fn a_full_table_of_processes_turns_clients_away(cx: &Check) -> Verdict {
    if std::process::id() != 2 {
        return Err(Finding::needs(
            "a table of processes of its own, that may be filled",
        ));
    }
    let (mut server, at) = start(cx, ECHO)?;
    let first = cx.connects(at)?;
    ensure!(
        server.line()?.contains(" is served by "),
        "the server did not take the client"
    );
    let crowd = Crowd::fill()?;
    let second = cx.connects(at)?;
    let line = server.line()?;
    ensure!(
        line.contains(" is turned away: fork: EAGAIN"),
        "the server said {line:?}"
    );
    ensure!(second.receives_to_end()?.is_empty(), "something came");
    first.sends("hello\n")?;
    first.expects("hello\n")?;
    drop(crowd);
    comes_and_goes(cx, &mut server, at)?;
    PASS
}

/// As many processes as there can be, which do nothing.
struct Crowd(Vec<Pid>);

impl Crowd {
    fn fill() -> Result<Crowd, Finding> {
        let mut crowd = Crowd(Vec::new());
        loop {
            // SAFETY: a check has one thread, and the child only waits for its end.
            match unsafe { fork() } {
                Ok(ForkResult::Parent { child }) => crowd.0.push(child),
                Ok(ForkResult::Child) => loop {
                    pause();
                },
                Err(Errno::EAGAIN) => return Ok(crowd),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for pid in &self.0 {
            let _ = kill(*pid, Signal::SIGKILL);
            let _ = waitpid(*pid, None);
        }
    }
}
