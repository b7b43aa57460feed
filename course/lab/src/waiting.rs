//! What is a process waiting for?
//!
//! `/proc/PID/task/TID/syscall` has the number and the arguments of the system call that a thread
//! sleeps in. A copy of the descriptor (`pidfd_getfd(2)`) tells the rest: what kind of socket, whose
//! peer, how many bytes are there, and whether a timeout is set.

use std::fmt;
use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::sys::socket::{
    AddressFamily, SockaddrLike, SockaddrStorage, getpeername, getsockname, getsockopt, sockopt,
};

use crate::child::{Capture, Child};
use crate::system;

/// How a call says how long it will wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timeout {
    /// It cannot say; it waits for ever, unless the descriptor has a timeout.
    None,
    /// The argument with this index points to a time; null is for ever.
    Pointer(usize),
    /// The argument with this index counts milliseconds; negative is for ever.
    Millis(usize),
    /// It always ends by itself.
    Always,
}

/// A system call that may sleep: number, name, which argument is a descriptor, how it times out.
type Call = (libc::c_long, &'static str, Option<usize>, Timeout);

const FD: Option<usize> = Some(0);

/// The calls of both architectures.
const CALLS: &[Call] = &[
    (libc::SYS_read, "read", FD, Timeout::None),
    (libc::SYS_readv, "readv", FD, Timeout::None),
    (libc::SYS_write, "write", FD, Timeout::None),
    (libc::SYS_writev, "writev", FD, Timeout::None),
    (libc::SYS_recvfrom, "recvfrom", FD, Timeout::None),
    (libc::SYS_recvmsg, "recvmsg", FD, Timeout::None),
    (libc::SYS_recvmmsg, "recvmmsg", FD, Timeout::Pointer(4)),
    (libc::SYS_sendto, "sendto", FD, Timeout::None),
    (libc::SYS_sendmsg, "sendmsg", FD, Timeout::None),
    (libc::SYS_accept, "accept", FD, Timeout::None),
    (libc::SYS_accept4, "accept4", FD, Timeout::None),
    (libc::SYS_connect, "connect", FD, Timeout::None),
    (libc::SYS_splice, "splice", FD, Timeout::None),
    (libc::SYS_fcntl, "fcntl", FD, Timeout::None),
    (libc::SYS_flock, "flock", FD, Timeout::None),
    (libc::SYS_wait4, "wait4", None, Timeout::None),
    (libc::SYS_waitid, "waitid", None, Timeout::None),
    (libc::SYS_futex, "futex", None, Timeout::Pointer(3)),
    (libc::SYS_ppoll, "ppoll", None, Timeout::Pointer(2)),
    (libc::SYS_pselect6, "pselect6", None, Timeout::Pointer(4)),
    (libc::SYS_epoll_pwait, "epoll_pwait", FD, Timeout::Millis(3)),
    (
        libc::SYS_epoll_pwait2,
        "epoll_pwait2",
        FD,
        Timeout::Pointer(3),
    ),
    (
        libc::SYS_rt_sigsuspend,
        "rt_sigsuspend",
        None,
        Timeout::None,
    ),
    (
        libc::SYS_rt_sigtimedwait,
        "rt_sigtimedwait",
        None,
        Timeout::Pointer(2),
    ),
    (libc::SYS_msgrcv, "msgrcv", None, Timeout::None),
    (libc::SYS_msgsnd, "msgsnd", None, Timeout::None),
    (libc::SYS_semop, "semop", None, Timeout::None),
    (
        libc::SYS_semtimedop,
        "semtimedop",
        None,
        Timeout::Pointer(3),
    ),
    (
        libc::SYS_mq_timedreceive,
        "mq_timedreceive",
        FD,
        Timeout::Pointer(4),
    ),
    (
        libc::SYS_mq_timedsend,
        "mq_timedsend",
        FD,
        Timeout::Pointer(4),
    ),
    (
        libc::SYS_io_uring_enter,
        "io_uring_enter",
        FD,
        Timeout::None,
    ),
    (libc::SYS_nanosleep, "nanosleep", None, Timeout::Always),
    (
        libc::SYS_clock_nanosleep,
        "clock_nanosleep",
        None,
        Timeout::Always,
    ),
];

/// The older calls, which newer architectures do not have.
#[cfg(target_arch = "x86_64")]
const OLDER_CALLS: &[Call] = &[
    (libc::SYS_poll, "poll", None, Timeout::Millis(2)),
    (libc::SYS_select, "select", None, Timeout::Pointer(4)),
    (libc::SYS_epoll_wait, "epoll_wait", FD, Timeout::Millis(3)),
    (libc::SYS_pause, "pause", None, Timeout::None),
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER_CALLS: &[Call] = &[];

/// A thread of a process, and the call it is in.
pub struct Thread {
    folder: PathBuf,
    call: Option<(Call, [u64; 6])>,
    /// It stands still before or behind this call because the lab holds it.
    held: bool,
}

/// The threads of a process. None when it has ended.
pub fn threads(pid: i32) -> Vec<Thread> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    let tasks = tasks.into_iter().flatten().flatten();
    tasks.map(|task| Thread::at(task.path())).collect()
}

impl Thread {
    fn at(folder: PathBuf) -> Thread {
        let call = fs::read_to_string(folder.join("syscall"));
        let call = call.ok().and_then(|line| parse(&line));
        let held = state_at(&folder) == Some('t');
        Thread { folder, call, held }
    }

    /// Whether it is a zombie, or gone.
    pub fn has_ended(&self) -> bool {
        state_at(&self.folder).is_none_or(|state| "ZX".contains(state))
    }

    /// Whether it sleeps in a call that nothing of its own will end.
    pub fn sleeps_for_ever(&self) -> bool {
        let Some(((_, name, fd, timeout), arguments)) = &self.call else {
            return false;
        };
        if self.held {
            return false;
        }
        let call_has_none = match timeout {
            Timeout::None => true,
            Timeout::Pointer(i) => arguments[*i] == 0,
            Timeout::Millis(i) => arguments[*i] as u32 > i32::MAX as u32,
            Timeout::Always => false,
        };
        // Any of these may be what wakes a poll, a read or a thread: better to wait for the deadline.
        call_has_none
            && !self.has_armed_timer()
            && !fd.is_some_and(|i| self.fd_ends_by_itself(arguments[i] as i32, name))
    }

    /// What it sleeps in and how often it has run: the same twice means that it has not moved.
    pub fn fingerprint(&self) -> Option<String> {
        let call = fs::read_to_string(self.folder.join("syscall")).ok()?;
        let status = fs::read_to_string(self.folder.join("status")).ok()?;
        let switches = status.lines().filter(|l| l.contains("ctxt_switches"));
        Some(switches.fold(call, |all, line| all + line))
    }

    fn pid(&self) -> Option<i32> {
        self.folder
            .parent()?
            .parent()?
            .file_name()?
            .to_str()?
            .parse()
            .ok()
    }

    /// Whether the process has a timer descriptor that is armed.
    fn has_armed_timer(&self) -> bool {
        let Some(pid) = self.pid() else { return false };
        let infos = fs::read_dir(format!("/proc/{pid}/fdinfo"));
        infos.into_iter().flatten().flatten().any(|info| {
            let link = format!("/proc/{pid}/fd/{}", info.file_name().to_string_lossy());
            fs::read_link(link).is_ok_and(|to| to.to_string_lossy().contains("timerfd"))
                && fs::read_to_string(info.path()).is_ok_and(|text| {
                    text.lines()
                        .any(|l| l.starts_with("it_value:") && l != "it_value: (0, 0)")
                })
        })
    }

    /// Whether a wait at this descriptor ends by itself: a socket with `SO_RCVTIMEO` or `SO_SNDTIMEO`
    /// set, or one to the kernel, which answers when it has the time.
    fn fd_ends_by_itself(&self, fd: i32, call: &str) -> bool {
        let copy = self.pid().and_then(|pid| {
            let pidfd = system::pidfd_open(pid).ok()?;
            system::copy_of_fd(pidfd.as_fd(), fd)
        });
        let Some(copy) = copy else { return false };
        if is_netlink(&copy) {
            return true;
        }
        let sends = ["write", "writev", "sendto", "sendmsg", "connect"].contains(&call);
        let time = if sends {
            getsockopt(&copy, sockopt::SendTimeout)
        } else {
            getsockopt(&copy, sockopt::ReceiveTimeout)
        };
        time.is_ok_and(|t| t.tv_sec() != 0 || t.tv_usec() != 0)
    }
}

/// The state of a thread: `S` sleeps, `t` is stopped by a tracer; see proc_pid_stat(5).
fn state_at(folder: &Path) -> Option<char> {
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    // The state follows the name, which may hold anything but ends with the last parenthesis.
    stat.rsplit_once(") ")?.1.chars().next()
}

/// A line of `/proc/PID/syscall`: the number, six arguments, stack pointer, program counter.
/// `None` when the thread runs or is in a call that is not in the table.
fn parse(line: &str) -> Option<(Call, [u64; 6])> {
    let mut fields = line.split_whitespace();
    let number: libc::c_long = fields.next()?.parse().ok()?;
    let call = CALLS
        .iter()
        .chain(OLDER_CALLS)
        .find(|call| call.0 == number)?;
    let mut arguments = [0; 6];
    for argument in &mut arguments {
        *argument = u64::from_str_radix(fields.next()?.trim_start_matches("0x"), 16).ok()?;
    }
    Some((*call, arguments))
}

/// What a process's first sleeping thread waits for, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The system call's name.
    pub call: &'static str,
    /// The descriptor that it waits at, and what that is.
    pub at: Option<(i32, String)>,
}

impl Waiting {
    /// Looks at a process now.
    pub fn of(pid: i32, pidfd: BorrowedFd<'_>) -> Option<Waiting> {
        Waiting::among(pid, pidfd, |thread| !thread.held)
    }

    /// The call at which the lab holds it.
    fn held(pid: i32, pidfd: BorrowedFd<'_>) -> Option<Waiting> {
        Waiting::among(pid, pidfd, |thread| thread.held)
    }

    fn among(pid: i32, pidfd: BorrowedFd<'_>, which: impl Fn(&Thread) -> bool) -> Option<Waiting> {
        let mut sleeping = threads(pid).into_iter().filter(which);
        let ((_, name, fd, _), arguments) = sleeping.find_map(|thread| thread.call)?;
        let at = fd.map(|index| {
            let number = arguments[index] as i32;
            let link = fs::read_link(format!("/proc/{pid}/fd/{number}"));
            let link = link.map(|to| to.to_string_lossy().into_owned()).ok();
            let socket = system::copy_of_fd(pidfd, number).and_then(|copy| describe(&copy));
            (number, socket.or(link).unwrap_or_else(|| "not open".into()))
        });
        Some(Waiting { call: name, at })
    }
}

/// What a child does now, in words: `your code waits in read(fd 3: …)`.
pub fn doing(child: &Child) -> String {
    if let Some(words) = child.last_words() {
        return format!("{} {words}", child.name);
    }
    if let Some(waiting) = Waiting::of(child.pid, child.pidfd()) {
        return format!("{} waits in {waiting}", child.name);
    }
    if let Some(held) = Waiting::held(child.pid, child.pidfd()) {
        return format!("{} is held by the check at {held}", child.name);
    }
    if state_at(Path::new(&format!("/proc/{}", child.pid))) == Some('T') {
        return format!(
            "{} was stopped by a signal, and nobody continues it",
            child.name
        );
    }
    let printed: usize = child.printed().map(Capture::length).sum();
    if printed > MUCH_OUTPUT {
        return format!(
            "{} is still printing, {} MiB so far",
            child.name,
            printed >> 20
        );
    }
    format!("{} is still running", child.name)
}

/// More than anybody reads, in bytes.
const MUCH_OUTPUT: usize = 4 << 20;

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Some((fd, what)) => write!(f, "{}(fd {fd}: {what})", self.call),
            None => f.write_str(self.call),
        }
    }
}

/// Whether it is a socket to the kernel; see netlink(7).
fn is_netlink(fd: &OwnedFd) -> bool {
    let local = getsockname::<SockaddrStorage>(fd.as_raw_fd());
    local.is_ok_and(|local| local.family() == Some(AddressFamily::Netlink))
}

/// What a socket is, in a few words. `None` for other files.
pub fn describe(fd: &OwnedFd) -> Option<String> {
    let local = getsockname::<SockaddrStorage>(fd.as_raw_fd()).ok()?;
    let kind = match getsockopt(fd, sockopt::SockType).ok()? {
        nix::sys::socket::SockType::Stream => "stream",
        nix::sys::socket::SockType::Datagram => "datagram",
        nix::sys::socket::SockType::SeqPacket => "seqpacket",
        _ => "raw",
    };
    let name = |address: &SockaddrStorage| {
        let v4 = address.as_sockaddr_in().map(ToString::to_string);
        v4.or_else(|| address.as_sockaddr_in6().map(ToString::to_string))
    };
    let family = match name(&local) {
        Some(_) => "",
        None if is_netlink(fd) => "netlink ",
        None => "unix ",
    };
    let mut text = format!("{family}{kind} socket");
    if let Some(local) = name(&local) {
        text += &format!(" {local}");
    }
    if getsockopt(fd, sockopt::AcceptConn).unwrap_or(false) {
        return Some(text + " listening");
    }
    if let Ok(peer) = getpeername::<SockaddrStorage>(fd.as_raw_fd())
        && let Some(peer) = name(&peer)
    {
        text += &format!(" to {peer}");
    }
    let mut unread: libc::c_int = 0;
    // SAFETY: FIONREAD writes an int.
    if unsafe { libc::ioctl(fd.as_raw_fd(), libc::FIONREAD, &raw mut unread) } == 0 {
        text += &format!(", {unread} bytes to read");
    }
    Some(text)
}
