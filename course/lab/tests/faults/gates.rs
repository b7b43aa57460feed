//! Calls that wait until the check has done something else.

use std::io::{self, Read};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::time::Duration;

use lab::prelude::*;

fn read(fd: &OwnedFd) -> io::Result<usize> {
    nix::unistd::read(fd, &mut [0; 8]).map_err(io::Error::from)
}

/// `poll` has seen data and no end; by the time of the `read` the end is there.
pub fn a_fin_between_poll_and_read(cx: &Check) -> Verdict {
    use std::os::fd::AsRawFd;
    let (peer, end) = cx.tcp_pair()?;
    peer.sends(b"abc")?;
    let gate = cx.gate()?;
    let plan = Faults::new().on(Call::Read).fd(&end).nth(1).waits_at(&gate);
    let subject = cx.spawner().faults(plan).subject(move || {
        let look = || {
            let mut asked = libc::pollfd {
                fd: end.as_raw_fd(),
                events: libc::POLLIN | libc::POLLRDHUP,
                revents: 0,
            };
            // SAFETY: one descriptor is asked for, and the structure is valid.
            Errno::result(unsafe { libc::poll(&raw mut asked, 1, -1) })?;
            Ok::<_, io::Error>(asked.revents)
        };
        let before = look()?;
        let n = read(&end)?;
        Ok::<_, io::Error>((before, n, look()?, read(&end)?))
    })?;
    gate.wait_held()?;
    peer.shuts_down_writing()?;
    gate.release();
    let (data, end) = (libc::POLLIN, libc::POLLIN | libc::POLLRDHUP);
    subject.returns(Ok((data, 3, end, 0)))?;
    PASS
}

pub fn a_connection_is_reset_before_it_is_accepted(cx: &Check) -> Verdict {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let to = listener.local_addr()?;
    let gate = cx.gate()?;
    let plan = Faults::new()
        .on(Call::Accept)
        .at_a(lab::Kind::Listener)
        .waits_at(&gate);
    let subject = cx.spawner().faults(plan).subject(move || {
        let (mut stream, _) = listener.accept()?;
        stream.read(&mut [0; 8])
    })?;
    gate.wait_held()?;
    cx.connects(to)?.resets()?;
    gate.release();
    // Linux gives the connection out and says the rest at the first call on it.
    subject.fails_with(Errno::ECONNRESET)?;
    PASS
}

pub fn a_result_waits_at_the_gate(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    peer.sends(b"abc")?;
    let gate = cx.gate()?;
    let plan = Faults::new()
        .on(Call::Read)
        .fd(&end)
        .nth(1)
        .returns_at(&gate);
    let subject = cx.spawner().faults(plan).subject(move || read(&end))?;
    let calls = subject.calls()?;
    gate.wait_held()?;
    // The kernel has made the call: nothing is left to read.
    peer.is_read()?;
    ensure!(
        calls.once()?.value().is_none(),
        "the result was out already"
    );
    gate.release();
    subject.returns(Ok(3))?;
    ensure!(
        calls.once()?.value() == Some(3),
        "the result is not written down"
    );
    PASS
}

pub fn an_open_gate_holds_nobody(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    peer.sends(b"abc")?;
    let gate = cx.gate()?;
    gate.release();
    let plan = Faults::new().on(Call::Read).waits_at(&gate);
    let subject = cx
        .spawner()
        .faults(plan)
        .subject(move || Ok::<_, io::Error>((read(&end)?, read(&end)?)))?;
    peer.shuts_down_writing()?;
    subject.returns(Ok((3, 0)))?;
    PASS
}

pub fn a_gate_that_nobody_reaches_is_said(cx: &Check) -> Verdict {
    let (_peer, end) = cx.stream_pair()?;
    let gate = cx.gate()?;
    let plan = Faults::new().on(Call::Write).waits_at(&gate);
    let _subject = cx.spawner().faults(plan).subject(move || read(&end))?;
    crate::fails_saying(gate.wait_held(), &["the check holds", "waits in read"])
}

/// Both ends wait here, but the check could still open the gate: only the check's time ends this.
pub fn a_held_call_is_no_hang_and_is_named(cx: &Check) -> Verdict {
    let (_peer, end) = cx.stream_pair()?;
    let gate = cx.gate()?;
    let plan = Faults::new().on(Call::Read).waits_at(&gate);
    let subject = cx.spawner().faults(plan).subject(move || read(&end))?;
    gate.wait_held()?;
    // In this process all times are the check's: a short one, for the test's sake.
    let finding = cx.within(Duration::from_millis(300), || subject.returns(Ok(0)));
    crate::fails_saying(
        finding,
        &[
            "at the end of the check's time",
            "is held by the check at read",
        ],
    )
}

pub fn a_delayed_call_takes_its_time(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    peer.sends(b"abc")?;
    let delay = Duration::from_millis(30);
    let plan = Faults::new().on(Call::Read).fd(&end).nth(1).delayed(delay);
    let subject = cx
        .spawner()
        .faults(plan)
        .subject(move || Ok::<_, io::Error>((read(&end)?, read(&end)?)))?;
    let calls = subject.calls()?;
    peer.shuts_down_writing()?;
    subject.returns(Ok((3, 0)))?;
    let took = calls.list()[0].took.unwrap_or_default();
    ensure!(took >= delay, "the delayed call took {took:?}");
    PASS
}

pub fn one_thread_is_held_and_not_the_others(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    let gate = cx.gate()?;
    let plan = Faults::new().on(Call::Read).fd(&end).waits_at(&gate);
    let subject = cx.spawner().faults(plan).subject(move || {
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| read(&end));
            let writer = scope.spawn(|| nix::unistd::write(&end, b"still here"));
            writer.join().expect("no panic")?;
            reader.join().expect("no panic")
        })
    })?;
    gate.wait_held()?;
    peer.expects(b"still here")?;
    peer.sends(b"go")?;
    gate.release();
    subject.returns(Ok(2))?;
    PASS
}
