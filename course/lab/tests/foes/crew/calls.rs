//! The system calls that foes like, behind safe names.

use lab::prelude::Errno;

/// `fork(2)`: 0 in the child, -1 on error.
pub fn fork() -> i32 {
    // SAFETY: subjects have one thread where they fork; the child stays in this module's calls.
    unsafe { libc::fork() }
}

/// Forks a child that does `work` and ends. The child's process id, or -1.
pub fn fork_to(work: impl FnOnce()) -> i32 {
    let pid = fork();
    if pid == 0 {
        work();
        exit_now(0);
    }
    pid
}

/// Ends the process at once.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: it does not return.
    unsafe { libc::_exit(status) }
}

/// Sleeps until the end of its days.
pub fn sleep_on() -> ! {
    loop {
        // SAFETY: it takes nothing.
        unsafe { libc::pause() };
    }
}

/// Waits for a child.
pub fn wait_for(pid: i32) {
    // SAFETY: no status is asked for.
    unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
}

/// `kill(2)`.
pub fn kill(pid: i32, signal: i32) -> Result<(), Errno> {
    // SAFETY: it takes two numbers.
    done(unsafe { libc::kill(pid, signal) }.into())
}

/// `setsid(2)`.
pub fn new_session() {
    // SAFETY: it takes nothing.
    unsafe { libc::setsid() };
}

/// The process that started this one: the check.
pub fn parent() -> i32 {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { libc::getppid() }
}

/// What a call says that returns a negative number on error.
pub fn done(result: i64) -> Result<(), Errno> {
    Errno::result(result).map(drop)
}

/// A daemon: its parent has ended, and it has a session of its own.
pub fn daemon(work: impl FnOnce()) {
    let first = fork_to(|| {
        new_session();
        fork_to(|| {
            // SAFETY: prctl with plain numbers and a name that lives.
            unsafe {
                libc::prctl(libc::PR_SET_PDEATHSIG, 0);
                libc::prctl(libc::PR_SET_NAME, c"foe-daemon".as_ptr());
            }
            work();
            sleep_on();
        });
    });
    wait_for(first);
}
