// ANCHOR: ask
//! How do you ask the kernel for an address?

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use libc::{sa_family_t, socklen_t};
use nix::errno::Errno;

use crate::address::Address;
use introduction::error::{CallError, InCall};

/// The address at this end: `getsockname(2)`.
///
/// # Errors
///
/// `ENOTSOCK` when the descriptor is not a socket.
pub fn local_address(socket: impl AsFd) -> Result<Address, CallError> {
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: `filled_by` hands over an address with room for `*len` bytes.
    Address::filled_by("getsockname", |address, len| unsafe {
        libc::getsockname(fd, address, len)
    })
    .map(|(_, address)| address)
}

/// The address at the other end: `getpeername(2)`.
///
/// # Errors
///
/// `ENOTCONN` when there is no other end; `ENOTSOCK`.
pub fn peer_address(socket: impl AsFd) -> Result<Address, CallError> {
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: as above.
    Address::filled_by("getpeername", |address, len| unsafe {
        libc::getpeername(fd, address, len)
    })
    .map(|(_, address)| address)
}
// ANCHOR_END: ask

// ANCHOR: accept
/// Takes the next connection, with the address it comes from: `accept4(2)`.
///
/// # Errors
///
/// `EINVAL` when the socket does not listen; `ECONNABORTED` when the peer gave up in
/// the queue; `EMFILE` when this process has no descriptor left; and others, see the
/// man page.
pub fn accept(listener: impl AsFd) -> Result<(OwnedFd, Address), CallError> {
    let fd = listener.as_fd().as_raw_fd();
    let (fd, peer) = Address::filled_by("accept4", |address, len| {
        // SAFETY: `filled_by` hands over an address with room for `*len` bytes.
        unsafe { libc::accept4(fd, address, len, libc::SOCK_CLOEXEC) }
    })?;
    // SAFETY: the descriptor is new, and nobody else knows its number.
    Ok((unsafe { OwnedFd::from_raw_fd(fd) }, peer))
}
// ANCHOR_END: accept

// ANCHOR: family_of
/// The family of a socket that you were given as a bare descriptor.
///
/// # Errors
///
/// As [`local_address`].
pub fn family_of(socket: impl AsFd) -> Result<sa_family_t, CallError> {
    local_address(socket).map(|address| address.family())
}
// ANCHOR_END: family_of

// ANCHOR: with_room
/// Asks as [`local_address`] does, with room for `room` bytes only.
///
/// Returns the bytes that fit, and how long the kernel says that the whole is.
///
/// # Errors
///
/// As [`local_address`].
pub fn local_with_room(
    socket: impl AsFd,
    room: usize,
) -> Result<(Vec<u8>, usize), CallError> {
    let mut bytes = vec![0; room];
    let mut len = room as socklen_t;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: `bytes` has room for `len` bytes, and the kernel writes no more.
    let result =
        unsafe { libc::getsockname(fd, bytes.as_mut_ptr().cast(), &raw mut len) };
    Errno::result(result).in_call("getsockname")?;
    bytes.truncate(len as usize);
    Ok((bytes, len as usize))
}
// ANCHOR_END: with_room
