//! How does one hand the kernel an address that `std` and `nix` would never let through?
//!
//! As bytes. Each call here takes an address as the bytes it lies in, and their number is the length
//! that the kernel is told. So a short length is a short slice.

use std::io;
use std::mem::{size_of, size_of_val};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use libc::{c_int, sockaddr, sockaddr_in, sockaddr_in6, sockaddr_un, socklen_t};

/// The structures of libc that are addresses: plain numbers, without a gap between them.
///
/// # Safety
///
/// Each byte of the type must be initialized, whatever its value.
pub unsafe trait Bytes: Sized {
    /// The memory of the value, in the order of its addresses.
    fn bytes(&self) -> &[u8] {
        // SAFETY: the value lives as long as the slice, and the trait promises that each byte is initialized.
        unsafe { std::slice::from_raw_parts((&raw const *self).cast(), size_of_val(self)) }
    }
}

// SAFETY: integers have no padding.
unsafe impl Bytes for u16 {}
// SAFETY: integers have no padding.
unsafe impl Bytes for u32 {}
// SAFETY: the fields follow each other without a gap: 2 + 2 + 4 + 8 bytes.
unsafe impl Bytes for sockaddr_in {}
// SAFETY: the fields follow each other without a gap: 2 + 2 + 4 + 16 + 4 bytes.
unsafe impl Bytes for sockaddr_in6 {}
// SAFETY: the fields follow each other without a gap: 2 + 108 bytes.
unsafe impl Bytes for sockaddr_un {}

/// 127.0.0.1, where every machine has itself.
pub const LOCALHOST: [u8; 4] = [127, 0, 0, 1];

/// An IPv4 address and a port, as `bind(2)` wants them. Port 0 asks the kernel for a free one.
pub fn v4(address: [u8; 4], port: u16) -> sockaddr_in {
    sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: port.to_be(),
        sin_addr: libc::in_addr {
            s_addr: u32::from_ne_bytes(address),
        },
        sin_zero: [0; 8],
    }
}

/// An IPv6 address with its scope id (the number of an interface, or 0) and a port.
pub fn v6(address: [u8; 16], scope_id: u32, port: u16) -> sockaddr_in6 {
    sockaddr_in6 {
        sin6_family: libc::AF_INET6 as libc::sa_family_t,
        sin6_port: port.to_be(),
        sin6_flowinfo: 0,
        sin6_addr: libc::in6_addr { s6_addr: address },
        sin6_scope_id: scope_id,
    }
}

/// A path as the address of a UNIX socket, with no byte behind its last character.
///
/// The number of bytes is the caller's to decide: this is longer than `sockaddr_un` if the path is.
pub fn unix(path: &str) -> Vec<u8> {
    let mut address = (libc::AF_UNIX as libc::sa_family_t).to_ne_bytes().to_vec();
    address.extend_from_slice(path.as_bytes());
    address
}

/// The port in the bytes of an IPv4 or IPv6 address: the third and fourth, in network order.
pub fn port_in(address: &[u8]) -> u16 {
    u16::from_be_bytes([address[2], address[3]])
}

/// `socket(2)`, closed on exec.
pub fn socket(family: c_int, kind: c_int) -> io::Result<OwnedFd> {
    // SAFETY: the call takes no pointer.
    let fd = checked(unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: the kernel has just made this descriptor, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `bind(2)` with exactly these bytes.
pub fn bind(socket: &impl AsFd, address: &[u8]) -> io::Result<()> {
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel reads `address.len()` bytes from a slice of that length.
    checked(unsafe { libc::bind(fd, address.as_ptr().cast(), address.len() as socklen_t) })
        .map(drop)
}

/// `connect(2)` with exactly these bytes.
pub fn connect(socket: &impl AsFd, address: &[u8]) -> io::Result<()> {
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel reads `address.len()` bytes from a slice of that length.
    checked(unsafe { libc::connect(fd, address.as_ptr().cast(), address.len() as socklen_t) })
        .map(drop)
}

/// `listen(2)` with room for one connection.
pub fn listen(socket: &impl AsFd) -> io::Result<()> {
    // SAFETY: the call takes no pointer.
    checked(unsafe { libc::listen(socket.as_fd().as_raw_fd(), 1) }).map(drop)
}

/// `sendto(2)` to exactly these bytes.
pub fn send_to(socket: &impl AsFd, payload: &[u8], address: &[u8]) -> io::Result<()> {
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: both slices are as long as the lengths that stand beside them.
    let sent = unsafe {
        libc::sendto(
            fd,
            payload.as_ptr().cast(),
            payload.len(),
            0,
            address.as_ptr().cast(),
            address.len() as socklen_t,
        )
    };
    checked(sent as c_int).map(drop)
}

/// What `getsockname(2)` writes: the socket's own address, as many bytes as the kernel says.
pub fn own_address(socket: &impl AsFd) -> io::Result<Vec<u8>> {
    let mut room = vec![0; size_of::<libc::sockaddr_storage>()];
    let length = address_into(socket, libc::getsockname, &mut room)?;
    room.truncate(length);
    Ok(room)
}

/// A call that reports an address: `getsockname` or `getpeername`.
type Reports = unsafe extern "C" fn(c_int, *mut sockaddr, *mut socklen_t) -> c_int;

/// Calls `getsockname(2)` or `getpeername(2)` with this much room. Returns the length that came back, which is the
/// address's whole length, also where the room was smaller.
pub fn address_into(socket: &impl AsFd, call: Reports, room: &mut [u8]) -> io::Result<usize> {
    let mut length = room.len() as socklen_t;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel writes at most `length` bytes, the size of the room, and the length itself.
    checked(unsafe { call(fd, room.as_mut_ptr().cast(), &raw mut length) })?;
    Ok(length as usize)
}

/// How many bytes `getsockname(2)` writes into this much room, and the length that comes back.
pub fn written(socket: &impl AsFd, room: usize) -> io::Result<(usize, usize)> {
    // A byte that the kernel wrote is the same whatever was there before.
    let (mut zeros, mut ones) = ([0x00; 32], [0xff; 32]);
    let length = address_into(socket, libc::getsockname, &mut zeros[..room])?;
    address_into(socket, libc::getsockname, &mut ones[..room])?;
    let same = zeros.iter().zip(ones).filter(|&(&zero, one)| zero == one);
    Ok((same.count(), length))
}

/// An IPv6 socket, or the reason why there is none.
pub fn ipv6_socket(kind: c_int) -> Result<OwnedFd, lab::Finding> {
    socket(libc::AF_INET6, kind).map_err(|error| match error.raw_os_error() {
        Some(libc::EAFNOSUPPORT) => lab::Finding::needs("a kernel with IPv6"),
        _ => error.into(),
    })
}

/// The kernel's answer as a number, or its errno as an error.
fn checked(answer: c_int) -> io::Result<c_int> {
    if answer == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(answer)
}
