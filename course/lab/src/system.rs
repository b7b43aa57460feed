//! The few system calls that the lab makes for itself, each once.
//!
//! The lab's own descriptors live at [`FIRST_OWN_FD`] and above, so that a child can drop all of them
//! with one `close_range(2)` and the learner's code sees the small numbers that a fresh program sees.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// The lab's own descriptors begin here. A subject may have as many below.
pub const FIRST_OWN_FD: RawFd = 700;

/// Makes room for the lab's own descriptors. Called once, before anything else.
pub fn raise_descriptor_limit() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let wanted = hard.min(4096);
        if soft < wanted {
            let _ = setrlimit(Resource::RLIMIT_NOFILE, wanted, hard);
        }
    }
}

/// Moves a descriptor to the lab's own numbers, closed on `exec`.
pub fn own(fd: OwnedFd) -> io::Result<OwnedFd> {
    // SAFETY: F_DUPFD_CLOEXEC takes a number and gives a new descriptor or an error.
    let new =
        Errno::result(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, FIRST_OWN_FD) })?;
    // SAFETY: the kernel has just given it to us.
    Ok(unsafe { OwnedFd::from_raw_fd(new) })
}

/// A pipe of the lab's own: (read end, write end).
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (r, w) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    Ok((own(r)?, own(w)?))
}

/// What `fork(2)` gave.
pub enum Fork {
    /// In the child.
    Child,
    /// In the parent: the child's process id and a descriptor that becomes readable when it ends.
    Parent {
        /// As the parent's pid namespace counts.
        pid: i32,
        /// From `pidfd_open(2)`.
        pidfd: OwnedFd,
    },
}

/// Forks. The child dies with its parent.
///
/// # Safety
///
/// The process must have one thread: a lock that another thread holds stays locked in the child.
pub unsafe fn fork() -> io::Result<Fork> {
    let parent = nix::unistd::getpid();
    // SAFETY: one thread, as the caller promises.
    match unsafe { nix::unistd::fork() }? {
        nix::unistd::ForkResult::Child => {
            // SAFETY: prctl(PR_SET_PDEATHSIG) takes a signal number.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
            // The parent may have died before the line above. In a new pid namespace it shows as 0.
            let now = nix::unistd::getppid();
            if now != parent && now.as_raw() != 0 {
                exit_now(0);
            }
            Ok(Fork::Child)
        }
        nix::unistd::ForkResult::Parent { child } => {
            let pid = child.as_raw();
            Ok(Fork::Parent {
                pid,
                pidfd: pidfd_open(pid)?,
            })
        }
    }
}

/// A descriptor for a process that becomes readable when the process ends.
pub fn pidfd_open(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_open takes a pid and flags, and gives a new descriptor or an error.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: the kernel has just given it to us.
    own(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// A copy of another process's descriptor, or nothing when that is not permitted.
pub fn copy_of_fd(pidfd: BorrowedFd<'_>, fd: RawFd) -> Option<OwnedFd> {
    // SAFETY: pidfd_getfd takes three numbers and gives a new descriptor or an error.
    let copy = unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd.as_raw_fd(), fd, 0) };
    // SAFETY: the kernel has just given it to us.
    (copy >= 0).then(|| unsafe { OwnedFd::from_raw_fd(copy as RawFd) })
}

/// Whether others of the same user may look into this process, trace it and take its descriptors; see
/// `PR_SET_DUMPABLE` in prctl(2). Children inherit it until they call `exec`.
pub fn hide(hidden: bool) {
    // SAFETY: prctl with plain numbers.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, libc::c_ulong::from(!hidden)) };
}

/// Ends this process at once: no destructors, no `atexit`, no flushing of the parent's buffers.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: _exit does not return.
    unsafe { libc::_exit(status) }
}

/// Sends a signal to a process and forgets the result: it may have ended already.
pub fn kill(pid: i32, signal: i32) {
    // SAFETY: kill takes two numbers.
    unsafe { libc::kill(pid, signal) };
}

/// Gives this process the signals of one that was started at a terminal: none ignored, none blocked.
/// What this process inherited may differ: a shell ignores SIGINT for what it starts in the
/// background, and `nohup` ignores SIGHUP. SIGPIPE is Rust's, and stays as it is.
pub fn fresh_signals() {
    for number in (1..=libc::SIGRTMAX()).filter(|&number| number != libc::SIGPIPE) {
        // SAFETY: sigaction is plain data, valid as zeros.
        let mut now: libc::sigaction = unsafe { std::mem::zeroed() };
        // SAFETY: now is a valid place for the answer; nothing is changed.
        let known = unsafe { libc::sigaction(number, std::ptr::null(), &raw mut now) } == 0;
        if known && now.sa_sigaction == libc::SIG_IGN {
            // SAFETY: SIG_DFL is a valid disposition.
            unsafe { libc::signal(number, libc::SIG_DFL) };
        }
    }
    let _ = nix::sys::signal::SigSet::empty().thread_set_mask();
}

/// Lets this process run before all ordinary ones, where the machine permits it: as root, `sched(7)`.
/// The switch takes the time of a frame when it sees it, and on a busy machine it would see it late.
pub fn be_prompt() {
    let lowest = libc::sched_param { sched_priority: 1 };
    let policy = libc::SCHED_RR | libc::SCHED_RESET_ON_FORK;
    // SAFETY: the parameter is a whole one; 0 is this process. It is refused to ordinary users.
    unsafe { libc::sched_setscheduler(0, policy, &raw const lowest) };
}

/// How a child ended, as `waitpid(2)` reports it. Waits for it.
pub fn reap(pid: i32) -> i32 {
    let mut status = 0;
    loop {
        // SAFETY: status is a valid place for an int.
        let r = unsafe { libc::waitpid(pid, &raw mut status, 0) };
        if r == pid || (r < 0 && Errno::last() != Errno::EINTR) {
            return status;
        }
    }
}

/// Closes every descriptor of the lab's own except one.
pub fn drop_own_fds(keep: Option<RawFd>) {
    let close = |first: RawFd, last: RawFd| {
        if first <= last {
            // SAFETY: closes numbers that only the lab uses; nothing in this child holds them any more.
            unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
        }
    };
    match keep {
        Some(fd) => {
            close(FIRST_OWN_FD, fd - 1);
            close(fd + 1, RawFd::MAX);
        }
        None => close(FIRST_OWN_FD, RawFd::MAX),
    }
}

/// Makes `fd` this process's descriptor number `as_number`.
pub fn install(fd: impl AsFd, as_number: RawFd) {
    // SAFETY: dup2 takes two numbers; the numbers used are 0, 1 and 2.
    unsafe { libc::dup2(fd.as_fd().as_raw_fd(), as_number) };
}

/// Puts `/dev/null` where standard input is.
pub fn no_input() {
    if let Ok(null) = std::fs::File::open("/dev/null") {
        install(&null, 0);
    }
}

/// Reads what is there, up to the size of `buf`. End-of-file, errors and "nothing yet" give 0, so ask
/// `poll(2)` first.
pub fn read_some(fd: impl AsFd, buf: &mut [u8]) -> usize {
    nix::unistd::read(fd, buf).unwrap_or(0)
}

/// Writes all, or gives up at the first error other than `EINTR`.
pub fn write_all(fd: impl AsFd, mut bytes: &[u8]) -> nix::Result<()> {
    while !bytes.is_empty() {
        match nix::unistd::write(fd.as_fd(), bytes) {
            Ok(n) => bytes = &bytes[n..],
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// 16 bytes that nobody can guess.
pub fn nonce() -> [u8; 16] {
    let mut nonce = [0; 16];
    // SAFETY: the buffer has the length given. 16 bytes are never cut short.
    unsafe { libc::getrandom(nonce.as_mut_ptr().cast(), nonce.len(), 0) };
    nonce
}
