//! A host, as a place where a check starts things and plays peers.

use std::ffi::OsStr;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;

use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, connect, getsockopt, socket, sockopt,
};

use crate::bench::Wake;
use crate::check::{Check, can_list_sockets};
use crate::finding::Finding;
use crate::net::{Host, Net, diag};
use crate::peer::{ListeningPeer, Peer};
use crate::program::Program;
use crate::sealed::Sealed;
use crate::spawner::Spawner;
use crate::subject::Subject;

/// One host of a network, for a check. From [`Check::on`].
pub struct Place<'c> {
    check: &'c Check,
    net: Rc<Net>,
    name: String,
}

impl<'c> Place<'c> {
    pub(crate) fn new(check: &'c Check, net: Rc<Net>, name: &str) -> Place<'c> {
        // A misspelt name is an error of the check's author, here rather than later.
        net.host(name);
        Place {
            check,
            net,
            name: name.into(),
        }
    }

    /// The host itself: its addresses, its parameters.
    pub fn host(&self) -> &Host {
        self.net.host(&self.name)
    }

    /// Settings for a child process in this host.
    pub fn spawner(&self) -> Spawner<'c> {
        let (net, name) = (self.net.clone(), self.name.clone());
        let spawner = self.check.spawner().in_host(&name);
        spawner.inside(move || net.host(&name).enter())
    }

    /// The learner's code, in this host.
    ///
    /// # Errors
    ///
    /// A grader fault when no process can be had.
    pub fn subject<T: Sealed>(&self, f: impl FnOnce() -> T) -> Result<Subject<T>, Finding> {
        self.spawner().subject(f)
    }

    /// A program, in this host.
    ///
    /// # Errors
    ///
    /// A grader fault when no process can be had.
    pub fn program(
        &self,
        path: impl AsRef<Path>,
        arguments: &[impl AsRef<OsStr>],
    ) -> Result<Program, Finding> {
        self.spawner().program(path, arguments)
    }

    /// A program of the machine's, in this host, with the privileges of the host's owner.
    ///
    /// # Errors
    ///
    /// *Not run* when it is not installed.
    pub fn tool(&self, name: &str, arguments: &[impl AsRef<OsStr>]) -> Result<Program, Finding> {
        self.spawner().privileged().tool(name, arguments)
    }

    /// A listening peer in this host.
    ///
    /// # Errors
    ///
    /// A grader fault when the address cannot be bound.
    pub fn listens(&self, at: SocketAddr) -> Result<ListeningPeer, Finding> {
        let bench = &self.check.bench;
        let peer = self.host().run(|| ListeningPeer::new(bench.clone(), at));
        peer.map_err(|error| ListeningPeer::refused(bench, at, error))
    }

    /// Waits until somebody in this host listens at this address, or at the wildcard address with
    /// this port.
    ///
    /// # Errors
    ///
    /// A failure when nobody ever does.
    pub fn is_listening(&self, at: SocketAddr) -> Result<(), Finding> {
        can_list_sockets()?;
        let wanted = format!("your code on {} to listen at {at}", self.name);
        self.check.wait_until(&wanted, || {
            let sockets = self.host().run(diag::listening).ok()?;
            listens_at(&sockets, at).then_some(())
        })
    }

    /// Connects from this host, as soon as the host that has the address listens there.
    ///
    /// # Errors
    ///
    /// A failure when it never listens, or when the connection is refused or lost.
    pub fn connects(&self, to: SocketAddr) -> Result<Peer, Finding> {
        let bench = &self.check.bench;
        if let Some(server) = self.net.hosts().iter().find(|host| has(host, to)) {
            Place::new(self.check, self.net.clone(), server.name()).is_listening(to)?;
        }
        let fd = self.host().run(|| begin_connecting(to))?;
        let connected = bench.wait(
            Wake::Fd(fd.as_fd(), PollFlags::POLLOUT),
            || match getsockopt(&fd, sockopt::SocketError) {
                Ok(0) => nix::sys::socket::getpeername::<SockaddrStorage>(fd.as_raw_fd())
                    .ok()
                    .map(|_| Ok(())),
                Ok(code) => Some(Err(code)),
                Err(errno) => Some(Err(errno as i32)),
            },
        );
        let wanted = format!("{} to connect to {to}", self.name);
        connected
            .map_err(|stalled| stalled.finding(&wanted))?
            .map_err(|code| {
                let why = crate::sealed::show_errno(code);
                Finding::fail(format!("expected {wanted}, but it got {why}"))
            })?;
        bench.step(format!("{} connects to {to}", self.name));
        Ok(self.check.peer(fd)?.named(&self.name))
    }
}

/// Whether a socket among these listens at this address.
pub(crate) fn listens_at(sockets: &[diag::Socket], at: SocketAddr) -> bool {
    sockets.iter().any(|s| {
        s.state == diag::State::Listen
            && s.local.port() == at.port()
            && (s.local.ip() == at.ip() || s.local.ip().is_unspecified())
    })
}

/// Whether the host has this address.
fn has(host: &Host, at: SocketAddr) -> bool {
    host.devices().iter().any(|device| {
        let own: [std::net::IpAddr; 3] =
            [device.v4.into(), device.v6.into(), device.link_local.into()];
        own.contains(&at.ip())
    })
}

fn begin_connecting(to: SocketAddr) -> io::Result<OwnedFd> {
    let family = if to.is_ipv4() {
        AddressFamily::Inet
    } else {
        AddressFamily::Inet6
    };
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let fd = socket(family, SockType::Stream, flags, None)?;
    match connect(fd.as_raw_fd(), &SockaddrStorage::from(to)) {
        Ok(()) | Err(Errno::EINPROGRESS) => Ok(fd),
        Err(errno) => Err(errno.into()),
    }
}
