//! How does the kernel know at which calls to stop?
//!
//! A seccomp filter answers `SECCOMP_RET_TRACE` for the planned calls and lets all others pass, so that
//! only those cost anything. See seccomp(2).

use std::io;

use nix::errno::Errno;

use crate::calls::Call;

#[cfg(target_arch = "x86_64")]
const AUDIT_ARCH: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const AUDIT_ARCH: u32 = 0xc000_00b7;

/// Where `struct seccomp_data` has the architecture, and the number of the call.
const ARCH: u32 = 4;
const NUMBER: u32 = 0;

/// A filter for these calls, for [`install`]. Made before the fork, so that the child need not allocate.
pub fn filter(calls: impl Iterator<Item = Call>) -> Vec<libc::sock_filter> {
    let mut numbers: Vec<libc::c_long> =
        calls.flat_map(|c| c.syscalls().map(|s| s.number)).collect();
    // By this one the lab tells its tracer where the learner's code begins and ends.
    numbers.push(libc::SYS_prctl);
    // A handler's end tells what becomes of the call that it has interrupted.
    numbers.push(libc::SYS_rt_sigreturn);
    // The rest of a call that a signal has interrupted.
    numbers.push(libc::SYS_restart_syscall);
    numbers.sort_unstable();
    numbers.dedup();

    let load = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    let equals = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    let answer = (libc::BPF_RET | libc::BPF_K) as u16;
    let line = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut lines = vec![
        line(load, 0, 0, ARCH),
        line(equals, 1, 0, AUDIT_ARCH),
        line(answer, 0, 0, libc::SECCOMP_RET_ALLOW),
        line(load, 0, 0, NUMBER),
    ];
    for number in numbers {
        lines.push(line(equals, 0, 1, number as u32));
        lines.push(line(answer, 0, 0, libc::SECCOMP_RET_TRACE));
    }
    lines.push(line(answer, 0, 0, libc::SECCOMP_RET_ALLOW));
    lines
}

/// Puts the filter on the calling thread and all that it will start.
///
/// # Errors
///
/// What seccomp(2) reports: `EINVAL` where the kernel has no filters, `EPERM` where another filter
/// forbids it.
pub fn install(filter: &[libc::sock_filter]) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_ptr().cast_mut(),
    };
    // SAFETY: the program points to `len` lines, which the kernel copies.
    let r = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            0,
            &raw const program,
        )
    };
    Errno::result(r)?;
    Ok(())
}
