//! Signals before, during and after a call.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use lab::prelude::*;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// How often the handler ran, and what it writes a byte to, if anything.
static RUNS: AtomicU32 = AtomicU32::new(0);
static PIPE: AtomicI32 = AtomicI32::new(-1);

extern "C" fn handler(_: libc::c_int) {
    RUNS.fetch_add(1, Ordering::SeqCst);
    let fd = PIPE.load(Ordering::SeqCst);
    if fd >= 0 {
        // SAFETY: one byte of a static; write is async-signal-safe.
        unsafe { libc::write(fd, c"!".as_ptr().cast(), 1) };
    }
}

/// Installs the handler for `SIGUSR1`.
fn handles(flags: SaFlags) -> io::Result<()> {
    let action = SigAction::new(SigHandler::Handler(handler), flags, SigSet::empty());
    // SAFETY: the handler only does what is safe in one.
    unsafe { sigaction(Signal::SIGUSR1, &action) }?;
    Ok(())
}

fn runs() -> u32 {
    RUNS.load(Ordering::SeqCst)
}

fn read(fd: &OwnedFd) -> io::Result<usize> {
    nix::unistd::read(fd, &mut [0; 8]).map_err(io::Error::from)
}

/// What the handler writes is there when the call is made: the handler ran first. The call counts once.
pub fn a_handler_runs_before_the_call(cx: &Check) -> Verdict {
    before(cx, SaFlags::SA_RESTART)
}

/// A signal before the call is no interruption of it, whatever the handler's flags.
pub fn a_handler_before_need_not_restart(cx: &Check) -> Verdict {
    before(cx, SaFlags::empty())
}

fn before(cx: &Check, flags: SaFlags) -> Verdict {
    let plan = Faults::new()
        .on(Call::Read)
        .at_a(lab::Kind::Pipe)
        .nth(1)
        .signal_before(Signal::SIGUSR1);
    let subject = cx.spawner().faults(plan).subject(move || {
        handles(flags)?;
        let (reader, writer) = nix::unistd::pipe()?;
        PIPE.store(writer.as_raw_fd(), Ordering::SeqCst);
        let first = read(&reader)?;
        PIPE.store(-1, Ordering::SeqCst);
        nix::unistd::write(&writer, b"two")?;
        Ok::<_, io::Error>((first, read(&reader)?, runs()))
    })?;
    let calls = subject.calls()?;
    subject.returns(Ok((1, 3, 1)))?;
    calls.of(Call::Read).times(2)?;
    calls.met_every_fault()?;
    PASS
}

pub fn a_signal_interrupts_a_sleeping_call(cx: &Check) -> Verdict {
    let (peer, end) = cx.tcp_pair()?;
    let plan = Faults::new()
        .on(Call::Read)
        .fd(&end)
        .nth(1)
        .signal_during(Signal::SIGUSR1);
    let subject = cx.spawner().faults(plan).subject(move || {
        handles(SaFlags::empty())?;
        let first = read(&end);
        let second = read(&end);
        Ok::<_, io::Error>((first, second, runs()))
    })?;
    let calls = subject.calls()?;
    cx.wait_until("the second read", || (calls.count() == 2).then_some(()))?;
    peer.sends(b"hello")?;
    subject.returns(Ok((Err(Errno::EINTR.into()), Ok(5), 1)))?;
    calls.failed_with(Errno::EINTR).once()?;
    calls.met_every_fault()?;
    PASS
}

/// The handler brings about what the restarted call waits for.
pub fn a_signal_restarts_a_sleeping_call(cx: &Check) -> Verdict {
    let plan = Faults::new()
        .on(Call::Read)
        .at_a(lab::Kind::Pipe)
        .nth(1)
        .signal_during(Signal::SIGUSR1);
    let subject = cx.spawner().faults(plan).subject(move || {
        handles(SaFlags::SA_RESTART)?;
        let (reader, writer) = nix::unistd::pipe()?;
        PIPE.store(writer.as_raw_fd(), Ordering::SeqCst);
        let first = read(&reader)?;
        Ok::<_, io::Error>((first, runs()))
    })?;
    let calls = subject.calls()?;
    subject.returns(Ok((1, 1)))?;
    let call = calls.of(Call::Read).once()?;
    ensure!(
        call.value() == Some(1),
        "the record says {}",
        call.came_to()
    );
    ensure!(call.effect.contains("while it slept"), "{}", call.effect);
    PASS
}

pub fn a_call_that_does_not_sleep_is_not_disturbed(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    peer.sends(b"hello")?;
    let plan = Faults::new()
        .on(Call::Read)
        .fd(&end)
        .nth(1)
        .signal_during(Signal::SIGUSR1);
    let subject = cx.spawner().faults(plan).subject(move || {
        handles(SaFlags::empty())?;
        Ok::<_, io::Error>((read(&end)?, runs()))
    })?;
    let calls = subject.calls()?;
    subject.returns(Ok((5, 0)))?;
    let call = calls.once()?;
    ensure!(call.effect.contains("did not sleep"), "{}", call.effect);
    ensure!(
        calls.met_every_fault().is_err(),
        "the plan says it took place"
    );
    PASS
}

pub fn a_handler_runs_before_the_result_is_seen(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    peer.sends(b"hello")?;
    let plan = Faults::new()
        .on(Call::Read)
        .fd(&end)
        .nth(1)
        .signal_after(Signal::SIGUSR1);
    let subject = cx.spawner().faults(plan).subject(move || {
        handles(SaFlags::empty())?;
        let before = runs();
        let n = read(&end)?;
        Ok::<_, io::Error>((before, n, runs()))
    })?;
    subject.returns(Ok((0, 5, 1)))?;
    PASS
}

pub fn an_ignored_signal_changes_nothing(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    peer.sends(b"hello")?;
    let plan = Faults::new()
        .on(Call::Read)
        .fd(&end)
        .nth(1)
        .signal_before(Signal::SIGURG);
    let subject = cx.spawner().faults(plan).subject(move || read(&end))?;
    let calls = subject.calls()?;
    subject.returns(Ok(5))?;
    calls.of(Call::Read).once()?;
    PASS
}

pub fn a_signal_that_kills_kills(cx: &Check) -> Verdict {
    let (_peer, end) = cx.stream_pair()?;
    let plan = Faults::new()
        .on(Call::Read)
        .fd(&end)
        .signal_during(Signal::SIGTERM);
    let subject = cx.spawner().faults(plan).subject(move || read(&end))?;
    let calls = subject.calls()?;
    let outcome = subject.outcome()?;
    ensure!(
        matches!(outcome, Outcome::Killed(libc::SIGTERM)),
        "it came to {outcome:?}"
    );
    let call = calls.once()?;
    ensure!(
        !call.came_to().starts_with("= 5"),
        "the record says {}",
        call.came_to()
    );
    PASS
}

/// A handler may call what it likes while the call that it interrupts is open.
pub fn a_handlers_own_calls_are_written_down(cx: &Check) -> Verdict {
    let plan = Faults::new()
        .on(Call::Read)
        .at_a(lab::Kind::Pipe)
        .nth(1)
        .signal_during(Signal::SIGUSR1);
    let spawner = cx.spawner().faults(plan).records(&[Call::Write]);
    let subject = spawner.subject(move || {
        handles(SaFlags::SA_RESTART)?;
        let (reader, writer) = nix::unistd::pipe()?;
        PIPE.store(writer.as_raw_fd(), Ordering::SeqCst);
        let n = read(&reader)?;
        Ok::<_, io::Error>((n, runs()))
    })?;
    let calls = subject.calls()?;
    subject.returns(Ok((1, 1)))?;
    calls.of(Call::Read).once()?;
    let write = calls.of(Call::Write).once()?;
    ensure!(write.value() == Some(1), "the write {}", write.came_to());
    PASS
}
