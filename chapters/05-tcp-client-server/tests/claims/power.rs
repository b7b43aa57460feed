//! The server's host goes away: without a word, for a while, or in good order.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use lab::net::diag;
use lab::prelude::*;
use lab::trial::saw;
use nix::sys::signal::Signal;
use nix::unistd::{read, write};

use crate::common::{Hosts, PORT, hosts, said};

/// The cable is cut while both wait.
pub fn a_crashed_host_says_nothing(cx: &Check) -> Verdict {
    cx.allows_long_waits();
    let Hosts {
        net,
        client,
        server,
    } = hosts(cx)?;
    net.host("client").sysctl("net.ipv4.tcp_retries2", "3")?;
    net.cut("server")?;
    let subject = cx.subject(move || -> nix::Result<(usize, Errno)> {
        let count = write(&client, b"hello")?;
        match read(&client, &mut [0; 16]) {
            Ok(count) => Ok((count, Errno::UnknownErrno)),
            Err(errno) => Ok((count, errno)),
        }
    })?;
    let (count, errno) = subject.value()??;
    saw(cx, "the server's cable is cut, write", count).is(5)?;
    saw(cx, "read", format!("{errno:?}")).is("ETIMEDOUT")?;
    let wire = net.wire()?.tcp(PORT).find("client -> server: data len=5")?;
    let times: Vec<f64> = wire
        .frames()
        .iter()
        .map(|frame| frame.time.as_secs_f64())
        .collect();
    // Each was due when the time since the first had doubled. On a busy machine each may be late by a fraction of a second,
    // which matters least for the last.
    let since: Vec<f64> = times.iter().map(|time| time - times[0]).collect();
    ensure!(since.len() >= 5, "it was sent at {since:?}");
    let [before, last] = [since[since.len() - 2], since[since.len() - 1]];
    ensure!(
        (1.5..=2.7).contains(&(last / before)),
        "it was sent at {since:?}"
    );
    cx.evidence(
        "it is sent again at least four times, the last after twice the time of the one before",
    );
    let waits = net.host("server").run(diag::tcp)?;
    let waits = waits
        .iter()
        .any(|socket| socket.state == diag::State::Established);
    saw(cx, "the server's end is still ESTABLISHED", waits).is(true)?;
    drop(server);
    PASS
}

/// The server's end has been forgotten, and its host is there.
pub fn a_host_that_knows_nothing_says_rst(cx: &Check) -> Verdict {
    let Hosts {
        net,
        client,
        server,
    } = hosts(cx)?;
    net.cut("server")?;
    forget(&server)?;
    drop(server);
    net.mend("server")?;
    let wire = net.wire()?.tcp(PORT);
    wire.expect_none("FIN")?;
    saw(
        cx,
        "the host is back, write",
        said(write(&client, b"hello")),
    )
    .is("5")?;
    saw(cx, "read", said(read(&client, &mut [0; 16]))).is("ECONNRESET")?;
    net.wire()?
        .tcp(PORT)
        .expect(&["client -> server: data len=5", "server -> client: RST"])?;
    cx.evidence("on the wire: client data, server RST");
    PASS
}

/// Has the connection end without a word: `TCP_REPAIR`.
fn forget(socket: &TcpStream) -> Result<(), Finding> {
    let on: libc::c_int = 1;
    // SAFETY: the option is an int.
    let result = unsafe {
        let (fd, value) = (socket.as_raw_fd(), (&raw const on).cast());
        libc::setsockopt(
            fd,
            libc::IPPROTO_TCP,
            libc::TCP_REPAIR,
            value,
            size_of::<libc::c_int>() as u32,
        )
    };
    Errno::result(result).map(drop).map_err(|errno| {
        Finding::needs(format!(
            "TCP_REPAIR, to end a connection without a word ({errno})"
        ))
    })
}

/// Init sends SIGTERM to every process before the network goes down.
pub fn a_host_that_shuts_down_says_fin_in_time(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    net.introduce()?;
    let at: SocketAddr = ([10, 0, 0, 2], PORT).into();
    let listener = net.host("server").run(|| TcpListener::bind(at))?;
    let client = net.host("client").run(|| TcpStream::connect(at))?;
    let (server, _) = listener.accept()?;
    let subject = cx.subject(move || read(&server, &mut [0; 16]))?;
    drop(listener);
    subject.waits_in(&["read"])?;
    subject.signal(Signal::SIGTERM);
    saw(
        cx,
        "SIGTERM to the server, the client reads",
        said(read(&client, &mut [0; 16])),
    )
    .is("0")?;
    drop(subject);
    net.cut("server")?;
    net.wire()?.tcp(PORT).expect(&["server -> client: FIN"])?;
    cx.evidence("before the cable is out, on the wire: server FIN");
    PASS
}
