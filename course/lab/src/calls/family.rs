//! Which system calls does a plan or a question mean?
//!
//! A program that reads may call `read`, `recvfrom`, `recvmsg` or `readv`: std, nix and libc choose
//! differently, and newer architectures lack the older calls. So a plan names what is done, and each
//! [`Call`] stands for all system calls that do it.

use crate::calls::table::{Syscall, syscalls};

/// What a system call does, whichever variant does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// Takes bytes: `read`, `readv`, `pread64`, `preadv`, `recvfrom`, `recvmsg`, `recvmmsg`.
    Read,
    /// Gives bytes: `write`, `writev`, `pwrite64`, `pwritev`, `sendto`, `sendmsg`, `sendmmsg`.
    Write,
    /// Bytes from one descriptor to another: `sendfile`, `splice`, `tee`, `copy_file_range`.
    Copy,
    /// `socket`, `socketpair`.
    Socket,
    /// `bind`.
    Bind,
    /// `listen`.
    Listen,
    /// `accept`, `accept4`.
    Accept,
    /// `connect`.
    Connect,
    /// `shutdown`.
    Shutdown,
    /// `close`, `close_range`.
    Close,
    /// `getsockopt`, `setsockopt`.
    Options,
    /// `getsockname`, `getpeername`.
    Names,
    /// Waits for descriptors: `poll`, `ppoll`, `select`, `pselect6`, `epoll_wait`, `epoll_pwait`,
    /// `epoll_pwait2`.
    Poll,
    /// Prepares such a wait: `epoll_create1`, `epoll_ctl`, `eventfd2`, `signalfd4`, `timerfd_*`.
    Epoll,
    /// Waits for children: `wait4`, `waitid`.
    Wait,
    /// `fork`, `vfork`, `clone`, `clone3`: new processes, and new threads.
    Fork,
    /// `execve`, `execveat`.
    Exec,
    /// `exit`, `exit_group`.
    Exit,
    /// `open`, `openat`, `openat2`, `creat`.
    Open,
    /// `pipe`, `pipe2`.
    Pipe,
    /// `dup`, `dup2`, `dup3`.
    Dup,
    /// `fcntl`, `ioctl`.
    Control,
    /// `nanosleep`, `clock_nanosleep`, `pause`.
    Sleep,
    /// Sends a signal: `kill`, `tkill`, `tgkill`.
    Kill,
    /// Says what a signal does: `rt_sigaction`, `rt_sigprocmask`, `rt_sigsuspend`, `rt_sigtimedwait`.
    Signal,
    /// Only the one with this name: `Call::Exact("writev")`.
    Exact(&'static str),
}

impl Call {
    /// Everything that has to do with descriptors, processes and signals.
    pub const ALL: &[Call] = &[
        Call::Read,
        Call::Write,
        Call::Copy,
        Call::Socket,
        Call::Bind,
        Call::Listen,
        Call::Accept,
        Call::Connect,
        Call::Shutdown,
        Call::Close,
        Call::Options,
        Call::Names,
        Call::Poll,
        Call::Epoll,
        Call::Wait,
        Call::Fork,
        Call::Exec,
        Call::Exit,
        Call::Open,
        Call::Pipe,
        Call::Dup,
        Call::Control,
        Call::Sleep,
        Call::Kill,
        Call::Signal,
    ];

    /// What a reader of a socket program wants to see: no memory, no locks, no files that the loader
    /// opens.
    pub const NETWORK: &[Call] = &[
        Call::Read,
        Call::Write,
        Call::Copy,
        Call::Socket,
        Call::Bind,
        Call::Listen,
        Call::Accept,
        Call::Connect,
        Call::Shutdown,
        Call::Close,
        Call::Options,
        Call::Names,
        Call::Poll,
        Call::Epoll,
        Call::Wait,
        Call::Fork,
        Call::Sleep,
    ];

    /// Whether this system call is meant.
    pub(crate) fn covers(self, syscall: &Syscall) -> bool {
        match self {
            Call::Exact(name) => syscall.name == name,
            family => syscall.family == family,
        }
    }

    /// The system calls that are meant.
    pub(crate) fn syscalls(self) -> impl Iterator<Item = &'static Syscall> {
        syscalls().filter(move |s| self.covers(s))
    }

    /// In a message: `read`, `accept`; a family is called by its best known member.
    pub fn name(self) -> &'static str {
        match self {
            Call::Exact(name) => name,
            // An older name is known better than the one that an architecture has.
            Call::Poll => "poll",
            Call::Wait => "wait",
            Call::Fork => "fork",
            Call::Open => "open",
            Call::Pipe => "pipe",
            Call::Names => "getsockname",
            Call::Options => "setsockopt",
            Call::Sleep => "sleep",
            Call::Epoll => "epoll_ctl",
            Call::Control => "fcntl",
            Call::Signal => "sigaction",
            family => syscalls()
                .find(|s| s.family == family)
                .map_or("call", |s| s.name),
        }
    }
}
