//! The other end of the subject's socket, in the hands of the check.
//!
//! A peer does what it is told and no more: it sends when told to, and nothing of it is in the
//! subject's process, so that closing it is seen as the end.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::socket::{Shutdown, shutdown};

use crate::bench::{Bench, Wake};
use crate::child::nonblocking;
use crate::finding::Finding;
use crate::sealed::{show_bytes, show_errno};
use crate::system;

/// A connected socket that the check plays.
pub struct Peer {
    bench: Rc<Bench>,
    fd: OwnedFd,
    name: String,
}

impl Peer {
    /// Takes a connected socket over.
    pub(crate) fn new(bench: Rc<Bench>, fd: OwnedFd) -> io::Result<Peer> {
        let fd = system::own(fd)?;
        nonblocking(&fd);
        Ok(Peer {
            bench,
            fd,
            name: "peer".into(),
        })
    }

    /// The same peer under a name that the step log shows.
    #[must_use]
    pub fn named(mut self, name: &str) -> Peer {
        self.name = name.into();
        self
    }

    /// Sends all of `bytes` with as few system calls as the kernel allows: one, unless a buffer fills.
    ///
    /// # Errors
    ///
    /// A failure when the subject has closed its end, or does not read and the buffers are full.
    pub fn sends(&self, bytes: impl AsRef<[u8]>) -> Result<(), Finding> {
        let bytes = bytes.as_ref();
        self.bench
            .step(format!("{} sends {}", self.name, show_bytes(bytes)));
        self.push(bytes)
    }

    /// Waits until the subject has read all that was sent before, then sends `bytes`.
    ///
    /// # Errors
    ///
    /// A failure when the subject does not read what was sent before.
    pub fn sends_once_read(&self, bytes: impl AsRef<[u8]>) -> Result<(), Finding> {
        let bytes = bytes.as_ref();
        self.is_read()?;
        let all = "once all before is read";
        self.bench
            .step(format!("{} sends {} {all}", self.name, show_bytes(bytes)));
        self.push(bytes)
    }

    /// Waits until the subject has read all that was sent.
    ///
    /// # Errors
    ///
    /// A failure when it does not.
    pub fn is_read(&self) -> Result<(), Finding> {
        let wanted = "your code to read what was sent";
        let mut broken = None;
        let waited = self.bench.wait(Wake::Tick, || match self.unread() {
            Ok(0) => Some(()),
            Ok(_) => None,
            Err(error) => {
                broken = Some(error);
                Some(())
            }
        });
        waited.map_err(|stalled| stalled.finding(wanted))?;
        match broken {
            Some(error) => Err(Finding::fault(format!(
                "asking how much is unread: {error}"
            ))),
            None => Ok(()),
        }
    }

    /// Receives exactly `count` bytes.
    ///
    /// # Errors
    ///
    /// A failure when the subject sends fewer and closes, or sends nothing for ever.
    pub fn receives(&self, count: usize) -> Result<Vec<u8>, Finding> {
        let mut got = Vec::new();
        while got.len() < count {
            let wanted = format!("{} to receive {count} bytes", self.name);
            match self.some(count - got.len(), &wanted)? {
                Ok(bytes) if bytes.is_empty() => {
                    return Err(Finding::fail(format!(
                        "expected {wanted}, but after {} came end-of-file",
                        show_bytes(&got)
                    )));
                }
                Ok(bytes) => got.extend(bytes),
                Err(errno) => {
                    return Err(Finding::fail(format!(
                        "expected {wanted}, but after {} came {}",
                        show_bytes(&got),
                        show_errno(errno as i32)
                    )));
                }
            }
        }
        self.bench
            .step(format!("{} receives {}", self.name, show_bytes(&got)));
        Ok(got)
    }

    /// Demands that exactly these bytes come next.
    ///
    /// # Errors
    ///
    /// A failure when others come, or none.
    pub fn expects(&self, bytes: impl AsRef<[u8]>) -> Result<(), Finding> {
        let bytes = bytes.as_ref();
        let got = self.receives(bytes.len())?;
        crate::ensure!(
            got == bytes,
            "expected {} to receive {}, it received {}",
            self.name,
            show_bytes(bytes),
            show_bytes(&got)
        );
        Ok(())
    }

    /// Receives until the subject closes its half, and gives all that came.
    ///
    /// # Errors
    ///
    /// A failure when it never closes, or resets the connection.
    pub fn receives_to_end(&self) -> Result<Vec<u8>, Finding> {
        let mut got = Vec::new();
        let wanted = format!("{} to receive end-of-file", self.name);
        loop {
            match self.some(64 << 10, &wanted)? {
                Ok(bytes) if bytes.is_empty() => {
                    let shown = show_bytes(&got);
                    self.bench
                        .step(format!("{} receives {shown} and end-of-file", self.name));
                    return Ok(got);
                }
                Ok(bytes) => got.extend(bytes),
                Err(errno) => {
                    return Err(Finding::fail(format!(
                        "expected {wanted}, but after {} came {}",
                        show_bytes(&got),
                        show_errno(errno as i32)
                    )));
                }
            }
        }
    }

    /// Sends end-of-file: `shutdown(SHUT_WR)`. Receiving goes on.
    ///
    /// # Errors
    ///
    /// A grader fault when the socket is not connected any more.
    pub fn shuts_down_writing(&self) -> Result<(), Finding> {
        self.bench.step(format!("{} closes its half", self.name));
        Ok(shutdown(self.fd.as_raw_fd(), Shutdown::Write)?)
    }

    /// Closes the socket.
    pub fn closes(self) {
        self.bench.step(format!("{} closes", self.name));
    }

    /// Closes with a reset: `SO_LINGER` with a time of zero.
    ///
    /// # Errors
    ///
    /// A grader fault when the option cannot be set.
    pub fn resets(self) -> Result<(), Finding> {
        let linger = libc::linger {
            l_onoff: 1,
            l_linger: 0,
        };
        nix::sys::socket::setsockopt(&self.fd, nix::sys::socket::sockopt::Linger, &linger)?;
        self.bench
            .step(format!("{} resets the connection", self.name));
        Ok(())
    }

    /// The check's own address of this connection.
    ///
    /// # Errors
    ///
    /// A grader fault when it is no TCP or UDP socket.
    pub fn local_address(&self) -> Result<SocketAddr, Finding> {
        Ok(tcp_stream(&self.fd)?.local_addr()?)
    }

    /// Bytes that were sent and that the subject has not read. For a Unix domain socket the kernel
    /// counts what they occupy, which is more than they are; 0 is exact.
    ///
    /// # Errors
    ///
    /// `ENOTCONN` or what sock_diag(7) reports.
    pub fn unread(&self) -> io::Result<usize> {
        if self.is_closed() {
            return Ok(0);
        }
        let mut unsent: libc::c_int = 0;
        // SAFETY: SIOCOUTQ (TIOCOUTQ) writes an int.
        let r = unsafe { libc::ioctl(self.fd.as_raw_fd(), libc::TIOCOUTQ, &raw mut unsent) };
        Errno::result(r)?;
        let stream = tcp_stream(&self.fd)?;
        let Ok((local, peer)) = stream
            .local_addr()
            .and_then(|l| Ok((l, stream.peer_addr()?)))
        else {
            // A Unix domain socket charges the sender until the receiver has read.
            return Ok(unsent as usize);
        };
        // Over TCP, acknowledged is not read. The queue of the socket at the other end tells.
        let other = self
            .bench
            .tcp_sockets()?
            .into_iter()
            .find(|s| s.local == peer && s.peer == local);
        Ok(unsent as usize + other.map_or(0, |s| s.receive_queue as usize))
    }

    /// Whether the connection has been reset. Nobody will read any more, and the kernel goes on counting
    /// what was not acknowledged.
    fn is_closed(&self) -> bool {
        const TCP_CLOSE: u8 = 7;
        // The state is the first byte of tcp_info. Other sockets than TCP's refuse the option.
        let mut state = 0_u8;
        let mut length: libc::socklen_t = 1;
        // SAFETY: one byte of room, and the length says so.
        let r = unsafe {
            libc::getsockopt(
                self.fd.as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_INFO,
                (&raw mut state).cast(),
                &raw mut length,
            )
        };
        r == 0 && state == TCP_CLOSE
    }

    fn push(&self, mut bytes: &[u8]) -> Result<(), Finding> {
        while !bytes.is_empty() {
            let wanted = "your code to read, so that the rest can be sent";
            let sent = self
                .bench
                .wait(Wake::Fd(self.fd.as_fd(), PollFlags::POLLOUT), || {
                    again(send(self.fd.as_fd(), bytes))
                });
            match sent.map_err(|stalled| stalled.finding(wanted))? {
                Ok(n) => bytes = &bytes[n..],
                Err(errno) => {
                    return Err(Finding::fail(format!(
                        "expected {} to send, but your code has closed its end: {}",
                        self.name,
                        show_errno(errno as i32)
                    )));
                }
            }
        }
        Ok(())
    }

    /// One read, at most `room` bytes. Empty at end-of-file.
    fn some(&self, room: usize, wanted: &str) -> Result<nix::Result<Vec<u8>>, Finding> {
        let mut buf = vec![0; room.min(64 << 10)];
        let got = self
            .bench
            .wait(Wake::Fd(self.fd.as_fd(), PollFlags::POLLIN), || {
                again(nix::unistd::read(&self.fd, &mut buf))
            });
        let got = got.map_err(|stalled| stalled.finding(wanted))?;
        Ok(got.map(|n| {
            buf.truncate(n);
            buf
        }))
    }
}

impl AsFd for Peer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Nothing when the call would have blocked: wait and try again.
fn again<T>(result: nix::Result<T>) -> Option<nix::Result<T>> {
    match result {
        Err(Errno::EAGAIN | Errno::EINTR) => None,
        other => Some(other),
    }
}

fn send(fd: BorrowedFd<'_>, bytes: &[u8]) -> nix::Result<usize> {
    let flags = nix::sys::socket::MsgFlags::MSG_NOSIGNAL;
    nix::sys::socket::send(fd.as_raw_fd(), bytes, flags)
}

/// A copy of the descriptor as std's type, for its addresses.
fn tcp_stream(fd: &OwnedFd) -> io::Result<std::net::TcpStream> {
    Ok(system::own(fd.try_clone()?)?.into())
}

/// A listening TCP socket that the check plays, for subjects that are clients.
pub struct ListeningPeer {
    bench: Rc<Bench>,
    listener: std::net::TcpListener,
}

impl ListeningPeer {
    pub(crate) fn new(bench: Rc<Bench>, at: SocketAddr) -> io::Result<ListeningPeer> {
        let listener = std::net::TcpListener::bind(at)?;
        let listener = std::net::TcpListener::from(system::own(listener.into())?);
        listener.set_nonblocking(true)?;
        Ok(ListeningPeer { bench, listener })
    }

    /// Why no listening peer could be had: an address that a child of the check has taken is not the
    /// check's fault.
    pub(crate) fn refused(bench: &Bench, at: SocketAddr, error: io::Error) -> Finding {
        let taken = error.kind() == io::ErrorKind::AddrInUse;
        match bench.children().first().filter(|_| taken) {
            Some(child) => Finding::fail(format!(
                "expected {at} to be free for the peer, but {} has taken it",
                child.borrow().name
            )),
            None => error.into(),
        }
    }

    /// Where it listens. The port is the kernel's choice when 0 was asked for.
    ///
    /// # Errors
    ///
    /// A grader fault when the address cannot be had.
    pub fn address(&self) -> Result<SocketAddr, Finding> {
        Ok(self.listener.local_addr()?)
    }

    /// Accepts the next connection.
    ///
    /// # Errors
    ///
    /// A failure when nobody connects.
    pub fn accepts(&self) -> Result<Peer, Finding> {
        let accepted =
            self.bench.wait(
                Wake::Fd(self.listener.as_fd(), PollFlags::POLLIN),
                || match self.listener.accept() {
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => None,
                    other => Some(other),
                },
            );
        let accepted = accepted.map_err(|stalled| stalled.finding("your code to connect"))?;
        let (stream, from) = accepted?;
        self.bench
            .step(format!("peer accepts a connection from {from}"));
        Ok(Peer::new(self.bench.clone(), stream.into())?)
    }
}
