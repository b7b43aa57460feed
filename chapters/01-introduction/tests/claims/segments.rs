//! How does a connection begin, and how does it end?

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;

use lab::net::Net;
use lab::prelude::*;
use lab::trial::saw;
use lab::wire::{Flags, Frame};

/// A connection between two hosts.
struct Pair {
    net: Rc<Net>,
    client: TcpStream,
    server: TcpStream,
}

fn pair(cx: &Check) -> Result<Pair, Finding> {
    let net = cx.lan(&["client", "server"])?;
    let host = net.host("server");
    let listener = host.run(|| TcpListener::bind(SocketAddr::new(host.v4().into(), 0)))?;
    let at = listener.local_addr()?;
    let client = net.host("client").run(|| TcpStream::connect(at))?;
    let (server, _) = listener.accept()?;
    Ok(Pair {
        net,
        client,
        server,
    })
}

/// Who sent which flags, after the first `skip` segments: `client SYN, server SYN ACK`.
fn flags(net: &Net, skip: usize) -> Result<String, Finding> {
    let wire = net.wire()?;
    let segments = wire.frames().iter().filter_map(|frame| {
        let tcp = frame.packet.tcp()?;
        Some(format!("{} {}", frame.from, tcp.flags))
    });
    Ok(segments.skip(skip).collect::<Vec<_>>().join(", "))
}

/// The length of the handshake.
const HANDSHAKE: usize = 3;

/// Before `connect` returns, two have passed; the third follows.
pub fn syn_synack_ack(cx: &Check) -> Verdict {
    let pair = pair(cx)?;
    saw(cx, "the segments", flags(&pair.net, 0)?.as_str())
        .is("client SYN, server SYN ACK, client ACK")?;
    PASS
}

/// The same `close` of the server, and three clients: one that takes its time, one that closes at once, one with something
/// left to say that the server does not read.
pub fn a_close_is_four_segments_or_three_or_one(cx: &Check) -> Verdict {
    let mut pair_of_slow = pair(cx)?;
    pair_of_slow.server.shutdown(Shutdown::Write)?;
    pair_of_slow.client.read_to_end(&mut Vec::new())?;
    // It closes when its kernel has acknowledged the server's FIN.
    cx.sees(&pair_of_slow.net, "an acknowledgment of the FIN", |frame| {
        is_from(frame, "client", 2)
    })?;
    drop(pair_of_slow.client);
    cx.sees(&pair_of_slow.net, "the last acknowledgment", |frame| {
        is_from(frame, "server", 2)
    })?;
    saw(
        cx,
        "the client closes later",
        flags(&pair_of_slow.net, HANDSHAKE)?.as_str(),
    )
    .is("server FIN ACK, client ACK, client FIN ACK, server ACK")?;

    // The kernel waits 40 ms with an acknowledgment. A busy machine may not get to `close` in time.
    let mut seen = String::new();
    for _ in 0..20 {
        let mut pair = pair(cx)?;
        pair.server.shutdown(Shutdown::Write)?;
        pair.client.read_to_end(&mut Vec::new())?;
        drop(pair.client);
        cx.sees(&pair.net, "the last acknowledgment", |frame| {
            is_from(frame, "server", 2)
        })?;
        seen = flags(&pair.net, HANDSHAKE)?;
        if seen.matches(',').count() == 2 {
            break;
        }
    }
    saw(cx, "the client closes at once", seen.as_str())
        .is("server FIN ACK, client FIN ACK, server ACK")?;

    let mut pair = pair(cx)?;
    pair.client.write_all(b"wait!")?;
    // It has arrived, and the server closes without having read it.
    pair.server.peek(&mut [0; 5])?;
    cx.sees(&pair.net, "the acknowledgment of the data", |frame| {
        is_from(frame, "server", 6)
    })?;
    drop(pair.server);
    let is_reset = |frame: &Frame| {
        frame
            .packet
            .tcp()
            .is_some_and(|tcp| tcp.flags.has(Flags::RST))
    };
    cx.sees(&pair.net, "a reset", is_reset)?;
    let end = flags(&pair.net, HANDSHAKE + 2)?;
    saw(cx, "the server closes with data unread", end.as_str()).is("server RST ACK")?;
    PASS
}

/// Is this a segment of that host which acknowledges so many bytes, SYN and FIN counted?
fn is_from(frame: &Frame, host: &str, acknowledged: u32) -> bool {
    let tcp = frame.packet.tcp();
    &*frame.from == host && tcp.is_some_and(|tcp| tcp.relative_acknowledgment == acknowledged)
}
