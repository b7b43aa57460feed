//! Five children end, and their parent hears of it once. What does its handler leave behind?

use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};

use introduction::error::{CallError, InCall};
use introduction::program::{Outcome, run_alone};
use libc::c_int;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::{ForkResult, fork};
use tcp_client_server::children::{children_of, reap_all, reap_one};
use tcp_client_server::signals::on_signal;

fn main() -> ExitCode {
    run_alone("usage: lost-signals", work)
}

// ANCHOR: work
fn work(out: &mut dyn Write) -> Outcome {
    writeln!(out, "handler         runs  zombies left")?;
    for (name, handler) in [
        ("wait", counted_reap_one as extern "C" fn(c_int)),
        ("waitpid, loop", counted_reap_all),
    ] {
        RUNS.store(0, Ordering::Relaxed);
        on_signal(Signal::SIGCHLD, handler, libc::SA_RESTART)?;
        five_end_at_once()?;
        let children = children_of(std::process::id())?;
        let zombies = children.iter().filter(|child| child.state == 'Z').count();
        let runs = RUNS.load(Ordering::Relaxed);
        writeln!(out, "{name:14}  {runs:4}  {zombies:12}")?;
        reap_all(0);
    }
    Ok(())
}

/// Has five children end while SIGCHLD is held back, then lets it through.
fn five_end_at_once() -> Result<(), CallError> {
    let held_back = SigSet::from(Signal::SIGCHLD);
    held_back.thread_block().in_call("sigprocmask")?;
    for _ in 0..5 {
        // SAFETY: this process has one thread, and the child does nothing but end.
        match unsafe { fork() }.in_call("fork")? {
            // SAFETY: `_exit` ends the process, without what the parent has in its buffers.
            ForkResult::Child => unsafe { libc::_exit(0) },
            ForkResult::Parent { child } => {
                // Waits until it has ended, and leaves its status for the handler.
                let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
                waitid(Id::Pid(child), flags).in_call("waitid")?;
            }
        }
    }
    held_back.thread_unblock().in_call("sigprocmask")
}
// ANCHOR_END: work

// ANCHOR: handlers
static RUNS: AtomicU32 = AtomicU32::new(0);

extern "C" fn counted_reap_one(signal: c_int) {
    RUNS.fetch_add(1, Ordering::Relaxed);
    reap_one(signal);
}

extern "C" fn counted_reap_all(signal: c_int) {
    RUNS.fetch_add(1, Ordering::Relaxed);
    reap_all(signal);
}
// ANCHOR_END: handlers
