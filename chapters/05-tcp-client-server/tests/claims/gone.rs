//! The other end goes away: before it is accepted, while nobody looks, with half of the connection or all of it.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

use lab::net::{Net, diag};
use lab::prelude::*;
use lab::trial::saw;
use lab::wire::Flags;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, pipe, read, write};

use crate::common::{Hosts, PORT, connection, hosts, reset, said, state_of};

const SERVER: &str = env!("CARGO_BIN_EXE_tcp-echo-server");
const CLIENT: &str = env!("CARGO_BIN_EXE_tcp-echo-client");

/// The client has come and gone before the server calls `accept`.
pub fn accept_returns_a_connection_that_is_reset(cx: &Check) -> Verdict {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    reset(client)?;
    // The RST has come when no end of the connection is left.
    let at = listener.local_addr()?;
    cx.wait_until("the reset to arrive", || {
        let sockets = diag::tcp().ok()?;
        let alive = |socket: &diag::Socket| {
            socket.state == diag::State::Established && (socket.local == at || socket.peer == at)
        };
        (!sockets.iter().any(alive)).then_some(())
    })?;
    let accepted = listener.accept();
    saw(
        cx,
        "accept after the RST",
        if accepted.is_ok() { "ok" } else { "an error" },
    )
    .is("ok")?;
    let (server, _) = accepted?;
    let mut buffer = [0; 16];
    saw(cx, "the first read", said(read(&server, &mut buffer))).is("ECONNRESET")?;
    saw(cx, "the second", said(read(&server, &mut buffer))).is("0")?;
    PASS
}

/// A line of the server's standard output that ends with a number.
fn number_in(line: &str) -> Result<i32, Finding> {
    let last = line.rsplit(' ').next().and_then(|word| word.parse().ok());
    last.ok_or_else(|| Finding::fault(format!("the server said {line:?}")))
}

/// The state of the connection's end on this host.
fn state_on(net: &Rc<Net>, host: &str) -> Option<diag::State> {
    let sockets = net.host(host).run(diag::tcp).ok()?;
    let connection = sockets
        .iter()
        .find(|socket| socket.state != diag::State::Listen);
    connection.map(|socket| socket.state)
}

/// The client waits for the keyboard. Its kernel knows, and it does not.
pub fn a_killed_server_says_fin(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    net.introduce()?;
    let at = format!("10.0.0.2:{PORT}");
    let mut server = cx.on(&net, "server").program(SERVER, &[&at])?;
    server.line()?;
    let mut client = cx.on(&net, "client").program(CLIENT, &[&at])?;
    client.line_after("connected from ")?;
    let serves = number_in(&server.line()?)?;
    kill(Pid::from_raw(serves), Signal::SIGKILL)?;
    cx.sees(&net, "a FIN of the server", |frame| {
        let tcp = frame.packet.tcp();
        *frame.from == *"server"
            && frame.arrived()
            && tcp.is_some_and(|tcp| tcp.flags.has(Flags::FIN))
    })?;
    cx.evidence("kill -9 of the server's process, on the wire: server FIN");
    cx.wait_until("the client's end to be in CLOSE_WAIT", || {
        (state_on(&net, "client")? == diag::State::CloseWait).then_some(())
    })?;
    cx.evidence("the client's end is in CLOSE_WAIT");
    // It is still there: it has not been woken.
    client.types("anybody there?\n")?;
    client.exits(1)?;
    let heard = client.stderr().contains("ended");
    saw(cx, "it hears of it when it has typed a line", heard).is(true)?;
    PASS
}

/// One that waits for the keyboard alone, and three that wait for both.
pub fn threads_hear_it_as_well_as_poll(cx: &Check) -> Verdict {
    type Waits = fn(&TcpStream, &OwnedFd) -> nix::Result<usize>;
    fn for_the_keyboard(_: &TcpStream, keyboard: &OwnedFd) -> nix::Result<usize> {
        read(keyboard, &mut [0])
    }
    fn in_poll(socket: &TcpStream, keyboard: &OwnedFd) -> nix::Result<usize> {
        let mut ends =
            [socket.as_fd(), keyboard.as_fd()].map(|end| PollFd::new(end, PollFlags::POLLIN));
        poll(&mut ends, PollTimeout::NONE)?;
        read(socket, &mut [0])
    }
    fn in_a_thread(socket: &TcpStream, _: &OwnedFd) -> nix::Result<usize> {
        // The other thread may wait for the keyboard as long as it likes.
        std::thread::scope(|scope| scope.spawn(|| read(socket, &mut [0])).join())
            .unwrap_or(Err(Errno::EIO))
    }
    let ways: [(&str, Waits, &[&str], bool); 3] = [
        ("the keyboard alone", for_the_keyboard, &["read"], false),
        ("poll", in_poll, &["poll", "ppoll"], true),
        (
            "a thread for the socket",
            in_a_thread,
            &["read", "futex"],
            true,
        ),
    ];
    for (what, way, names, hears) in ways {
        let (server, client) = cx.tcp_pair()?;
        let (client, ours) = (client.try_clone()?, TcpStream::from(client));
        let client = TcpStream::from(client);
        let (keyboard, typing) = pipe()?;
        let subject = cx.subject(move || way(&client, &keyboard))?;
        subject.waits_in(names)?;
        server.closes();
        if hears {
            let end = subject.value()??;
            saw(cx, &format!("{what}, after the server's end: read"), end).is(0)?;
            continue;
        }
        cx.wait_until("the end to arrive", || {
            (state_of(&ours).ok()? == "CLOSE_WAIT").then_some(())
        })?;
        subject.waits_in(names)?;
        cx.evidence(format!(
            "{what}, after the server's end: CLOSE_WAIT, and waits in read"
        ));
        write(&typing, b"!")?;
        subject.returns(Ok(1))?;
    }
    PASS
}

/// Waits until this host has sent a segment with this flag, which has arrived.
fn sees(cx: &Check, net: &Net, host: &str, flag: Flags) -> Result<(), Finding> {
    cx.sees(net, &format!("{flag} from {host}"), |frame| {
        let has_it = frame.packet.tcp().is_some_and(|tcp| tcp.flags.has(flag));
        *frame.from == *host && has_it && frame.arrived()
    })?;
    Ok(())
}

/// The peer has closed its half, and goes on to read.
pub fn a_fin_does_not_forbid_to_write(cx: &Check) -> Verdict {
    let Hosts {
        net,
        client,
        server,
    } = hosts(cx)?;
    client.shutdown(Shutdown::Write)?;
    saw(cx, "the server reads", said(read(&server, &mut [0]))).is("0")?;
    saw(cx, "then it writes", said(write(&server, b"still here"))).is("10")?;
    let mut buffer = [0; 16];
    saw(
        cx,
        "and the client, which sent the FIN, reads",
        said(read(&client, &mut buffer)),
    )
    .is("10")?;
    net.wire()?
        .tcp(PORT)
        .expect(&["client -> server: FIN", "server -> client: data len=10"])?;
    net.wire()?.expect_none("RST")?;
    cx.evidence("no RST on the wire");
    PASS
}

/// Half closed and wholly closed look the same, until something is sent.
pub fn a_fin_says_only_no_more_from_here(cx: &Check) -> Verdict {
    for (what, wholly, wanted) in [("shutdown", false, false), ("close", true, true)] {
        let Hosts {
            net,
            client,
            server,
        } = hosts(cx)?;
        let client = if wholly {
            drop(client);
            None
        } else {
            client.shutdown(Shutdown::Write)?;
            Some(client)
        };
        sees(cx, &net, "client", Flags::FIN)?;
        let wire = net.wire()?.from("client");
        let fin = wire.find("client -> server: FIN")?;
        let flags = fin.frames()[0]
            .packet
            .tcp()
            .map(|tcp| tcp.flags.to_string());
        saw(
            cx,
            &format!("the peer's {what}, on the wire"),
            flags.unwrap_or_default(),
        )
        .is("FIN ACK")?;
        saw(cx, "read", said(read(&server, &mut [0]))).is("0")?;
        saw(cx, "write", said(write(&server, b"hello"))).is("5")?;
        if let Some(client) = client {
            saw(cx, "the peer reads", said(read(&client, &mut [0; 16]))).is("5")?;
        } else {
            sees(cx, &net, "client", Flags::RST)?;
        }
        let reset = !net.wire()?.from("client").find("RST")?.frames().is_empty();
        saw(cx, "the peer's host answers with RST", reset).is(wanted)?;
    }
    PASS
}

/// An end is what `read` tells. `write` has no such value.
pub fn write_never_returns_0(cx: &Check) -> Verdict {
    let (client, server) = connection()?;
    saw(
        cx,
        "write of 0 bytes to a peer that is there",
        said(write(&server, b"")),
    )
    .is("0")?;
    drop(client);
    saw(
        cx,
        "the peer has closed, first write",
        said(write(&server, b"hello")),
    )
    .is("5")?;
    broken(&server)?;
    saw(cx, "second write", said(write(&server, b"hello"))).is("EPIPE")?;
    saw(cx, "and of 0 bytes", said(write(&server, b""))).is("EPIPE")?;
    PASS
}

/// Waits until the socket is broken, which nothing else announces.
pub fn broken(socket: &TcpStream) -> nix::Result<()> {
    poll(
        &mut [PollFd::new(socket.as_fd(), PollFlags::empty())],
        PollTimeout::NONE,
    )
    .map(drop)
}
