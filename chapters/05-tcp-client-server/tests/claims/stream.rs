//! Writes are put together and taken apart on their way. By whom, and when?

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use lab::net::{Match, Net, Rule};
use lab::prelude::*;
use lab::trial::saw;
use nix::sys::socket::{MsgFlags, recv};

use crate::common::{Hosts, PORT, connection, hosts, said};

/// The lengths of the client's segments, each counted once, however often it was sent.
fn segments(net: &Net) -> Result<Vec<usize>, Finding> {
    let wire = net.wire()?.tcp(PORT).from("client");
    let mut seen: Vec<(u32, usize)> = Vec::new();
    for frame in wire.frames() {
        let sequence = frame.packet.tcp().map_or(0, |tcp| tcp.relative_sequence);
        if !frame.data().is_empty() && !seen.iter().any(|(old, _)| *old == sequence) {
            seen.push((sequence, frame.data().len()));
        }
    }
    Ok(seen.into_iter().map(|(_, length)| length).collect())
}

/// Waits until the client's segments have carried so many bytes, and gives their lengths.
fn once_sent(cx: &Check, net: &Net, bytes: usize) -> Result<String, Finding> {
    let lengths = cx.wait_until(&format!("{bytes} bytes on the wire"), || {
        segments(net)
            .ok()
            .filter(|lengths| lengths.iter().sum::<usize>() >= bytes)
    })?;
    Ok(format!("{lengths:?}"))
}

/// Switches off what else has a say in when the client's segments go out.
fn only_nagle(net: &Net) -> Result<(), Finding> {
    let client = net.host("client");
    // A segment may wait because the one before is still in the device's queue.
    client.sysctl("net.ipv4.tcp_autocorking", "0")?;
    // And when no acknowledgment comes for long, what is there goes out as a probe for losses (RFC 8985, 7).
    Ok(client.sysctl("net.ipv4.tcp_early_retrans", "0")?)
}

/// Ten writes of ten bytes.
fn ten_writes(socket: &mut TcpStream) -> std::io::Result<()> {
    (0..10).try_for_each(|_| socket.write_all(b"0123456789"))
}

/// Two messages come as one, and one comes in pieces: there are no messages.
pub fn writes_are_joined_and_split(cx: &Check) -> Verdict {
    let (mut client, mut server) = connection()?;
    client.write_all(b"hello")?;
    client.write_all(b"world")?;
    until_queued(cx, &server, 10)?;
    saw(
        cx,
        "two writes of 5 bytes, one read",
        server.read(&mut [0; 64])?,
    )
    .is(10)?;

    let subject = cx.subject(move || client.write_all(&vec![b'x'; 300_000]).is_ok())?;
    let (mut reads, mut bytes, mut room) = (0, 0, vec![0; 400_000]);
    while bytes < 300_000 {
        bytes += server.read(&mut room)?;
        reads += 1;
    }
    subject.returns(true)?;
    saw(
        cx,
        "one write of 300000 bytes needs more than one read",
        reads > 1,
    )
    .is(true)?;
    PASS
}

/// Waits until so many bytes can be read.
fn until_queued(cx: &Check, socket: &TcpStream, bytes: i32) -> Result<(), Finding> {
    cx.wait_until(&format!("{bytes} bytes to be there"), || {
        let mut queued = 0;
        // SAFETY: FIONREAD writes an int.
        let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::FIONREAD, &raw mut queued) };
        (result == 0 && queued == bytes).then_some(())
    })
}

/// The acknowledgments are held back, and let go.
pub fn small_writes_wait_for_an_acknowledgment(cx: &Check) -> Verdict {
    for (what, no_delay, before, after) in [
        ("Nagle", false, "[10]", "[10, 90]"),
        (
            "TCP_NODELAY",
            true,
            "[10, 10, 10, 10, 10, 10, 10, 10, 10, 10]",
            "",
        ),
    ] {
        let Hosts {
            net,
            mut client,
            server,
        } = hosts(cx)?;
        only_nagle(&net)?;
        client.set_nodelay(no_delay)?;
        let held = net.rule(Rule::on(Match::tcp().from("server")).overtaken_by(1000))?;
        ten_writes(&mut client)?;
        let sent = once_sent(cx, &net, if no_delay { 100 } else { 10 })?;
        saw(
            cx,
            &format!("ten writes of 10 bytes with {what}, before an ACK comes"),
            sent,
        )
        .is(before)?;
        net.lift(held)?;
        if !no_delay {
            saw(cx, "and after", once_sent(cx, &net, 100)?).is(after)?;
        }
        drop(server);
    }
    PASS
}

/// It waits for an acknowledgment or a full segment, whichever is first, and never with nothing under way. A cork does.
pub fn no_sender_waits_until_there_is_enough(cx: &Check) -> Verdict {
    let Hosts {
        net,
        mut client,
        server,
    } = hosts(cx)?;
    only_nagle(&net)?;
    let held = net.rule(Rule::on(Match::tcp().from("server")).overtaken_by(1000))?;
    client.write_all(b"0123456789")?;
    saw(
        cx,
        "one write of 10 bytes, nothing after it",
        once_sent(cx, &net, 10)?,
    )
    .is("[10]")?;
    client.write_all(b"0123456789")?;
    saw(
        cx,
        "a second one, before an ACK comes",
        format!("{:?}", segments(&net)?),
    )
    .is("[10]")?;
    // Now there is enough for a segment of 1448 bytes, which is what Ethernet has room for.
    client.write_all(&[b'x'; 2000])?;
    let sent = once_sent(cx, &net, 10 + 1448)?;
    saw(cx, "with 2000 bytes more, before an ACK comes", sent).is("[10, 1448]")?;
    net.lift(held)?;
    saw(cx, "and after it", once_sent(cx, &net, 2020)?).is("[10, 1448, 562]")?;
    drop(server);

    // A cork holds for 200 ms at the most, which a busy machine may take for ten writes.
    let mut seen = String::new();
    for _ in 0..20 {
        let Hosts {
            net,
            mut client,
            server,
        } = hosts(cx)?;
        cork(&client, true)?;
        ten_writes(&mut client)?;
        let corked = segments(&net)?;
        cork(&client, false)?;
        seen = format!("{corked:?}, then {}", once_sent(cx, &net, 100)?);
        drop(server);
        if corked.is_empty() {
            break;
        }
    }
    saw(cx, "ten writes under TCP_CORK, and the cork out", seen).is("[], then [100]")?;
    PASS
}

/// `TCP_CORK`: nothing but full segments goes out while it is on.
fn cork(socket: &TcpStream, on: bool) -> nix::Result<()> {
    let (fd, on) = (socket.as_raw_fd(), libc::c_int::from(on));
    let (value, length) = ((&raw const on).cast(), size_of_val(&on) as libc::socklen_t);
    // SAFETY: the option is an int.
    let result = unsafe { libc::setsockopt(fd, libc::IPPROTO_TCP, libc::TCP_CORK, value, length) };
    Errno::result(result).map(drop)
}

/// Ten segments, and a reader that comes late.
pub fn a_late_reader_reads_ten_segments_at_once(cx: &Check) -> Verdict {
    let Hosts {
        net,
        mut client,
        mut server,
    } = hosts(cx)?;
    only_nagle(&net)?;
    client.set_nodelay(true)?;
    ten_writes(&mut client)?;
    let sent = once_sent(cx, &net, 100)?;
    saw(cx, "on the wire", sent).is("[10, 10, 10, 10, 10, 10, 10, 10, 10, 10]")?;
    until_queued(cx, &server, 100)?;
    saw(cx, "one read", server.read(&mut [0; 256])?).is(100)?;
    client.shutdown(Shutdown::Write)?;
    PASS
}

/// It is a call for sockets. Not all sockets are for a network.
pub fn recv_is_for_sockets(cx: &Check) -> Verdict {
    let received =
        |end: &OwnedFd| said(recv(end.as_raw_fd(), &mut [0; 16], MsgFlags::MSG_DONTWAIT));
    let file = std::fs::File::open("/dev/null")?;
    saw(cx, "recv on a file", received(&file.into())).is("ENOTSOCK")?;
    let (end, mut other) = std::io::pipe()?;
    other.write_all(b"hello")?;
    saw(cx, "on a pipe", received(&end.into())).is("ENOTSOCK")?;
    let (end, mut other) = UnixStream::pair()?;
    other.write_all(b"hello")?;
    saw(
        cx,
        "on a Unix domain socket, which no network carries",
        received(&end.into()),
    )
    .is("5")?;
    let (mut client, server) = connection()?;
    client.write_all(b"hello")?;
    until_queued(cx, &server, 5)?;
    saw(cx, "on a TCP socket", received(&server.into())).is("5")?;
    PASS
}
