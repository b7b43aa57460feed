//! Does the record say what was on the wire?

mod net_support;

use std::fs::File;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use lab::net::{Match, Rule};
use lab::prelude::*;
use lab::wire::{TcpOption, Wire};
use net_support::{connection, datagrams, next, read, soon};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, recv, sendto, socket,
};

fn main() -> ExitCode {
    Suite::new("net_wire")
        .check(arp_is_told)
        .check(neighbor_discovery_is_told)
        .check(a_connection_is_told)
        .check(an_echo_is_told)
        .check(an_unreachable_port_is_told)
        .check(fragments_are_told)
        .check(a_window_is_told_in_bytes)
        .check(segments_are_as_a_wire_carries_them)
        .check(checksums_are_checked)
        .check(data_is_put_in_order)
        .check(a_ladder_fits_a_terminal)
        .check(a_wait_ends_with_the_frame_or_the_deadline)
        .check(what_was_sent_before_is_in_the_record)
        .check(tshark_opens_the_file)
        // It needs a second to start, and several on a busy machine.
        .time(Duration::from_secs(60))
        .main()
}

/// The lines of the frames, without their times.
fn lines(wire: &Wire) -> Vec<String> {
    wire.frames().iter().map(ToString::to_string).collect()
}

fn arp_is_told(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    connection(net.host("client"), net.host("server"))?;
    let told = lines(&net.wire()?.arp());
    let expected = [
        "client → *  ARP who has 10.0.0.2?",
        "server → client  ARP 10.0.0.2 is at 02:00:00:00:00:02",
    ];
    ensure!(told == expected, "it is told as {told:#?}");
    PASS
}

fn neighbor_discovery_is_told(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let to = (net.host("server").v6(), 9);
    let receiver = datagrams(net.host("server"), to)?;
    datagrams(net.host("client"), (std::net::Ipv6Addr::UNSPECIFIED, 0))?.send_to(b"hello", to)?;
    next(&receiver)?;
    let told = lines(&net.wire()?);
    let expected = [
        "client → *  ICMPv6 neighbor solicitation: who has fd00::2?",
        "server → client  ICMPv6 neighbor advertisement: fd00::2 is here",
    ];
    ensure!(told[..2] == expected, "it is told as {told:#?}");
    PASS
}

fn a_connection_is_told(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let (mut ours, mut theirs) = connection(net.host("client"), net.host("server"))?;
    ours.write_all(b"hello")?;
    read(&mut theirs, 5)?;
    drop(ours);
    ensure!(
        read(&mut theirs, 1).is_err(),
        "there is more to read after the end"
    );
    net.wire()?.tcp(7).expect(&[
        "client → server: SYN seq=0 mss=1460 len=0",
        "server → client: SYN ACK seq=0 ack=1 mss=1460",
        "client → server: ACK seq=1 ack=1",
        "client → server: PSH ACK seq=1 len=5 ack=1",
        "server → client: ACK seq=1 ack=6",
        "client → server: FIN ACK seq=6 ack=1",
    ])?;
    let wire = net.wire()?.tcp(7);
    let syn = wire.frames()[0].packet.tcp().expect("a segment");
    ensure!(
        syn.options.contains(&TcpOption::SackPermitted),
        "the options are {:?}",
        syn.options
    );
    ensure!(
        syn.options
            .iter()
            .any(|option| matches!(option, TcpOption::Timestamp(_, 0))),
        "there is no timestamp"
    );
    PASS
}

fn an_echo_is_told(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let raw = net.host("client").run(|| {
        Ok(socket(
            AddressFamily::Inet,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::Icmp,
        )?)
    })?;
    // Type 8, code 0, the checksum of these words, identifier 1, sequence number 2.
    let request = [8, 0, 0xf7, 0xfc, 0, 1, 0, 2];
    let to = SockaddrIn::from(std::net::SocketAddrV4::new(net.host("server").v4(), 0));
    sendto(
        std::os::fd::AsRawFd::as_raw_fd(&raw),
        &request,
        &to,
        MsgFlags::empty(),
    )?;
    let answer = recv(
        std::os::fd::AsRawFd::as_raw_fd(&raw),
        &mut [0; 100],
        MsgFlags::empty(),
    )?;
    ensure!(answer == 28, "the answer has {answer} bytes");
    let told = lines(&net.wire()?.icmp());
    ensure!(
        told == [
            "client → server  ICMP echo request",
            "server → client  ICMP echo reply"
        ],
        "it is told as {told:#?}"
    );
    PASS
}

fn an_unreachable_port_is_told(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    for to in [
        SocketAddr::from((net.host("server").v4(), 9)),
        (net.host("server").v6(), 9).into(),
    ] {
        let unspecified: SocketAddr = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }
            .parse()
            .expect("an address");
        let sender = datagrams(net.host("client"), unspecified)?;
        sender.connect(to)?;
        sender.send(b"hello")?;
        let refused = sender.recv(&mut [0]).map_err(|error| error.kind());
        ensure!(
            refused == Err(std::io::ErrorKind::ConnectionRefused),
            "the sender heard {refused:?}"
        );
    }
    net.wire()?.expect(&[
        "client → server: UDP → 9 len=5",
        "server → client: ICMP port unreachable",
        "client → server: UDP → 9 len=5",
        "server → client: ICMPv6 port unreachable",
    ])?;
    PASS
}

fn fragments_are_told(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let to = (net.host("server").v4(), 9);
    let receiver = datagrams(net.host("server"), to)?;
    datagrams(net.host("client"), (Ipv4Addr::UNSPECIFIED, 0))?.send_to(&[7; 3000], to)?;
    let mut whole = [0; 4000];
    ensure!(
        receiver.recv(&mut whole)? == 3000,
        "the pieces were not put together"
    );
    let fragments = net.wire()?.find("client → server: IPv4 fragment")?;
    ensure!(
        fragments.frames().len() == 3,
        "there are {} fragments, not 3",
        fragments.frames().len()
    );
    PASS
}

fn a_window_is_told_in_bytes(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let (mut ours, mut theirs) = connection(net.host("client"), net.host("server"))?;
    ours.write_all(b"hello")?;
    read(&mut theirs, 5)?;
    let wire = net.wire()?.tcp(7);
    let window = |i: usize| {
        wire.frames()[i]
            .packet
            .tcp()
            .map(|tcp| (u32::from(tcp.window), tcp.scaled_window))
    };
    let (syn, ack) = (window(0), window(2));
    ensure!(
        syn.is_some_and(|(raw, scaled)| raw == scaled),
        "the window of a SYN is scaled: {syn:?}"
    );
    // Linux begins with some 64 KB, which it must scale down to fit its header's field with a wider scale.
    ensure!(
        ack.is_some_and(|(raw, scaled)| raw < scaled && (60_000..70_000).contains(&scaled)),
        "the first window is {ack:?}"
    );
    PASS
}

fn segments_are_as_a_wire_carries_them(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let (mut ours, mut theirs) = connection(net.host("client"), net.host("server"))?;
    ours.write_all(&[7; 10_000])?;
    ensure!(
        read(&mut theirs, 10_000)? == [7; 10_000],
        "the bytes changed"
    );
    let wire = net.wire()?;
    let longest = wire.frames().iter().map(|frame| frame.length).max();
    ensure!(
        longest == Some(1514),
        "the longest frame has {longest:?} bytes"
    );
    let wrong = wire
        .frames()
        .iter()
        .filter(|frame| !frame.checksums_are_right())
        .count();
    ensure!(
        wrong == 0,
        "{wrong} of {} frames have wrong checksums",
        wire.frames().len()
    );
    ensure!(
        wire.data("client") == [7; 10_000],
        "the data is {} bytes",
        wire.data("client").len()
    );
    PASS
}

fn checksums_are_checked(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let to = (net.host("server").v4(), 9);
    let _receiver = datagrams(net.host("server"), to)?;
    datagrams(net.host("client"), (Ipv4Addr::UNSPECIFIED, 0))?.send_to(b"hello", to)?;
    let wire = net.wire()?.udp(9);
    let frame = &wire.frames()[0];
    ensure!(
        frame.packet.checksums_are_right(&frame.bytes),
        "the frame as it was sent is called wrong"
    );
    // Any byte from the IPv4 header to the end, but the two that say how long it all is.
    for at in (14..frame.bytes.len()).filter(|at| !(16..18).contains(at) && *at != 14) {
        let mut bytes = frame.bytes.to_vec();
        bytes[at] ^= 0x01;
        ensure!(
            !lab::wire::Packet::decode(&bytes).checksums_are_right(&bytes),
            "a wrong byte {at} is not noticed"
        );
    }
    PASS
}

fn data_is_put_in_order(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let (mut ours, mut theirs) = connection(net.host("client"), net.host("server"))?;
    let data = Match::tcp().from("client").with_data();
    net.rule(Rule::on(data.clone()).nth(2).drop())?;
    net.rule(Rule::on(data.clone()).nth(3).duplicate())?;
    net.rule(Rule::on(data).nth(4).overtaken_by(1))?;
    let sent: Vec<u8> = (0..9000u16).map(|i| (i % 251) as u8).collect();
    ours.write_all(&sent)?;
    theirs.write_all(b"thanks")?;
    ensure!(
        read(&mut theirs, 9000)? == sent,
        "the bytes changed on the way"
    );
    read(&mut ours, 6)?;
    let wire = net.wire()?.tcp(7);
    ensure!(
        wire.data("client") == sent,
        "the record has other data:\n{wire}"
    );
    ensure!(
        wire.data("server") == b"thanks",
        "the record has other data of the server:\n{wire}"
    );
    ensure!(wire.data("nobody").is_empty(), "there is data of nobody");
    // Three short segments are lost and sent again as one.
    let net = cx.lan(&["client", "server"])?;
    let (mut ours, mut theirs) = connection(net.host("client"), net.host("server"))?;
    net.rule(
        Rule::on(Match::tcp().from("client").with_data())
            .until(3)
            .drop(),
    )?;
    for text in [b"one", b"two", b"six"] {
        ours.write_all(text)?;
    }
    ensure!(
        read(&mut theirs, 9)? == b"onetwosix",
        "the bytes changed on the way"
    );
    let data = net.wire()?.data("client");
    ensure!(
        data == b"onetwosix",
        "the record has {} bytes of 9",
        data.len()
    );
    PASS
}

fn a_ladder_fits_a_terminal(cx: &Check) -> Verdict {
    let net = cx.two_lans(&["client"], &["server"])?;
    net.rule(Rule::on(Match::udp().from("router")).nth(1).drop())?;
    let receiver = datagrams(net.host("server"), (net.host("server").v4(), 9))?;
    let sender = datagrams(net.host("client"), (net.host("client").v4(), 0))?;
    for text in [&b"lost"[..], b"found"] {
        sender.send_to(text, (net.host("server").v4(), 9))?;
    }
    next(&receiver)?;
    let ladder = net.wire()?.ladder();
    let longest = ladder.lines().map(|line| line.chars().count()).max();
    ensure!(
        longest.is_some_and(|length| length <= 80),
        "a line has {longest:?} columns:\n{ladder}"
    );
    let heads: Vec<&str> = ladder
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    ensure!(
        heads == ["client", "router", "server"],
        "the hosts stand as {heads:?}"
    );
    let parts = [
        "|----ARP who has 10.0.0.254?---->|",
        "(dropped)",
        "X  |",
        "len=5--",
    ];
    for part in parts {
        ensure!(ladder.contains(part), "there is no {part:?} in\n{ladder}");
    }
    PASS
}

fn a_wait_ends_with_the_frame_or_the_deadline(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let (mut ours, _theirs) = connection(net.host("client"), net.host("server"))?;
    let began = Instant::now();
    let none = net.wait_for(began + Duration::from_millis(20), |frame| {
        !frame.data().is_empty()
    })?;
    ensure!(
        none.is_none() && began.elapsed() >= Duration::from_millis(20),
        "a frame that never was: {none:?}"
    );
    net.rule(Rule::on(Match::tcp().from("client").with_data()).delay(Duration::from_millis(5)))?;
    ours.write_all(b"hello")?;
    let arrived = net.wait_for(soon(), |frame| frame.data() == b"hello" && frame.arrived())?;
    ensure!(arrived.is_some(), "the frame was not seen to arrive");
    PASS
}

fn what_was_sent_before_is_in_the_record(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    net.introduce()?;
    let sender = datagrams(net.host("client"), (Ipv4Addr::UNSPECIFIED, 0))?;
    for count in 1..200 {
        sender.send_to(b"x", (net.host("server").v4(), 9))?;
        let known = net.wire()?.udp(9).from("client").frames().len();
        ensure!(
            known == count,
            "after {count} datagrams the record has {known}"
        );
    }
    PASS
}

fn tshark_opens_the_file(cx: &Check) -> Verdict {
    let net = cx.two_lans(&["client"], &["server"])?;
    net.rule(
        Rule::on(Match::tcp().from("client").with_data())
            .nth(2)
            .drop(),
    )?;
    let (mut ours, mut theirs) = connection(net.host("client"), net.host("server"))?;
    ours.write_all(&[7; 5000])?;
    read(&mut theirs, 5000)?;
    let to = (net.host("server").v6(), 9);
    let receiver = datagrams(net.host("server"), to)?;
    datagrams(net.host("client"), (net.host("client").v6(), 0))?.send_to(b"hello", to)?;
    next(&receiver)?;
    let wire = net.wire()?;
    let path = cx.folder()?.join("wire.pcapng");
    wire.pcapng(&mut File::create(&path)?)?;
    let path = path.to_string_lossy().into_owned();
    let mut arguments = vec!["-r", &path, "-T", "fields"];
    for option in [
        "tcp.check_checksum:TRUE",
        "udp.check_checksum:TRUE",
        "ip.check_checksum:TRUE",
    ] {
        arguments.extend(["-o", option]);
    }
    let fields = [
        "frame.interface_name",
        "frame.comment",
        "_ws.malformed",
        "tcp.checksum.status",
        "udp.checksum.status",
        "ip.checksum.status",
    ];
    for field in fields {
        arguments.extend(["-e", field]);
    }
    let shown = cx.tool("tshark", &arguments)?.exits(0)?;
    let rows: Vec<Vec<&str>> = shown
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    ensure!(
        rows.len() == wire.frames().len(),
        "tshark sees {} frames of {}",
        rows.len(),
        wire.frames().len()
    );
    ensure!(
        rows[0][0] == "client:eth0",
        "the first frame came by {}",
        rows[0][0]
    );
    // A status of 0 is a wrong checksum.
    let wrong = rows
        .iter()
        .filter(|row| !row[2].is_empty() || row[3..].contains(&"0"));
    ensure!(
        wrong.clone().count() == 0,
        "tshark calls these malformed: {:?}",
        wrong.collect::<Vec<_>>()
    );
    let comments: Vec<&str> = rows
        .iter()
        .map(|row| row[1])
        .filter(|comment| !comment.is_empty())
        .collect();
    ensure!(
        comments == ["to router: dropped by rule 1"],
        "the comments are {comments:?}"
    );
    PASS
}
