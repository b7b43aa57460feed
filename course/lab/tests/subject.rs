//! Do peers, programs and subjects do what they say?

use std::io::{Read, Write};
use std::process::ExitCode;

use lab::prelude::*;
use nix::sys::signal::Signal;

fn main() -> ExitCode {
    Suite::new("subject")
        .check(values_cross_unchanged)
        .check(errors_cross_with_their_errno)
        .check(a_peer_sends_when_what_it_sent_is_read)
        .check(over_tcp_read_means_read_and_not_acknowledged)
        .check(the_peers_end_is_not_in_the_subject)
        .check(a_reset_arrives_as_a_reset)
        .check(a_subject_that_waits_can_be_interrupted)
        .check(a_subject_is_interrupted_as_often_as_it_sleeps)
        .check(a_subject_has_no_capabilities)
        .check(a_subject_sees_small_descriptors)
        .check(each_check_has_the_ports_to_itself)
        .check(a_server_is_met_when_it_listens)
        .check(a_client_is_accepted)
        .check(a_program_is_typed_to_and_read)
        .check(a_program_starts_with_sigpipe_as_a_shell_gives_it)
        .check(what_was_ignored_or_blocked_before_is_not_so_in_a_program)
        .check(a_wait_with_a_timeout_is_not_called_a_hang)
        .check(a_receive_timeout_is_not_called_a_hang)
        .check(an_armed_timer_is_not_called_a_hang)
        .check(the_folder_is_the_checks_own)
        .check(a_server_on_another_host_is_met_when_it_listens)
        .check(over_a_wire_read_means_read)
        .check(a_hang_across_hosts_is_recognized)
        .check(a_retransmission_to_come_is_not_a_hang)
        .check(a_connection_to_nobody_is_refused)
        .check(a_program_runs_in_a_host)
        .check(what_a_dead_subject_did_not_read_is_not_waited_for)
        .check(a_program_that_has_ended_can_be_asked_again)
        .main()
}

fn values_cross_unchanged(cx: &Check) -> Verdict {
    type All = (
        u16,
        Option<String>,
        Vec<u8>,
        [i64; 2],
        Result<(), String>,
        std::net::SocketAddr,
    );
    let all: All = (
        65535,
        Some("ä\n\0".into()),
        vec![0, 255],
        [i64::MIN, -1],
        Err("no".into()),
        "[fe80::1%7]:80".parse().expect("an address"),
    );
    let copy = all.clone();
    cx.subject(move || copy)?.returns(all)?;
    PASS
}

fn errors_cross_with_their_errno(cx: &Check) -> Verdict {
    let subject = cx.subject(|| std::net::TcpStream::connect("127.0.0.1:1").map(|_| ()))?;
    subject.fails_with(Errno::ECONNREFUSED)?;
    let subject =
        cx.subject(|| Err::<(), _>(std::io::Error::new(std::io::ErrorKind::InvalidData, "x")))?;
    subject.returns(Err(std::io::Error::new(
        std::io::ErrorKind::InvalidData,
        "x",
    )))?;
    PASS
}

/// What each of so many reads brought.
fn reads(end: impl std::os::fd::AsFd, count: usize) -> Vec<Vec<u8>> {
    let mut buf = [0; 64];
    let mut all = Vec::new();
    for _ in 0..count {
        let n = nix::unistd::read(end.as_fd(), &mut buf).expect("read");
        all.push(buf[..n].to_vec());
    }
    all
}

fn a_peer_sends_when_what_it_sent_is_read(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    let subject = cx.subject(move || reads(&end, 3))?;
    peer.sends(b"one")?;
    peer.sends_once_read(b"two")?;
    peer.is_read()?;
    peer.shuts_down_writing()?;
    subject.returns(vec![b"one".to_vec(), b"two".to_vec(), vec![]])?;
    PASS
}

fn over_tcp_read_means_read_and_not_acknowledged(cx: &Check) -> Verdict {
    let (peer, end) = cx.tcp_pair()?;
    let subject = cx.subject(move || reads(&end, 3))?;
    peer.sends(b"one")?;
    peer.sends_once_read(b"two")?;
    peer.is_read()?;
    peer.closes();
    subject.returns(vec![b"one".to_vec(), b"two".to_vec(), vec![]])?;
    PASS
}

fn the_peers_end_is_not_in_the_subject(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    let subject = cx.subject(move || reads(&end, 1))?;
    peer.closes();
    subject.returns(vec![vec![]])?;
    let (peer, end) = cx.stream_pair()?;
    let subject = cx.subject(move || drop(end))?;
    ensure!(
        peer.receives_to_end()?.is_empty(),
        "bytes came from nowhere"
    );
    subject.returns(())?;
    PASS
}

fn a_reset_arrives_as_a_reset(cx: &Check) -> Verdict {
    let (peer, end) = cx.tcp_pair()?;
    let subject = cx.subject(move || nix::unistd::read(&end, &mut [0; 1]).map(|n| n as u32))?;
    subject.waits_in(&["read"])?;
    peer.resets()?;
    subject.returns(Err(Errno::ECONNRESET))?;
    PASS
}

extern "C" fn nothing(_: libc::c_int) {}

/// Lets SIGUSR1 interrupt system calls: a handler without `SA_RESTART`.
fn is_interruptible() -> nix::Result<()> {
    use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, sigaction};
    let handler = SigHandler::Handler(nothing);
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing.
    unsafe { sigaction(Signal::SIGUSR1, &action) }.map(drop)
}

fn a_subject_is_interrupted_as_often_as_it_sleeps(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    let subject = cx.subject(move || {
        is_interruptible().expect("sigaction");
        let mut interrupted = 0_u32;
        while nix::unistd::read(&end, &mut [0; 1]) == Err(Errno::EINTR) {
            interrupted += 1;
        }
        interrupted
    })?;
    for _ in 0..5 {
        subject.waits_in(&["read"])?;
        subject.signal(Signal::SIGUSR1);
    }
    // The fifth signal could come together with the byte, and read would return that.
    subject.waits_in(&["read"])?;
    peer.sends(b"x")?;
    subject.returns(5)?;
    PASS
}

fn a_subject_that_waits_can_be_interrupted(cx: &Check) -> Verdict {
    let (_peer, end) = cx.stream_pair()?;
    let subject = cx.subject(move || {
        is_interruptible()?;
        nix::unistd::read(&end, &mut [0; 1]).map(|n| n as u32)
    })?;
    subject.waits_in(&["read"])?;
    subject.signal(Signal::SIGUSR1);
    subject.returns(Err(Errno::EINTR))?;
    PASS
}

fn a_subject_has_no_capabilities(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find(|l| l.starts_with("CapEff"));
        line.unwrap_or_default()
            .split_whitespace()
            .last()
            .map(String::from)
    })?;
    subject.returns(Some("0000000000000000".into()))?;
    PASS
}

fn a_subject_sees_small_descriptors(cx: &Check) -> Verdict {
    let (_peer, end) = cx.stream_pair()?;
    use std::os::fd::AsRawFd;
    let number = end.as_raw_fd();
    ensure!(number < 20, "the subject's socket has number {number}");
    let subject = cx.subject(move || {
        drop(end);
        std::fs::File::open("/dev/null").map(|f| f.as_raw_fd() <= number)
    })?;
    subject.returns(Ok(true))?;
    PASS
}

fn each_check_has_the_ports_to_itself(cx: &Check) -> Verdict {
    if let lab::Isolation::Loopback(why) = lab::isolation() {
        return Err(Finding::needs(format!("namespaces: {why}")));
    }
    // Nothing listens in a network of one's own.
    let listening = std::fs::read_to_string("/proc/net/tcp")?;
    ensure!(
        listening.lines().count() == 1,
        "strangers are here:\n{listening}"
    );
    cx.subject(|| std::net::TcpListener::bind("127.0.0.1:7777").map(|_| ()))?
        .returns(Ok(()))?;
    PASS
}

fn a_server_is_met_when_it_listens(cx: &Check) -> Verdict {
    let at = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let subject = cx.subject(move || {
        let listener = std::net::TcpListener::bind(at)?;
        let (mut stream, _) = listener.accept()?;
        let mut byte = [0; 1];
        stream.read_exact(&mut byte)?;
        stream.write_all(&byte)
    })?;
    let peer = cx.connects(at)?;
    peer.sends(b"x")?;
    peer.expects(b"x")?;
    subject.returns(Ok(()))?;
    PASS
}

fn a_client_is_accepted(cx: &Check) -> Verdict {
    let server = cx.listens(([127, 0, 0, 1], 0).into())?;
    let at = server.address()?;
    let subject = cx.subject(move || {
        let mut stream = std::net::TcpStream::connect(at)?;
        stream.write_all(b"hi")?;
        let mut all = String::new();
        stream.read_to_string(&mut all)?;
        Ok::<_, std::io::Error>(all)
    })?;
    let peer = server.accepts()?;
    peer.expects(b"hi")?;
    peer.sends(b"there")?;
    peer.closes();
    subject.returns(Ok("there".into()))?;
    PASS
}

fn a_program_is_typed_to_and_read(cx: &Check) -> Verdict {
    let mut cat = cx.tool("cat", &[""; 0])?;
    cat.types("hello\nworld\n")?;
    ensure!(cat.line()? == "hello", "cat changes what it is given");
    ensure!(cat.line_after("wor")? == "ld", "cat loses what it is given");
    ensure!(cat.exits(0)? == "hello\nworld\n", "cat forgets");
    let mut missing = cx.program("/no/such/program", &[""; 0])?;
    missing.exits(127)?;
    PASS
}

fn a_program_starts_with_sigpipe_as_a_shell_gives_it(cx: &Check) -> Verdict {
    let mut sh = cx.tool("sh", &["-c", "kill -PIPE $$; echo still here"])?;
    sh.dies_of(Signal::SIGPIPE)?;
    PASS
}

/// As in a job that a shell has started in the background, where SIGINT is ignored.
fn what_was_ignored_or_blocked_before_is_not_so_in_a_program(cx: &Check) -> Verdict {
    // SAFETY: SIG_IGN is a valid disposition.
    unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
    let mut blocked = nix::sys::signal::SigSet::empty();
    blocked.add(Signal::SIGTERM);
    blocked.thread_block()?;
    for (name, signal) in [("INT", Signal::SIGINT), ("TERM", Signal::SIGTERM)] {
        let script = format!("kill -{name} $$; echo still here");
        let mut sh = cx.tool("sh", &["-c", &script])?;
        sh.dies_of(signal)?;
    }
    PASS
}

fn a_wait_with_a_timeout_is_not_called_a_hang(cx: &Check) -> Verdict {
    let subject = cx.subject(|| std::thread::sleep(std::time::Duration::from_millis(250)))?;
    subject.returns(())?;
    PASS
}

fn a_receive_timeout_is_not_called_a_hang(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(std::time::Duration::from_millis(250)))?;
        socket.recv(&mut [0; 1]).map(|_| ())
    })?;
    subject.fails_with(Errno::EAGAIN)?;
    PASS
}

fn an_armed_timer_is_not_called_a_hang(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        // SAFETY: timerfd calls with valid arguments; the descriptor is closed below.
        unsafe {
            let fd = libc::timerfd_create(libc::CLOCK_MONOTONIC, 0);
            let mut time: libc::itimerspec = std::mem::zeroed();
            time.it_value.tv_nsec = 250_000_000;
            libc::timerfd_settime(fd, 0, &raw const time, std::ptr::null_mut());
            let mut count = 0_u64;
            libc::read(fd, (&raw mut count).cast(), 8);
            libc::close(fd);
            count
        }
    })?;
    subject.returns(1)?;
    PASS
}

fn the_folder_is_the_checks_own(cx: &Check) -> Verdict {
    let folder = cx.folder()?;
    std::fs::write(folder.join("file"), "x")?;
    ensure!(folder.join("file").exists(), "the file is not there");
    PASS
}

/// Echoes what comes, until end-of-file.
fn echo_once(at: std::net::SocketAddr) -> std::io::Result<()> {
    let (mut stream, _) = std::net::TcpListener::bind(at)?.accept()?;
    let mut all = Vec::new();
    stream.read_to_end(&mut all)?;
    stream.write_all(&all)
}

fn a_server_on_another_host_is_met_when_it_listens(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    for at in ["10.0.0.2:7007", "[fd00::2]:7007"] {
        let at = at.parse().expect("an address");
        let server = cx.on(&net, "server").subject(move || echo_once(at))?;
        let peer = cx.on(&net, "client").connects(at)?;
        peer.sends(b"hello")?;
        peer.shuts_down_writing()?;
        peer.expects(b"hello")?;
        server.returns(Ok(()))?;
    }
    PASS
}

fn over_a_wire_read_means_read(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let at = "10.0.0.2:7007".parse().expect("an address");
    let subject = cx.on(&net, "server").subject(move || {
        let (stream, _) = std::net::TcpListener::bind(at)
            .expect("bind")
            .accept()
            .expect("accept");
        reads(&stream, 3)
    })?;
    let peer = cx.on(&net, "client").connects(at)?;
    peer.sends(b"one")?;
    peer.sends_once_read(b"two")?;
    peer.is_read()?;
    peer.closes();
    subject.returns(vec![b"one".to_vec(), b"two".to_vec(), vec![]])?;
    PASS
}

fn a_hang_across_hosts_is_recognized(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let at = "10.0.0.2:7007".parse().expect("an address");
    let subject = cx.on(&net, "server").subject(move || echo_once(at))?;
    let _peer = cx.on(&net, "client").connects(at)?;
    let began = std::time::Instant::now();
    let Err(finding) = subject.returns(Ok(())) else {
        return Err(Finding::fail("it returned although nobody closed"));
    };
    ensure!(finding.what().contains("waits in"), "{}", finding.what());
    ensure!(
        finding.what().contains("10.0.0.2:7007"),
        "{}",
        finding.what()
    );
    let took = began.elapsed();
    ensure!(took.as_secs() < 5, "that took {took:?}");
    PASS
}

fn a_retransmission_to_come_is_not_a_hang(cx: &Check) -> Verdict {
    use lab::net::{Match, Rule};
    let net = cx.lan(&["client", "server"])?;
    let at = "10.0.0.2:7007".parse().expect("an address");
    let subject = cx.on(&net, "server").subject(move || {
        let (mut stream, _) = std::net::TcpListener::bind(at)?.accept()?;
        stream.read_exact(&mut [0; 5])
    })?;
    let peer = cx.on(&net, "client").connects(at)?;
    // The first data segment is lost; the next comes after the retransmission timeout of 200 ms.
    net.rule(
        Rule::on(Match::tcp().from("client").with_data())
            .nth(1)
            .drop(),
    )?;
    peer.sends(b"hello")?;
    subject.returns(Ok(()))?;
    PASS
}

fn a_connection_to_nobody_is_refused(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let refused = cx
        .on(&net, "client")
        .subject(|| std::net::TcpStream::connect("10.0.0.2:9").map(|_| ()))?;
    refused.fails_with(Errno::ECONNREFUSED)?;
    PASS
}

fn a_program_runs_in_a_host(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let mut ip = cx.on(&net, "server").tool("ip", &["-brief", "address"])?;
    let shown = ip.exits(0)?;
    ensure!(
        shown.contains("10.0.0.2/24"),
        "ip shows other addresses: {shown}"
    );
    PASS
}

fn what_a_dead_subject_did_not_read_is_not_waited_for(cx: &Check) -> Verdict {
    for (peer, end) in [cx.tcp_pair()?, cx.stream_pair()?] {
        let subject = cx.subject(move || drop(end))?;
        subject.returns(())?;
        // The first may arrive where nobody is any more, the second meets the reset.
        let _ = peer.sends(b"hel");
        let began = std::time::Instant::now();
        let _ = peer.sends_once_read(b"lo");
        ensure!(
            began.elapsed().as_secs() < 5,
            "that took {:?}",
            began.elapsed()
        );
    }
    PASS
}

fn a_program_that_has_ended_can_be_asked_again(cx: &Check) -> Verdict {
    let mut echo = cx.tool("echo", &["one"])?;
    ensure!(echo.line()? == "one", "echo says something else");
    ensure!(echo.line().is_err(), "echo says more");
    echo.exits(0)?;
    ensure!(echo.exits(0)? == "one\n", "echo forgets");
    PASS
}
