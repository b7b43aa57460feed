//! What do the chapter's programs do when a call goes wrong that hardly ever does?
//!
//! Each fault is planned: this error, from that call, at this descriptor. No check waits for luck.

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::time::Duration;

use lab::Kind;
use lab::net::diag;
use lab::prelude::*;
use tcp_client_server::connection::connect_to;
use tcp_client_server::echo::echo;
use tcp_client_server::scan::{Pace, State, scan};

const CLIENT: &str = env!("CARGO_BIN_EXE_tcp-echo-client");
const SERVER: &str = env!("CARGO_BIN_EXE_tcp-echo-server");
const SUM_SERVER: &str = env!("CARGO_BIN_EXE_tcp-sum-server");
const CHAT: &str = env!("CARGO_BIN_EXE_chat");

fn main() -> ExitCode {
    Suite::new("faults")
        .section("05-tcp-client-server#interrupted-calls")
        .check(the_echo_loses_nothing)
        .check(the_end_is_seen_however_late_the_read)
        .check(connect_is_not_called_again)
        .check(a_scan_goes_on_after_signals)
        .check(the_chat_waits_for_its_child_through_a_signal)
        .check(unlucky_clients_do_not_end_the_server)
        .check(what_will_not_pass_ends_the_server)
        .check(a_client_that_cannot_have_a_process_is_turned_away)
        .check(each_process_closes_what_it_does_not_need)
        .check(a_client_that_is_lost_costs_no_other)
        .check(the_fin_is_told_though_the_rst_is_there)
        .check(a_structure_in_pieces_is_a_structure)
        .main()
}

/// A signal before each call, a read and a write that give less than they could.
fn the_echo_loses_nothing(cx: &Check) -> Verdict {
    let (peer, end) = cx.tcp_pair()?;
    let plan = Faults::new()
        .on(Call::Read)
        .fd(&end)
        .nth(1)
        .fails(Errno::EINTR)
        .on(Call::Read)
        .fd(&end)
        .nth(2)
        .at_most(3)
        .on(Call::Write)
        .fd(&end)
        .nth(1)
        .at_most(1)
        .on(Call::Write)
        .fd(&end)
        .nth(2)
        .fails(Errno::EINTR);
    let serve = move || echo(&end).map_err(|error| error.to_string());
    let subject = cx.spawner().faults(plan).subject(serve)?;
    let calls = subject.calls()?;
    peer.sends("hello world")?;
    peer.expects("hello world")?;
    peer.shuts_down_writing()?;
    subject.returns(Ok(11))?;
    calls.met_every_fault()?;
    calls.never_after_end_of_file()?;
    PASS
}

/// The peer ends, or resets, between the moment in which `read` is called and the kernel's look at it.
fn the_end_is_seen_however_late_the_read(cx: &Check) -> Verdict {
    for resets in [false, true] {
        let (peer, end) = cx.tcp_pair()?;
        let gate = cx.gate()?;
        let plan = Faults::new().on(Call::Read).fd(&end).nth(1).waits_at(&gate);
        let serve = move || echo(&end).map_err(|error| error.to_string());
        let subject = cx.spawner().faults(plan).subject(serve)?;
        gate.wait_held()?;
        if resets {
            peer.resets()?;
        } else {
            peer.closes();
        }
        gate.release();
        subject.returns(if resets {
            Err("read: ECONNRESET: Connection reset by peer".into())
        } else {
            Ok(0)
        })?;
    }
    PASS
}

/// The kernel has gone on with it: what is left is to wait, through one more signal.
fn connect_is_not_called_again(cx: &Check) -> Verdict {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let at = listener.local_addr()?;
    let plan = Faults::new()
        .on(Call::Connect)
        .nth(1)
        .fails_afterwards(Errno::EINTR)
        .on(Call::Poll)
        .nth(1)
        .fails(Errno::EINTR);
    let connect = move || connect_to(at).map(drop).map_err(|error| error.to_string());
    let subject = cx.spawner().faults(plan).subject(connect)?;
    let calls = subject.calls()?;
    subject.returns(Ok(()))?;
    calls.met_every_fault()?;
    calls.of(Call::Connect).once()?;
    PASS
}

/// A signal at each `connect`, and at each `poll` of the first rounds.
fn a_scan_goes_on_after_signals(cx: &Check) -> Verdict {
    let open = TcpListener::bind("127.0.0.1:0")?;
    let port = open.local_addr()?.port();
    let plan = Faults::new()
        .on(Call::Connect)
        .nth(1)
        .fails_afterwards(Errno::EINTR)
        .on(Call::Poll)
        .nth(1..=4)
        .fails(Errno::EINTR);
    let subject = cx.spawner().faults(plan).subject(move || {
        let pace = Pace {
            at_once: 1,
            patience: Duration::from_secs(60),
        };
        let found = scan([127, 0, 0, 1].into(), &[port], pace);
        found
            .map(|found| found == [(port, State::Open)])
            .map_err(|error| error.to_string())
    })?;
    let calls = subject.calls()?;
    subject.returns(Ok(true))?;
    calls.met_every_fault()?;
    PASS
}

fn the_chat_waits_for_its_child_through_a_signal(cx: &Check) -> Verdict {
    let plan = Faults::new()
        .on(Call::Wait)
        .in_parent()
        .nth(1..=2)
        .fails(Errno::EINTR);
    let mut chat = cx.spawner().faults(plan).program(CHAT, &["--listen"])?;
    let calls = chat.calls()?;
    let at = chat.line_after("waiting at ")?;
    let peer = cx.connects(address(&at)?)?;
    peer.sends("hello\n")?;
    chat.line_after("peer: ")?;
    peer.closes();
    chat.exits(0)?;
    calls.met_every_fault()?;
    PASS
}

// ANCHOR: unlucky
/// Four clients in a row who are gone, or come at a bad time. The fifth is served as if they had never been.
fn unlucky_clients_do_not_end_the_server(cx: &Check) -> Verdict {
    let mut plan = Faults::new();
    let errors = [
        Errno::ECONNABORTED,
        Errno::EPROTO,
        Errno::EINTR,
        Errno::EMFILE,
    ];
    for (n, errno) in (1..).zip(errors) {
        plan = plan.on(Call::Accept).nth(n).fails(errno);
    }
    let (server, at) = server(cx, plan)?;
    echoes(cx, at)?;
    server.calls()?.met_every_fault()?;
    PASS
}
// ANCHOR_END: unlucky

/// The listener itself is broken. To go on would be to burn a core for nothing.
fn what_will_not_pass_ends_the_server(cx: &Check) -> Verdict {
    for (errno, said) in [(Errno::EINVAL, "EINVAL"), (Errno::ENOTSOCK, "ENOTSOCK")] {
        let plan = Faults::new().on(Call::Accept).nth(2).fails(errno);
        let (mut server, at) = server(cx, plan)?;
        echoes(cx, at)?;
        server.exits(1)?;
        let error = server.stderr();
        let wanted = format!("error: accept4: {said}: ");
        ensure!(error.starts_with(&wanted), "the server said {error:?}");
    }
    PASS
}

fn a_client_that_cannot_have_a_process_is_turned_away(cx: &Check) -> Verdict {
    let plan = Faults::new()
        .on(Call::Fork)
        .in_parent()
        .nth(1)
        .fails(Errno::EAGAIN);
    let (mut server, at) = server(cx, plan)?;
    let first = cx.connects(at)?.receives_to_end()?;
    ensure!(first.is_empty(), "the first client got {first:?}");
    server.line_after("127.0.0.1:")?;
    echoes(cx, at)?;
    server.calls()?.met_every_fault()?;
    PASS
}

/// The child does not accept and the parent does not talk: each closes the other's descriptor.
fn each_process_closes_what_it_does_not_need(cx: &Check) -> Verdict {
    let plan = Faults::new().records(&[Call::Listen, Call::Accept, Call::Close, Call::Fork]);
    let (server, at) = server(cx, plan)?;
    echoes(cx, at)?;
    let calls = server.calls()?;
    let listener = calls.of(Call::Listen).once()?.fd;
    let connection = calls
        .of(Call::Accept)
        .succeeded()
        .in_parent()
        .once()?
        .value();
    let of = |who: &Calls, fd: Option<i64>| {
        who.of(Call::Close)
            .that("of it", move |c| c.fd.map(i64::from) == fd)
    };
    of(&calls.in_child(), listener.map(i64::from)).at_least(1)?;
    of(&calls.in_parent(), connection).at_least(1)?;
    PASS
}

/// The child's write meets EPIPE. It says so and ends, and the next client has its own child.
fn a_client_that_is_lost_costs_no_other(cx: &Check) -> Verdict {
    let plan = Faults::new()
        .on(Call::Write)
        .in_child()
        .at_a(Kind::Stream)
        .nth(1)
        .fails(Errno::EPIPE);
    let (mut server, at) = server(cx, plan)?;
    let unlucky = cx.connects(at)?;
    unlucky.sends("hello\n")?;
    let got = unlucky.receives_to_end()?;
    ensure!(got.is_empty(), "the first client got {got:?}");
    while !server
        .line()?
        .ends_with(" is lost: write: EPIPE: Broken pipe")
    {}
    echoes(cx, at)?;
    PASS
}

/// The client's second line draws RST, and the client reads only when that has arrived: it is told the end all the same.
fn the_fin_is_told_though_the_rst_is_there(cx: &Check) -> Verdict {
    let listener = cx.listens(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let at = listener.address()?;
    let gate = cx.gate()?;
    let plan = Faults::new()
        .on(Call::Read)
        .at_a(Kind::Stream)
        .nth(1)
        .waits_at(&gate);
    let spawner = cx.spawner().faults(plan);
    let mut client = spawner.program(CLIENT, &[at.to_string()])?;
    let peer = listener.accepts()?;
    let from = client.line_after("connected from ")?;
    let from = address(&from)?;
    peer.closes();
    client.types("again\n")?;
    gate.wait_held()?;
    cx.wait_until("the client's connection to be reset", || {
        let sockets = diag::tcp().ok()?;
        (!sockets.iter().any(|socket| socket.local == from)).then_some(())
    })?;
    gate.release();
    client.exits(1)?;
    let error = client.stderr();
    ensure!(
        error == "error: the server ended after 0 of 6 bytes\n",
        "the client said {error:?}"
    );
    PASS
}

/// Sixteen bytes, one a read, with a signal between them; the sum goes out in two pieces.
fn a_structure_in_pieces_is_a_structure(cx: &Check) -> Verdict {
    let plan = Faults::new()
        .on(Call::Read)
        .at_a(Kind::Stream)
        .nth(3)
        .fails(Errno::EINTR)
        .on(Call::Read)
        .at_a(Kind::Stream)
        .at_most(1)
        .on(Call::Write)
        .at_a(Kind::Stream)
        .nth(1)
        .at_most(5);
    let spawner = cx.spawner().faults(plan);
    let mut server = spawner.program(SUM_SERVER, &["--struct", "x86-64"])?;
    let at = server.line_after("listening on ")?;
    let peer = cx.connects(address(&at)?)?;
    peer.sends([200_i64.to_le_bytes(), 100_i64.to_le_bytes()].concat())?;
    peer.expects(300_i64.to_le_bytes())?;
    server.calls()?.met_every_fault()?;
    PASS
}

/// Starts the echo server under a plan, and takes its address from what it prints.
fn server(cx: &Check, plan: Faults) -> Result<(Program, SocketAddr), Finding> {
    let mut server = cx.spawner().faults(plan).program(SERVER, &[""; 0])?;
    let line = server.line()?;
    let at = line.rsplit_once(" listens on ").map_or("", |(_, at)| at);
    let at = address(at)?;
    Ok((server, at))
}

/// A client comes, is echoed, and goes.
fn echoes(cx: &Check, at: SocketAddr) -> Result<(), Finding> {
    let client = cx.connects(at)?;
    client.sends("hello\n")?;
    client.expects("hello\n")?;
    client.shuts_down_writing()?;
    let rest = client.receives_to_end()?;
    ensure!(rest.is_empty(), "more came: {rest:?}");
    Ok(())
}

fn address(text: &str) -> Result<SocketAddr, Finding> {
    let parsed = text.parse();
    parsed.map_err(|_| Finding::fail(format!("{text:?} is no address")))
}
