//! What do two hosts say to each other when one end goes away, in each way there is?
//!
//! Each check makes the exchange that the book draws under the same name.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use lab::net::{Net, diag};
use lab::prelude::*;
use lab::wire::Flags;
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{MsgFlags, send};
use nix::unistd::{Pid, read};

mod common;
#[path = "hosts/last_words.rs"]
mod last_words;
#[path = "hosts/power.rs"]
mod power;

use common::{EchoPair, PORT, calm_lan, child_of, start_server};
use last_words::{record, says_at_last};

fn main() -> ExitCode {
    let half_a_minute = Duration::from_secs(30);
    Suite::new("hosts")
        .section("05-tcp-client-server#start-to-end")
        .check(start_to_end)
        .check(server_process_dies)
        .check(the_keyboard_keeps_the_client_from_hearing_of_it)
        .check(host_crashes)
        .time(half_a_minute)
        .check(a_dead_neighbor_is_a_host_without_a_route)
        .time(half_a_minute)
        .check(nobody_answers_a_syn)
        .time(half_a_minute)
        .check(host_reboots)
        .check(host_shuts_down)
        .main()
}

/// The address of the server, for a peer.
fn server_address() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 2], PORT))
}

/// Waits until a segment with this flag has come from this host to the other.
fn sees(cx: &Check, net: &Net, host: &str, flag: Flags) -> Result<(), Finding> {
    cx.sees(net, &format!("{flag} from {host}"), |frame| {
        let has_it = frame.packet.tcp().is_some_and(|tcp| tcp.flags.has(flag));
        *frame.from == *host && has_it && frame.arrived()
    })?;
    Ok(())
}

/// When the frames of this kind were sent, in tenths of a second, counted from the first of them.
fn schedule(net: &Net, pattern: &str) -> Result<Vec<u128>, Finding> {
    let wire = net.wire()?.tcp(PORT).find(pattern)?;
    let first = wire
        .frames()
        .first()
        .map_or(Duration::ZERO, |frame| frame.time);
    let since = wire
        .frames()
        .iter()
        .map(|frame| frame.time.saturating_sub(first));
    Ok(since.map(|time| (time.as_millis() + 50) / 100).collect())
}

/// Demands that what was sent again was sent at these times, give or take as much as a busy machine takes.
fn is_scheduled(cx: &Check, seen: &[u128], wanted: &[u128]) -> Result<(), Finding> {
    cx.evidence(format!("sent at {seen:?} tenths of a second"));
    ensure!(
        seen.len() == wanted.len(),
        "sent {} times, at {seen:?}, not at {wanted:?}",
        seen.len()
    );
    for (seen, wanted) in seen.iter().zip(wanted) {
        // Timers are never early. Each is set when the one before has run, so what is late stays late.
        let late = 3 + wanted / 4;
        ensure!(
            (*wanted..=wanted + late).contains(seen),
            "sent at {seen:?}, not at {wanted:?}"
        );
    }
    Ok(())
}

/// Waits until the ends of the connection are in these states, the server's and the client's; no state when that host
/// has forgotten it. Then `ss` must say the same, in its words.
fn are_in(
    cx: &Check,
    net: &Rc<Net>,
    wanted: [Option<diag::State>; 2],
    words: [&str; 2],
) -> Result<(), Finding> {
    cx.wait_until(
        &format!("the ends to be in {}", words.join(" and ")),
        || {
            let now = ["server", "client"].map(|host| {
                let mut sockets = net.host(host).run(diag::tcp).ok()?;
                sockets.retain(|socket| socket.state != diag::State::Listen);
                sockets.first().map(|socket| socket.state)
            });
            (now == wanted).then_some(())
        },
    )?;
    let said = states(cx, net)?;
    ensure!(said == words, "ss says {said:?}, not {words:?}");
    Ok(())
}

/// The states of both ends as `ss` has them, the server's first.
fn states(cx: &Check, net: &Rc<Net>) -> Result<Vec<String>, Finding> {
    let mut states = Vec::new();
    for host in ["server", "client"] {
        let filter = format!("( sport = :{PORT} or dport = :{PORT} )");
        let mut ss = cx
            .on(net, host)
            .tool("ss", &["-H", "-t", "-a", "-n", &filter])?;
        let mut lines: Vec<String> = ss.exits(0)?.lines().map(str::to_owned).collect();
        lines.retain_mut(|line| {
            *line = line
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned();
            line != "LISTEN"
        });
        states.push(lines.join(" "));
    }
    Ok(states)
}

/// Handshake, one line there and back, and the end that the client begins.
fn start_to_end(cx: &Check) -> Verdict {
    let mut pair = EchoPair::start(cx)?;
    let both = [Some(diag::State::Established); 2];
    are_in(cx, &pair.net, both, ["ESTAB", "ESTAB"])?;
    let said = pair.client.exits(0)?;
    ensure!(
        said.ends_with("the server has ended, too\n"),
        "the client said {said:?}"
    );
    ensure!(
        pair.server.line()?.ends_with(" has ended after 6 bytes"),
        "the server lost bytes"
    );
    are_in(
        cx,
        &pair.net,
        [None, Some(diag::State::TimeWait)],
        ["", "TIME-WAIT"],
    )?;
    let wire = pair.net.wire()?.tcp(PORT);
    wire.expect(&[
        "client -> server: SYN",
        "server -> client: SYN ACK",
        "client -> server: ACK",
        "client -> server: data len=6",
        "server -> client: data len=6",
        "client -> server: FIN",
        "server -> client: FIN",
        "client -> server: ACK",
    ])?;
    wire.expect_none("RST")?;
    record(cx, "start-to-end", &pair.net)?;
    PASS
}

/// The server's process is killed while the client waits. The kernel says FIN for it, then RST.
fn server_process_dies(cx: &Check) -> Verdict {
    // An acknowledgment may be delayed, and then every process sleeps.
    cx.allows_long_waits();
    let net = calm_lan(cx)?;
    let mut server = start_server(cx, &net)?;
    let client = cx.on(&net, "client").connects(server_address())?;
    let child = child_of(&mut server)?;
    client.sends("hello\n")?;
    client.expects("hello\n")?;

    cx.step("the process that serves the client is killed");
    kill(Pid::from_raw(child), Signal::SIGKILL)?;
    let ends = [Some(diag::State::FinWait2), Some(diag::State::CloseWait)];
    are_in(cx, &net, ends, ["FIN-WAIT-2", "CLOSE-WAIT"])?;

    // This write succeeds: a FIN says only that the other end will not send any more.
    client.sends("again\n")?;
    sees(cx, &net, "server", Flags::RST)?;
    let end = read(&client, &mut [0; 16]);
    ensure!(end == Ok(0), "after FIN and RST, read gave {end:?}");
    let second = send(
        client.as_fd().as_raw_fd(),
        b"again\n",
        MsgFlags::MSG_NOSIGNAL,
    );
    ensure!(
        second == Err(Errno::EPIPE),
        "the second write gave {second:?}"
    );
    net.wire()?.tcp(PORT).expect(&[
        "server -> client: data len=6",
        "server -> client: FIN",
        "client -> server: data len=6",
        "server -> client: RST",
    ])?;
    record(cx, "server-process-dies", &net)?;
    PASS
}

/// The chapter's client sits in a read of the keyboard when the FIN comes.
fn the_keyboard_keeps_the_client_from_hearing_of_it(cx: &Check) -> Verdict {
    let mut pair = EchoPair::start(cx)?;
    kill(Pid::from_raw(pair.child), Signal::SIGKILL)?;
    sees(cx, &pair.net, "server", Flags::FIN)?;
    says_at_last(
        &mut pair,
        "again\n",
        "error: the server ended after 0 of 6 bytes",
    )?;
    PASS
}

/// The cable is cut. The client sends again and again, at growing distances, and gives up.
fn host_crashes(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    net.introduce()?;
    let mut pair = EchoPair::start_on(cx, net)?;
    pair.net
        .host("client")
        .sysctl("net.ipv4.tcp_retries2", "2")?;
    pair.net.cut("server")?;
    let began = Instant::now();
    says_at_last(
        &mut pair,
        "again\n",
        "error: read: ETIMEDOUT: Connection timed out",
    )?;
    cx.evidence(format!(
        "gave up after {} tenths of a second",
        began.elapsed().as_millis() / 100
    ));
    is_scheduled(
        cx,
        &schedule(&pair.net, "client -> server: data cut seq=7")?,
        &[0, 2, 4, 8, 16],
    )?;
    // The server hears nothing, which is what it heard before. Its process waits in read, for ever.
    let sockets = pair.net.host("server").run(diag::tcp)?;
    let there = sockets
        .iter()
        .any(|socket| socket.state == diag::State::Established);
    ensure!(
        there,
        "the server's end is not ESTABLISHED any more: {sockets:?}"
    );
    record(cx, "host-crashes", &pair.net)?;
    PASS
}

/// On the same link, the client's host asks for the hardware address, gets no answer, and that is the error.
fn a_dead_neighbor_is_a_host_without_a_route(cx: &Check) -> Verdict {
    let mut pair = EchoPair::start_on(cx, cx.lan(&["client", "server"])?)?;
    let host = pair.net.host("client");
    host.sysctl("net.ipv4.tcp_retries2", "2")?;
    // What takes half a minute or more otherwise: the entry is old, and to be confirmed, soon.
    host.sysctl("net.ipv4.neigh.eth0.delay_first_probe_time", "1")?;
    host.sysctl("net.ipv4.neigh.eth0.retrans_time_ms", "100")?;
    let stale = ["neigh", "change", "10.0.0.2", "dev", "eth0", "nud", "stale"];
    cx.on(&pair.net, "client").tool("ip", &stale)?.exits(0)?;
    pair.net.cut("server")?;
    says_at_last(
        &mut pair,
        "again\n",
        "error: read: EHOSTUNREACH: No route to host",
    )?;
    pair.net
        .wire()?
        .expect(&["client -> server: data cut", "client -> server: ARP cut"])?;
    PASS
}

/// The same before there is a connection: SYN, again and again.
fn nobody_answers_a_syn(cx: &Check) -> Verdict {
    cx.allows_long_waits();
    let net = cx.lan(&["client", "server"])?;
    net.introduce()?;
    let host = net.host("client");
    host.sysctl("net.ipv4.tcp_syn_retries", "2")?;
    // Linux 6.5 and later repeat the first SYNs at the same distance, unless told not to.
    let linear = host.sysctl("net.ipv4.tcp_syn_linear_timeouts", "0");
    ensure!(
        linear.is_ok() || linear.is_err_and(|error| error.kind() == ErrorKind::NotFound),
        "the parameter is there, but cannot be set"
    );
    net.cut("server")?;
    let client = env!("CARGO_BIN_EXE_tcp-echo-client");
    let mut client = cx
        .on(&net, "client")
        .program(client, &[format!("10.0.0.2:{PORT}")])?;
    client.exits(1)?;
    let said = client.stderr();
    ensure!(
        said.contains("connect: ETIMEDOUT"),
        "the client said {said:?}"
    );
    is_scheduled(
        cx,
        &schedule(&net, "client -> server: SYN cut")?,
        &[0, 10, 30],
    )?;
    record(cx, "nobody-answers-a-syn", &net)?;
    PASS
}

/// The host comes back and knows nothing of the connection. It says so.
fn host_reboots(cx: &Check) -> Verdict {
    let mut pair = EchoPair::start(cx)?;
    power::goes_off(cx, &mut pair)?;
    pair.net.mend("server")?;
    cx.step("the server's host is back");
    says_at_last(
        &mut pair,
        "again\n",
        "error: read: ECONNRESET: Connection reset by peer",
    )?;
    let wire = pair.net.wire()?.tcp(PORT);
    wire.expect(&["client -> server: data seq=7", "server -> client: RST"])?;
    wire.expect_none("FIN")?;
    record(cx, "host-reboots", &pair.net)?;
    PASS
}

/// Before a host goes off in order, init sends SIGTERM to every process. Each end says FIN in time.
fn host_shuts_down(cx: &Check) -> Verdict {
    cx.allows_long_waits();
    let net = calm_lan(cx)?;
    let mut server = start_server(cx, &net)?;
    let client = cx.on(&net, "client").connects(server_address())?;
    let child = child_of(&mut server)?;
    client.sends("hello\n")?;
    client.expects("hello\n")?;

    cx.step("every process of the server's host gets SIGTERM");
    for pid in [server.pid(), child] {
        kill(Pid::from_raw(pid), Signal::SIGTERM)?;
    }
    let rest = client.receives_to_end()?;
    ensure!(rest.is_empty(), "something came before the end: {rest:?}");
    server.dies_of(Signal::SIGTERM)?;
    // The host is off before the connection is over: the client has not closed yet.
    let ends = [Some(diag::State::FinWait2), Some(diag::State::CloseWait)];
    are_in(cx, &net, ends, ["FIN-WAIT-2", "CLOSE-WAIT"])?;
    net.cut("server")?;
    net.wire()?.tcp(PORT).expect(&["server -> client: FIN"])?;
    record(cx, "host-shuts-down", &net)?;
    PASS
}
