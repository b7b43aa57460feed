//! Which system calls does a client make, which a server, and in which order?

use std::net::UdpSocket;
use std::path::Path;

use lab::prelude::*;
use lab::trial::saw;
use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, listen, socket};

const CLIENT: &str = env!("CARGO_BIN_EXE_daytime-tcp-client");
const SERVER: &str = env!("CARGO_BIN_EXE_daytime-tcp-server");

/// The calls on TCP sockets in what strace wrote, one after the other, the same call only once in a row.
fn calls_in(trace: &Path) -> Result<String, Finding> {
    let mut calls: Vec<String> = Vec::new();
    for line in std::fs::read_to_string(trace)?.lines() {
        let about_tcp = line.contains("<TCP") || line.starts_with("socket(");
        if let Some((call, _)) = line.split_once('(').filter(|_| about_tcp) {
            // accept4 is accept with flags.
            let call = call.trim_end_matches('4').to_owned();
            if calls.last() != Some(&call) {
                calls.push(call);
            }
        }
    }
    Ok(calls.join(" "))
}

/// Starts a program under strace, which writes its calls into a file.
fn traced(cx: &Check, trace: &Path, program: &[&str]) -> Result<Program, Finding> {
    let trace = trace
        .to_str()
        .ok_or_else(|| Finding::fault("the folder's path is not UTF-8"))?;
    let arguments = [
        &[
            "-qq",
            "-yy",
            "-e",
            "trace=%net,read,write,close",
            "-o",
            trace,
        ],
        program,
    ]
    .concat();
    cx.tool("strace", &arguments)
}

/// strace watches the chapter's server tell one client the time.
pub fn a_tcp_server_calls_in_this_order(cx: &Check) -> Verdict {
    let trace = cx.folder()?.join("server");
    let mut server = traced(cx, &trace, &[SERVER])?;
    let at = server.line_after("listening on ")?;
    cx.program(CLIENT, &[at])?.exits(0)?;
    // It is in accept again: what it had to do for the first client is done.
    let calls = cx.wait_until("the server to close the connection", || {
        calls_in(&trace)
            .ok()
            .filter(|calls| calls.contains("close"))
    })?;
    let calls = calls.trim_end_matches(" accept");
    saw(cx, "the server's calls", calls)
        .is("socket setsockopt bind listen getsockname accept getpeername write close")?;
    PASS
}

/// strace watches the chapter's client.
pub fn a_tcp_client_calls_in_this_order(cx: &Check) -> Verdict {
    let mut server = cx.program(SERVER, &["127.0.0.1:0"])?;
    let at = server.line_after("listening on ")?;
    let trace = cx.folder()?.join("client");
    traced(cx, &trace, &[CLIENT, &at])?.exits(0)?;
    saw(cx, "the client's calls", calls_in(&trace)?.as_str()).is("socket connect read close")?;
    PASS
}

/// There is no connection to wait for.
pub fn udp_refuses_listen(cx: &Check) -> Verdict {
    let server = UdpSocket::bind("127.0.0.1:0")?;
    let refused = listen(&server, Backlog::MAXCONN);
    saw(cx, "listen on a UDP socket", said(refused).as_str()).is("EOPNOTSUPP")?;

    let client = UdpSocket::bind("127.0.0.1:0")?;
    client.send_to(b"what time is it?", server.local_addr()?)?;
    let mut question = [0; 64];
    let (length, from) = server.recv_from(&mut question)?;
    saw(cx, "recvfrom without accept, bytes", length).is(16)?;
    saw(
        cx,
        "recvfrom names the client",
        from == client.local_addr()?,
    )
    .is(true)?;
    PASS
}

/// The kernel binds a socket that sends without having been bound.
pub fn the_first_sendto_takes_a_port(cx: &Check) -> Verdict {
    let server = UdpSocket::bind("127.0.0.1:0")?;
    let client = socket(
        AddressFamily::Inet,
        SockType::Datagram,
        SockFlag::SOCK_CLOEXEC,
        None,
    )?;
    let client = UdpSocket::from(client);
    saw(cx, "port before sendto", client.local_addr()?.port()).is(0)?;
    client.send_to(b"what time is it?", server.local_addr()?)?;
    saw(cx, "a port after sendto", client.local_addr()?.port() != 0).is(true)?;
    PASS
}

/// The same two programs, not changed in anything but the address.
pub fn one_program_serves_its_own_host_and_others(cx: &Check) -> Verdict {
    let mut server = cx.program(SERVER, &["127.0.0.1:0"])?;
    let at = server.line_after("listening on ")?;
    let told = cx.program(CLIENT, &[at])?.exits(0)?;
    saw(cx, "on one host, characters", told.trim_end().len()).is(24)?;

    let net = cx.lan(&["client", "server"])?;
    let mut server = cx.on(&net, "server").program(SERVER, &["10.0.0.2:0"])?;
    let at = server.line_after("listening on ")?;
    let told = cx.on(&net, "client").program(CLIENT, &[at])?.exits(0)?;
    saw(cx, "between two hosts, characters", told.trim_end().len()).is(24)?;
    PASS
}

/// `ok`, or the name of the errno.
pub fn said<T>(result: nix::Result<T>) -> String {
    result.map_or_else(|errno| format!("{errno:?}"), |_| "ok".into())
}
