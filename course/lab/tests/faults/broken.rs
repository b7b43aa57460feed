//! Where tracing is not permitted, and when the tracer is lost.

use std::fs;
use std::io;

use lab::prelude::*;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::fails_saying;

/// Demands that a traced subject is *not run*, for this reason.
fn is_not_run(cx: &Check, why: &str) -> Verdict {
    let spawner = cx.spawner().records(&[Call::Read]);
    let Err(finding) = spawner.subject(|| 5) else {
        return Err(Finding::fail("it ran"));
    };
    ensure!(!finding.is_failure(), "it is called a failure: {finding}");
    let wanted = format!("needs system call tracing ({why}), see cargo course doctor");
    ensure!(finding.what() == wanted, "it says: {finding}");
    // Nothing else is changed by it.
    cx.subject(|| 5)?.returns(5)?;
    PASS
}

pub fn where_it_is_switched_off_it_is_not_run(cx: &Check) -> Verdict {
    // SAFETY: a check has one thread, and a process of its own.
    unsafe { std::env::set_var("LAB_TRACING", "none") };
    is_not_run(cx, "LAB_TRACING=none is set")
}

/// As in a container whose profile forbids it.
pub fn where_ptrace_is_forbidden_it_is_not_run(cx: &Check) -> Verdict {
    forbid(libc::SYS_ptrace)?;
    is_not_run(cx, "ptrace: EPERM")
}

pub fn where_filters_are_forbidden_it_is_not_run(cx: &Check) -> Verdict {
    forbid(libc::SYS_seccomp)?;
    is_not_run(cx, "seccomp: EPERM")
}

/// A debugger, or `strace`.
pub fn where_another_traces_it_is_not_run(cx: &Check) -> Verdict {
    let spawner = cx.spawner().records(&[Call::Read]).inside(|| {
        // SAFETY: the request takes no arguments. The check becomes the tracer.
        let r = unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) };
        nix::errno::Errno::result(r)?;
        Ok(())
    });
    let Err(finding) = spawner.subject(|| 5) else {
        return Err(Finding::fail("it ran"));
    };
    ensure!(
        finding.what().contains("(ptrace: EPERM)") && !finding.is_failure(),
        "it says: {finding}"
    );
    PASS
}

/// Puts a filter on this check that answers `EPERM` to one call.
fn forbid(number: libc::c_long) -> io::Result<()> {
    let line = |code: u32, jt, jf, k| libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let answer = libc::BPF_RET | libc::BPF_K;
    let mut lines = [
        line(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        line(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            0,
            1,
            number as u32,
        ),
        line(answer, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
        line(answer, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog {
        len: lines.len() as u16,
        filter: lines.as_mut_ptr(),
    };
    // SAFETY: the program points to so many lines, which the kernel copies.
    let r = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        libc::prctl(
            libc::PR_SET_SECCOMP,
            libc::SECCOMP_MODE_FILTER,
            &raw const program,
        )
    };
    nix::errno::Errno::result(r)?;
    Ok(())
}

/// The check's children other than the caller.
fn siblings() -> Vec<Pid> {
    let me = std::process::id();
    let parent = nix::unistd::getppid();
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    let children = children.unwrap_or_default();
    let children = children.split_whitespace().filter_map(|p| p.parse().ok());
    let others = children.filter(|pid| *pid != me as i32);
    others.map(Pid::from_raw).collect()
}

/// Does to the tracer what a foe would. Whether a foe can depends on the machine.
fn signal_tracer<T: Sealed>(subject: &Subject<T>, signal: Signal) -> Result<(), Finding> {
    let me = std::process::id();
    let children = fs::read_to_string(format!("/proc/{me}/task/{me}/children"))?;
    let children = children.split_whitespace().filter_map(|p| p.parse().ok());
    for pid in children.filter(|pid| *pid != subject.pid()) {
        kill(Pid::from_raw(pid), signal)?;
    }
    Ok(())
}

pub fn a_tracer_that_is_killed_is_missed(cx: &Check) -> Verdict {
    let subject = cx.spawner().records(&[Call::Read]).subject(|| {
        loop {
            nix::unistd::pause();
        }
    })?;
    signal_tracer(&subject, Signal::SIGKILL)?;
    fails_saying(
        subject.returns(()),
        &["watches the calls of your code was killed by SIGKILL"],
    )
}

/// It stands still, and the subject with it, until the check's time is over. Then all is ended.
pub fn a_tracer_that_is_stopped_holds_nobody_up(cx: &Check) -> Verdict {
    let (peer, end) = cx.stream_pair()?;
    let spawner = cx.spawner().records(&[Call::Read]);
    let subject = spawner.subject(move || {
        let _ = nix::unistd::read(&end, &mut [0; 1]);
    })?;
    subject.waits_in(&["read"])?;
    signal_tracer(&subject, Signal::SIGSTOP)?;
    peer.closes();
    let pid = subject.pid();
    let time = std::time::Duration::from_millis(300);
    let finding = cx.within(time, || subject.returns(()));
    fails_saying(finding, &["at the end of the check's time"])?;
    ensure!(
        !std::path::Path::new(&format!("/proc/{pid}")).exists(),
        "the subject lives on"
    );
    PASS
}

/// The subject can neither look into the tracer nor has it a descriptor of the lab's.
pub fn the_tracer_is_out_of_reach(cx: &Check) -> Verdict {
    let open = || fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    let as_always = cx.subject(open)?.value()?;
    let subject = cx.spawner().records(&[Call::Read]).subject(move || {
        let tracers = siblings();
        let reach = |pid: &Pid| {
            // SAFETY: the request takes numbers only.
            let r = unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid.as_raw(), 0, 0) };
            r == 0 || fs::read(format!("/proc/{pid}/maps")).is_ok_and(|m| !m.is_empty())
        };
        let shared = fs::read_to_string("/proc/self/maps").unwrap_or_default();
        let shared = shared.lines().filter(|l| l.contains("rw-s")).count();
        (tracers.len(), tracers.iter().any(reach), shared, open())
    })?;
    subject.returns((1, false, 0, as_always))?;
    PASS
}
