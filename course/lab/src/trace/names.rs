//! Numbers by the names that man pages use.

use nix::errno::Errno;

/// Shortens the tables.
macro_rules! named {
    ($($name:ident)*) => { &[$((libc::$name as i64, stringify!($name))),*] };
}

type Names = &'static [(i64, &'static str)];

const DOMAINS: Names = named! { AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET AF_UNSPEC };
const TYPES: Names = named! { SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_SEQPACKET };
const SOCKET_FLAGS: Names = named! { SOCK_CLOEXEC SOCK_NONBLOCK };
const HOW: Names = named! { SHUT_RD SHUT_WR SHUT_RDWR };
const MESSAGE: Names = named! {
    MSG_OOB MSG_PEEK MSG_DONTROUTE MSG_CTRUNC MSG_TRUNC MSG_DONTWAIT MSG_EOR MSG_WAITALL MSG_CONFIRM MSG_ERRQUEUE
    MSG_NOSIGNAL MSG_MORE MSG_WAITFORONE MSG_FASTOPEN MSG_CMSG_CLOEXEC MSG_ZEROCOPY
};
const OPEN: Names = named! {
    O_CREAT O_EXCL O_TRUNC O_APPEND O_NONBLOCK O_CLOEXEC O_DIRECTORY O_NOFOLLOW
};
const LEVELS: Names = named! {
    SOL_SOCKET IPPROTO_IP IPPROTO_IPV6 IPPROTO_TCP IPPROTO_UDP IPPROTO_SCTP IPPROTO_ICMP
};
const SOCKET_OPTIONS: Names = named! {
    SO_REUSEADDR SO_TYPE SO_ERROR SO_DONTROUTE SO_BROADCAST SO_SNDBUF SO_RCVBUF SO_KEEPALIVE SO_OOBINLINE SO_LINGER
    SO_REUSEPORT SO_PASSCRED SO_PEERCRED SO_RCVLOWAT SO_SNDLOWAT SO_RCVTIMEO SO_SNDTIMEO SO_ACCEPTCONN SO_PROTOCOL
    SO_DOMAIN SO_BINDTODEVICE SO_TIMESTAMP SO_MARK
};
const TCP_OPTIONS: Names = named! {
    TCP_NODELAY TCP_MAXSEG TCP_CORK TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT TCP_SYNCNT TCP_LINGER2 TCP_DEFER_ACCEPT
    TCP_INFO TCP_QUICKACK TCP_CONGESTION TCP_USER_TIMEOUT TCP_FASTOPEN TCP_NOTSENT_LOWAT
};
const IP_OPTIONS: Names = named! {
    IP_TOS IP_TTL IP_HDRINCL IP_OPTIONS IP_RECVERR IP_PKTINFO IP_RECVTTL IP_MTU_DISCOVER IP_MULTICAST_IF
    IP_MULTICAST_TTL IP_MULTICAST_LOOP IP_ADD_MEMBERSHIP IP_DROP_MEMBERSHIP
};
const IPV6_OPTIONS: Names = named! {
    IPV6_V6ONLY IPV6_UNICAST_HOPS IPV6_MULTICAST_IF IPV6_MULTICAST_HOPS IPV6_MULTICAST_LOOP IPV6_ADD_MEMBERSHIP
    IPV6_DROP_MEMBERSHIP IPV6_RECVPKTINFO IPV6_RECVHOPLIMIT IPV6_MTU_DISCOVER
};
const FCNTL: Names = named! {
    F_DUPFD F_DUPFD_CLOEXEC F_GETFD F_SETFD F_GETFL F_SETFL F_GETLK F_SETLK F_SETLKW F_GETOWN F_SETOWN
    F_GETPIPE_SZ F_SETPIPE_SZ
};
const EPOLL: Names = named! { EPOLL_CTL_ADD EPOLL_CTL_MOD EPOLL_CTL_DEL };
const EPOLL_EVENTS: Names = named! {
    EPOLLIN EPOLLOUT EPOLLPRI EPOLLERR EPOLLHUP EPOLLRDHUP EPOLLET EPOLLONESHOT EPOLLEXCLUSIVE
};
const POLL_EVENTS: Names = named! { POLLIN POLLPRI POLLOUT POLLERR POLLHUP POLLNVAL POLLRDHUP };
const WAIT: Names = named! { WNOHANG WUNTRACED WCONTINUED WEXITED WNOWAIT __WALL };
const CLONE: Names = named! { CLONE_VM CLONE_VFORK CLONE_THREAD };

/// The name of one value, or the number.
fn one(names: Names, value: i64) -> String {
    let found = names.iter().find(|(number, _)| *number == value);
    found.map_or_else(|| value.to_string(), |(_, name)| (*name).into())
}

/// The names of all bits that are set, with `|` between them; what has no name in hexadecimal.
fn bits(names: Names, value: u64) -> String {
    let mut left = value;
    let mut found = Vec::new();
    for (number, name) in names {
        let number = u64::from(*number as u32);
        if number != 0 && left & number == number {
            left &= !number;
            found.push((*name).to_string());
        }
    }
    if left != 0 || found.is_empty() {
        found.push(if left == 0 {
            "0".into()
        } else {
            format!("{left:#x}")
        });
    }
    found.join("|")
}

/// `AF_INET`.
pub fn domain(value: u64) -> String {
    one(DOMAINS, i64::from(value as i32))
}

/// `SOCK_STREAM|SOCK_CLOEXEC`.
pub fn socket_type(value: u64) -> String {
    let kind = one(TYPES, (value & 0xf) as i64);
    match value & !0xf {
        0 => kind,
        flags => format!("{kind}|{}", bits(SOCKET_FLAGS, flags)),
    }
}

/// `SOCK_NONBLOCK`, for calls that create descriptors.
pub fn socket_flags(value: u64) -> String {
    bits(SOCKET_FLAGS, value)
}

/// `SHUT_WR`.
pub fn how(value: u64) -> String {
    one(HOW, i64::from(value as i32))
}

/// `MSG_NOSIGNAL`.
pub fn message_flags(value: u64) -> String {
    bits(MESSAGE, value & 0xffff_ffff)
}

/// `O_RDWR|O_CREAT`.
pub fn open_flags(value: u64) -> String {
    let access = ["O_RDONLY", "O_WRONLY", "O_RDWR", "3"][(value & 3) as usize];
    match value & 0xffff_fffc {
        0 => access.into(),
        flags => format!("{access}|{}", bits(OPEN, flags)),
    }
}

/// `SOL_SOCKET`.
pub fn level(value: u64) -> String {
    one(LEVELS, i64::from(value as i32))
}

/// `SO_REUSEADDR`: what an option is called depends on its level.
pub fn option(level: u64, value: u64) -> String {
    let names = match level as i32 {
        libc::SOL_SOCKET => SOCKET_OPTIONS,
        libc::IPPROTO_TCP => TCP_OPTIONS,
        libc::IPPROTO_IP => IP_OPTIONS,
        libc::IPPROTO_IPV6 => IPV6_OPTIONS,
        _ => &[],
    };
    one(names, i64::from(value as i32))
}

/// `F_SETFL`.
pub fn fcntl(value: u64) -> String {
    one(FCNTL, i64::from(value as i32))
}

/// `EPOLL_CTL_ADD`.
pub fn epoll(value: u64) -> String {
    one(EPOLL, i64::from(value as i32))
}

/// `EPOLLIN|EPOLLRDHUP`.
pub fn epoll_events(value: u32) -> String {
    bits(EPOLL_EVENTS, value.into())
}

/// `POLLIN|POLLHUP`.
pub fn poll_events(value: i16) -> String {
    bits(POLL_EVENTS, value.cast_unsigned().into())
}

/// `WNOHANG`.
pub fn wait_flags(value: u64) -> String {
    bits(WAIT, value & 0xffff_ffff)
}

/// What of `clone(2)` tells a thread from a process.
pub fn clone_flags(value: u64) -> String {
    let known = (libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_THREAD) as u64;
    if value & libc::CLONE_THREAD as u64 != 0 {
        return "a thread".into();
    }
    match value & known {
        0 => "a process".into(),
        flags => format!("a process, {}", bits(CLONE, flags)),
    }
}

/// `SIGTERM`.
pub fn signal(value: u64) -> String {
    crate::subject::signal_name(value as i32)
}

/// `EINTR`.
pub fn errno(code: i32) -> String {
    let errno = Errno::from_raw(code);
    match errno {
        Errno::UnknownErrno => format!("errno {code}"),
        errno => format!("{errno:?}"),
    }
}
