//! Is a record kept, read back, and compared as it must be?

mod net_support;

use std::io::{Read, Write};
use std::process::ExitCode;

use lab::net::{Match, Rule};
use lab::prelude::*;
use lab::wire::{State, Wire};
use net_support::connection;

fn main() -> ExitCode {
    Suite::new("wire_golden")
        .check(a_record_is_read_back_as_it_was)
        .check(what_is_lost_is_told_again_with_its_waits)
        .check(states_follow_the_wire)
        .check(who_is_refused_met_no_listener)
        .check(another_exchange_is_another_record)
        .check(bare_acknowledgments_may_differ)
        .check(a_record_that_is_none_is_said)
        .main()
}

/// One line there and back; the second time that the client speaks, its segment is lost `losses` times.
fn echo(cx: &Check, losses: u32) -> Result<Wire, Finding> {
    let net = cx.lan(&["client", "server"])?;
    net.introduce()?;
    let (mut client, mut server) = connection(net.host("client"), net.host("server"))?;
    let mut room = [0; 16];
    client.write_all(b"hello")?;
    server.read_exact(&mut room[..5])?;
    server.write_all(b"hello")?;
    client.read_exact(&mut room[..5])?;
    for nth in 1..=losses {
        net.rule(
            Rule::on(Match::tcp().from("client").with_data())
                .nth(nth.into())
                .drop(),
        )?;
    }
    client.write_all(b"again")?;
    server.read_exact(&mut room[..5])?;
    drop(client);
    ensure!(server.read(&mut room)? == 0, "the client said more");
    drop(server);
    cx.wait_until("the last FIN to be acknowledged", || {
        let wire = net.wire().ok()?.tcp(7);
        let last = wire.find("client -> server: ACK empty ack=7").ok()?;
        last.frames()
            .first()
            .is_some_and(|frame| frame.arrived())
            .then_some(())
    })?;
    Ok(net.wire()?.tcp(7))
}

fn lines(record: &str) -> Vec<&str> {
    record
        .lines()
        .filter(|line| line.starts_with("  ") && !line.trim_start().starts_with('|'))
        .map(str::trim)
        .collect()
}

fn a_record_is_read_back_as_it_was(cx: &Check) -> Verdict {
    let wire = echo(cx, 0)?;
    let record = wire.record();
    let back = Wire::from_record(&record)
        .map_err(|(line, what)| Finding::fail(format!("{line}: {what}")))?;
    ensure!(
        back.record() == record,
        "it came back as\n{}",
        back.record()
    );
    ensure!(
        back.frames().len() == wire.frames().len(),
        "frames are missing"
    );
    ensure!(
        back.data("client") == b"helloagain",
        "the data is {:?}",
        back.data("client")
    );
    let told = lines(&record);
    ensure!(
        told[0] == "client → server  SYN A→7 seq=0 mss=1460",
        "the first line is {:?}",
        told[0]
    );
    ensure!(
        told.contains(&"client → server  ACK A→7 seq=1 len=5 ack=1"),
        "there is no hello in {told:#?}"
    );
    PASS
}

fn what_is_lost_is_told_again_with_its_waits(cx: &Check) -> Verdict {
    let wire = echo(cx, 3)?;
    let story = wire.story();
    let again: Vec<(usize, u32)> = story
        .iter()
        .filter_map(|told| Some((told.again?.of, told.again?.ratio)))
        .collect();
    let first = wire.find("client -> server: data seq=6")?.frames()[0].number;
    let place = wire
        .frames()
        .iter()
        .position(|frame| frame.number == first)
        .unwrap_or_default();
    ensure!(
        again.iter().all(|(of, _)| *of == place),
        "they repeat {again:?}, not {place}"
    );
    let ratios: Vec<u32> = again.iter().map(|(_, ratio)| *ratio).collect();
    cx.evidence(format!("waits as multiples of the first: {ratios:?}"));
    // The first repetition is a probe of the tail, after about as long as the timer that follows it.
    ensure!(
        ratios == [1, 1, 2] || ratios == [1, 2, 4],
        "the waits are {ratios:?}"
    );
    let record = wire.record();
    let lost = lines(&record)
        .iter()
        .filter(|line| line.ends_with("(dropped)"))
        .count();
    ensure!(lost == 3, "{lost} are told as lost in\n{record}");
    PASS
}

fn states_follow_the_wire(cx: &Check) -> Verdict {
    let wire = echo(cx, 0)?;
    let changes = wire.story().into_iter().flat_map(|told| told.changes);
    let mut of_client: Vec<State> = Vec::new();
    let mut of_server = Vec::new();
    for (host, state) in changes {
        if &*host == "client" {
            of_client.push(state);
        } else {
            of_server.push(state);
        }
    }
    let client = [
        State::SynSent,
        State::Established,
        State::FinWait1,
        State::FinWait2,
        State::TimeWait,
    ];
    let without_fin_wait_2: Vec<State> = client
        .into_iter()
        .filter(|state| *state != State::FinWait2)
        .collect();
    ensure!(
        of_client == client || of_client == without_fin_wait_2,
        "the client's states: {of_client:?}"
    );
    let server = [
        State::SynReceived,
        State::Established,
        State::CloseWait,
        State::LastAck,
        State::Closed,
    ];
    ensure!(of_server == server, "the server's states: {of_server:?}");
    PASS
}

fn who_is_refused_met_no_listener(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let to = (net.host("server").v4(), 7);
    let refused = net.host("client").run(|| std::net::TcpStream::connect(to));
    ensure!(refused.is_err(), "somebody listens");
    let story = net.wire()?.tcp(7).story();
    let begins: Vec<State> = story[0].begins.iter().map(|(_, state)| *state).collect();
    ensure!(
        begins == [State::Closed, State::Closed],
        "they begin as {begins:?}"
    );
    let changes: Vec<(&str, State)> = story
        .iter()
        .flat_map(|told| &told.changes)
        .map(|(host, state)| (&**host, *state))
        .collect();
    ensure!(
        changes == [("client", State::SynSent), ("client", State::Closed)],
        "they change to {changes:?}"
    );
    PASS
}

fn another_exchange_is_another_record(cx: &Check) -> Verdict {
    let file = cx.folder()?.join("echo.wire");
    let wire = echo(cx, 0)?;
    let missing = cx.golden(&file, &wire).expect_err("there is no record");
    ensure!(
        missing
            .what()
            .starts_with("there is no record echo.wire yet; "),
        "{missing}"
    );
    std::fs::write(&file, wire.record())?;
    cx.golden(&file, &wire)?;
    let shorter =
        wire.only(|frame| frame.number < wire.frames().last().map_or(0, |last| last.number) - 2);
    let ends = cx.golden(&file, &shorter).expect_err("it is shorter");
    ensure!(ends.what().starts_with("the wire ends before "), "{ends}");
    let other = echo(cx, 1)?;
    let differs = cx.golden(&file, &other).expect_err("a segment was lost");
    ensure!(
        differs
            .what()
            .contains("the wire has \"client → server  ACK A→7 seq=6 len=5 ack=6 (dropped)\""),
        "{differs}"
    );
    let nothing = cx
        .golden(&file, &wire.only(|_| false))
        .expect_err("it is empty");
    ensure!(
        nothing.what().starts_with("nothing was on the wire"),
        "{nothing}"
    );
    PASS
}

fn bare_acknowledgments_may_differ(cx: &Check) -> Verdict {
    let file = cx.folder()?.join("echo.wire");
    let wire = echo(cx, 0)?;
    let story = wire.story();
    let bare: Vec<usize> = (0..story.len())
        .filter(|at| story[*at].bare)
        .map(|at| wire.frames()[at].number)
        .collect();
    std::fs::write(&file, wire.record())?;
    cx.golden(&file, &wire.only(|frame| !bare.contains(&frame.number)))?;
    let handshake = wire.frames()[2].number;
    ensure!(
        !bare.contains(&handshake),
        "the third step of the handshake is no mere acknowledgment"
    );
    let without = cx.golden(&file, &wire.only(|frame| frame.number != handshake));
    ensure!(
        without.is_err(),
        "the third step of the handshake was not missed"
    );
    PASS
}

fn a_record_that_is_none_is_said(cx: &Check) -> Verdict {
    let _ = cx;
    let host = "host a eth0 02:00:00:00:00:01 lan 0\n";
    for (text, line) in [
        ("host a\n", 1),
        ("host a eth0 02:00 lan 0\n", 1),
        ("    | 0200\n", 1),
        ("    | 1 at 0.000000 on 0\n", 1),
        (
            &*format!("{host}    | 1 at 0.000000 on 0, b delivered 0.000001 0\n"),
            2,
        ),
        (&*format!("{host}    | 1 at 0.000000 on 0\n    | 02x0\n"), 3),
    ] {
        let Err((at, what)) = Wire::from_record(text) else {
            return Err(Finding::fail(format!("{text:?} is taken for a record")));
        };
        ensure!(at == line, "{text:?}: line {at}, {what}");
    }
    ensure!(
        Wire::from_record("").is_ok_and(|wire| wire.frames().is_empty()),
        "an empty record is not empty"
    );
    PASS
}
