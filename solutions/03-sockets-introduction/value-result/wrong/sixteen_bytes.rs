//! An address fits into a sockaddr; that is what accept takes.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use libc::{sa_family_t, socklen_t};

const ROOM: usize = size_of::<libc::sockaddr>();

/// Accepts one connection from each of `listeners`, in turn, and says who called, as [`text`] does.
///
/// The listeners may be of any of the families that `text` knows. The connections are closed.
///
/// # Errors
///
/// What `accept(2)` reports.
pub fn callers(listeners: &[BorrowedFd<'_>]) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for listener in listeners {
        let mut address = [0; ROOM];
        let mut length = ROOM as socklen_t;
        // SAFETY: `address` is `length` bytes long, and a new descriptor is owned by nobody else.
        let _connection = unsafe {
            match libc::accept(
                listener.as_raw_fd(),
                address.as_mut_ptr().cast(),
                &raw mut length,
            ) {
                -1 => return Err(io::Error::last_os_error()),
                fd => OwnedFd::from_raw_fd(fd),
            }
        };
        names.push(written(&address, length));
    }
    Ok(names)
}

/// Receives `count` datagrams from `socket` and says who sent them, as [`text`] does.
///
/// # Errors
///
/// What `recvfrom(2)` reports.
pub fn senders(socket: BorrowedFd<'_>, count: usize) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for _ in 0..count {
        let mut address = [0; ROOM];
        let mut length = ROOM as socklen_t;
        let mut datagram = [0; 512];
        // SAFETY: each buffer is at least as long as is said, and both live through the call.
        let received = unsafe {
            libc::recvfrom(
                socket.as_raw_fd(),
                datagram.as_mut_ptr().cast(),
                datagram.len(),
                0,
                address.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        if received < 0 {
            return Err(io::Error::last_os_error());
        }
        names.push(written(&address, length));
    }
    Ok(names)
}

/// The part of the buffer that the kernel says is the address, as text.
fn written(address: &[u8; ROOM], length: socklen_t) -> String {
    // The kernel says how long the address is, and that may be more than there was room for.
    text(&address[..ROOM.min(length as usize)])
}

/// The bytes of a socket address as text: `192.0.2.1:80`, `[2001:db8::1]:80`, a path, `@` and the bytes
/// of an abstract name with `@` for each zero byte, or `(no name)`.
///
/// An address that is shorter than its family demands is `(cut short)`.
pub fn text(address: &[u8]) -> String {
    let Some((family, rest)) = address.split_first_chunk() else {
        return "(no name)".into();
    };
    match libc::c_int::from(sa_family_t::from_ne_bytes(*family)) {
        libc::AF_INET => inet(rest).unwrap_or("(cut short)".into()),
        libc::AF_INET6 => inet6(rest).unwrap_or("(cut short)".into()),
        libc::AF_UNIX => match rest {
            [] => "(no name)".into(),
            [0, ..] => String::from_utf8_lossy(rest).replace('\0', "@"),
            // A path ends at its zero byte, if it has one.
            _ => String::from_utf8_lossy(rest.split(|b| *b == 0).next().unwrap_or(rest)).into(),
        },
        family => format!("(family {family})"),
    }
}

/// Port and address of an `AF_INET` name.
fn inet(rest: &[u8]) -> Option<String> {
    let (port, rest) = rest.split_first_chunk()?;
    let (address, _) = rest.split_first_chunk::<4>()?;
    Some(SocketAddrV4::new(Ipv4Addr::from(*address), u16::from_be_bytes(*port)).to_string())
}

/// Port, flow label, address and scope of an `AF_INET6` name.
fn inet6(rest: &[u8]) -> Option<String> {
    let (port, rest) = rest.split_first_chunk()?;
    let (_flow, rest) = rest.split_first_chunk::<4>()?;
    let (address, rest) = rest.split_first_chunk::<16>()?;
    let (scope, _) = rest.split_first_chunk()?;
    let (port, scope) = (u16::from_be_bytes(*port), u32::from_ne_bytes(*scope));
    Some(SocketAddrV6::new(Ipv6Addr::from(*address), port, 0, scope).to_string())
}
