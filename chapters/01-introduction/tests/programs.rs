//! Do the chapter's programs do what the book says, against programs that nobody here wrote?

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use lab::prelude::*;

const CLIENT: &str = env!("CARGO_BIN_EXE_daytime-tcp-client");
const SERVER: &str = env!("CARGO_BIN_EXE_daytime-tcp-server");
const WITH_STD: &str = env!("CARGO_BIN_EXE_daytime-with-std");
const ANATOMY: &str = env!("CARGO_BIN_EXE_frame-anatomy");

fn main() -> ExitCode {
    Suite::new("programs")
        .section("01-introduction#run-something-first")
        .check(the_pair_talks_over_ipv4_and_ipv6)
        .check(ncat_is_told_the_time)
        .check(ncat_tells_the_client)
        .check(a_dual_server_takes_callers_of_both_kinds)
        .check(the_client_reads_what_has_arrived_and_goes_on)
        .check(a_server_goes_on_when_a_client_is_gone)
        .check(ss_lists_the_listening_server)
        .check(ip_lists_the_hosts_address)
        .check(ping_has_an_answer_from_the_other_host)
        .check(each_failure_is_one_line_with_the_call)
        .check(without_a_route_it_is_the_clients_own_kernel_that_refuses)
        .check(bad_input_is_refused_in_one_line)
        .check(anatomy_reads_what_tcpdump_writes)
        .main()
}

/// Starts the server, and gives the address that it prints.
fn server(cx: &Check, arguments: &[&str]) -> Result<(Program, SocketAddr), Finding> {
    let mut server = cx.program(SERVER, arguments)?;
    let address = server.line_after("listening on ")?;
    let address = address.parse();
    let address = address.map_err(|_| Finding::fail("what the server prints is no address"))?;
    Ok((server, address))
}

/// What daytime sends: `Sat Nov 21 08:38:14 2026`. The lab's program output has no carriage returns.
fn is_a_time(line: &str) -> Result<(), Finding> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let fits = line.trim_end().len() == 24 && words.len() == 5 && words[3].split(':').count() == 3;
    ensure!(
        fits,
        "{line:?} is not a day, a month, a date, a time and a year"
    );
    Ok(())
}

/// Both programs, over both protocols, with `std` as a third, and one byte a write.
fn the_pair_talks_over_ipv4_and_ipv6(cx: &Check) -> Verdict {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        for arguments in [&[address][..], &["--byte-a-write", address]] {
            let (mut server, at) = server(cx, arguments)?;
            for client in [CLIENT, WITH_STD] {
                is_a_time(&cx.program(client, &[at.to_string()])?.exits(0)?)?;
                let told = server.line()?;
                ensure!(
                    told == format!("told {}", at.ip()),
                    "the server says {told:?}"
                );
            }
        }
    }
    PASS
}

/// ncat as the client: it prints what comes until the end.
fn ncat_is_told_the_time(cx: &Check) -> Verdict {
    let (_server, at) = server(cx, &["127.0.0.1:0"])?;
    let (ip, port) = (at.ip().to_string(), at.port().to_string());
    let mut ncat = cx.tool("ncat", &["--recv-only", &ip, &port])?;
    is_a_time(&ncat.exits(0)?)?;
    PASS
}

/// ncat as the server: the client prints what it says, whatever that is.
fn ncat_tells_the_client(cx: &Check) -> Verdict {
    let at = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 13);
    let spawner = cx.spawner().privileged();
    let mut ncat = spawner.tool("ncat", &["--listen", "--send-only", "127.0.0.1", "13"])?;
    ncat.types("half past eight\n")?;
    ncat.ends_input();
    cx.is_listening(at)?;
    let said = cx.program(CLIENT, &[at.to_string()])?.exits(0)?;
    ensure!(said == "half past eight\n", "the client prints {said:?}");
    PASS
}

/// `[::]` is every address of the machine, of either protocol. The server sees an IPv4 caller as IPv6.
fn a_dual_server_takes_callers_of_both_kinds(cx: &Check) -> Verdict {
    let (mut server, at) = server(cx, &["[::]:0"])?;
    let callers: [(IpAddr, &str); 2] = [
        (Ipv4Addr::LOCALHOST.into(), "told ::ffff:127.0.0.1"),
        (std::net::Ipv6Addr::LOCALHOST.into(), "told ::1"),
    ];
    for (ip, says) in callers {
        let to = SocketAddr::new(ip, at.port()).to_string();
        is_a_time(&cx.program(CLIENT, &[to])?.exits(0)?)?;
        let told = server.line()?;
        ensure!(told == says, "the server says {told:?}, not {says:?}");
    }
    PASS
}

/// `--reads` counts each read that brought something, however the bytes came.
fn the_client_reads_what_has_arrived_and_goes_on(cx: &Check) -> Verdict {
    let listener = cx.listens("127.0.0.1:0".parse().expect("an address"))?;
    let to = listener.address()?.to_string();
    let mut client = cx.program(CLIENT, &["--reads", &to])?;
    let peer = listener.accepts()?;
    peer.sends(b"hel")?;
    peer.sends_once_read(b"l")?;
    peer.sends_once_read(b"o\n")?;
    peer.is_read()?;
    peer.closes();
    let printed = client.exits(0)?;
    let wanted = "hello\nbytes: 6, reads: 3\n";
    ensure!(printed == wanted, "the client prints {printed:?}");
    PASS
}

/// A client that resets its connection costs the server one line, and nobody else anything.
fn a_server_goes_on_when_a_client_is_gone(cx: &Check) -> Verdict {
    let (server, at) = server(cx, &[])?;
    for _ in 0..20 {
        cx.connects(at)?.resets()?;
    }
    is_a_time(&cx.program(CLIENT, &[at.to_string()])?.exits(0)?)?;
    let complaints = server.stderr();
    ensure!(
        complaints
            .lines()
            .all(|line| line.starts_with("a client got no answer: ")),
        "the server says {complaints:?}"
    );
    PASS
}

/// The command that the book gives to find the server.
fn ss_lists_the_listening_server(cx: &Check) -> Verdict {
    let (_server, at) = server(cx, &[])?;
    let listed = cx.tool("ss", &["-tln"])?.exits(0)?;
    let line = listed.lines().find(|line| line.contains(&at.to_string()));
    ensure!(
        line.is_some_and(|line| line.starts_with("LISTEN")),
        "ss -tln says:\n{listed}"
    );
    PASS
}

/// The command that the book gives to find one's addresses.
fn ip_lists_the_hosts_address(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let client = cx.on(&net, "client");
    let addresses = client.tool("ip", &["-brief", "address"])?.exits(0)?;
    ensure!(
        addresses.contains("10.0.0.1/24"),
        "ip -brief address says:\n{addresses}"
    );
    let routes = client.tool("ip", &["route", "get", "10.0.0.2"])?.exits(0)?;
    ensure!(
        routes.starts_with("10.0.0.2 dev eth0"),
        "ip route get says:\n{routes}"
    );
    PASS
}

/// The command that the book gives to see whether a host is there.
fn ping_has_an_answer_from_the_other_host(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let ping = cx
        .on(&net, "client")
        .tool("ping", &["-c", "1", "10.0.0.2"])?
        .exits(0)?;
    ensure!(ping.contains("1 received"), "ping says:\n{ping}");
    PASS
}

/// What went wrong, in which call, on standard error; nothing on standard output; a status other than 0.
fn each_failure_is_one_line_with_the_call(cx: &Check) -> Verdict {
    // Nobody listens at this port: it is bound, and that is all.
    let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
    let nobody = socket.local_addr()?.to_string();
    fails(
        cx,
        CLIENT,
        &[&nobody],
        "error: connect: ECONNREFUSED: Connection refused",
    )?;
    // std does not say which call it was.
    fails(
        cx,
        WITH_STD,
        &[&nobody],
        "error: Connection refused (os error 111)",
    )?;
    let (_server, at) = server(cx, &[])?;
    let at = at.to_string();
    fails(
        cx,
        SERVER,
        &[&at],
        "error: bind: EADDRINUSE: Address already in use",
    )?;
    fails(
        cx,
        SERVER,
        &["192.0.2.1:0"],
        "error: bind: EADDRNOTAVAIL: Cannot assign requested address",
    )
}

/// The network of a check is loopback and nothing else.
fn without_a_route_it_is_the_clients_own_kernel_that_refuses(cx: &Check) -> Verdict {
    if let lab::Isolation::Loopback(why) = lab::isolation() {
        return Err(Finding::needs(format!("a network of its own ({why})")));
    }
    fails(
        cx,
        CLIENT,
        &["192.0.2.1:13"],
        "error: connect: ENETUNREACH: Network is unreachable",
    )
}

/// Each says what is wrong and what to write instead.
fn bad_input_is_refused_in_one_line(cx: &Check) -> Verdict {
    fails(cx, CLIENT, &[], "error: usage: daytime-tcp-client")?;
    fails(
        cx,
        CLIENT,
        &["localhost:13"],
        "error: localhost:13 is no address with a port; usage:",
    )?;
    fails(
        cx,
        CLIENT,
        &["127.0.0.1"],
        "error: 127.0.0.1 is no address with a port; usage:",
    )?;
    fails(
        cx,
        SERVER,
        &["127.0.0.1:13", "x"],
        "error: usage: daytime-tcp-server",
    )?;
    fails(
        cx,
        SERVER,
        &["--byte-a-read"],
        "error: --byte-a-read is no address with a port",
    )?;
    fails(cx, WITH_STD, &[], "error: usage: daytime-with-std")?;
    fails(
        cx,
        ANATOMY,
        &["daytime", "11"],
        "error: there is no frame 11: daytime has 1 to 10",
    )?;
    fails(
        cx,
        ANATOMY,
        &["0"],
        "error: there is no frame 0: daytime has 1 to 10",
    )?;
    fails(
        cx,
        ANATOMY,
        &["/dev/null"],
        "error: /dev/null is no capture: it begins neither as pcap",
    )?;
    fails(
        cx,
        ANATOMY,
        &["/no/such/file"],
        "error: /no/such/file: No such file",
    )
}

fn fails(cx: &Check, program: &str, arguments: &[&str], line: &str) -> Verdict {
    let mut program = cx.program(program, arguments)?;
    let printed = program.exits(1)?;
    let said = program.stderr();
    ensure!(
        printed.is_empty(),
        "{arguments:?}: it prints {printed:?} before it fails"
    );
    ensure!(
        said.starts_with(line) && said.lines().count() == 1,
        "{arguments:?}: it says {said:?}"
    );
    PASS
}

/// A capture of one ping on loopback, as tcpdump writes it.
fn anatomy_reads_what_tcpdump_writes(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let file = cx.folder()?.join("ping.pcap");
    let file = file
        .to_str()
        .ok_or_else(|| Finding::fault("the folder's path is not UTF-8"))?;
    let client = cx.on(&net, "client");
    // Two frames of ICMP, each written as it comes.
    let arguments = [
        "-i",
        "eth0",
        "-c",
        "2",
        "--immediate-mode",
        "-U",
        "-Z",
        "root",
        "-w",
        file,
        "icmp",
    ];
    let mut tcpdump = client.tool("tcpdump", &arguments)?;
    cx.wait_until("tcpdump to listen", || {
        tcpdump.stderr().contains("listening on").then_some(())
    })?;
    client.tool("ping", &["-c", "1", "10.0.0.2"])?.exits(0)?;
    tcpdump.exits(0)?;
    let lines = cx.program(ANATOMY, &[file])?.exits(0)?;
    let lines: Vec<String> = lines.lines().map(one_space).collect();
    let headers = "Ethernet 14, IPv4 20, ICMP 8, data 56";
    let wanted = [
        format!("1 {headers} 10.0.0.1 to 10.0.0.2, echo request"),
        format!("2 {headers} 10.0.0.2 to 10.0.0.1, echo reply"),
    ];
    ensure!(lines == wanted, "frame-anatomy prints {lines:?}");
    PASS
}

/// The words with one space between them.
fn one_space(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
