//! Does to frames what the rules say, and nothing else?

mod net_support;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use lab::net::{Match, Net, Rule};
use lab::prelude::*;
use lab::wire::{Flags, What};
use net_support::{LONG, connection, datagrams, next, read, soon};

fn main() -> ExitCode {
    Suite::new("net_rules")
        .check(a_dropped_segment_is_sent_again)
        .check(a_delayed_datagram_is_overtaken)
        .check(a_duplicated_datagram_comes_twice)
        .check(a_held_datagram_comes_after_the_next)
        .check(a_corrupted_segment_is_sent_again)
        .check(corrupted_data_fails_its_checksum)
        .check(a_slow_line_takes_its_time)
        .check(a_link_may_swallow_long_frames)
        .check(counts_choose_among_those_that_match)
        .check(chance_is_the_same_with_the_same_seed)
        .check(flags_choose_segments)
        .check(one_hosts_copy_of_a_broadcast_can_be_lost)
        .check(several_rules_act_on_one_frame)
        .check(a_rule_that_is_lifted_lets_go)
        .check(a_cut_cable_carries_nothing_until_mended)
        .check(a_cut_cable_is_seen_by_its_host)
        .main()
}

/// A LAN with datagram sockets: from the client, at the server, and the server's address.
struct Datagrams {
    net: Rc<Net>,
    sender: UdpSocket,
    receiver: UdpSocket,
    to: SocketAddr,
}

impl Datagrams {
    fn new(cx: &Check) -> Result<Self, Finding> {
        let net = cx.lan(&["client", "server"])?;
        let to = SocketAddr::from((net.host("server").v4(), 9));
        let receiver = datagrams(net.host("server"), to)?;
        let sender = datagrams(net.host("client"), (Ipv4Addr::UNSPECIFIED, 0))?;
        Ok(Self {
            net,
            sender,
            receiver,
            to,
        })
    }

    /// Sends datagrams with these numbers, and gives the numbers of the next `count` that arrive.
    fn send(
        &self,
        numbers: impl IntoIterator<Item = u8>,
        count: usize,
    ) -> Result<Vec<u8>, Finding> {
        for number in numbers {
            self.sender.send_to(&[number], self.to)?;
        }
        let arrived = (0..count).map(|_| Ok(next(&self.receiver)?[0]));
        Ok(arrived.collect::<std::io::Result<_>>()?)
    }
}

fn from_client() -> Match {
    Match::udp().from("client")
}

fn a_dropped_segment_is_sent_again(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let (mut ours, mut theirs) = connection(net.host("client"), net.host("server"))?;
    let rule = net.rule(
        Rule::on(Match::tcp().from("client").with_data())
            .nth(2)
            .drop(),
    )?;
    for _ in 0..4 {
        ours.write_all(&[7; 1000])?;
    }
    ensure!(read(&mut theirs, 4000)? == [7; 4000], "the bytes changed");
    let wire = net.wire()?.tcp(7);
    wire.expect(&[
        "client → server: seq=1001 len=1000 dropped",
        "client → server: seq=2001 len=1000",
        "server → client: ACK ack=1001",
        "client → server: seq=1001",
        "server → client: ACK ack=4001",
    ])?;
    let lost = wire.find("dropped")?;
    ensure!(
        lost.frames().len() == 1,
        "there are {} frames lost, not 1:\n{wire}",
        lost.frames().len()
    );
    ensure!(
        lost.frames()[0].fates[0].rule == rule.number(),
        "the frame does not say which rule dropped it"
    );
    ensure!(
        net.lift(rule)? == 1,
        "the rule does not say that it acted once"
    );
    PASS
}

fn a_delayed_datagram_is_overtaken(cx: &Check) -> Verdict {
    let all = Datagrams::new(cx)?;
    let delay = Duration::from_millis(30);
    all.net.rule(Rule::on(from_client()).nth(2).delay(delay))?;
    let arrived = all.send(0..4, 4)?;
    ensure!(arrived == [0, 2, 3, 1], "they arrived as {arrived:?}");
    let wire = all.net.wire()?.udp(9);
    let (frame, fate) = (&wire.frames()[1], &wire.frames()[1].fates[0]);
    ensure!(
        fate.what == What::Delayed && fate.at.saturating_sub(frame.time) >= delay,
        "it was not delayed: {:?}",
        frame.fates
    );
    PASS
}

fn a_duplicated_datagram_comes_twice(cx: &Check) -> Verdict {
    let all = Datagrams::new(cx)?;
    all.net.rule(Rule::on(from_client()).nth(2).duplicate())?;
    let arrived = all.send(0..3, 4)?;
    ensure!(arrived == [0, 1, 1, 2], "they arrived as {arrived:?}");
    let fates: Vec<What> = all.net.wire()?.udp(9).frames()[1]
        .fates
        .iter()
        .map(|fate| fate.what)
        .collect();
    ensure!(
        fates == [What::Delivered, What::Duplicate],
        "the record says {fates:?}"
    );
    PASS
}

fn a_held_datagram_comes_after_the_next(cx: &Check) -> Verdict {
    let all = Datagrams::new(cx)?;
    all.net
        .rule(Rule::on(from_client()).nth(2).overtaken_by(2))?;
    let arrived = all.send(0..5, 5)?;
    ensure!(arrived == [0, 2, 3, 1, 4], "they arrived as {arrived:?}");
    PASS
}

fn a_corrupted_segment_is_sent_again(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let (mut ours, mut theirs) = connection(net.host("client"), net.host("server"))?;
    net.rule(
        Rule::on(Match::tcp().from("client").with_data())
            .nth(1)
            .corrupt_data(3),
    )?;
    ours.write_all(b"hello")?;
    ensure!(
        read(&mut theirs, 5)? == b"hello",
        "the receiver was given what was corrupted"
    );
    net.wire()?.tcp(7).expect(&[
        "client → server: seq=1 len=5 corrupted",
        "client → server: seq=1 len=5",
        "server → client: ACK ack=6",
    ])?;
    PASS
}

fn corrupted_data_fails_its_checksum(cx: &Check) -> Verdict {
    let all = Datagrams::new(cx)?;
    all.net
        .rule(Rule::on(from_client()).nth(1).corrupt_data(0))?;
    // The destination address: the host drops what is not for it, without a look at checksums.
    all.net
        .rule(Rule::on(from_client()).nth(2).corrupt(14 + 19))?;
    let arrived = all.send(0..3, 1)?;
    ensure!(arrived == [2], "they arrived as {arrived:?}");
    let counters = all
        .net
        .host("server")
        .run(|| std::fs::read_to_string("/proc/net/snmp"))?;
    let udp: Vec<Vec<&str>> = counters
        .lines()
        .filter(|line| line.starts_with("Udp:"))
        .map(|line| line.split(' ').collect())
        .collect();
    let bad = udp[0]
        .iter()
        .position(|name| *name == "InCsumErrors")
        .map(|at| udp[1][at]);
    ensure!(
        bad == Some("1"),
        "the host counts {bad:?} wrong checksums, not 1"
    );
    PASS
}

fn a_slow_line_takes_its_time(cx: &Check) -> Verdict {
    let all = Datagrams::new(cx)?;
    // Frames of 43 bytes: 14 of Ethernet, 20 of IPv4, 8 of UDP, one of data. One in 4.3 ms.
    all.net.rule(Rule::on(from_client()).rate(10_000))?;
    let arrived = all.send(0..5, 5)?;
    ensure!(arrived == [0, 1, 2, 3, 4], "they arrived as {arrived:?}");
    let wire = all.net.wire()?.udp(9);
    let first = wire.frames()[0].time;
    for (i, frame) in wire.frames().iter().enumerate() {
        let earliest = Duration::from_micros(4300 * (i as u64 + 1));
        let after = frame.fates[0].at.saturating_sub(first);
        ensure!(
            after >= earliest,
            "frame {} arrived after {after:?}, earlier than a line can carry it",
            i + 1
        );
    }
    PASS
}

fn a_link_may_swallow_long_frames(cx: &Check) -> Verdict {
    let all = Datagrams::new(cx)?;
    all.net
        .rule(Rule::on(Match::any().longer_than(1000)).drop())?;
    all.sender.send_to(&[1; 1000], all.to)?;
    let arrived = all.send([2], 1)?;
    ensure!(arrived == [2], "the long one arrived");
    all.net.wire()?.expect(&[
        "client → server: UDP len=1000 dropped",
        "client → server: UDP len=1",
    ])?;
    all.net.wire()?.expect_none("ICMP")?;
    PASS
}

fn counts_choose_among_those_that_match(cx: &Check) -> Verdict {
    let all = Datagrams::new(cx)?;
    for (case, expected) in [
        (Rule::on(from_client()).every(3), vec![0, 1, 3, 4, 6, 7, 9]),
        (Rule::on(from_client()).since(3), vec![0, 1, 9]),
        (Rule::on(from_client()).until(3), vec![3, 4, 5, 6, 7, 8, 9]),
        (
            Rule::on(from_client()).since(2).every(4),
            vec![0, 1, 2, 3, 5, 6, 7, 9],
        ),
        (
            Rule::on(from_client().port(10)),
            vec![0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        ),
        (
            Rule::on(Match::tcp().from("client")),
            vec![0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        ),
        (
            Rule::on(from_client().byte(42, 5)),
            vec![0, 1, 2, 3, 4, 6, 7, 8, 9],
        ),
    ] {
        let rule = all.net.rule(case.clone().drop())?;
        for number in 0..9 {
            all.sender.send_to(&[number], all.to)?;
        }
        all.net.lift(rule)?;
        let arrived = all.send([9], expected.len())?;
        ensure!(
            arrived == expected,
            "{case:?}: arrived {arrived:?}, not {expected:?}"
        );
    }
    PASS
}

fn chance_is_the_same_with_the_same_seed(cx: &Check) -> Verdict {
    let losses = |seed: u64| -> Result<Vec<bool>, Finding> {
        let all = Datagrams::new(cx)?;
        all.net
            .rule(Rule::on(from_client()).with_probability(0.5, seed).drop())?;
        all.send(0..64, 0)?;
        Ok(all
            .net
            .wire()?
            .udp(9)
            .frames()
            .iter()
            .map(|frame| frame.arrived())
            .collect())
    };
    let (one, again, other) = (losses(1)?, losses(1)?, losses(2)?);
    ensure!(one == again, "the same seed made other choices");
    ensure!(one != other, "another seed made the same choices");
    let arrived = one.iter().filter(|arrived| **arrived).count();
    ensure!(
        (16..=48).contains(&arrived),
        "of 64 frames with probability one half, {arrived} arrived"
    );
    PASS
}

fn flags_choose_segments(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let syn = net.rule(
        Rule::on(Match::tcp().with(Flags::SYN).without(Flags::ACK)).delay(Duration::from_millis(1)),
    )?;
    let fin = net.rule(
        Rule::on(Match::tcp().with(Flags::FIN).without_data()).delay(Duration::from_millis(1)),
    )?;
    let (mut ours, mut theirs) = connection(net.host("client"), net.host("server"))?;
    ours.write_all(b"hello")?;
    read(&mut theirs, 5)?;
    drop(ours);
    ensure!(
        read(&mut theirs, 1).is_err(),
        "there is more to read after the end"
    );
    net.wire()?.tcp(7).expect(&[
        "client → server: SYN delayed",
        "server → client: SYN ACK",
        "client → server: FIN delayed",
    ])?;
    ensure!(
        (net.lift(syn)?, net.lift(fin)?) == (1, 1),
        "the rules acted on other segments too:\n{}",
        net.wire()?.tcp(7)
    );
    PASS
}

fn one_hosts_copy_of_a_broadcast_can_be_lost(cx: &Check) -> Verdict {
    let net = cx.lan(&["a", "b", "c"])?;
    net.rule(Rule::on(Match::udp().to("c")).nth(1).drop())?;
    let receivers = ["b", "c"].map(|host| datagrams(net.host(host), (Ipv4Addr::UNSPECIFIED, 9)));
    let sender = datagrams(net.host("a"), (Ipv4Addr::UNSPECIFIED, 0))?;
    sender.set_broadcast(true)?;
    for number in 0..2 {
        sender.send_to(&[number], (Ipv4Addr::BROADCAST, 9))?;
    }
    let [b, c] = receivers;
    ensure!(next(&b?)? == [0], "b's copy is lost");
    ensure!(next(&c?)? == [1], "c's copy is not lost");
    PASS
}

fn several_rules_act_on_one_frame(cx: &Check) -> Verdict {
    let all = Datagrams::new(cx)?;
    all.net.rule(Rule::on(from_client()).nth(1).duplicate())?;
    all.net.rule(
        Rule::on(from_client())
            .nth(1)
            .delay(Duration::from_millis(2)),
    )?;
    let arrived = all.send(0..2, 3)?;
    ensure!(arrived == [1, 0, 0], "they arrived as {arrived:?}");
    // What is lost is lost twice.
    let all = Datagrams::new(cx)?;
    all.net.rule(Rule::on(from_client()).nth(1).drop())?;
    all.net.rule(Rule::on(from_client()).nth(1).duplicate())?;
    let arrived = all.send(0..2, 1)?;
    ensure!(arrived == [1], "they arrived as {arrived:?}");
    PASS
}

fn a_rule_that_is_lifted_lets_go(cx: &Check) -> Verdict {
    let all = Datagrams::new(cx)?;
    ensure!(all.net.is_quiet()?, "an idle switch is not quiet");
    let rule = all
        .net
        .rule(Rule::on(from_client()).nth(1).overtaken_by(100))?;
    let arrived = all.send(0..2, 1)?;
    ensure!(arrived == [1], "the first was not held back");
    ensure!(!all.net.is_quiet()?, "a switch that holds a frame is quiet");
    ensure!(all.net.lift(rule)? == 1, "the rule did not act once");
    ensure!(next(&all.receiver)? == [0], "the frame was not let go");
    ensure!(all.net.is_quiet()?, "the switch still holds something");
    PASS
}

fn a_cut_cable_carries_nothing_until_mended(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let (mut ours, mut theirs) = connection(net.host("client"), net.host("server"))?;
    // So that the retransmission after the mending need not be waited for long. Kernels before 6.15 do not know it.
    let _ = net.host("client").sysctl("net.ipv4.tcp_rto_max_ms", "1000");
    net.cut("server")?;
    ours.write_all(b"hello")?;
    let lost = net.wait_for(soon(), |frame| {
        frame.fates.iter().any(|fate| fate.what == What::Cut)
    })?;
    ensure!(lost.is_some(), "the segment passed the cut cable");
    net.mend("server")?;
    ensure!(read(&mut theirs, 5)? == b"hello", "something else came");
    net.wire()?.tcp(7).expect(&[
        "client → server: len=5 lost",
        "client → server: len=5",
        "server → client: ACK ack=6",
    ])?;
    // A network that was mended is as good as new: its first frames are not lost.
    for host in ["client", "server"] {
        net.cut(host)?;
        net.mend(host)?;
        let server = net.host("server");
        let listener = server.run(|| TcpListener::bind((server.v6(), 8)))?;
        net.host("client")
            .run(|| TcpStream::connect_timeout(&(server.v6(), 8).into(), LONG))?;
        listener.accept()?;
    }
    let attempts = net.wire()?.tcp(8).find("client → server: SYN")?;
    ensure!(
        attempts.frames().len() == 2,
        "a mended cable lost a frame:\n{}",
        net.wire()?
    );
    PASS
}

fn a_cut_cable_is_seen_by_its_host(cx: &Check) -> Verdict {
    let net = cx.lan(&["a", "b"])?;
    let runs = |host: &str| {
        net.host(host).run(|| {
            let devices = nix::ifaddrs::getifaddrs()?;
            let flags = devices
                .filter(|device| device.interface_name == "eth0")
                .map(|device| device.flags)
                .next();
            Ok(flags
                .is_some_and(|flags| flags.contains(nix::net::if_::InterfaceFlags::IFF_RUNNING)))
        })
    };
    ensure!(runs("a")? && runs("b")?, "a new device has no carrier");
    net.cut("b")?;
    cx.wait_until("b to lose its carrier", || (!runs("b").ok()?).then_some(()))?;
    ensure!(runs("a")?, "the other host lost its carrier too");
    net.mend("b")?;
    ensure!(runs("b")?, "b has no carrier after the mending");
    PASS
}
