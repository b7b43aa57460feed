//! Do the chapter's programs get on with programs that nobody here wrote, and agree with them?

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use lab::net::{Match, Rule, diag};
use lab::prelude::*;
use tcp_client_server::scan::{Pace, scan};

mod common;

use common::{EchoPair, PORT};

fn main() -> ExitCode {
    Suite::new("peers")
        .check(socat_is_echoed)
        .check(socat_echoes)
        .check(the_scan_finds_what_nmap_finds)
        .time(Duration::from_secs(30))
        .check(the_scan_does_so_many_at_once)
        .check(the_scan_does_not_take_itself_for_a_server)
        .check(the_owners_are_those_of_fuser_and_ss)
        .main()
}

/// socat as the client.
fn socat_is_echoed(cx: &Check) -> Verdict {
    let mut server = cx.program(env!("CARGO_BIN_EXE_tcp-echo-server"), &[] as &[&str])?;
    let line = server.line()?;
    let at = line.rsplit(' ').next().unwrap_or_default();
    let mut socat = cx.tool("socat", &["-", &format!("TCP:{at}")])?;
    socat.types("hello\nworld\n")?;
    let echoed = socat.exits(0)?;
    ensure!(echoed == "hello\nworld\n", "socat printed {echoed:?}");
    PASS
}

/// socat as the server: it copies the connection to itself.
fn socat_echoes(cx: &Check) -> Verdict {
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let listen = format!("TCP-LISTEN:{},bind=127.0.0.1,reuseaddr", free.port());
    let _socat = cx.tool("socat", &[&listen, "PIPE"])?;
    cx.is_listening(free)?;
    let client = env!("CARGO_BIN_EXE_tcp-echo-client");
    let mut client = cx.program(client, &[free.to_string()])?;
    client.types("hello\nworld\n")?;
    let printed = client.exits(0)?;
    let wanted = "hello\nworld\nthe server has ended, too\n";
    ensure!(printed.ends_with(wanted), "the client printed {printed:?}");
    PASS
}

/// Two ports are open, one swallows what is sent to it, the others are closed.
fn the_scan_finds_what_nmap_finds(cx: &Check) -> Verdict {
    cx.allows_long_waits();
    let net = cx.lan(&["scanner", "server"])?;
    let server = cx.on(&net, "server");
    let _open = [7001, 7004].map(|port| server.listens(SocketAddr::from(([10, 0, 0, 2], port))));
    net.rule(Rule::on(Match::tcp().to("server").port(7002)).drop())?;
    let scanner = cx.on(&net, "scanner");

    let program = env!("CARGO_BIN_EXE_port-scan");
    let found = scanner
        .program(program, &["10.0.0.2", "7000-7005"])?
        .exits(0)?;
    let wanted = "7001 open\n7002 filtered\n7004 open\nclosed: 3 of 6\n";
    ensure!(found == wanted, "port-scan found {found:?}");

    let arguments = [
        "-sT",
        "--unprivileged",
        "-Pn",
        "-n",
        "-p7000-7005",
        "-oG",
        "-",
        "10.0.0.2",
    ];
    let said = scanner.tool("nmap", &arguments)?.exits(0)?;
    let state = |port: u16| {
        let field = said
            .split([' ', '\t', ','])
            .find(|word| word.starts_with(&format!("{port}/")));
        field
            .and_then(|field| field.split('/').nth(1))
            .unwrap_or("not named")
            .to_owned()
    };
    let nmap: Vec<String> = (7000..=7005).map(state).collect();
    cx.evidence(format!("nmap: {}", nmap.join(" ")));
    let wanted = ["closed", "open", "filtered", "closed", "open", "closed"];
    ensure!(nmap == wanted, "nmap found {nmap:?}:\n{said}");
    PASS
}

/// Twenty ports that do not answer, five at a time.
fn the_scan_does_so_many_at_once(cx: &Check) -> Verdict {
    cx.allows_long_waits();
    let net = cx.lan(&["scanner", "server"])?;
    net.rule(Rule::on(Match::tcp().to("server")).drop())?;
    let subject = cx.on(&net, "scanner").subject(|| {
        let ports: Vec<u16> = (7000..7020).collect();
        let pace = Pace {
            at_once: 5,
            patience: Duration::from_millis(200),
        };
        let found = scan([10, 0, 0, 2].into(), &ports, pace).map_err(|error| error.to_string());
        found.map(|found| {
            found
                .iter()
                .map(|(port, state)| format!("{port} {state:?}"))
                .collect()
        })
    })?;
    let mut most = 0;
    let asked = |port: u16| {
        let wire = net.wire().ok()?;
        let ports = wire
            .frames()
            .iter()
            .filter_map(|frame| frame.packet.ports());
        ports.into_iter().any(|(_, to)| to == port).then_some(())
    };
    cx.wait_until("the last port to be tried", || {
        let sockets = net.host("scanner").run(diag::tcp).ok()?;
        let trying = sockets
            .iter()
            .filter(|socket| socket.state == diag::State::SynSent);
        most = most.max(trying.count());
        asked(7019)
    })?;
    ensure!(most == 5, "{most} connections were under way at once");
    let found: Result<Vec<String>, String> = subject.value()?;
    let wanted: Vec<String> = (7000..7020)
        .map(|port| format!("{port} Filtered"))
        .collect();
    ensure!(found == Ok(wanted), "the scan found {found:?}");
    PASS
}

/// The kernel has one port to give, and that is the one that is scanned: the socket connects to itself.
fn the_scan_does_not_take_itself_for_a_server(cx: &Check) -> Verdict {
    let net = cx.lan(&["scanner"])?;
    net.host("scanner")
        .sysctl("net.ipv4.ip_local_port_range", "40000 40000")?;
    let itself = SocketAddr::from(([127, 0, 0, 1], 40_000));
    let program = env!("CARGO_BIN_EXE_port-scan");
    let found = cx
        .on(&net, "scanner")
        .program(program, &["127.0.0.1", "40000"])?
        .exits(0)?;
    ensure!(found == "closed: 1 of 1\n", "port-scan found {found:?}");
    let sockets = net.host("scanner").run(diag::tcp)?;
    let met = sockets
        .iter()
        .any(|socket| socket.local == itself && socket.peer == itself);
    ensure!(met, "no socket was connected to itself: {sockets:?}");
    PASS
}

/// The listener, the process that serves the client, and the client: each program sees the same.
fn the_owners_are_those_of_fuser_and_ss(cx: &Check) -> Verdict {
    let pair = EchoPair::start(cx)?;
    let server = cx.on(&pair.net, "server");
    let port = PORT.to_string();
    let owner = env!("CARGO_BIN_EXE_port-owner");
    let (listener, child) = (pair.server.pid(), pair.child);
    cx.wait_until("the server's first process to close the connection", || {
        (!std::path::Path::new(&format!("/proc/{listener}/fd/4")).exists()).then_some(())
    })?;
    let said = server.program(owner, &[&port])?.exits(0)?;
    let lines: Vec<&str> = said.lines().collect();
    ensure!(lines.len() == 2, "port-owner printed {said:?}");
    let wanted = format!("LISTEN      10.0.0.2:{PORT}  {listener} tcp-echo-server (3)");
    ensure!(
        lines[0] == wanted,
        "expected {wanted:?}, it printed {:?}",
        lines[0]
    );
    let ours = lines[1].starts_with(&format!("ESTAB       10.0.0.2:{PORT} -> 10.0.0.1:"));
    let owned = lines[1].ends_with(&format!("  {child} tcp-echo-server (4)"));
    ensure!(ours && owned, "it printed {:?}", lines[1]);

    let client = cx
        .on(&pair.net, "client")
        .program(owner, &[&port])?
        .exits(0)?;
    let wanted = format!("  {} tcp-echo-client (3)\n", pair.client.pid());
    let one = client.lines().count() == 1 && client.ends_with(&wanted);
    ensure!(one, "expected {wanted:?}, it printed {client:?}");

    let filter = format!("sport = :{PORT}");
    let ss = server
        .tool("ss", &["-H", "-t", "-a", "-n", "-p", &filter])?
        .exits(0)?;
    for (state, pid, fd) in [("LISTEN", listener, 3), ("ESTAB", child, 4)] {
        let users = format!("users:((\"tcp-echo-server\",pid={pid},fd={fd}))");
        let named = ss
            .lines()
            .any(|line| line.starts_with(state) && line.contains(&users));
        ensure!(named, "ss does not say {users:?}:\n{ss}");
    }
    let fuser = server.tool("fuser", &["-n", "tcp", &port])?.exits(0)?;
    let mut pids: Vec<i32> = fuser
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect();
    pids.sort_unstable();
    let mut wanted = [listener, child];
    wanted.sort_unstable();
    ensure!(pids == wanted, "fuser found {pids:?}, not {wanted:?}");
    PASS
}
