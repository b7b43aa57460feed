//! How does a packet find its way, and who says so when it does not?

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;

use introduction::anatomy::Dissection;
use lab::net::Net;
use lab::prelude::*;
use lab::trial::{said, saw};
use lab::wire::Frame;

/// The port of daytime. Hosts are new in each experiment, so it is free.
const DAYTIME: u16 = 13;

/// A client and a server that have talked, and the wire between them.
pub struct Talk<'c> {
    cx: &'c Check,
    net: Rc<Net>,
}

impl<'c> Talk<'c> {
    /// One line over TCP and IPv4.
    pub fn tcp(cx: &'c Check) -> Result<Talk<'c>, Finding> {
        let net = cx.lan(&["client", "server"])?;
        let at = net.host("server").v4();
        Talk { cx, net }.over_tcp(at.into())
    }

    /// One line over TCP and IPv6.
    pub fn tcp_over_ipv6(cx: &'c Check) -> Result<Talk<'c>, Finding> {
        let net = cx.lan(&["client", "server"])?;
        let at = net.host("server").v6();
        Talk { cx, net }.over_tcp(at.into())
    }

    fn over_tcp(self, at: IpAddr) -> Result<Talk<'c>, Finding> {
        let at = SocketAddr::new(at, DAYTIME);
        let listener = self.net.host("server").run(|| TcpListener::bind(at))?;
        let mut client = self.net.host("client").run(|| TcpStream::connect(at))?;
        let (mut server, _) = listener.accept()?;
        server.write_all(b"Sat Nov 21 08:38:14 2026\r\n")?;
        drop(server);
        client.read_to_end(&mut Vec::new())?;
        Ok(self)
    }

    /// One datagram over IPv4, to a port that nobody has.
    pub fn udp(cx: &'c Check) -> Result<Talk<'c>, Finding> {
        let net = cx.lan(&["client", "server"])?;
        let at = net.host("server").v4();
        let client = net.host("client").run(|| UdpSocket::bind("0.0.0.0:0"))?;
        client.send_to(b"what time is it?", (at, DAYTIME))?;
        Ok(Talk { cx, net })
    }

    /// The first frame that carries what a program sent.
    pub fn with_data(&self) -> Result<Arc<Frame>, Finding> {
        self.cx.sees(&self.net, "a frame with data", |frame| {
            frame.packet.ports().is_some() && !frame.data().is_empty()
        })
    }

    /// The first ICMP message for IPv4.
    pub fn icmp(&self) -> Result<Arc<Frame>, Finding> {
        self.cx
            .sees(&self.net, "an ICMP message", |frame| icmp(frame).is_some())
    }
}

/// Records what a frame is about.
pub fn tell(cx: &Check, dissection: &Dissection) {
    let names: Vec<&str> = dissection
        .headers
        .iter()
        .map(|header| header.name)
        .collect();
    cx.evidence(format!("nested: {}", names.join(", ")));
}

/// Type and code of an ICMP message for IPv4.
fn icmp(frame: &Frame) -> Option<(u8, u8)> {
    let is_v4 = frame.packet.ip().is_some_and(|ip| ip.source.is_ipv4());
    frame
        .packet
        .icmp()
        .filter(|_| is_v4)
        .map(|icmp| (icmp.kind, icmp.code))
}

/// A raw socket of the calling host.
fn raw() -> std::io::Result<OwnedFd> {
    // SAFETY: the call takes no pointers.
    let fd = unsafe {
        libc::socket(
            libc::AF_INET,
            libc::SOCK_RAW | libc::SOCK_CLOEXEC,
            libc::IPPROTO_ICMP,
        )
    };
    let fd = Errno::result(fd)?;
    // SAFETY: the descriptor is new, and nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A question of this type, with as many zeros as the longest of them needs, and its checksum.
fn question(kind: u8) -> [u8; 20] {
    let mut message = [0; 20];
    message[0] = kind;
    // The only word that is not zero is kind and code, so the sum is its complement.
    message[2..4].copy_from_slice(&(!(u16::from(kind) << 8)).to_be_bytes());
    message
}

/// Two errors that the network reports, two questions that are answered, and two that nobody answers any more.
pub fn icmp_answers_some_questions_and_not_others(cx: &Check) -> Verdict {
    let net = cx.two_lans(&["client"], &["server"])?;
    let (client, server) = (net.host("client"), net.host("server"));
    let at = SocketAddr::new(server.v4().into(), DAYTIME);

    let probe = client.run(|| UdpSocket::bind("0.0.0.0:0"))?;
    probe.send_to(b"?", at)?;
    let error = cx.sees(&net, "an error about the port", |frame| {
        icmp(frame).is_some()
    })?;
    let (kind, code) = icmp(&error).unwrap_or_default();
    saw(
        cx,
        "a port that nobody has, type/code",
        format!("{kind}/{code}").as_str(),
    )
    .is("3/3")?;

    let probe = client.run(|| UdpSocket::bind("0.0.0.0:0"))?;
    probe.set_ttl(1)?;
    probe.send_to(b"?", at)?;
    cx.sees(&net, "the router's error", |frame| {
        icmp(frame) == Some((11, 0))
    })?;
    cx.evidence("a time to live of 1 at a router, type/code: 11/0");

    let raw = client.run(raw)?;
    let to = introduction::name::Name::from(at);
    // The last is one that is answered. What was not answered until its answer is there will not be.
    for kind in [15, 17, 13, 8] {
        let (message, (name, length)) = (question(kind), to.parts());
        // SAFETY: both pointers are to as many bytes as the lengths beside them say.
        let sent = unsafe {
            libc::sendto(
                raw.as_raw_fd(),
                message.as_ptr().cast(),
                message.len(),
                0,
                name,
                length,
            )
        };
        Errno::result(sent)?;
    }
    let from_server = |frame: &Frame, kind| {
        icmp(frame).is_some_and(|(seen, _)| seen == kind)
            && frame.packet.ip().is_some_and(|ip| ip.source == at.ip())
    };
    cx.sees(&net, "the echo reply", |frame| from_server(frame, 0))?;
    let wire = net.wire()?;
    for (what, answer, wanted) in [
        ("echo (8) is answered", 0, true),
        ("timestamp (13) is answered", 14, true),
        ("information request (15) is answered", 16, false),
        ("address mask request (17) is answered", 18, false),
    ] {
        saw(
            cx,
            what,
            wire.frames().iter().any(|frame| from_server(frame, answer)),
        )
        .is(wanted)?;
    }
    PASS
}

/// Nobody has the address. The kernel asks once a second.
pub fn arp_asks_three_times_then_gives_up(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let connect = |at: &str| net.host("client").run(|| TcpStream::connect(at));
    let server = net.host("server");
    let _listener = server.run(|| TcpListener::bind((server.v4(), DAYTIME)))?;
    drop(connect("10.0.0.2:13")?);
    let wire = net.wire()?;
    let kinds = wire
        .frames()
        .iter()
        .filter(|frame| frame.packet.ip().is_none_or(|ip| ip.source.is_ipv4()));
    let first: Vec<&str> = kinds
        .take(3)
        .map(|frame| {
            if frame.packet.arp().is_some() {
                "ARP"
            } else {
                "IPv4"
            }
        })
        .collect();
    saw(
        cx,
        "the first frames to a neighbor",
        first.join(" ").as_str(),
    )
    .is("ARP ARP IPv4")?;

    let nobody = connect("10.0.0.77:13");
    saw(
        cx,
        "connect to an address that nobody has",
        said(&nobody).as_str(),
    )
    .is("EHOSTUNREACH")?;
    let wire = net.wire()?;
    let asks = wire.frames().iter().filter(|frame| {
        frame
            .packet
            .arp()
            .is_some_and(|arp| IpAddr::from(arp.target).to_string() == "10.0.0.77")
    });
    saw(cx, "who-has 10.0.0.77", asks.count()).is(3)?;

    let before = arp_table()?;
    let loopback = TcpListener::bind("127.0.0.1:0")?;
    drop(TcpStream::connect(loopback.local_addr()?)?);
    saw(
        cx,
        "entries of the ARP table after a connection over lo",
        arp_table()? - before,
    )
    .is(0)?;
    PASS
}

/// How many neighbors this network namespace knows.
fn arp_table() -> std::io::Result<usize> {
    Ok(std::fs::read_to_string("/proc/thread-self/net/arp")?
        .lines()
        .count()
        - 1)
}

/// Three hosts that cannot be reached, for three reasons.
pub fn the_route_decides_which_error_it_is(cx: &Check) -> Verdict {
    let alone = cx.lan(&["client"])?;
    let none = alone
        .host("client")
        .run(|| TcpStream::connect("192.0.2.1:13"));
    saw(cx, "no route", said(&none).as_str()).is("ENETUNREACH")?;

    let net = cx.two_lans(&["client"], &["server"])?;
    let connect = |at: &str| net.host("client").run(|| TcpStream::connect(at));
    let server = net.host("server");
    let _listener = server.run(|| TcpListener::bind((server.v4(), DAYTIME)))?;
    saw(
        cx,
        "a route through a router",
        said(&connect("10.0.1.1:13")).as_str(),
    )
    .is("ok")?;
    let to_router = cx.sees(&net, "the SYN", |frame| {
        &*frame.from == "client" && frame.packet.tcp().is_some()
    })?;
    let router = net.host("router").devices()[0].mac;
    saw(
        cx,
        "the frame is for the router",
        to_router.packet.destination_mac == router,
    )
    .is(true)?;
    let packet = to_router.packet.ip().map(|ip| ip.destination.to_string());
    saw(
        cx,
        "the packet in it is for",
        packet.unwrap_or_default().as_str(),
    )
    .is("10.0.1.1")?;

    saw(
        cx,
        "the router has no route",
        said(&connect("192.0.2.1:13")).as_str(),
    )
    .is("ENETUNREACH")?;
    saw(
        cx,
        "the router finds no such host",
        said(&connect("10.0.1.77:13")).as_str(),
    )
    .is("EHOSTUNREACH")?;
    cx.sees(&net, "the router's error", |frame| {
        icmp(frame) == Some((3, 1))
    })?;
    cx.evidence("and says so, type/code: 3/1");
    PASS
}
