//! The few things that the tracer asks of the kernel beside ptrace(2).

use std::fs;
use std::time::Duration;

/// The process that a thread belongs to.
pub fn process_of(tid: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Tgid:"))?;
    line.trim().parse().ok()
}

/// Whether a thread sleeps in this call.
pub fn sleeps_in(tid: i32, number: i64) -> bool {
    let folder = format!("/proc/{tid}");
    let call = fs::read_to_string(format!("{folder}/syscall")).unwrap_or_default();
    let same = call.split(' ').next().and_then(|n| n.parse().ok()) == Some(number);
    let stat = fs::read_to_string(format!("{folder}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    same && state == Some('S')
}

/// Sends a signal to one thread.
pub fn send(pid: i32, tid: i32, signal: i32) {
    // SAFETY: tgkill takes three numbers.
    unsafe { libc::syscall(libc::SYS_tgkill, pid, tid, signal) };
}

/// Sleeps until a traced thread stops or ends, and at most so long. `SIGCHLD` is blocked.
pub fn sleep_until_child(at_most: Duration) {
    let time = libc::timespec {
        tv_sec: 0,
        tv_nsec: at_most.as_nanos() as libc::c_long,
    };
    // SAFETY: the set is plain data, initialized by sigemptyset; no information is asked for.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        libc::sigtimedwait(&raw const set, std::ptr::null_mut(), &raw const time);
    }
}

/// Nanoseconds of `CLOCK_MONOTONIC`, which all processes share.
pub fn now() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: time is a valid place for the answer.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
