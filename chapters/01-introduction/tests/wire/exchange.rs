//! The exchanges: two hosts on a LAN, and the chapter's programs on them.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::rc::Rc;
use std::time::Duration;

use lab::net::{Host, Match, Net, Rule};
use lab::prelude::*;
use lab::wire::{Flags, Frame, Wire};

/// The port of daytime.
const PORT: u16 = 13;

/// The client asks the server what time it is.
pub fn daytime(
    cx: &Check,
    at: impl FnOnce(&Host) -> IpAddr,
    options: &[&str],
) -> Result<Rc<Net>, Finding> {
    let net = cx.lan(&["client", "server"])?;
    run(cx, &net, at(net.host("server")), options)?;
    Ok(net)
}

fn run(cx: &Check, net: &Rc<Net>, at: IpAddr, options: &[&str]) -> Result<(), Finding> {
    // What the switch holds back is still to come, though both programs sleep.
    cx.allows_long_waits();
    // On a busy machine TCP would take a slow process for a lost segment, and send it once more.
    for host in net.hosts() {
        host.sysctl("net.ipv4.tcp_early_retrans", "0")?;
    }
    let at = SocketAddr::new(at, PORT).to_string();
    let arguments = [options, &[&at]].concat();
    // Only a privileged program may have a port below 1024.
    let server = cx.on(net, "server").spawner().privileged();
    let mut server = server.program(env!("CARGO_BIN_EXE_daytime-tcp-server"), &arguments)?;
    ensure!(
        server.line()? == format!("listening on {at}"),
        "the server listens elsewhere"
    );
    let mut client = cx
        .on(net, "client")
        .program(env!("CARGO_BIN_EXE_daytime-tcp-client"), &[&at])?;
    let line = client.exits(0)?;
    ensure!(line.trim_end().len() == 24, "the client printed {line:?}");
    // The last frame is the acknowledgment of the client's FIN.
    cx.sees(net, "the server's last acknowledgment", |frame| {
        &*frame.from == "server" && is_after_fin(frame)
    })?;
    Ok(())
}

fn is_after_fin(frame: &Frame) -> bool {
    frame.packet.tcp().is_some_and(|tcp| {
        !tcp.flags.has(Flags::FIN) && tcp.flags.has(Flags::ACK) && tcp.relative_acknowledgment == 2
    })
}

/// A UDP datagram to a host that has nobody at the port.
pub fn nobody_there(cx: &Check) -> Result<Rc<Net>, Finding> {
    let net = cx.lan(&["client", "server"])?;
    let to = SocketAddr::new(net.host("server").v4().into(), PORT);
    let client = net.host("client");
    let socket = client.run(|| UdpSocket::bind((client.v4(), 0)))?;
    socket.send_to(b"what time is it?", to)?;
    cx.sees(&net, "an ICMP message", |frame| {
        frame.packet.icmp().is_some_and(|icmp| icmp.kind == 3)
    })?;
    Ok(net)
}

/// The server writes one byte at a time, to a client that is far away.
pub fn byte_a_write(cx: &Check) -> Result<Rc<Net>, Finding> {
    let net = cx.lan(&["client", "server"])?;
    net.introduce()?;
    // All the bytes are written before the first is acknowledged.
    net.rule(Rule::on(Match::tcp().from("client")).delay(Duration::from_millis(200)))?;
    let at = net.host("server").v4().into();
    run(cx, &net, at, &["--byte-a-write"])?;
    Ok(net)
}

/// What the two hosts said to each other, without what IPv6 says to everybody when it comes up.
pub fn talk(net: &Net) -> Result<Wire, Finding> {
    let to_all = |frame: &Frame| {
        let icmp = frame.packet.icmp();
        icmp.is_some_and(|icmp| matches!(icmp.kind, 133 | 143))
    };
    Ok(net.wire()?.only(|frame| !to_all(frame)))
}
