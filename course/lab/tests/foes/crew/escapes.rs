//! Submissions that turn against who watches them, or against the machine.
//!
//! Each returns what became of the attack. A right answer is `Err(EPERM)`-free, so that none passes.

use std::fs;
use std::io;

use lab::prelude::*;

use super::calls::{self, done};

/// Demands that the attack is never the right answer, and shows what became of it.
fn shows<T: lab::Sealed + 'static>(
    cx: &Check,
    attack: impl FnOnce() -> Result<T, Errno>,
) -> Verdict {
    cx.subject(attack)?.returns(Err(Errno::EOWNERDEAD))?;
    PASS
}

pub fn kills_its_parent(cx: &Check) -> Verdict {
    shows(cx, || calls::kill(calls::parent(), libc::SIGKILL))
}

pub fn kills_its_group(cx: &Check) -> Verdict {
    shows(cx, || calls::kill(0, libc::SIGKILL))
}

pub fn kills_everybody(cx: &Check) -> Verdict {
    shows(cx, || {
        let killed = calls::kill(-1, libc::SIGKILL);
        // The signals are on their way; this process was spared. Whoever waits for it must not miss them.
        if killed.is_ok() {
            calls::sleep_on();
        }
        killed
    })
}

pub fn terminates_everybody(cx: &Check) -> Verdict {
    shows(cx, || {
        let killed = calls::kill(-1, libc::SIGTERM);
        if killed.is_ok() {
            calls::sleep_on();
        }
        killed
    })
}

pub fn stops_its_parent(cx: &Check) -> Verdict {
    shows(cx, || {
        let stopped = calls::kill(calls::parent(), libc::SIGSTOP);
        if stopped.is_ok() {
            calls::sleep_on();
        }
        stopped
    })
}

/// Its parent, its parent's parent, and so on, as far as `/proc` shows them.
pub fn kills_its_ancestors(cx: &Check) -> Verdict {
    shows(cx, || {
        let mut pid = calls::parent();
        let mut last = Ok(());
        while pid > 1 {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let parent = stat
                .rsplit_once(") ")
                .and_then(|(_, rest)| rest.split(' ').nth(1));
            let parent = parent.and_then(|p| p.parse().ok()).unwrap_or(0);
            if parent > 1 {
                last = calls::kill(parent, libc::SIGKILL);
            }
            pid = parent;
        }
        last
    })
}

pub fn traces_its_parent(cx: &Check) -> Verdict {
    shows(cx, || {
        // SAFETY: PTRACE_ATTACH takes a process id.
        done(unsafe { libc::ptrace(libc::PTRACE_ATTACH, calls::parent(), 0, 0) })
    })
}

pub fn writes_its_parents_memory(cx: &Check) -> Verdict {
    let number = Box::new(5_u64);
    shows(cx, move || {
        let mut ours = [6_u64; 1];
        let iovec = |at: *const u64| libc::iovec {
            iov_base: at.cast_mut().cast(),
            iov_len: 8,
        };
        let (local, remote) = (iovec(ours.as_mut_ptr()), iovec(&raw const *number));
        // SAFETY: the local part is a buffer that lives; the other is not this process's.
        let written = unsafe {
            libc::process_vm_writev(
                calls::parent(),
                &raw const local,
                1,
                &raw const remote,
                1,
                0,
            )
        };
        done(written as i64)
    })
}

pub fn takes_its_parents_descriptors(cx: &Check) -> Verdict {
    shows(cx, || {
        let mut last = Ok(());
        // SAFETY: both calls take numbers.
        let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, calls::parent(), 0) };
        for fd in 0..1024 {
            // SAFETY: as above.
            last = done(unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd, fd, 0) });
            if last.is_ok() {
                break;
            }
        }
        last
    })
}

/// With no descriptors left and no time, the check would break, and the blame would be its own.
pub fn starves_its_parent(cx: &Check) -> Verdict {
    let attack = || {
        let none = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        let parent = calls::parent();
        // SAFETY: the limits are a valid structure; nothing is asked back.
        done(i64::from(unsafe {
            libc::prlimit(
                parent,
                libc::RLIMIT_NOFILE,
                &raw const none,
                std::ptr::null_mut(),
            )
        }))
    };
    let subject = cx.subject(attack)?;
    let folder = cx.folder()?;
    subject.returns(Err(Errno::EOWNERDEAD))?;
    fs::write(folder.join("after"), "the check goes on")?;
    PASS
}

/// Clears the signal that a parent's death sends, hides from the lab, and outlives everybody.
pub fn survives_by_prctl(cx: &Check) -> Verdict {
    shows(cx, || {
        // SAFETY: prctl with plain numbers.
        unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, 0);
            libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1);
            libc::prctl(libc::PR_SET_DUMPABLE, 0);
            libc::prctl(libc::PR_SET_NAME, c"foe-survivor".as_ptr());
        }
        calls::new_session();
        calls::daemon(|| {});
        Ok(())
    })
}

pub fn sets_the_clock(cx: &Check) -> Verdict {
    shows(cx, || {
        let then = libc::timespec {
            tv_sec: 86_400,
            tv_nsec: 0,
        };
        // SAFETY: the time is a valid structure.
        done(i64::from(unsafe {
            libc::clock_settime(libc::CLOCK_REALTIME, &raw const then)
        }))
    })
}

pub fn raises_its_limits(cx: &Check) -> Verdict {
    shows(cx, || {
        let all = libc::rlimit {
            rlim_cur: libc::RLIM_INFINITY,
            rlim_max: libc::RLIM_INFINITY,
        };
        let mut last = Ok(());
        for resource in [libc::RLIMIT_AS, libc::RLIMIT_CPU, libc::RLIMIT_FSIZE] {
            // SAFETY: the limits are a valid structure.
            last = done(i64::from(unsafe {
                libc::setrlimit(resource, &raw const all)
            }));
        }
        last
    })
}

pub fn takes_privileges(cx: &Check) -> Verdict {
    shows(cx, || {
        let mut last = Err(Errno::EPERM);
        // SAFETY: numbers and strings that live; nothing is mounted over what the process uses.
        unsafe {
            let none = std::ptr::null::<libc::c_void>();
            let here = c"/proc".as_ptr();
            for attempt in [
                libc::unshare(libc::CLONE_NEWNS),
                libc::umount2(here, libc::MNT_DETACH),
                libc::mount(c"none".as_ptr(), here, c"tmpfs".as_ptr(), 0, none),
                libc::sethostname(c"foe".as_ptr(), 3),
                libc::chroot(c"/".as_ptr()),
            ] {
                last = last.and(done(attempt.into()));
            }
        }
        last
    })
}

/// Files of the kernel that belong to root may be written by root, also by one without capabilities.
pub fn changes_the_kernel(cx: &Check) -> Verdict {
    let attack = || -> io::Result<u32> {
        let mut changed = 0;
        for (file, value) in [("pid_max", "30000"), ("hostname", "foe")] {
            changed += u32::from(fs::write(format!("/proc/sys/kernel/{file}"), value).is_ok());
        }
        fs::write("/proc/sys/kernel/pid_max", "30000")?;
        Ok(changed)
    };
    cx.subject(attack)?.returns(Ok(5))?;
    PASS
}

/// A signal that the kernel sends on its behalf, when a pipe becomes readable.
pub fn kills_by_owner(cx: &Check) -> Verdict {
    shows(cx, || {
        let mut pair = [0; 2];
        // SAFETY: the pair is a valid place for two numbers; fcntl takes numbers.
        unsafe {
            libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr());
            libc::fcntl(pair[0], libc::F_SETOWN, calls::parent());
            libc::fcntl(pair[0], F_SETSIG, libc::SIGKILL);
            libc::fcntl(pair[0], libc::F_SETFL, libc::O_ASYNC);
            done(libc::write(pair[1], b"x".as_ptr().cast(), 1) as i64)
        }
    })
}

/// Linux's own, which libc does not have for every C library.
const F_SETSIG: libc::c_int = 10;
