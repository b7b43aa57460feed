// ANCHOR: types
//! Which TCP sockets does the kernel have, and what are they doing? `sock_diag(7)`, by hand.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};

use introduction::error::{CallError, InCall};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
};

/// A TCP socket, as the kernel's table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// The number of its state: 1 is ESTABLISHED; `include/net/tcp_states.h`.
    pub state: u8,
    /// Its own address.
    pub local: SocketAddr,
    /// The peer's address; port 0 when there is no peer.
    pub peer: SocketAddr,
    /// Whose it is.
    pub user: u32,
    /// Its number among the files; 0 when no process has it.
    pub inode: u64,
}

/// The states by their numbers, as `ss` abbreviates them.
const STATES: [&str; 13] = [
    "?",
    "ESTAB",
    "SYN-SENT",
    "SYN-RECV",
    "FIN-WAIT-1",
    "FIN-WAIT-2",
    "TIME-WAIT",
    "UNCONN",
    "CLOSE-WAIT",
    "LAST-ACK",
    "LISTEN",
    "CLOSING",
    "SYN-RECV",
];

/// `LISTEN 127.0.0.1:8000`, or `ESTAB 127.0.0.1:8000 -> 127.0.0.1:40000`.
impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = STATES.get(usize::from(self.state)).unwrap_or(&"?");
        write!(f, "{state:10}  {}", self.local)?;
        match self.peer.port() {
            0 => Ok(()),
            _ => write!(f, " -> {}", self.peer),
        }
    }
}
// ANCHOR_END: types

// ANCHOR: ask
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// `struct nlmsghdr`: length, type, flags, sequence number, port id.
const HEADER: usize = 16;

/// All TCP sockets of this network namespace.
///
/// # Errors
///
/// `EPROTONOSUPPORT` or `ENOENT` when the kernel has no sock_diag.
pub fn tcp_sockets() -> Result<Vec<Socket>, CallError> {
    let mut sockets = Vec::new();
    for family in [libc::AF_INET, libc::AF_INET6] {
        let flags = SockFlag::SOCK_CLOEXEC;
        let protocol = SockProtocol::NetlinkSockDiag;
        let diag = socket(AddressFamily::Netlink, SockType::Raw, flags, protocol);
        let diag = diag.in_call("socket")?;
        let request = request(family as u8);
        send(diag.as_raw_fd(), &request, MsgFlags::empty()).in_call("send")?;
        while take_answers(&diag, &mut sockets)? {}
    }
    Ok(sockets)
}

/// A header, and `struct inet_diag_req_v2`: every TCP socket of this family, in whatever state.
fn request(family: u8) -> Vec<u8> {
    let length: u32 = 16 + 56;
    let dump = (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16;
    let mut bytes = Vec::new();
    bytes.extend(length.to_ne_bytes());
    bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes.extend(dump.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend([family, libc::IPPROTO_TCP as u8, 0, 0]);
    bytes.extend(u32::MAX.to_ne_bytes()); // one bit for each state
    bytes.resize(length as usize, 0); // no address in particular
    bytes
}
// ANCHOR_END: ask

// ANCHOR: take
/// Receives one datagram of answers. Says whether more will come.
fn take_answers(diag: &OwnedFd, sockets: &mut Vec<Socket>) -> Result<bool, CallError> {
    let mut buffer = vec![0; 32 << 10];
    let count = loop {
        match recv(diag.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
            Err(Errno::EINTR) => {}
            result => break result.in_call("recv")?,
        }
    };
    let mut rest = &buffer[..count];
    while rest.len() >= HEADER {
        let length = (number(rest, 0) as usize).clamp(HEADER, rest.len());
        let body = &rest[HEADER..length];
        match i32::from(u16::from_ne_bytes([rest[4], rest[5]])) {
            libc::NLMSG_DONE => return Ok(false),
            libc::NLMSG_ERROR => {
                let errno = Errno::from_raw(-(number(body, 0) as i32));
                return Err(errno).in_call("sock_diag");
            }
            _ => sockets.extend(decode(body)),
        }
        // Each message begins at a multiple of four.
        rest = &rest[length.next_multiple_of(4).min(rest.len())..];
    }
    Ok(true)
}

/// `struct inet_diag_msg`, `linux/inet_diag.h`. Ports and addresses are in network order.
fn decode(body: &[u8]) -> Option<Socket> {
    let body: &[u8; 72] = body.first_chunk()?;
    let port = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
    let ip = |at: usize| {
        let octets: [u8; 16] = std::array::from_fn(|i| body[at + i]);
        let [a, b, c, d, ..] = octets;
        match i32::from(body[0]) {
            libc::AF_INET => IpAddr::from(Ipv4Addr::new(a, b, c, d)),
            _ => IpAddr::from(Ipv6Addr::from(octets)),
        }
    };
    Some(Socket {
        state: body[1],
        local: SocketAddr::new(ip(8), port(4)),
        peer: SocketAddr::new(ip(24), port(6)),
        user: number(body, 64),
        inode: number(body, 68).into(),
    })
}

/// The 32 bits at this place, in host order. 0 where there are none.
fn number(bytes: &[u8], at: usize) -> u32 {
    let field = bytes.get(at..at + 4).and_then(<[u8]>::first_chunk);
    field.map_or(0, |field| u32::from_ne_bytes(*field))
}
// ANCHOR_END: take
