//! What the tests of this chapter have in common: the echo pair on two hosts.

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
        let net = cx.lan(&["client", "server"])?;
        net.introduce()?;
        EchoPair::start_on(cx, net)
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
