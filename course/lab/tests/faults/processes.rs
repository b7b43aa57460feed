//! Threads, forks, programs, and what tracing must not change.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;

use lab::prelude::*;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

use crate::fails_saying;

fn read(fd: &OwnedFd) -> io::Result<usize> {
    nix::unistd::read(fd, &mut [0; 8]).map_err(io::Error::from)
}

/// Forks a child that runs `f` and exits with what it gives.
fn child(f: impl FnOnce() -> i32) -> io::Result<Pid> {
    // SAFETY: these subjects have one thread.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(child),
        // SAFETY: _exit does not return.
        ForkResult::Child => unsafe { libc::_exit(f()) },
    }
}

pub fn threads_are_followed(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    peer.sends(b"abc")?;
    let plan = Faults::new()
        .on(Call::Read)
        .fd(&end)
        .nth(1)
        .fails(Errno::EAGAIN);
    let subject = cx.spawner().faults(plan).subject(move || {
        let (first, end) = std::thread::spawn(move || (read(&end), end))
            .join()
            .expect("no panic");
        (first, read(&end))
    })?;
    let calls = subject.calls()?;
    subject.returns((Err(Errno::EAGAIN.into()), Ok(3)))?;
    let list = calls.of(Call::Read).list();
    ensure!(list[0].pid == list[1].pid, "two processes: {list:?}");
    ensure!(list[0].tid != list[1].tid, "one thread: {list:?}");
    PASS
}

pub fn forks_are_followed(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    peer.sends(b"abc")?;
    let plan = Faults::new().on(Call::Read).nth(1).fails(Errno::EAGAIN);
    let spawner = cx.spawner().faults(plan).records(&[Call::Fork, Call::Wait]);
    let subject = spawner.subject(move || {
        let child = child(|| read(&end).is_err().into())?;
        let status = waitpid(child, None)?;
        Ok::<_, io::Error>((status == WaitStatus::Exited(child, 1), read(&end)?))
    })?;
    let calls = subject.calls()?;
    subject.returns(Ok((true, 3)))?;
    calls.of(Call::Read).in_child().once()?;
    calls.of(Call::Read).in_parent().once()?;
    let fork = calls.of(Call::Fork).once()?;
    let reader = calls.of(Call::Read).in_child().once()?;
    ensure!(
        fork.value() == Some(reader.pid.into()),
        "{} {}",
        fork.said(),
        fork.came_to()
    );
    let wait = calls.of(Call::Wait).once()?;
    ensure!(wait.arguments.contains("exited with 1"), "{}", wait.said());
    PASS
}

/// A program that the subject starts, as std starts one.
pub fn programs_are_followed(cx: &Check) -> Verdict {
    let plan = Faults::new().on(Call::Write).number(1).nth(1).at_most(2);
    let spawner = cx.spawner().faults(plan).records(&[Call::Exec]);
    let subject = spawner.subject(|| {
        let output = std::process::Command::new("/bin/sh")
            .args(["-c", "echo hello"])
            .output()?;
        Ok::<_, io::Error>((output.status.code(), output.stdout.len()))
    })?;
    let calls = subject.calls()?;
    let (code, _) = subject.value()??;
    ensure!(code == Some(0), "the program ended with {code:?}");
    calls.met_every_fault()?;
    calls.of(Call::Exec).in_child().at_least(1)?;
    PASS
}

/// A program that the check starts: nothing of the lab's is in the record.
pub fn a_program_of_the_checks_is_followed(cx: &Check) -> Verdict {
    let plan = Faults::new().on(Call::Read).number(0).nth(1..=3).at_most(2);
    let spawner = cx
        .spawner()
        .faults(plan)
        .records(&[Call::Write, Call::Exit]);
    let mut cat = spawner.tool("cat", &[] as &[&str])?;
    let calls = cat.calls()?;
    cat.types("hello\n")?;
    let printed = cat.exits(0)?;
    ensure!(printed == "hello\n", "it printed {printed:?}");
    calls.of(Call::Read).at_number(0).at_least(4)?;
    let first = &calls.of(Call::Read).at_number(0).list()[0];
    ensure!(
        first.value() == Some(2),
        "the first read {}",
        first.came_to()
    );
    calls.of(Call::Exit).once()?;
    PASS
}

/// The tracer is nobody's child that the subject could wait for.
pub fn nobody_else_is_waited_for(cx: &Check) -> Verdict {
    let subject = cx.spawner().records(&[Call::Wait]).subject(|| {
        let first = waitpid(None, Some(WaitPidFlag::__WALL)).err();
        let second =
            child(|| 3).and_then(|pid| Ok(waitpid(None, None)? == WaitStatus::Exited(pid, 3)));
        (first == Some(Errno::ECHILD), second)
    })?;
    subject.returns((true, Ok(true)))?;
    PASS
}

pub fn ends_are_what_they_are(cx: &Check) -> Verdict {
    let spawner = || cx.spawner().records(&[Call::Write, Call::Exit]);
    let outcome = |subject: Subject<()>| subject.outcome();
    let exits = outcome(spawner().subject(|| std::process::exit(3))?)?;
    ensure!(exits == Outcome::Exited(3), "{exits:?}");
    let panics = outcome(spawner().subject(|| panic!("oh"))?)?;
    ensure!(
        matches!(&panics, Outcome::Panicked(m) if m.starts_with("oh at")),
        "{panics:?}"
    );
    let aborts = outcome(spawner().subject(|| std::process::abort())?)?;
    ensure!(aborts == Outcome::Killed(libc::SIGABRT), "{aborts:?}");
    // SAFETY: a bad address, on purpose.
    let faults = spawner().subject(|| unsafe { std::ptr::read_volatile(16 as *const u8) });
    let faults = faults?.outcome()?;
    ensure!(faults == Outcome::Killed(libc::SIGSEGV), "{faults:?}");
    let own = outcome(spawner().subject(|| kill(Pid::this(), Signal::SIGKILL).expect("allowed"))?)?;
    ensure!(own == Outcome::Killed(libc::SIGKILL), "{own:?}");
    PASS
}

pub fn leaks_are_still_found(cx: &Check) -> Verdict {
    let subject = cx.spawner().records(Call::ALL).subject(|| {
        std::mem::forget(TcpListener::bind("127.0.0.1:0"));
        std::mem::forget(child(|| 0));
    })?;
    fails_saying(subject.returns(()), &["(a socket) open", "child process"])
}

pub fn a_hang_is_still_recognized(cx: &Check) -> Verdict {
    let (_peer, end) = cx.stream_pair()?;
    let spawner = cx.spawner().records(&[Call::Read]);
    let subject = spawner.subject(move || read(&end))?;
    fails_saying(
        subject.returns(Ok(0)),
        &["waits in read(fd", "unix stream socket"],
    )
}

pub fn many_threads_at_once_are_followed(cx: &Check) -> Verdict {
    let plan = Faults::new().on(Call::Read).at_most(1);
    let spawner = cx.spawner().faults(plan).records(&[Call::Write]);
    let subject = spawner.subject(|| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                std::thread::spawn(move || {
                    let (reader, writer) = nix::unistd::pipe()?;
                    nix::unistd::write(&writer, &[n; 20])?;
                    let mut buf = [0; 20];
                    crate::read_full(&reader, &mut buf)?;
                    Ok::<_, io::Error>(buf == [n; 20])
                })
            })
            .collect();
        let ends = threads.into_iter().map(|t| t.join().expect("no panic"));
        ends.collect::<io::Result<Vec<bool>>>()
    })?;
    let calls = subject.calls()?;
    subject.returns(Ok(vec![true; 8]))?;
    calls.of(Call::Read).times(160)?;
    calls.of(Call::Write).times(8)?;
    PASS
}

/// A stopped child is stopped, and goes on when it is told to.
pub fn job_control_still_works(cx: &Check) -> Verdict {
    let subject = cx.spawner().records(Call::NETWORK).subject(|| {
        let (reader, writer) = nix::unistd::pipe()?;
        let pid = child(|| read(&reader).map_or(1, |n| n as i32))?;
        kill(pid, Signal::SIGSTOP)?;
        let stopped = waitpid(pid, Some(WaitPidFlag::WUNTRACED))?;
        kill(pid, Signal::SIGCONT)?;
        let continued = waitpid(pid, Some(WaitPidFlag::WCONTINUED))?;
        nix::unistd::write(&writer, b"seven..")?;
        let ended = waitpid(pid, None)?;
        Ok::<_, io::Error>((
            stopped == WaitStatus::Stopped(pid, Signal::SIGSTOP),
            continued == WaitStatus::Continued(pid),
            ended == WaitStatus::Exited(pid, 7),
        ))
    })?;
    subject.returns(Ok((true, true, true)))?;
    PASS
}

pub fn in_a_host_too(cx: &Check) -> Verdict {
    let net = cx.lan(&["west", "east"])?;
    let (west, east) = (cx.on(&net, "west"), cx.on(&net, "east"));
    let to = std::net::SocketAddr::new(net.host("east").v4().into(), 7000);
    let plan = Faults::new()
        .on(Call::Accept)
        .nth(1)
        .fails(Errno::ECONNABORTED);
    let spawner = east.spawner().faults(plan).records(Call::NETWORK);
    let server = spawner.subject(move || {
        let listener = TcpListener::bind(to)?;
        let first = listener.accept().map(drop);
        let (stream, _) = listener.accept()?;
        drop(stream);
        Ok::<_, io::Error>(first)
    })?;
    let calls = server.calls()?;
    let peer = west.connects(to)?;
    ensure!(peer.receives_to_end()?.is_empty(), "something came");
    server.returns(Ok(Err(Errno::ECONNABORTED.into())))?;
    let bind = calls.of(Call::Bind).once()?;
    ensure!(bind.arguments.contains(&to.to_string()), "{}", bind.said());
    PASS
}

pub fn two_subjects_at_once(cx: &Check) -> Verdict {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let to = listener.local_addr()?;
    let spawner = || cx.spawner().records(Call::NETWORK);
    let server = spawner().named("the server").subject(move || {
        let (stream, _) = listener.accept()?;
        nix::unistd::write(&stream, b"bye")?;
        Ok::<_, io::Error>(())
    })?;
    let client = spawner().named("the client").subject(move || {
        let stream = TcpStream::connect(to)?;
        read(&stream.into())
    })?;
    let (first, second) = (server.calls()?, client.calls()?);
    client.returns(Ok(3))?;
    server.returns(Ok(()))?;
    first.of(Call::Accept).once()?;
    second.of(Call::Accept).never()?;
    second.of(Call::Connect).once()?;
    PASS
}
