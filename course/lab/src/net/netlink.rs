//! How does a program talk to the kernel's network configuration? By netlink: messages over a socket.
//!
//! A message is a header, a fixed part that depends on its type, and attributes (type, length, value), which may nest.
//! All is in the machine's byte order and padded to four bytes. See `netlink(7)`, `rtnetlink(7)`, `sock_diag(7)`.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::sys::socket::sockopt::ReceiveTimeout;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send,
    setsockopt, socket,
};
use nix::sys::time::{TimeVal, TimeValLike};

const HEADER: usize = 16;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_DUMP: u16 = 0x300;
/// Create the object; fail when it is there already.
pub(super) const CREATE: u16 = 0x600;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// Attribute of an error: the kernel's own words.
const NLMSGERR_ATTR_MSG: u16 = 1;

/// A message under construction.
pub(super) struct Message(Vec<u8>);

impl Message {
    /// A message of `kind` (`RTM_NEWLINK` and so on) with its fixed part.
    pub(super) fn new(kind: u16, flags: u16, fixed: &[u8]) -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(flags | NLM_F_REQUEST).to_ne_bytes());
        bytes.extend_from_slice(fixed);
        Self(bytes).padded()
    }

    pub(super) fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        self.0
            .extend_from_slice(&((4 + value.len()) as u16).to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.raw(value)
    }

    pub(super) fn number(self, kind: u16, value: u32) -> Self {
        self.attribute(kind, &value.to_ne_bytes())
    }

    /// An attribute whose value is what `fill` adds.
    pub(super) fn nested(self, kind: u16, fill: impl FnOnce(Self) -> Self) -> Self {
        let start = self.0.len();
        let mut all = fill(self.attribute(kind, &[]));
        let length = (all.0.len() - start) as u16;
        all.0[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        all
    }

    /// Bytes that are no attribute: the fixed part of a message inside a message.
    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self.padded()
    }

    fn padded(mut self) -> Self {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    fn finished(mut self, flags: u16, sequence: u32) -> Vec<u8> {
        let length = self.0.len() as u32;
        self.0[0..4].copy_from_slice(&length.to_ne_bytes());
        let flags = flags | u16_at(&self.0, 6);
        self.0[6..8].copy_from_slice(&flags.to_ne_bytes());
        self.0[8..12].copy_from_slice(&sequence.to_ne_bytes());
        self.0
    }
}

/// A netlink socket. It belongs for life to the network namespace in which it was opened.
pub(super) struct Netlink {
    socket: OwnedFd,
    sequence: u32,
}

impl Netlink {
    /// Opens one for links, addresses and routes.
    pub(super) fn route() -> io::Result<Self> {
        Self::open(SockProtocol::NetlinkRoute)
    }

    /// Opens one for tables of sockets.
    pub(super) fn sock_diag() -> io::Result<Self> {
        Self::open(SockProtocol::NetlinkSockDiag)
    }

    fn open(protocol: SockProtocol) -> io::Result<Self> {
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            protocol,
        )?;
        // Best effort: without these, errors are bare numbers.
        for option in [libc::NETLINK_EXT_ACK, libc::NETLINK_CAP_ACK] {
            let one: libc::c_int = 1;
            // SAFETY: the value is a live int, of the size given.
            unsafe {
                libc::setsockopt(
                    socket.as_raw_fd(),
                    libc::SOL_NETLINK,
                    option,
                    (&raw const one).cast(),
                    size_of_val(&one) as libc::socklen_t,
                );
            }
        }
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// Asks to be told of events of these groups (`RTMGRP_LINK` and so on), then read with [`Netlink::event`]. An event that
    /// does not come within five seconds never will.
    pub(super) fn subscribe(&self, groups: u32) -> io::Result<()> {
        setsockopt(&self.socket, ReceiveTimeout, &TimeVal::seconds(5))?;
        Ok(bind(self.socket.as_raw_fd(), &NetlinkAddr::new(0, groups))?)
    }

    /// Sends a message and waits for the kernel's acknowledgment.
    pub(super) fn request(&mut self, message: Message) -> io::Result<()> {
        let sequence = self.send(message, NLM_F_ACK)?;
        let mut verdict = None;
        while verdict.is_none() {
            self.read(|header, body| {
                if header.sequence == sequence && header.kind == NLMSG_ERROR {
                    verdict = Some(error_of(body));
                }
            })?;
        }
        verdict.unwrap_or(Ok(()))
    }

    /// Sends a message, and gives each part of the answer (type and body) to `each`.
    pub(super) fn dump(
        &mut self,
        message: Message,
        mut each: impl FnMut(u16, &[u8]),
    ) -> io::Result<()> {
        let sequence = self.send(message, NLM_F_DUMP)?;
        let mut end = None;
        while end.is_none() {
            self.read(|header, body| match header.kind {
                _ if header.sequence != sequence => {}
                NLMSG_ERROR => end = Some(error_of(body)),
                NLMSG_DONE => end = Some(Ok(())),
                kind => each(kind, body),
            })?;
        }
        end.unwrap_or(Ok(()))
    }

    /// Waits for events and gives each (type and body) to `each`.
    pub(super) fn event(&self, mut each: impl FnMut(u16, &[u8])) -> io::Result<()> {
        self.read(|header, body| each(header.kind, body))
            .map_err(super::context(
                "waiting for the kernel to put a device to use",
            ))
    }

    fn send(&mut self, message: Message, flags: u16) -> io::Result<u32> {
        self.sequence += 1;
        send(
            self.socket.as_raw_fd(),
            &message.finished(flags, self.sequence),
            MsgFlags::empty(),
        )?;
        Ok(self.sequence)
    }

    /// Reads one datagram, which may hold several messages.
    fn read(&self, mut each: impl FnMut(Header, &[u8])) -> io::Result<()> {
        // The kernel fills at most 32 KiB into one datagram of a dump.
        let mut buffer = vec![0; 32 << 10];
        let length = loop {
            match recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
                Err(nix::Error::EINTR) => {}
                other => break other?,
            }
        };
        let mut rest = &buffer[..length];
        while rest.len() >= HEADER {
            let length = u32_at(rest, 0) as usize;
            if length < HEADER || length > rest.len() {
                return Err(io::Error::other(
                    "netlink: a message's length does not fit its datagram",
                ));
            }
            let header = Header {
                kind: u16_at(rest, 4),
                sequence: u32_at(rest, 8),
            };
            each(header, &rest[HEADER..length]);
            rest = &rest[length.next_multiple_of(4).min(rest.len())..];
        }
        Ok(())
    }
}

impl AsFd for Netlink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

struct Header {
    kind: u16,
    sequence: u32,
}

/// The result in the body of an `NLMSG_ERROR`: 0 or a negative errno, the header it answers, attributes.
fn error_of(body: &[u8]) -> io::Result<()> {
    let code = u32_at(body, 0) as i32;
    if code == 0 {
        return Ok(());
    }
    let error = io::Error::from_raw_os_error(-code);
    let words = attributes(body.get(4 + HEADER..).unwrap_or_default())
        .find(|(kind, _)| *kind == NLMSGERR_ATTR_MSG)
        .map(|(_, text)| {
            String::from_utf8_lossy(text.strip_suffix(b"\0").unwrap_or(text)).into_owned()
        });
    Err(match words {
        Some(words) => io::Error::new(error.kind(), format!("{error}: {words}")),
        None => error,
    })
}

/// The attributes in `bytes`, as type and value.
pub(super) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = u16_at(bytes.get(..4)?, 0) as usize;
        let value = bytes.get(4..length)?;
        let kind = u16_at(bytes, 2);
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// The two bytes at `at` as a number in the machine's order.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes([bytes[at], bytes[at + 1]])
}

/// The four bytes at `at` as a number in the machine's order.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
