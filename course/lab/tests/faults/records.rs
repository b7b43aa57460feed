//! What the record of calls says.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::{Command, ExitCode};

use lab::prelude::*;

use crate::fails_saying;

fn read(fd: &OwnedFd) -> io::Result<usize> {
    nix::unistd::read(fd, &mut [0; 8]).map_err(io::Error::from)
}

pub fn calls_are_decoded(cx: &Check) -> Verdict {
    let subject = cx.spawner().records(Call::NETWORK).subject(|| {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let at = listener.local_addr()?;
        let mut client = TcpStream::connect(at)?;
        let (mut server, _) = listener.accept()?;
        client.set_nodelay(true)?;
        client.write_all(b"hello\r\n")?;
        server.read_exact(&mut [0; 7])?;
        client.shutdown(std::net::Shutdown::Write)?;
        let end = server.read(&mut [0; 7])?;
        let refused = nix::unistd::write(&client, b"x").err();
        let numbers = (listener.as_raw_fd(), client.as_raw_fd(), server.as_raw_fd());
        Ok::<_, io::Error>((
            at.port(),
            numbers,
            end == 0 && refused == Some(Errno::EPIPE),
        ))
    })?;
    let calls = subject.calls()?;
    let (port, (a, b, c), as_always) = subject.value()??;
    ensure!(as_always, "the code itself is wrong");
    let lines: Vec<String> = calls
        .list()
        .iter()
        .map(|c| format!("{} {}", c.said(), c.came_to()))
        .collect();
    for wanted in [
        format!("socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) = {a}"),
        format!("setsockopt({a}, SOL_SOCKET, SO_REUSEADDR, 1, 4) = 0"),
        format!("bind({a}, 127.0.0.1:0, 16) = 0"),
        format!("getsockname({a}, 127.0.0.1:{port}) = 0"),
        format!("connect({b}, 127.0.0.1:{port}, 16) = 0"),
        format!("setsockopt({b}, IPPROTO_TCP, TCP_NODELAY, 1, 4) = 0"),
        format!("sendto({b}, \"hello\\r\\n\", 7, MSG_NOSIGNAL) = 7"),
        format!("recvfrom({c}, \"hello\\r\\n\", 7) = 7"),
        format!("shutdown({b}, SHUT_WR) = 0"),
        format!("recvfrom({c}, \"\", 7) = 0"),
        format!("write({b}, \"x\", 1) = -1 EPIPE"),
        format!("close({a}) = 0"),
    ] {
        ensure!(lines.contains(&wanted), "no {wanted} in {lines:#?}");
    }
    let accept = calls.of(Call::Accept).once()?;
    ensure!(
        accept.arguments.starts_with(&format!("{a}, 127.0.0.1:")),
        "{}",
        accept.said()
    );
    ensure!(
        accept.what == format!("stream socket 127.0.0.1:{port} listening"),
        "the listener is {}",
        accept.what
    );
    let sent = &calls.of(Call::Exact("sendto")).list()[0];
    ensure!(sent.data == b"hello\r\n", "the data are {:?}", sent.data);
    PASS
}

/// A call that sleeps is in the record while it does, without a result.
pub fn what_comes_later_is_filled_in(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    let spawner = cx.spawner().records(&[Call::Read]);
    let subject = spawner.subject(move || read(&end))?;
    let calls = subject.calls()?;
    subject.waits_in(&["read"])?;
    let open = calls.once()?;
    ensure!(
        open.result.is_none() && open.took.is_none(),
        "{}",
        open.came_to()
    );
    ensure!(open.arguments.contains('…'), "{}", open.said());
    peer.sends(b"abc")?;
    subject.returns(Ok(3))?;
    let done = calls.once()?;
    ensure!(
        done.value() == Some(3) && done.took.is_some(),
        "{}",
        done.came_to()
    );
    ensure!(done.arguments.contains("\"abc\""), "{}", done.said());
    PASS
}

pub fn demands_on_calls_are_kept(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    let number = std::os::fd::AsRawFd::as_raw_fd(&end);
    let spawner = cx.spawner().records(&[Call::Write]);
    let subject = spawner.subject(move || {
        for part in [b"a", b"b", b"c"] {
            nix::unistd::write(&end, part)?;
        }
        Ok::<_, io::Error>(())
    })?;
    let calls = subject.calls()?;
    subject.returns(Ok(()))?;
    peer.expects(b"abc")?;
    let writes = calls.of(Call::Write).at_number(number);
    writes.times(3)?;
    writes.at_most(3)?;
    writes.at_least(3)?;
    calls.of(Call::Exact("writev")).never()?;
    let at = format!("write at descriptor {number} once, it did so 3 times");
    fails_saying(writes.once(), &[&at])?;
    fails_saying(writes.at_most(2), &["twice at most", "3 times"])?;
    fails_saying(writes.at_least(4), &["4 times at least"])?;
    fails_saying(
        calls.of(Call::Write).never(),
        &["never to call write", "\"a\", 1) = 1"],
    )?;
    fails_saying(
        calls.of(Call::Exact("writev")).once(),
        &["writev once, it never did"],
    )?;
    let third = calls.that("with c", |call| call.data == b"c").once()?;
    ensure!(third.began >= calls.list()[0].began, "the order is wrong");
    PASS
}

pub fn reading_on_after_the_end_is_found(cx: &Check) -> Verdict {
    let read_twice = |again: bool| {
        let (peer, end) = cx.stream_pair()?;
        peer.closes();
        let spawner = cx.spawner().records(&[Call::Read, Call::Close]);
        let subject = spawner.subject(move || {
            let first = read(&end)?;
            if again {
                read(&end)?;
            }
            Ok::<_, io::Error>(first)
        })?;
        let calls = subject.calls()?;
        subject.returns(Ok(0))?;
        Ok::<_, Finding>(calls)
    };
    read_twice(false)?.never_after_end_of_file()?;
    fails_saying(
        read_twice(true)?.never_after_end_of_file(),
        &["never to read", "again after end-of-file"],
    )
}

pub fn a_child_that_keeps_a_descriptor_is_found(cx: &Check) -> Verdict {
    let forks = |closes: bool| {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let number = std::os::fd::AsRawFd::as_raw_fd(&listener);
        let spawner = cx.spawner().records(&[Call::Close, Call::Fork]);
        let subject = spawner.subject(move || {
            // SAFETY: the subject has one thread.
            match unsafe { nix::unistd::fork() }? {
                nix::unistd::ForkResult::Parent { child } => {
                    nix::sys::wait::waitpid(child, None)?;
                }
                nix::unistd::ForkResult::Child => {
                    if closes {
                        drop(listener);
                    }
                    // SAFETY: _exit does not return.
                    unsafe { libc::_exit(0) }
                }
            }
            Ok::<_, io::Error>(())
        })?;
        let calls = subject.calls()?;
        subject.returns(Ok(()))?;
        Ok::<_, Finding>((calls, number))
    };
    struct Number(i32);
    impl std::os::fd::AsRawFd for Number {
        fn as_raw_fd(&self) -> i32 {
            self.0
        }
    }
    let (calls, number) = forks(true)?;
    calls.closes_in_child(&Number(number))?;
    calls.closes_in_parent(&Number(number))?;
    let (calls, number) = forks(false)?;
    let wanted = format!("close at descriptor {number} in a process that it forked");
    fails_saying(
        calls.closes_in_child(&Number(number)),
        &[&wanted, "it never did"],
    )
}

/// A loop of calls loses its middle, and neither memory nor the rest.
pub fn a_long_record_is_bounded(cx: &Check) -> Verdict {
    const CALLS: i64 = 6000;
    let spawner = cx.spawner().records(&[Call::Dup]);
    let subject = spawner.subject(|| {
        for n in 0..CALLS {
            // SAFETY: no such descriptor; only the number is of interest.
            unsafe { libc::dup(100_000 + n as i32) };
        }
    })?;
    let calls = subject.calls()?;
    subject.returns(())?;
    let list = calls.list();
    ensure!(list.len() == 4096, "{} are kept", list.len());
    let first = &list[0].arguments;
    let last = &list[4095].arguments;
    ensure!(
        first == "100000" && last == "105999",
        "{first} to {last} are kept"
    );
    PASS
}

pub fn unplanned_calls_are_not_recorded(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    peer.sends(b"abc")?;
    let spawner = cx.spawner().records(&[Call::Read]);
    let subject = spawner.subject(move || {
        nix::unistd::write(&end, b"x")?;
        read(&end)
    })?;
    let calls = subject.calls()?;
    subject.returns(Ok(3))?;
    ensure!(calls.count() == 1, "recorded: {:?}", calls.list());
    PASS
}

pub fn a_fault_that_never_came_is_said(cx: &Check) -> Verdict {
    let plan = Faults::new().on(Call::Read).nth(2).fails(Errno::EINTR);
    let subject = cx.spawner().faults(plan).subject(|| ())?;
    let calls = subject.calls()?;
    subject.returns(())?;
    fails_saying(
        calls.met_every_fault(),
        &["number 2 of the calls to read", "it never did"],
    )
}

/// What a failure looks like: this binary, run with one check that fails.
pub fn a_failure_shows_the_calls(_: &Check) -> Verdict {
    let output = Command::new(std::env::current_exe()?)
        .env("FAULTS_SPECIMEN", "1")
        .env("LAB_ISOLATION", "loopback")
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    for wanted in [
        "calls of your code:",
        " <unix stream socket>, …, 5) = -1 EINTR  ← made to fail by the check, as if a signal had arrived",
        "child 1 write(1 <pipe>, \"hi\", 2) = 2",
        "(30 times)",
    ] {
        ensure!(text.contains(wanted), "no {wanted:?} in\n{text}");
    }
    PASS
}

/// The check for the one above.
pub fn specimen() -> ExitCode {
    fn fails(cx: &Check) -> Verdict {
        let (_peer, end) = cx.stream_pair()?;
        let plan = Faults::new().on(Call::Read).nth(1).fails(Errno::EINTR);
        let spawner = cx.spawner().faults(plan);
        let spawner = spawner.records(&[Call::Write, Call::Close, Call::Dup]);
        let subject = spawner.subject(move || {
            for _ in 0..30 {
                // SAFETY: no such descriptor; the call only fails.
                unsafe { libc::dup(5000) };
            }
            // SAFETY: the subject has one thread.
            if let Ok(nix::unistd::ForkResult::Child) = unsafe { nix::unistd::fork() } {
                let _ = nix::unistd::write(io::stdout(), b"hi");
                // SAFETY: _exit does not return.
                unsafe { libc::_exit(0) }
            }
            let _ = nix::sys::wait::wait();
            nix::unistd::read(&end, &mut [0; 5]).map_err(io::Error::from)
        })?;
        subject.returns(Ok(5))?;
        PASS
    }
    Suite::new("specimen").check(fails).main()
}
