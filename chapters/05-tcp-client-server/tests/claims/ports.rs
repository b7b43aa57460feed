//! What is behind a port: seen from outside, and from inside.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::rc::Rc;
use std::time::Duration;

use lab::net::{Match, Net, Rule};
use lab::prelude::*;
use tcp_client_server::scan::{Pace, State, scan};

use crate::common::PORT;
use crate::evidence::saw;

const OPEN: u16 = PORT;
const CLOSED: u16 = PORT + 1;
const DROPPED: u16 = PORT + 2;

/// A server with a port that is open, one that is closed, and one to which nothing comes through.
struct Target {
    net: Rc<Net>,
    listener: TcpListener,
}

impl Target {
    fn new(cx: &Check) -> Result<Target, Finding> {
        let net = cx.lan(&["client", "server"])?;
        net.introduce()?;
        let at = SocketAddr::new(net.host("server").v4().into(), OPEN);
        let listener = net.host("server").run(|| TcpListener::bind(at))?;
        net.rule(Rule::on(Match::tcp().to("server").port(DROPPED)).drop())?;
        Ok(Target { net, listener })
    }

    /// What nmap says of the three ports, when it scans in this way: `open closed filtered`.
    fn nmap(&self, cx: &Check, how: &[&str]) -> Result<String, Finding> {
        let ports = format!("{OPEN}-{DROPPED}");
        let usual = ["-n", "-Pn", "--privileged", "--max-retries", "1", "-p", &ports, "10.0.0.2"];
        let arguments = [how, &usual].concat();
        let said = cx.on(&self.net, "client").tool("nmap", &arguments)?.exits(0)?;
        let state = |port| {
            let line = said.lines().find(|line| line.starts_with(&format!("{port}/tcp")))?;
            line.split_whitespace().nth(1)
        };
        let states = [OPEN, CLOSED, DROPPED].map(|port| state(port).unwrap_or("-"));
        Ok(states.join(" "))
    }

    /// The segments from and to this port, one kind in a row said once: `client SYN, server RST ACK`.
    fn segments(&self, port: u16) -> Result<String, Finding> {
        let mut kinds: Vec<String> = Vec::new();
        for frame in self.net.wire()?.tcp(port).frames() {
            if let Some(tcp) = frame.packet.tcp() {
                let kind = format!("{} {}", frame.from, tcp.flags);
                if kinds.last() != Some(&kind) {
                    kinds.push(kind);
                }
            }
        }
        Ok(kinds.join(", "))
    }
}

/// Ports, and what is told of the rest.
pub fn nmap_tells_open_from_closed(cx: &Check) -> Verdict {
    let target = Target::new(cx)?;
    let said = target.nmap(cx, &["-sT"])?;
    saw(cx, "a port where a server listens, one without, one to which nothing comes", said)
        .is("open closed filtered")?;
    let ports = [OPEN, CLOSED, DROPPED];
    let pace = Pace { at_once: 3, patience: Duration::from_millis(500) };
    let ours = target.net.host("client").run(|| {
        scan(IpAddr::from([10, 0, 0, 2]), &ports, pace).map_err(std::io::Error::other)
    })?;
    let wanted = [(OPEN, State::Open), (CLOSED, State::Closed), (DROPPED, State::Filtered)];
    ensure!(ours == wanted, "the chapter's scanner says {ours:?}");
    cx.evidence("the chapter's scanner says the same");
    PASS
}

/// Whether the connection is ever made depends on what the scanner may do.
pub fn a_syn_scan_needs_a_raw_socket(cx: &Check) -> Verdict {
    for (how, what, open) in [
        ("-sS", "SYN scan", "client SYN, server SYN ACK, client RST"),
        ("-sT", "connect scan", "client SYN, server SYN ACK, client ACK, client RST ACK"),
    ] {
        let target = Target::new(cx)?;
        target.nmap(cx, &[how])?;
        saw(cx, &format!("{what}, open"), target.segments(OPEN)?).is(open)?;
        saw(cx, &format!("{what}, closed"), target.segments(CLOSED)?).is("client SYN, server RST ACK")?;
        saw(cx, &format!("{what}, dropped"), target.segments(DROPPED)?).is("client SYN")?;
    }
    PASS
}

/// One service speaks first, one waits to be asked.
pub fn version_detection_listens_first(cx: &Check) -> Verdict {
    cx.allows_long_waits();
    for (what, greeting, wanted) in [
        ("a service that greets", "SSH-2.0-Runnable_1.0\r\n", false),
        ("a service that is silent", "", true),
    ] {
        let target = Target::new(cx)?;
        let listener = target.listener.try_clone()?;
        let service = cx.spawner().may_leak().subject(move || {
            for mut socket in listener.incoming().flatten() {
                let _ = std::io::Write::write_all(&mut socket, greeting.as_bytes());
                // It is answered with what it says, for nobody to wait longer than needed.
                let mut said = [0; 256];
                let _ = std::io::Read::read(&mut socket, &mut said);
            }
        })?;
        let at = OPEN.to_string();
        let how = ["-n", "-Pn", "-sT", "-sV", "--version-intensity", "1", "-p", &at, "10.0.0.2"];
        cx.on(&target.net, "client").tool("nmap", &how)?.exits(0)?;
        drop(service);
        let asked = !target.net.wire()?.tcp(OPEN).data("client").is_empty();
        saw(cx, &format!("{what} is asked something"), asked).is(wanted)?;
    }
    PASS
}

/// Which states there are depends on what is sent.
pub fn nmap_has_more_than_four_answers(cx: &Check) -> Verdict {
    let target = Target::new(cx)?;
    for (how, what, wanted) in [
        ("-sT", "connect scan", "open closed filtered"),
        ("-sA", "ACK scan", "unfiltered unfiltered filtered"),
        ("-sF", "FIN scan", "open|filtered closed open|filtered"),
    ] {
        saw(cx, what, target.nmap(cx, &[how])?).is(wanted)?;
    }
    PASS
}

/// Three causes look alike, of which one is a firewall; and one that is a firewall looks like none.
pub fn filtered_is_what_nobody_answers(cx: &Check) -> Verdict {
    let pace = Pace { at_once: 1, patience: Duration::from_millis(300) };
    let state = |net: &Rc<Net>, at: IpAddr, port| {
        let client = net.host("client");
        let states = client.run(|| scan(at, &[port], pace).map_err(std::io::Error::other))?;
        Ok::<_, Finding>(format!("{:?}", states[0].1))
    };
    let target = Target::new(cx)?;
    let server = IpAddr::from([10, 0, 0, 2]);
    saw(cx, "the port's segments are dropped", state(&target.net, server, DROPPED)?).is("Filtered")?;
    target.net.cut("server")?;
    saw(cx, "no firewall, but the cable is out", state(&target.net, server, OPEN)?).is("Filtered")?;

    let net = cx.two_lans(&["client"], &["server"])?;
    let server = IpAddr::from(net.host("server").v4());
    let at = SocketAddr::new(server, OPEN);
    let _listener = net.host("server").run(|| TcpListener::bind(at))?;
    saw(cx, "through a router", state(&net, server, OPEN)?).is("Open")?;
    for (kind, what, wanted) in [
        ("prohibit", "the router says that it is prohibited (ICMP)", "Filtered"),
        ("blackhole", "the router says nothing", "Filtered"),
    ] {
        let route = ["route", "add", kind, &server.to_string()];
        cx.on(&net, "router").tool("ip", &route)?.exits(0)?;
        saw(cx, what, state(&net, server, OPEN)?).is(wanted)?;
        let route = ["route", "del", kind, &server.to_string()];
        cx.on(&net, "router").tool("ip", &route)?.exits(0)?;
    }
    let prohibited = net.wire()?.icmp().frames().iter().any(|frame| {
        frame.packet.icmp().is_some_and(|icmp| (icmp.kind, icmp.code) == (3, 13))
    });
    saw(cx, "ICMP 3/13 is on the wire", prohibited).is(true)?;
    // Whoever answers with RST, the host or something before it, the client sees a closed port.
    let closed = state(&net, server, CLOSED)?;
    saw(cx, "an RST, from whomever", closed).is("Closed")?;
    net.wire()?.tcp(CLOSED).expect(&["server -> router: RST"])?;
    PASS
}

/// What `fuser -v` says of a process that has this file in one way or another.
fn access(cx: &Check, file: &std::path::Path) -> Result<String, Finding> {
    let mut fuser = cx.tool("fuser", &["-v".as_ref(), file.as_os_str()])?;
    fuser.exits(0)?;
    let said = fuser.stderr();
    // USER PID ACCESS COMMAND, under a title; the PID is on the other stream.
    let column = said.lines().filter_map(|line| {
        line.split_whitespace().find(|word| word.len() == 5 && word.chars().all(|c| ".cefFrm".contains(c)))
    });
    Ok(column.collect::<Vec<_>>().join(" "))
}

/// A letter says how the file is used. What kind of file it is, it does not say.
pub fn fuser_shows_how_a_file_is_used(cx: &Check) -> Verdict {
    let folder = cx.folder()?.to_owned();
    for (name, writes, wanted) in [("read", false, "f...."), ("written", true, "F....")] {
        let path = folder.join(name);
        std::fs::write(&path, "text")?;
        let open = path.clone();
        let (go, held) = std::io::pipe()?;
        let subject = cx.subject(move || {
            let file = std::fs::OpenOptions::new().read(!writes).write(writes).open(open);
            nix::unistd::read(&go, &mut [0]).is_ok() && file.is_ok()
        })?;
        subject.waits_in(&["read"])?;
        // Which letter stands where is fuser's business; that they differ is ours.
        let letters: String = access(cx, &path)?.chars().filter(|c| *c != '.').collect();
        saw(cx, &format!("a file that is {name}"), letters).is(wanted.trim_end_matches('.'))?;
        nix::unistd::write(&held, b"!")?;
        subject.returns(true)?;
    }
    let (go, held) = std::io::pipe()?;
    let home = folder.clone();
    let subject = cx.subject(move || {
        std::env::set_current_dir(home).is_ok() && nix::unistd::read(&go, &mut [0]).is_ok()
    })?;
    subject.waits_in(&["read"])?;
    let letters: String = access(cx, &folder)?.chars().filter(|c| *c != '.').collect();
    saw(cx, "a working directory", letters).is("c")?;
    nix::unistd::write(&held, b"!")?;
    subject.returns(true)?;
    PASS
}

/// A listener in a process of its own, which waits until the other end is dropped.
fn listening(cx: &Check) -> Result<(Subject<bool>, SocketAddr, std::io::PipeWriter), Finding> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let at = listener.local_addr()?;
    let (go, held) = std::io::pipe()?;
    let subject = cx.subject(move || {
        let _open = &listener;
        nix::unistd::read(&go, &mut [0]).is_ok()
    })?;
    subject.waits_in(&["read"])?;
    Ok((subject, at, held))
}

/// The process id, on standard output; the rest, for people, is on the other stream.
pub fn fuser_finds_who_has_a_port(cx: &Check) -> Verdict {
    let (subject, at, held) = listening(cx)?;
    let port = at.port().to_string();
    let said = cx.tool("fuser", &["-n", "tcp", &port])?.exits(0)?;
    let pid = said.split_whitespace().next().and_then(|pid| pid.parse().ok());
    saw(cx, "fuser -n tcp prints the process that listens", pid == Some(subject.pid())).is(true)?;
    nix::unistd::write(&held, b"!")?;
    subject.returns(true)?;
    let mut fuser = cx.tool("fuser", &["-n", "tcp", &port])?;
    fuser.exits(1)?;
    cx.evidence("when it has ended, fuser exits with: 1");
    PASS
}

/// strace watches fuser look.
pub fn fuser_reads_proc(cx: &Check) -> Verdict {
    let (subject, at, held) = listening(cx)?;
    let trace = cx.folder()?.join("trace");
    let trace = trace.to_str().ok_or_else(|| Finding::fault("the folder's path is not UTF-8"))?;
    let port = at.port().to_string();
    let arguments = ["-f", "-qq", "-o", trace, "-s", "256", "fuser", "-n", "tcp", &port];
    cx.tool("strace", &arguments)?.exits(0)?;
    let calls = std::fs::read_to_string(trace)?;
    saw(cx, "it reads /proc/net/tcp", calls.contains("/proc/net/tcp\"")).is(true)?;
    let descriptors = format!("/proc/{}/fd", subject.pid());
    saw(cx, "and each process's /proc/PID/fd", calls.contains(&descriptors)).is(true)?;
    nix::unistd::write(&held, b"!")?;
    subject.returns(true)?;
    PASS
}
