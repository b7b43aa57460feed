//! Are hosts what hosts are: reachable, separate, routed, and gone afterwards?

mod net_support;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::ExitCode;
use std::time::Duration;

use lab::net::{Match, Net, Rule};
use lab::prelude::*;
use lab::wire::Flags;
use net_support::{LONG, addresses, connection, datagrams, next, read, soon};
use nix::unistd::ForkResult;

fn main() -> ExitCode {
    Suite::new("net")
        .check(tcp_crosses_by_every_address)
        .check(udp_crosses_by_every_address)
        .check(a_broadcast_reaches_everybody)
        .check(a_multicast_reaches_who_joined)
        .check(the_first_segment_is_never_lost)
        .check(what_hosts_say_while_they_are_built_is_not_recorded)
        .check(who_is_introduced_does_not_ask)
        .check(hosts_are_what_they_are_said_to_be)
        .check(every_host_has_all_ports)
        .check(a_router_forwards)
        .check(a_router_says_that_time_is_exceeded)
        .check(a_router_says_that_a_packet_is_too_big)
        .check(a_parameter_is_the_hosts_own)
        .check(a_network_leaves_no_process)
        .check(a_childs_copy_is_not_the_network)
        .check(two_networks_do_not_meet)
        .check(a_misspelt_host_is_an_error)
        .check(closures_come_back_from_a_host)
        .main()
}

fn tcp_crosses_by_every_address(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let (client, server) = (net.host("client"), net.host("server"));
    for (from_client, at_server) in addresses(client, server, 7) {
        let listener = server.run(|| TcpListener::bind(at_server))?;
        let mut ours = client.run(|| TcpStream::connect_timeout(&from_client, LONG))?;
        let (mut theirs, _) = listener.accept()?;
        theirs.set_read_timeout(Some(LONG))?;
        ours.write_all(b"hello")?;
        ensure!(
            read(&mut theirs, 5)? == b"hello",
            "something else came by {from_client}"
        );
    }
    PASS
}

fn udp_crosses_by_every_address(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let (client, server) = (net.host("client"), net.host("server"));
    for (from_client, at_server) in addresses(client, server, 7) {
        let receiver = datagrams(server, at_server)?;
        let unspecified: SocketAddr = if from_client.is_ipv4() {
            "0.0.0.0:0"
        } else {
            "[::]:0"
        }
        .parse()
        .expect("an address");
        datagrams(client, unspecified)?.send_to(b"hello", from_client)?;
        ensure!(
            next(&receiver)? == b"hello",
            "something else came by {from_client}"
        );
    }
    PASS
}

fn a_broadcast_reaches_everybody(cx: &Check) -> Verdict {
    let net = cx.lan(&["a", "b", "c"])?;
    let sender = datagrams(net.host("a"), (Ipv4Addr::UNSPECIFIED, 0))?;
    sender.set_broadcast(true)?;
    let receivers: Vec<UdpSocket> = ["b", "c"]
        .map(|host| datagrams(net.host(host), (Ipv4Addr::UNSPECIFIED, 5000)))
        .into_iter()
        .collect::<Result<_, _>>()?;
    for everybody in [Ipv4Addr::new(10, 0, 0, 255), Ipv4Addr::BROADCAST] {
        sender.send_to(b"all", (everybody, 5000))?;
        for receiver in &receivers {
            ensure!(next(receiver)? == b"all", "{everybody} gave something else");
        }
    }
    net.wire()?
        .udp(5000)
        .expect_exactly(&["a → *: UDP len=3", "a → *: UDP len=3"])?;
    PASS
}

fn a_multicast_reaches_who_joined(cx: &Check) -> Verdict {
    let net = cx.lan(&["a", "b", "c"])?;
    let group = Ipv4Addr::new(239, 1, 2, 3);
    let sender = datagrams(net.host("a"), (Ipv4Addr::UNSPECIFIED, 0))?;
    let joined = datagrams(net.host("b"), (Ipv4Addr::UNSPECIFIED, 5000))?;
    joined.join_multicast_v4(&group, &net.host("b").v4())?;
    let stranger = datagrams(net.host("c"), (Ipv4Addr::UNSPECIFIED, 5000))?;
    sender.send_to(b"group", (group, 5000))?;
    ensure!(next(&joined)? == b"group", "the member got something else");
    // What comes next to the other is what is sent next, so the first never came.
    sender.send_to(b"you", (net.host("c").v4(), 5000))?;
    ensure!(next(&stranger)? == b"you", "who did not join got it too");
    PASS
}

fn the_first_segment_is_never_lost(cx: &Check) -> Verdict {
    for _ in 0..10 {
        let net = cx.lan(&["client", "server"])?;
        let (client, server) = (net.host("client"), net.host("server"));
        for (from_client, at_server) in addresses(client, server, 7) {
            let listener = server.run(|| TcpListener::bind(at_server))?;
            client.run(|| TcpStream::connect_timeout(&from_client, LONG))?;
            listener.accept()?;
        }
        // A segment that was lost was sent again; one that never reached the wire was sent a second late.
        let wire = net.wire()?;
        let first = wire.find("client → server: SYN")?;
        ensure!(
            first.frames().len() == 3,
            "there are {} SYN, not 3:\n{first}",
            first.frames().len()
        );
        let asked = wire.only(|frame| frame.packet.ip().is_none() || frame.packet.icmp().is_some());
        ensure!(
            asked.from("client").frames().len() == 3,
            "a question was asked again:\n{asked}"
        );
    }
    PASS
}

fn what_hosts_say_while_they_are_built_is_not_recorded(cx: &Check) -> Verdict {
    let net = cx.lan(&["a", "b"])?;
    // The kernel would announce its groups within two ticks, at most 20 ms.
    let announced = net.wait_for(
        std::time::Instant::now() + Duration::from_millis(30),
        |_| true,
    )?;
    ensure!(
        announced.is_none(),
        "without anybody's doing there is {}",
        announced.expect("a frame")
    );
    PASS
}

fn who_is_introduced_does_not_ask(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    net.introduce()?;
    let (client, server) = (net.host("client"), net.host("server"));
    for (from_client, at_server) in addresses(client, server, 7) {
        let listener = server.run(|| TcpListener::bind(at_server))?;
        client.run(|| TcpStream::connect_timeout(&from_client, LONG))?;
        listener.accept()?;
    }
    let wire = net.wire()?;
    let asked = wire.frames().len() - wire.without_upkeep().frames().len();
    ensure!(asked == 0, "they asked for hardware addresses:\n{wire}");
    PASS
}

fn hosts_are_what_they_are_said_to_be(cx: &Check) -> Verdict {
    let net = cx.two_lans(&["client"], &["server"])?;
    let expected = [
        (
            "client",
            "10.0.0.1",
            "fd00::1",
            "fe80::ff:fe00:1",
            "02:00:00:00:00:01",
            2,
        ),
        (
            "server",
            "10.0.1.1",
            "fd00:0:0:1::1",
            "fe80::ff:fe00:101",
            "02:00:00:00:01:01",
            3,
        ),
        (
            "router",
            "10.0.0.254",
            "fd00::fe",
            "fe80::ff:fe00:fe",
            "02:00:00:00:00:fe",
            4,
        ),
    ];
    for (name, v4, v6, link_local, mac, index) in expected {
        let host = net.host(name);
        let said = (
            host.v4().to_string(),
            host.v6().to_string(),
            host.link_local().to_string(),
            host.mac().to_string(),
        );
        ensure!(
            said == (v4.into(), v6.into(), link_local.into(), mac.into()),
            "{name} is said to be {said:?}"
        );
        let devices = host.run(|| Ok(nix::ifaddrs::getifaddrs()?.collect::<Vec<_>>()))?;
        let of_eth0 = devices
            .iter()
            .filter(|device| device.interface_name == "eth0");
        let seen: Vec<String> = of_eth0
            .filter_map(|device| Some(device.address?.to_string()))
            .collect();
        for address in [v4, v6, link_local] {
            ensure!(
                seen.iter().any(|seen| seen.contains(address)),
                "{name} has {seen:?}, not {address}"
            );
        }
        ensure!(
            seen.iter().any(|seen| seen.eq_ignore_ascii_case(mac)),
            "{name} has {seen:?}, not {mac}"
        );
        let number = host.run(|| Ok(nix::net::if_::if_nametoindex("eth0")?))?;
        ensure!(
            number == index && host.index() == index,
            "{name}'s device has number {number}"
        );
    }
    PASS
}

fn every_host_has_all_ports(cx: &Check) -> Verdict {
    let net = cx.lan(&["a", "b"])?;
    let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 7));
    let listeners = ["a", "b"].map(|host| net.host(host).run(|| TcpListener::bind(any)));
    for listener in listeners {
        listener?;
    }
    PASS
}

fn a_router_forwards(cx: &Check) -> Verdict {
    let net = cx.two_lans(&["client"], &["server"])?;
    let (mut ours, mut theirs) = connection(net.host("client"), net.host("server"))?;
    ours.write_all(b"hello")?;
    ensure!(
        read(&mut theirs, 5)? == b"hello",
        "something else came over IPv4"
    );
    let receiver = datagrams(net.host("server"), (net.host("server").v6(), 9))?;
    datagrams(net.host("client"), (net.host("client").v6(), 0))?
        .send_to(b"hello", (net.host("server").v6(), 9))?;
    ensure!(
        next(&receiver)? == b"hello",
        "something else came over IPv6"
    );
    let wire = net.wire()?;
    wire.tcp(7).expect(&[
        "client → router: SYN",
        "router → server: SYN",
        "server → router: SYN ACK",
        "router → client: SYN ACK",
    ])?;
    let ttl = |from: &str| {
        wire.from(from).udp(9).frames()[0]
            .packet
            .ip()
            .map(|ip| ip.ttl)
    };
    ensure!(
        (ttl("client"), ttl("router")) == (Some(64), Some(63)),
        "the router did not count the hop"
    );
    PASS
}

fn a_router_says_that_time_is_exceeded(cx: &Check) -> Verdict {
    let net = cx.two_lans(&["client"], &["server"])?;
    let (client, server) = (net.host("client"), net.host("server"));
    let sender = datagrams(client, (client.v4(), 0))?;
    sender.set_ttl(1)?;
    sender.send_to(b"near", (server.v4(), 9))?;
    let answer = net.wait_for(soon(), |frame| frame.packet.icmp().is_some())?;
    ensure!(answer.is_some(), "the router says nothing");
    net.wire()?.expect(&[
        "client → router: UDP len=4",
        "router → client: ICMP time exceeded",
    ])?;
    net.wire()?.expect_none("router → server: UDP")?;
    PASS
}

fn a_router_says_that_a_packet_is_too_big(cx: &Check) -> Verdict {
    let net = cx.two_lans(&["client"], &["server"])?;
    net.host("router").set_mtu("eth1", 1300)?;
    let (mut ours, mut theirs) = connection(net.host("client"), net.host("server"))?;
    ours.write_all(&[7; 5000])?;
    ensure!(read(&mut theirs, 5000)? == [7; 5000], "the bytes changed");
    net.wire()?.expect(&[
        "client → router: data",
        "router → client: fragmentation needed mtu=1300",
    ])?;
    let client = net.host("client");
    let sender = datagrams(client, (client.v6(), 0))?;
    sender.send_to(&[7; 1400], (net.host("server").v6(), 9))?;
    let answer = net.wait_for(soon(), |frame| {
        frame.packet.icmp().is_some_and(|icmp| icmp.kind == 2)
    })?;
    ensure!(answer.is_some(), "the router says nothing about IPv6");
    net.wire()?.expect(&[
        "client → router: UDP len=1400",
        "router → client: ICMPv6 too big mtu=1300",
    ])?;
    PASS
}

fn a_parameter_is_the_hosts_own(cx: &Check) -> Verdict {
    let net = cx.lan(&["a", "b"])?;
    net.host("a").sysctl("net.ipv4.tcp_retries2", "3")?;
    let read = |host: &str| {
        net.host(host)
            .run(|| std::fs::read_to_string("/proc/sys/net/ipv4/tcp_retries2"))
    };
    ensure!(read("a")?.trim() == "3", "the parameter is not set");
    ensure!(
        read("b")?.trim() != "3",
        "the parameter is set elsewhere too"
    );
    let error = net
        .host("a")
        .sysctl("net.ipv4.no_such_thing", "1")
        .err()
        .map(|error| error.to_string());
    ensure!(
        error
            .as_ref()
            .is_some_and(|text| text.contains("no_such_thing")),
        "the error does not say what: {error:?}"
    );
    PASS
}

fn a_network_leaves_no_process(_: &Check) -> Verdict {
    let net = build()?;
    let helpers = net.helpers();
    let lives = |pid: i32| std::path::Path::new(&format!("/proc/{pid}")).exists();
    ensure!(
        !helpers.is_empty() && helpers.iter().all(|pid| lives(*pid)),
        "there are no helpers"
    );
    drop(net);
    ensure!(!helpers.iter().any(|pid| lives(*pid)), "a helper lives on");
    PASS
}

fn a_childs_copy_is_not_the_network(_: &Check) -> Verdict {
    let net = build()?;
    // SAFETY: a check has one thread.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Child => {
            drop(net);
            // SAFETY: ends this process at once; nothing of it is needed.
            unsafe { libc::_exit(0) }
        }
        ForkResult::Parent { child } => nix::sys::wait::waitpid(child, None)?,
    };
    net.wire()?;
    PASS
}

/// A network that is the test's alone.
fn build() -> Result<Net, Finding> {
    Net::lan(&["a", "b"]).map_err(|error| {
        if lab::net::is_missing(&error) {
            Finding::needs(format!("hosts ({error})"))
        } else {
            error.into()
        }
    })
}

fn two_networks_do_not_meet(cx: &Check) -> Verdict {
    let (one, other) = (cx.lan(&["a", "b"])?, cx.lan(&["a", "b"])?);
    let sender = datagrams(one.host("a"), (Ipv4Addr::UNSPECIFIED, 0))?;
    let receiver = datagrams(one.host("b"), (Ipv4Addr::UNSPECIFIED, 9))?;
    sender.send_to(b"one", (one.host("b").v4(), 9))?;
    ensure!(next(&receiver)? == b"one", "something else came");
    ensure!(
        other.wire()?.frames().is_empty(),
        "the other network heard of it:\n{}",
        other.wire()?
    );
    PASS
}

fn a_misspelt_host_is_an_error(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let error = net
        .rule(Rule::on(Match::tcp().with(Flags::SYN).from("sever")).drop())
        .err();
    ensure!(
        error
            .as_ref()
            .is_some_and(|e| e.kind() == io::ErrorKind::InvalidInput),
        "no error: {error:?}"
    );
    let text = error.expect("an error").to_string();
    ensure!(
        text.contains("sever") && text.contains("client, server"),
        "it does not say what there is: {text}"
    );
    ensure!(Net::lan(&[]).is_err(), "a network without hosts");
    ensure!(Net::lan(&["a"; 51]).is_err(), "a network with 51 hosts");
    PASS
}

fn closures_come_back_from_a_host(cx: &Check) -> Verdict {
    let net = cx.lan(&["a", "b"])?;
    let here = || std::fs::read_link("/proc/thread-self/ns/net");
    let before = here()?;
    let (a, b, again) = net
        .host("a")
        .run(|| Ok((here()?, net.host("b").run(here)?, here()?)))?;
    ensure!(
        a != before && a != b && a == again,
        "a closure ran in the wrong host"
    );
    let failed: io::Result<()> = net.host("a").run(|| Err(io::Error::other("no")));
    ensure!(
        failed.is_err() && here()? == before,
        "an error left this process in the host"
    );
    PASS
}
