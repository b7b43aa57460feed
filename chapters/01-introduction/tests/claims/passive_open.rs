//! When is a server ready for connections, and where?

use std::mem::size_of;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

use introduction::server::address_of;
use lab::prelude::*;
use lab::trial::{said as said_by_std, saw};
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, SockaddrStorage, UnixAddr, bind,
    connect, getsockopt, listen, socket, sockopt,
};

use crate::calls::said;

fn tcp() -> nix::Result<OwnedFd> {
    socket(
        AddressFamily::Inet,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    )
}

/// 127.0.0.1, on a port of the kernel's choice.
fn localhost() -> SockaddrIn {
    SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))
}

/// Only `listen` opens the port.
pub fn a_bound_port_is_not_open(cx: &Check) -> Verdict {
    let server = tcp()?;
    bind(server.as_raw_fd(), &localhost())?;
    let at = address_of(&server).map_err(|error| Finding::fault(error.to_string()))?;
    saw(
        cx,
        "connect after bind",
        said_by_std(&TcpStream::connect(at)).as_str(),
    )
    .is("ECONNREFUSED")?;
    listen(&server, Backlog::MAXCONN)?;
    saw(
        cx,
        "connect after listen",
        said_by_std(&TcpStream::connect(at)).as_str(),
    )
    .is("ok")?;
    PASS
}

/// The kernel says what a socket has become.
pub fn listen_sets_acceptconn(cx: &Check) -> Verdict {
    let server = tcp()?;
    saw(
        cx,
        "SO_ACCEPTCONN before listen",
        getsockopt(&server, sockopt::AcceptConn)?,
    )
    .is(false)?;
    listen(&server, Backlog::MAXCONN)?;
    saw(
        cx,
        "SO_ACCEPTCONN after listen",
        getsockopt(&server, sockopt::AcceptConn)?,
    )
    .is(true)?;
    // It is not a socket for connecting any more.
    let other = TcpListener::bind("127.0.0.1:0")?;
    let connected = connect(
        server.as_raw_fd(),
        &SockaddrStorage::from(other.local_addr()?),
    );
    saw(
        cx,
        "connect with the listening socket",
        said(connected).as_str(),
    )
    .is("EISCONN")?;
    PASS
}

/// What becomes of a server that does not look at what `bind` returned.
pub fn without_bind_listen_takes_some_port(cx: &Check) -> Verdict {
    let first = TcpListener::bind("127.0.0.1:0")?;
    let wanted = first.local_addr()?;
    let SocketAddr::V4(name) = wanted else {
        return Err(Finding::fault("127.0.0.1 is not IPv4"));
    };

    let second = tcp()?;
    let bound = bind(second.as_raw_fd(), &SockaddrIn::from(name));
    saw(cx, "bind to a port that is taken", said(bound).as_str()).is("EADDRINUSE")?;
    saw(
        cx,
        "listen all the same",
        said(listen(&second, Backlog::MAXCONN)).as_str(),
    )
    .is("ok")?;
    let got = address_of(&second).map_err(|error| Finding::fault(error.to_string()))?;
    saw(cx, "on the wanted port", got.port() == wanted.port()).is(false)?;
    saw(cx, "on some other port", got.port() != 0).is(true)?;
    saw(cx, "at the address", got.ip().to_string().as_str()).is("0.0.0.0")?;
    PASS
}

/// The wildcard is a number; it needs no text to be read, and no byte of it to be turned round.
pub fn inaddr_any_needs_no_text(cx: &Check) -> Verdict {
    let name = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: 0_u16.to_be(),
        sin_addr: libc::in_addr {
            s_addr: libc::INADDR_ANY.to_be(),
        },
        sin_zero: [0; 8],
    };
    let server = tcp()?;
    let length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    // SAFETY: `name` is a `sockaddr_in`, and `length` is its size.
    let bound = unsafe { libc::bind(server.as_raw_fd(), (&raw const name).cast(), length) };
    let bound = Errno::result(bound);
    saw(cx, "bind without inet_pton", said(bound).as_str()).is("ok")?;
    let got = address_of(&server).map_err(|error| Finding::fault(error.to_string()))?;
    saw(cx, "bound to", got.ip().to_string().as_str()).is("0.0.0.0")?;
    saw(
        cx,
        "INADDR_ANY before and after htonl",
        libc::INADDR_ANY == libc::INADDR_ANY.to_be(),
    )
    .is(true)?;
    PASS
}

/// The first caller has no name, so the kernel leaves a short length; the second caller's name is cut to it.
pub fn accept_cuts_to_the_length_it_left(cx: &Check) -> Verdict {
    let path = cx.folder()?.join("server");
    let server = UnixListener::bind(&path)?;
    let _nameless = UnixStream::connect(&path)?;
    let caller = cx.folder()?.join("caller");
    // A stream socket with a name of its own, which std does not make.
    let named = socket(
        AddressFamily::Unix,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    )?;
    bind(named.as_raw_fd(), &UnixAddr::new(&caller)?)?;
    connect(named.as_raw_fd(), &UnixAddr::new(&path)?)?;

    let mut name = [0_u8; size_of::<libc::sockaddr_un>()];
    let mut length = name.len() as libc::socklen_t;
    let mut lengths = Vec::new();
    for _ in 0..2 {
        // SAFETY: the kernel writes at most `length` bytes, never more than `name` has.
        let fd = unsafe {
            libc::accept(
                server.as_raw_fd(),
                name.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        drop(UnixDatagram::from(own(Errno::result(fd)?)));
        lengths.push(length);
        length = length.min(name.len() as libc::socklen_t);
        if lengths.len() == 1 {
            name.fill(0);
        }
    }
    let whole = 2 + caller.as_os_str().len() as libc::socklen_t + 1;
    saw(cx, "length after a caller without a name", lengths[0]).is(2)?;
    saw(
        cx,
        "the next caller's whole length is reported",
        lengths[1] == whole,
    )
    .is(true)?;
    saw(
        cx,
        "bytes of its path that were written",
        name[2..].iter().filter(|byte| **byte != 0).count(),
    )
    .is(0)?;
    PASS
}

/// Takes a new descriptor over.
fn own(fd: i32) -> OwnedFd {
    // SAFETY: `accept` has just made it, and nobody else knows its number.
    unsafe { std::os::fd::FromRawFd::from_raw_fd(fd) }
}
