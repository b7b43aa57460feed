//! Which system calls does the lab know, and what are their arguments?

use crate::calls::family::Call;

/// One system call of this architecture.
#[derive(Debug)]
pub struct Syscall {
    /// As the kernel counts.
    pub number: libc::c_long,
    /// As its man page is called.
    pub name: &'static str,
    /// What it does.
    pub family: Call,
    /// What each argument is.
    pub arguments: &'static [Arg],
}

/// What an argument is, and how it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arg {
    /// A descriptor.
    Fd,
    /// The descriptor of a folder, or `AT_FDCWD`.
    Folder,
    /// A number with a sign.
    Int,
    /// A number of bytes or things.
    Size,
    /// A number in hexadecimal, or `NULL`.
    Pointer,
    /// Bytes that the caller gives; the next argument is their number.
    Given,
    /// Bytes that the caller gets; the next argument is the room.
    Got,
    /// `iovec`s that the caller gives; the next argument is their number.
    GivenParts,
    /// `iovec`s that are filled; the next argument is their number.
    GotParts,
    /// A `msghdr` that the caller gives.
    GivenMessage,
    /// A `msghdr` that is filled.
    GotMessage,
    /// A socket address that the caller gives; the next argument is its length.
    GivenAddress,
    /// A socket address that is filled; the next argument points to its length.
    GotAddress,
    /// A text that ends with a zero byte.
    Path,
    /// Two descriptors that are filled.
    GotPair,
    /// Flags of `send(2)` and `recv(2)`.
    MessageFlags,
    /// Flags of `open(2)`.
    OpenFlags,
    /// `O_CLOEXEC` and `O_NONBLOCK`, under the names that this family of calls uses.
    SocketFlags,
    /// `AF_INET`.
    Domain,
    /// `SOCK_STREAM|SOCK_CLOEXEC`.
    SocketType,
    /// `SHUT_WR`.
    How,
    /// A level of `setsockopt(2)`; the next argument is the option.
    Level,
    /// The option itself.
    OptionName,
    /// An `int` behind a pointer, that the caller gives.
    GivenInt,
    /// An `int` behind a pointer, that is filled.
    GotInt,
    /// A status of `wait(2)`, filled.
    GotStatus,
    /// A signal.
    Signal,
    /// An array of `pollfd`; the next argument is their number.
    PollFds,
    /// An array of `epoll_event` that is filled; the next argument is the room.
    GotEvents,
    /// A `timespec`, or `NULL` for ever.
    Time,
    /// Milliseconds, negative for ever.
    Millis,
    /// A command of `fcntl(2)`.
    FcntlCommand,
    /// A command of `epoll_ctl(2)`.
    EpollCommand,
    /// Flags of `wait4(2)` and `waitid(2)`.
    WaitFlags,
    /// Which events of `epoll_ctl(2)`.
    GivenEvent,
    /// Says nothing to a reader: the place for a length, a size of a mask.
    Hidden,
    /// Flags of `clone(2)`.
    CloneFlags,
}

/// Shortens the table.
macro_rules! table {
    ($($number:ident $name:ident $family:ident [$($arg:ident),*])*) => {
        &[$(Syscall {
            number: libc::$number,
            name: stringify!($name),
            family: Call::$family,
            arguments: &[$(Arg::$arg),*],
        }),*]
    };
}

/// The calls that every architecture has, the best known of each family first.
const COMMON: &[Syscall] = table! {
    SYS_read read Read [Fd, Got, Size]
    SYS_readv readv Read [Fd, GotParts, Size]
    SYS_pread64 pread64 Read [Fd, Got, Size, Int]
    SYS_preadv preadv Read [Fd, GotParts, Size, Int]
    SYS_recvfrom recvfrom Read [Fd, Got, Size, MessageFlags, GotAddress, Hidden]
    SYS_recvmsg recvmsg Read [Fd, GotMessage, MessageFlags]
    SYS_recvmmsg recvmmsg Read [Fd, Pointer, Size, MessageFlags, Time]
    SYS_write write Write [Fd, Given, Size]
    SYS_writev writev Write [Fd, GivenParts, Size]
    SYS_pwrite64 pwrite64 Write [Fd, Given, Size, Int]
    SYS_pwritev pwritev Write [Fd, GivenParts, Size, Int]
    SYS_sendto sendto Write [Fd, Given, Size, MessageFlags, GivenAddress, Size]
    SYS_sendmsg sendmsg Write [Fd, GivenMessage, MessageFlags]
    SYS_sendmmsg sendmmsg Write [Fd, Pointer, Size, MessageFlags]
    SYS_sendfile sendfile Copy [Fd, Fd, Pointer, Size]
    SYS_splice splice Copy [Fd, Pointer, Fd, Pointer, Size, Pointer]
    SYS_tee tee Copy [Fd, Fd, Size, Pointer]
    SYS_copy_file_range copy_file_range Copy [Fd, Pointer, Fd, Pointer, Size, Pointer]
    SYS_socket socket Socket [Domain, SocketType, Int]
    SYS_socketpair socketpair Socket [Domain, SocketType, Int, GotPair]
    SYS_bind bind Bind [Fd, GivenAddress, Size]
    SYS_listen listen Listen [Fd, Int]
    SYS_accept accept Accept [Fd, GotAddress, Hidden]
    SYS_accept4 accept4 Accept [Fd, GotAddress, Hidden, SocketFlags]
    SYS_connect connect Connect [Fd, GivenAddress, Size]
    SYS_shutdown shutdown Shutdown [Fd, How]
    SYS_close close Close [Fd]
    SYS_close_range close_range Close [Size, Size, Pointer]
    SYS_setsockopt setsockopt Options [Fd, Level, OptionName, GivenInt, Size]
    SYS_getsockopt getsockopt Options [Fd, Level, OptionName, GotInt, Hidden]
    SYS_getsockname getsockname Names [Fd, GotAddress, Hidden]
    SYS_getpeername getpeername Names [Fd, GotAddress, Hidden]
    SYS_ppoll ppoll Poll [PollFds, Size, Time, Hidden]
    SYS_pselect6 pselect6 Poll [Size, Pointer, Pointer, Pointer, Time, Pointer]
    SYS_epoll_pwait epoll_pwait Poll [Fd, GotEvents, Size, Millis, Hidden]
    SYS_epoll_pwait2 epoll_pwait2 Poll [Fd, GotEvents, Size, Time, Hidden]
    SYS_epoll_ctl epoll_ctl Epoll [Fd, EpollCommand, Fd, GivenEvent]
    SYS_epoll_create1 epoll_create1 Epoll [SocketFlags]
    SYS_eventfd2 eventfd2 Epoll [Size, SocketFlags]
    SYS_signalfd4 signalfd4 Epoll [Fd, Pointer, Size, SocketFlags]
    SYS_timerfd_create timerfd_create Epoll [Int, SocketFlags]
    SYS_timerfd_settime timerfd_settime Epoll [Fd, Int, Pointer, Pointer]
    SYS_wait4 wait4 Wait [Int, GotStatus, WaitFlags, Hidden]
    SYS_waitid waitid Wait [Int, Int, Pointer, WaitFlags, Hidden]
    SYS_clone clone Fork [CloneFlags, Hidden, Hidden, Hidden, Hidden]
    SYS_clone3 clone3 Fork [Hidden, Hidden]
    SYS_execve execve Exec [Path, Hidden, Hidden]
    SYS_execveat execveat Exec [Folder, Path, Hidden, Hidden, Hidden]
    SYS_exit_group exit_group Exit [Int]
    SYS_exit exit Exit [Int]
    SYS_openat openat Open [Folder, Path, OpenFlags, Hidden]
    SYS_openat2 openat2 Open [Folder, Path, Pointer, Size]
    SYS_pipe2 pipe2 Pipe [GotPair, SocketFlags]
    SYS_dup dup Dup [Fd]
    SYS_dup3 dup3 Dup [Fd, Int, SocketFlags]
    SYS_fcntl fcntl Control [Fd, FcntlCommand, Pointer]
    SYS_ioctl ioctl Control [Fd, Pointer, Pointer]
    SYS_nanosleep nanosleep Sleep [Time, Hidden]
    SYS_clock_nanosleep clock_nanosleep Sleep [Int, Int, Time, Hidden]
    SYS_kill kill Kill [Int, Signal]
    SYS_tkill tkill Kill [Int, Signal]
    SYS_tgkill tgkill Kill [Int, Int, Signal]
    SYS_rt_sigaction rt_sigaction Signal [Signal, Hidden, Hidden, Hidden]
    SYS_rt_sigprocmask rt_sigprocmask Signal [Int, Hidden, Hidden, Hidden]
    SYS_rt_sigsuspend rt_sigsuspend Signal [Hidden, Hidden]
    SYS_rt_sigtimedwait rt_sigtimedwait Signal [Hidden, Hidden, Time, Hidden]
};

/// The older calls, which newer architectures do not have.
#[cfg(target_arch = "x86_64")]
const OLDER: &[Syscall] = table! {
    SYS_poll poll Poll [PollFds, Size, Millis]
    SYS_select select Poll [Size, Pointer, Pointer, Pointer, Pointer]
    SYS_epoll_wait epoll_wait Poll [Fd, GotEvents, Size, Millis]
    SYS_epoll_create epoll_create Epoll [Int]
    SYS_eventfd eventfd Epoll [Size]
    SYS_fork fork Fork []
    SYS_vfork vfork Fork []
    SYS_open open Open [Path, OpenFlags, Hidden]
    SYS_creat creat Open [Path, Pointer]
    SYS_pipe pipe Pipe [GotPair]
    SYS_dup2 dup2 Dup [Fd, Int]
    SYS_pause pause Sleep []
};
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[Syscall] = &[];

/// All the calls that the lab knows on this architecture, each once.
pub fn syscalls() -> impl Iterator<Item = &'static Syscall> {
    COMMON.iter().chain(OLDER)
}

/// The call with this number.
pub fn numbered(number: i64) -> Option<&'static Syscall> {
    syscalls().find(|s| s.number == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_there_once() {
        let mut seen = Vec::new();
        for call in syscalls() {
            assert!(!seen.contains(&call.number), "{} twice", call.name);
            assert!(call.arguments.len() <= 6, "{}", call.name);
            seen.push(call.number);
        }
    }
}
