//! What is behind a port, as far as it can be seen from outside?

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::rc::Rc;
use std::time::Duration;

use lab::net::{Match, Net, Rule};
use lab::prelude::*;
use lab::trial::saw;
use tcp_client_server::scan::{Pace, State, scan};

use crate::common::PORT;

const OPEN: u16 = PORT;
const CLOSED: u16 = PORT + 1;
const DROPPED: u16 = PORT + 2;

/// A server with a port that is open, one that is closed, and one to which nothing comes through.
struct Target {
    net: Rc<Net>,
    listener: TcpListener,
}

impl Target {
    fn new(cx: &Check) -> Result<Target, Finding> {
        // nmap has timers of its own, and asks the kernel over netlink.
        cx.allows_long_waits();
        let net = cx.lan(&["client", "server"])?;
        net.introduce()?;
        let at = SocketAddr::new(net.host("server").v4().into(), OPEN);
        let listener = net.host("server").run(|| TcpListener::bind(at))?;
        net.rule(Rule::on(Match::tcp().to("server").port(DROPPED)).drop())?;
        Ok(Target { net, listener })
    }

    /// What nmap says of the three ports, when it scans in this way: `open closed filtered`.
    fn nmap(&self, cx: &Check, how: &[&str]) -> Result<String, Finding> {
        let ports = format!("{OPEN}-{DROPPED}");
        let usual = [
            "-n",
            "-Pn",
            "--privileged",
            "--max-retries",
            "1",
            "-p",
            &ports,
            "10.0.0.2",
        ];
        let arguments = [how, &usual].concat();
        let said = cx
            .on(&self.net, "client")
            .tool("nmap", &arguments)?
            .exits(0)?;
        let state = |port| {
            let line = said
                .lines()
                .find(|line| line.starts_with(&format!("{port}/tcp")))?;
            line.split_whitespace().nth(1)
        };
        let states = [OPEN, CLOSED, DROPPED].map(|port| state(port).unwrap_or("-"));
        Ok(states.join(" "))
    }

    /// The segments from and to this port, one kind in a row said once: `client SYN, server RST ACK`.
    fn segments(&self, port: u16) -> Result<String, Finding> {
        let mut kinds: Vec<String> = Vec::new();
        for frame in self.net.wire()?.tcp(port).frames() {
            if let Some(tcp) = frame.packet.tcp() {
                let kind = format!("{} {}", frame.from, tcp.flags);
                if kinds.last() != Some(&kind) {
                    kinds.push(kind);
                }
            }
        }
        Ok(kinds.join(", "))
    }
}

/// Ports, and what is told of the rest.
pub fn nmap_tells_open_from_closed(cx: &Check) -> Verdict {
    let target = Target::new(cx)?;
    let said = target.nmap(cx, &["-sT"])?;
    saw(
        cx,
        "a port where a server listens, one without, one to which nothing comes",
        said,
    )
    .is("open closed filtered")?;
    let ports = [OPEN, CLOSED, DROPPED];
    let pace = Pace {
        at_once: 3,
        patience: Duration::from_millis(500),
    };
    let ours = target
        .net
        .host("client")
        .run(|| scan(IpAddr::from([10, 0, 0, 2]), &ports, pace).map_err(std::io::Error::other))?;
    let wanted = [
        (OPEN, State::Open),
        (CLOSED, State::Closed),
        (DROPPED, State::Filtered),
    ];
    ensure!(ours == wanted, "the chapter's scanner says {ours:?}");
    cx.evidence("the chapter's scanner says the same");
    PASS
}

/// Whether the connection is ever made depends on what the scanner may do.
pub fn a_syn_scan_needs_a_raw_socket(cx: &Check) -> Verdict {
    for (how, what, open) in [
        ("-sS", "SYN scan", "client SYN, server SYN ACK, client RST"),
        (
            "-sT",
            "connect scan",
            "client SYN, server SYN ACK, client ACK, client RST ACK",
        ),
    ] {
        let target = Target::new(cx)?;
        target.nmap(cx, &[how])?;
        saw(cx, &format!("{what}, open"), target.segments(OPEN)?).is(open)?;
        saw(cx, &format!("{what}, closed"), target.segments(CLOSED)?)
            .is("client SYN, server RST ACK")?;
        saw(cx, &format!("{what}, dropped"), target.segments(DROPPED)?).is("client SYN")?;
    }
    PASS
}

/// One service speaks first, one waits to be asked.
pub fn version_detection_listens_first(cx: &Check) -> Verdict {
    for (what, greeting, wanted) in [
        ("a service that greets", "SSH-2.0-Runnable_1.0\r\n", false),
        ("a service that is silent", "", true),
    ] {
        let target = Target::new(cx)?;
        let listener = target.listener.try_clone()?;
        let service = cx.spawner().may_leak().subject(move || {
            for mut socket in listener.incoming().flatten() {
                let _ = std::io::Write::write_all(&mut socket, greeting.as_bytes());
                // A greeting is all that it has to say. The other one waits for a question, and has no answer.
                if greeting.is_empty() {
                    let _ = std::io::Read::read(&mut socket, &mut [0; 256]);
                }
            }
        })?;
        let at = OPEN.to_string();
        let how = [
            "-n",
            "-Pn",
            "-sT",
            "-sV",
            "--version-intensity",
            "0",
            "-p",
            &at,
            "10.0.0.2",
        ];
        cx.on(&target.net, "client").tool("nmap", &how)?.exits(0)?;
        drop(service);
        let wire = target.net.wire()?.tcp(OPEN).from("client");
        let asked = wire.frames().iter().any(|frame| !frame.data().is_empty());
        saw(cx, &format!("{what} is asked something"), asked).is(wanted)?;
    }
    PASS
}

/// Which states there are depends on what is sent.
pub fn nmap_has_more_than_four_answers(cx: &Check) -> Verdict {
    let target = Target::new(cx)?;
    for (how, what, wanted) in [
        ("-sT", "connect scan", "open closed filtered"),
        ("-sA", "ACK scan", "unfiltered unfiltered filtered"),
        ("-sF", "FIN scan", "open|filtered closed open|filtered"),
    ] {
        saw(cx, what, target.nmap(cx, &[how])?).is(wanted)?;
    }
    PASS
}

/// Three causes look alike, of which one is a firewall; and one that is a firewall looks like none.
pub fn filtered_is_what_nobody_answers(cx: &Check) -> Verdict {
    let pace = Pace {
        at_once: 1,
        patience: Duration::from_millis(300),
    };
    let state = |net: &Rc<Net>, at: IpAddr, port| {
        let client = net.host("client");
        let states = client.run(|| scan(at, &[port], pace).map_err(std::io::Error::other))?;
        Ok::<_, Finding>(format!("{:?}", states[0].1))
    };
    let target = Target::new(cx)?;
    let server = IpAddr::from([10, 0, 0, 2]);
    saw(
        cx,
        "the port's segments are dropped",
        state(&target.net, server, DROPPED)?,
    )
    .is("Filtered")?;
    target.net.cut("server")?;
    saw(
        cx,
        "no firewall, but the cable is out",
        state(&target.net, server, OPEN)?,
    )
    .is("Filtered")?;

    let net = cx.two_lans(&["client"], &["server"])?;
    let server = IpAddr::from(net.host("server").v4());
    let at = SocketAddr::new(server, OPEN);
    let _listener = net.host("server").run(|| TcpListener::bind(at))?;
    saw(cx, "through a router", state(&net, server, OPEN)?).is("Open")?;
    for (kind, what, wanted) in [
        (
            "prohibit",
            "the router says that it is prohibited (ICMP)",
            "Filtered",
        ),
        ("blackhole", "the router says nothing", "Filtered"),
    ] {
        let route = ["route", "add", kind, &server.to_string()];
        cx.on(&net, "router").tool("ip", &route)?.exits(0)?;
        saw(cx, what, state(&net, server, OPEN)?).is(wanted)?;
        let route = ["route", "del", kind, &server.to_string()];
        cx.on(&net, "router").tool("ip", &route)?.exits(0)?;
    }
    let prohibited = net.wire()?.icmp().frames().iter().any(|frame| {
        frame
            .packet
            .icmp()
            .is_some_and(|icmp| (icmp.kind, icmp.code) == (3, 13))
    });
    saw(cx, "ICMP 3/13 is on the wire", prohibited).is(true)?;
    // Whoever answers with RST, the host or something before it, the client sees a closed port.
    let closed = state(&net, server, CLOSED)?;
    saw(cx, "an RST, from whomever", closed).is("Closed")?;
    net.wire()?.tcp(CLOSED).expect(&["server -> router: RST"])?;
    PASS
}
