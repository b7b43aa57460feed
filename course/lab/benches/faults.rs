//! What does a planned, a recorded and an unplanned call cost?
//!
//! ```console
//! $ cargo bench -p lab --bench faults
//! ```
//!
//! The best of five runs of each, in microseconds a call; the subject takes the times itself.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use lab::prelude::*;

/// Calls in one of five runs.
const CALLS: u32 = 2000;

fn main() -> ExitCode {
    Suite::new("cost of a call")
        .named("calls", calls)
        .time(Duration::from_secs(120))
        .named("start", start)
        .time(Duration::from_secs(120))
        .main()
}

/// Microseconds for a `read` of one byte from `/dev/zero`, and for a `getppid`.
fn costs() -> (u64, u64) {
    // SAFETY: the path is a C string; the buffers have the lengths given; getppid takes nothing.
    let zero = unsafe { libc::open(c"/dev/zero".as_ptr(), libc::O_RDONLY) };
    let read = || {
        let mut byte = [0_u8];
        // SAFETY: the buffer has one byte.
        unsafe { libc::syscall(libc::SYS_read, zero, byte.as_mut_ptr(), 1) };
    };
    let getppid = || {
        // SAFETY: no arguments.
        unsafe { libc::syscall(libc::SYS_getppid) };
    };
    let best = |call: &dyn Fn()| {
        let runs = (0..5).map(|_| {
            let began = Instant::now();
            (0..CALLS).for_each(|_| call());
            began.elapsed()
        });
        let best = runs.min().unwrap_or_default();
        best.as_nanos() as u64 / u64::from(CALLS)
    };
    let costs = (best(&read), best(&getppid));
    // SAFETY: the descriptor is this function's own.
    unsafe { libc::close(zero) };
    costs
}

fn calls(cx: &Check) -> Verdict {
    let signal = nix::sys::signal::Signal::SIGURG;
    let on = || Faults::new().on(Call::Read);
    let plans = [
        ("not traced", None),
        (
            "a filter that fits neither",
            Some(Faults::new().records(&[Call::Bind])),
        ),
        ("recorded", Some(Faults::new().records(&[Call::Read]))),
        (
            "planned, at another descriptor",
            Some(on().number(99).fails(Errno::EINTR)),
        ),
        (
            "planned, by kind, none fits",
            Some(on().at_a(lab::Kind::Listener).fails(Errno::EINTR)),
        ),
        ("made to fail", Some(on().fails(Errno::EINTR))),
        ("cut short", Some(on().at_most(0))),
        (
            "with a signal before (ignored)",
            Some(on().signal_before(signal)),
        ),
    ];
    for engine in ["", "registers"] {
        // SAFETY: a check has one thread, and a process of its own.
        unsafe { std::env::set_var("LAB_TRACING", engine) };
        for (what, plan) in &plans {
            if engine == "registers" && plan.is_none() {
                continue;
            }
            let spawner = match plan {
                Some(plan) => cx.spawner().faults(plan.clone()),
                None => cx.spawner(),
            };
            let (read, getppid) = spawner.subject(costs)?.value()?;
            let micros = |nanos: u64| Duration::from_nanos(nanos).as_secs_f64() * 1e6;
            cx.evidence(format!(
                "{engine:<10} {what:<34} read {:>7.2}   getppid {:>6.2}",
                micros(read),
                micros(getppid)
            ));
        }
    }
    PASS
}

/// What it costs to have a tracer at all.
fn start(cx: &Check) -> Verdict {
    let median = |traced: bool| {
        let mut times = Vec::new();
        for _ in 0..100 {
            let began = Instant::now();
            let spawner = cx.spawner();
            let spawner = if traced {
                spawner.records(&[Call::Read])
            } else {
                spawner
            };
            spawner.subject(|| ())?.returns(())?;
            times.push(began.elapsed());
        }
        times.sort();
        Ok::<_, Finding>(times[times.len() / 2])
    };
    let (plain, traced) = (median(false)?, median(true)?);
    cx.evidence(format!(
        "a subject that does nothing: {plain:?}, traced {traced:?}"
    ));
    PASS
}
