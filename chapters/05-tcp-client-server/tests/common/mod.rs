//! What the tests of this chapter have in common: the echo pair on two hosts.

use std::io::ErrorKind;
use std::rc::Rc;

use lab::net::Net;
use lab::prelude::*;

/// Where the server listens, on host `server`.
pub const PORT: u16 = 7000;

const SERVER: &str = env!("CARGO_BIN_EXE_tcp-echo-server");
const CLIENT: &str = env!("CARGO_BIN_EXE_tcp-echo-client");

/// The chapter's echo pair on hosts of their own, after the first exchange: `hello`, there and back.
pub struct EchoPair {
    pub net: Rc<Net>,
    pub server: Program,
    pub client: Program,
    /// The process that serves this client.
    pub child: i32,
}

impl EchoPair {
    /// Starts both. Hosts know each other's hardware addresses, so that only TCP is on the wire.
    pub fn start(cx: &Check) -> Result<EchoPair, Finding> {
        EchoPair::start_on(cx, calm_lan(cx)?)
    }

    /// The same on hosts that are there already.
    pub fn start_on(cx: &Check, net: Rc<Net>) -> Result<EchoPair, Finding> {
        // Retransmissions go on inside the hosts, where nobody sees a process that moves.
        cx.allows_long_waits();
        let mut server = start_server(cx, &net)?;
        let client = cx.on(&net, "client");
        let mut client = client.program(CLIENT, &[format!("10.0.0.2:{PORT}")])?;
        client.line_after("connected from ")?;
        let child = child_of(&mut server)?;
        client.types("hello\n")?;
        ensure!(client.line()? == "hello", "another echo came back");
        Ok(EchoPair {
            net,
            server,
            client,
            child,
        })
    }
}

/// Two hosts that know each other's hardware addresses, and that send nothing again in less than five seconds: a busy
/// machine may keep a process waiting longer than the 200 ms after which TCP would.
pub fn calm_lan(cx: &Check) -> Result<Rc<Net>, Finding> {
    let net = cx.lan(&["client", "server"])?;
    net.introduce()?;
    for host in net.hosts() {
        match host.sysctl("net.ipv4.tcp_rto_min_us", "5000000") {
            // Linux 6.11 and later have it.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            set => set?,
        }
    }
    Ok(net)
}

/// The echo server on host `server`.
pub fn start_server(cx: &Check, net: &Rc<Net>) -> Result<Program, Finding> {
    let server = cx.on(net, "server");
    let mut server = server.program(SERVER, &[format!("10.0.0.2:{PORT}")])?;
    server.line()?;
    Ok(server)
}

/// The process of which the server says that it serves a client.
pub fn child_of(server: &mut Program) -> Result<i32, Finding> {
    let line = server.line()?;
    let pid = line
        .rsplit_once(" is served by process ")
        .and_then(|(_, pid)| pid.parse().ok());
    pid.ok_or_else(|| Finding::fail(format!("the server said {line:?}")))
}
