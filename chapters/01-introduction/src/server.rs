// ANCHOR: listen
//! How does a program make itself reachable, and answer?

use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, accept4, bind,
    getpeername, getsockname, listen, setsockopt, socket, sockopt,
};
use nix::unistd::write;

use crate::error::{CallError, InCall};

/// Makes a socket that waits for connections at this address. Port 0 is the kernel's
/// choice; [`address_of`] tells which one it took. The IPv6 address `::` takes IPv4
/// callers, too.
///
/// # Errors
///
/// Those of `bind(2)`: `EADDRINUSE` where somebody listens already, `EADDRNOTAVAIL`
/// for an address that this machine does not have, `EACCES` for a port below 1024
/// without privilege.
pub fn listen_at(address: SocketAddr) -> Result<OwnedFd, CallError> {
    let family =
        if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let flags = SockFlag::SOCK_CLOEXEC;
    let listener = socket(family, SockType::Stream, flags, None).in_call("socket")?;
    // Without this, a server cannot have its port back for a minute after it ended.
    setsockopt(&listener, sockopt::ReuseAddr, &true)
        .in_call("setsockopt SO_REUSEADDR")?;
    if address.is_ipv6() {
        setsockopt(&listener, sockopt::Ipv6V6Only, &false)
            .in_call("setsockopt IPV6_V6ONLY")?;
    }
    let name = SockaddrStorage::from(address);
    bind(listener.as_raw_fd(), &name).in_call("bind")?;
    listen(&listener, Backlog::MAXCONN).in_call("listen")?;
    Ok(listener)
}
// ANCHOR_END: listen

// ANCHOR: accept
/// Waits for the next client, and returns the connection to it: a new socket. The
/// listening one goes on listening.
///
/// # Errors
///
/// Those of `accept(2)`: `ECONNABORTED` when the client has given up, `EMFILE` at the
/// limit of descriptors.
pub fn accept(listener: &impl AsFd) -> Result<OwnedFd, CallError> {
    let listener = listener.as_fd().as_raw_fd();
    let connection = accept4(listener, SockFlag::SOCK_CLOEXEC).in_call("accept")?;
    // SAFETY: the descriptor is new, and nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(connection) })
}
// ANCHOR_END: accept

// ANCHOR: send
/// Sends all of `bytes`, in as many calls as the kernel wants.
///
/// # Errors
///
/// Those of `write(2)`: `EPIPE` or `ECONNRESET` when the client is gone.
pub fn send(connection: &impl AsFd, mut bytes: &[u8]) -> Result<(), CallError> {
    while !bytes.is_empty() {
        let count = write(connection, bytes).in_call("write")?;
        bytes = &bytes[count..];
    }
    Ok(())
}
// ANCHOR_END: send

// ANCHOR: addresses
/// The socket's own address and port.
///
/// # Errors
///
/// `ENOBUFS` of `getsockname(2)`, when the kernel has no memory left.
pub fn address_of(socket: &impl AsFd) -> Result<SocketAddr, CallError> {
    let name = getsockname(socket.as_fd().as_raw_fd()).in_call("getsockname")?;
    Ok(internet(&name))
}

/// Who is at the other end.
///
/// # Errors
///
/// `ENOTCONN` of `getpeername(2)`, when the peer has broken the connection off.
pub fn peer_of(connection: &impl AsFd) -> Result<SocketAddr, CallError> {
    let name = getpeername(connection.as_fd().as_raw_fd()).in_call("getpeername")?;
    Ok(internet(&name))
}

fn internet(name: &SockaddrStorage) -> SocketAddr {
    let v4 = || name.as_sockaddr_in().map(|v4| SocketAddrV4::from(*v4).into());
    let v6 = || name.as_sockaddr_in6().map(|v6| SocketAddrV6::from(*v6).into());
    v4().or_else(v6).expect("a TCP socket has an address of IPv4 or IPv6")
}
// ANCHOR_END: addresses
