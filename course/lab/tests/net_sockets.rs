//! Does the table of sockets say what they do?

mod net_support;

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;

use lab::net::diag::{self, State, Timer};
use lab::net::{Match, Rule};
use lab::prelude::*;
use lab::wire::Flags;
use net_support::{connection, datagrams};

fn main() -> ExitCode {
    Suite::new("net_sockets")
        .check(sockets_tell_their_state)
        .check(a_retransmission_timer_is_seen)
        .main()
}

fn sockets_tell_their_state(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let server = net.host("server");
    let listener = server.run(|| TcpListener::bind((server.v4(), 8)))?;
    let (mut ours, theirs) = connection(net.host("client"), server)?;
    ours.write_all(b"hello")?;
    let arrived = cx.wait_until("five bytes", || {
        let mut five = [0; 5];
        (theirs.peek(&mut five).ok()? == 5).then_some(())
    });
    arrived?;
    let sockets = server.run(diag::tcp)?;
    let find = |state| sockets.iter().find(|socket| socket.state == state);
    ensure!(
        find(State::Listen).is_some_and(|s| s.local == listener.local_addr().expect("bound")),
        "no listener: {sockets:?}"
    );
    let established = find(State::Established);
    ensure!(
        established.is_some_and(|s| s.receive_queue == 5
            && s.peer == ours.local_addr().expect("bound")
            && s.inode > 0),
        "no connection with 5 bytes unread: {sockets:?}"
    );
    // Its acknowledgment does not come, so this connection stays half open.
    let lost = Match::tcp().port(8).from("client").without(Flags::SYN);
    net.rule(Rule::on(lost).drop())?;
    let half_open = net
        .host("client")
        .run(|| TcpStream::connect((server.v4(), 8)))?;
    let sockets = server.run(diag::tcp)?;
    let peer = half_open.local_addr()?;
    ensure!(
        sockets
            .iter()
            .any(|s| s.state == State::SynReceived && s.peer == peer),
        "no half-open connection: {sockets:?}"
    );
    let v6 = datagrams(server, (server.v6(), 9))?;
    let udp = server.run(diag::udp)?;
    ensure!(
        udp.len() == 1 && udp[0].local == v6.local_addr()?,
        "other datagram sockets: {udp:?}"
    );
    PASS
}

fn a_retransmission_timer_is_seen(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let (mut ours, _theirs) = connection(net.host("client"), net.host("server"))?;
    let timers = || {
        net.host("client").run(diag::tcp).map(|sockets| {
            sockets
                .iter()
                .map(|socket| socket.timer)
                .collect::<Vec<_>>()
        })
    };
    cx.wait_until("no timer on an idle connection", || {
        (timers().ok()? == [Timer::None]).then_some(())
    })?;
    net.rule(Rule::on(Match::tcp().from("client")).drop())?;
    ours.write_all(b"x")?;
    ensure!(
        timers()? == [Timer::Retransmit],
        "with a segment lost the timers are {:?}",
        timers()?
    );
    PASS
}
