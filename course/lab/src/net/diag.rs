//! Which sockets are there in this network namespace, and what are they doing?
//!
//! The answer of `ss(8)`, by the same means, `sock_diag(7)`. It tells what no descriptor tells: the state of a connection,
//! the bytes that wait in its queues, and whether a timer of TCP is running, which is why something may still happen
//! though every process sleeps.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use super::netlink::{Message, Netlink, u16_at, u32_at};

const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// `struct inet_diag_req_v2`: family, protocol, extensions, padding, states, and the 48 bytes of a socket's identity.
const REQUEST: usize = 56;
/// `struct inet_diag_msg`: four single bytes, the identity, then five numbers.
const ANSWER: usize = 72;

/// A TCP or UDP socket, as the kernel's table shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// What it speaks.
    pub protocol: Protocol,
    /// State of the connection. A UDP socket is [`State::Established`] when connected, else [`State::Close`].
    pub state: State,
    /// Own address. A link-local IPv6 address has its scope only if the socket is bound to a device.
    pub local: SocketAddr,
    /// The peer's address; unspecified, port 0, where there is no peer.
    pub peer: SocketAddr,
    /// The number in `/proc/PID/fd`'s `socket:[…]`; 0 when no descriptor belongs to it (any more, or not yet accepted).
    pub inode: u32,
    /// Bytes that arrived and are not yet read; a FIN not yet read counts as one. Of a listener: connections that wait to
    /// be accepted.
    pub receive_queue: u32,
    /// Bytes written and not yet acknowledged. Of a listener: its backlog.
    pub send_queue: u32,
    /// The timer that is running.
    pub timer: Timer,
}

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.protocol, self.local)?;
        if self.peer.port() != 0 {
            write!(f, " -> {}", self.peer)?;
        }
        if self.protocol == Protocol::Tcp {
            write!(f, " {}", self.state)?;
        }
        match (self.state, self.receive_queue, self.send_queue) {
            (State::Listen, waiting, backlog) => {
                write!(f, ", {waiting} of {backlog} waiting to be accepted")?;
            }
            (_, unread, unacknowledged) => {
                if unread > 0 {
                    write!(f, ", {unread} bytes unread")?;
                }
                if unacknowledged > 0 {
                    write!(f, ", {unacknowledged} bytes not acknowledged")?;
                }
            }
        }
        Ok(())
    }
}

/// What a socket speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Transmission Control Protocol.
    Tcp,
    /// User Datagram Protocol.
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// State of a TCP connection, RFC 9293 section 3.3.2, with the kernel's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum State {
    Established,
    SynSent,
    SynReceived,
    FinWait1,
    FinWait2,
    TimeWait,
    Close,
    CloseWait,
    LastAck,
    Listen,
    Closing,
}

impl State {
    /// By the kernel's number, `include/net/tcp_states.h`.
    fn from_kernel(number: u8) -> Self {
        match number {
            1 => Self::Established,
            2 => Self::SynSent,
            // 12 is a connection request that has no socket of its own yet.
            3 | 12 => Self::SynReceived,
            4 => Self::FinWait1,
            5 => Self::FinWait2,
            6 => Self::TimeWait,
            8 => Self::CloseWait,
            9 => Self::LastAck,
            10 => Self::Listen,
            11 => Self::Closing,
            _ => Self::Close,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Established => "ESTABLISHED",
            Self::SynSent => "SYN_SENT",
            Self::SynReceived => "SYN_RECV",
            Self::FinWait1 => "FIN_WAIT1",
            Self::FinWait2 => "FIN_WAIT2",
            Self::TimeWait => "TIME_WAIT",
            Self::Close => "CLOSE",
            Self::CloseWait => "CLOSE_WAIT",
            Self::LastAck => "LAST_ACK",
            Self::Listen => "LISTEN",
            Self::Closing => "CLOSING",
        })
    }
}

/// The timer of TCP that is running, and will do something though no segment comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// None.
    None,
    /// Something is unacknowledged and will be sent again, or a connection request answered again.
    Retransmit,
    /// The connection is idle and its peer will be probed; also the timers of `FIN_WAIT2` and of a linger.
    Keepalive,
    /// The end of `TIME_WAIT`.
    TimeWait,
    /// The peer's window is closed and will be probed.
    Persist,
}

impl Timer {
    fn from_kernel(number: u8) -> Self {
        match number {
            1 => Self::Retransmit,
            2 => Self::Keepalive,
            3 => Self::TimeWait,
            4 => Self::Persist,
            _ => Self::None,
        }
    }
}

/// All TCP sockets of the calling thread's network namespace, IPv4 and IPv6.
///
/// # Errors
/// `ENOENT` where the kernel has no `inet_diag`.
pub fn tcp() -> io::Result<Vec<Socket>> {
    table(Protocol::Tcp, u32::MAX)
}

/// All UDP sockets that are bound, of the calling thread's network namespace, IPv4 and IPv6.
///
/// # Errors
/// `ENOENT` where the kernel has no `udp_diag`.
pub fn udp() -> io::Result<Vec<Socket>> {
    table(Protocol::Udp, u32::MAX)
}

/// Only the TCP sockets that listen: cheaper than [`tcp`] on a machine with a large table of connections.
///
/// # Errors
/// As [`tcp`].
pub fn listening() -> io::Result<Vec<Socket>> {
    table(Protocol::Tcp, 1 << 10)
}

fn table(protocol: Protocol, states: u32) -> io::Result<Vec<Socket>> {
    let mut diag = Netlink::sock_diag()?;
    let mut sockets = Vec::new();
    for family in [libc::AF_INET, libc::AF_INET6] {
        let mut fixed = [0; REQUEST];
        fixed[0] = family as u8;
        fixed[1] = match protocol {
            Protocol::Tcp => libc::IPPROTO_TCP as u8,
            Protocol::Udp => libc::IPPROTO_UDP as u8,
        };
        fixed[4..8].copy_from_slice(&states.to_ne_bytes());
        diag.dump(
            Message::new(SOCK_DIAG_BY_FAMILY, 0, &fixed),
            |kind, body| {
                if kind == SOCK_DIAG_BY_FAMILY && body.len() >= ANSWER {
                    sockets.push(decode(protocol, body));
                }
            },
        )
        .map_err(|e| io::Error::new(e.kind(), format!("sock_diag ({protocol}): {e}")))?;
    }
    Ok(sockets)
}

/// Layout of `struct inet_diag_msg`, `linux/inet_diag.h`: 0 family, 1 state, 2 timer, 3 retransmits; the identity: 4 local
/// port, 6 peer's port (network order), 8 local address, 24 peer's address, 40 interface, 44 cookie; 52 expires,
/// 56 receive queue, 60 send queue, 64 user, 68 inode.
fn decode(protocol: Protocol, body: &[u8]) -> Socket {
    let scope = u32_at(body, 40);
    let address = |port: usize, at: usize| {
        let port = u16::from_be(u16_at(body, port));
        if i32::from(body[0]) == libc::AF_INET {
            let octets: [u8; 4] = std::array::from_fn(|i| body[at + i]);
            return SocketAddr::new(IpAddr::V4(Ipv4Addr::from(octets)), port);
        }
        let octets: [u8; 16] = std::array::from_fn(|i| body[at + i]);
        let ip = Ipv6Addr::from(octets);
        let scope = if ip.is_unicast_link_local() { scope } else { 0 };
        SocketAddr::V6(SocketAddrV6::new(ip, port, 0, scope))
    };
    Socket {
        protocol,
        state: State::from_kernel(body[1]),
        local: address(4, 8),
        peer: address(6, 24),
        inode: u32_at(body, 68),
        receive_queue: u32_at(body, 56),
        send_queue: u32_at(body, 60),
        timer: Timer::from_kernel(body[2]),
    }
}
