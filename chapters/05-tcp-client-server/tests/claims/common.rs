//! What many experiments begin with: a connection, a child, the words for how a call ended.

use std::fmt::Display;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::rc::Rc;

use lab::net::{Net, diag};
use lab::prelude::*;
use nix::sys::signal::Signal;
use nix::sys::socket::{setsockopt, sockopt};
use nix::unistd::{ForkResult, Pid, fork};
use tcp_client_server::signals::on_signal;

/// Where the server listens, on hosts of the experiment's own.
pub const PORT: u16 = 7000;

/// Both ends of a connection over loopback: the client's and the server's.
pub fn connection() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    Ok((client, listener.accept()?.0))
}

/// A connection between two hosts, who know each other's hardware addresses.
pub struct Hosts {
    pub net: Rc<Net>,
    pub client: TcpStream,
    pub server: TcpStream,
}

/// Makes both hosts, and connects them.
pub fn hosts(cx: &Check) -> Result<Hosts, Finding> {
    let net = cx.lan(&["client", "server"])?;
    net.introduce()?;
    let at = SocketAddr::new(net.host("server").v4().into(), PORT);
    let listener = net.host("server").run(|| TcpListener::bind(at))?;
    let client = net.host("client").run(|| TcpStream::connect(at))?;
    let (server, _) = listener.accept()?;
    Ok(Hosts {
        net,
        client,
        server,
    })
}

/// Closes with RST instead of FIN: `SO_LINGER` with a time of zero.
pub fn reset(socket: TcpStream) -> nix::Result<()> {
    let at_once = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    setsockopt(&socket, sockopt::Linger, &at_once)
}

/// The state of this connection's own end, as `ss` would show it; `none` when the kernel has forgotten it.
///
/// It must be of the network in which the experiment itself is.
pub fn state_of(socket: &TcpStream) -> io::Result<String> {
    let (local, peer) = (socket.local_addr()?, socket.peer_addr()?);
    let sockets = diag::tcp()?;
    let own = sockets
        .iter()
        .find(|other| other.local == local && other.peer == peer);
    Ok(own.map_or("none".to_owned(), |own| own.state.to_string()))
}

/// Runs `work` in a child, which then ends with the status that `work` gives.
pub fn child(work: impl FnOnce() -> i32) -> nix::Result<Pid> {
    // SAFETY: checks and subjects have one thread.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            let status = work();
            // SAFETY: `_exit` ends the process, without what the parent has in its buffers.
            unsafe { libc::_exit(status) }
        }
    }
}

/// Has `handler` run when the signal comes; `flags` as for `sigaction`.
pub fn handle(signal: Signal, handler: extern "C" fn(i32), flags: i32) -> nix::Result<()> {
    on_signal(signal, handler, flags).map_err(|error| error.errno)
}

/// A handler that does nothing: what matters is that there is one.
pub extern "C" fn nothing(_signal: i32) {}

/// What a call returned, or the name of its errno.
pub fn said<T: Display>(result: nix::Result<T>) -> String {
    result.map_or_else(|errno| format!("{errno:?}"), |value| value.to_string())
}

/// How a call ended that returns nothing of interest: `ok`, or the name of its errno.
pub fn done<T>(result: nix::Result<T>) -> String {
    said(result.map(|_| "ok"))
}

/// `write(2)` as it is, also with a number of bytes that no buffer has.
///
/// # Safety
///
/// As for `write(2)`; but a count that leads beyond the address space is refused by the kernel before it looks.
pub unsafe fn write_raw(fd: impl AsFd, bytes: *const u8, count: usize) -> nix::Result<isize> {
    // SAFETY: as promised by the caller.
    Errno::result(unsafe { libc::write(fd.as_fd().as_raw_fd(), bytes.cast(), count) })
}
