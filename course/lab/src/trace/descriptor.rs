//! What is a descriptor of the learner's?
//!
//! Its link in `/proc` says whether it is a socket, a pipe or a file; a copy of it (`pidfd_getfd(2)`)
//! says the rest.

use std::cell::OnceCell;
use std::fs;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::sys::socket::{SockType, SockaddrStorage, getpeername, getsockopt, sockopt};

use crate::fault::Kind;
use crate::system;
use crate::waiting::describe;

/// A descriptor, looked at when a question about it comes up.
pub struct Descriptor<'a> {
    pidfd: Option<&'a OwnedFd>,
    tid: i32,
    fd: i32,
    link: Option<String>,
    copy: OnceCell<Option<OwnedFd>>,
}

impl<'a> Descriptor<'a> {
    /// Descriptor `fd` of a thread, whose process has this pidfd.
    pub fn new(pidfd: Option<&'a OwnedFd>, tid: i32, fd: i32) -> Descriptor<'a> {
        Descriptor {
            pidfd,
            tid,
            fd,
            link: None,
            copy: OnceCell::new(),
        }
    }

    fn link(&mut self) -> &str {
        let (tid, fd) = (self.tid, self.fd);
        self.link.get_or_insert_with(|| {
            let link = fs::read_link(format!("/proc/{tid}/fd/{fd}"));
            link.map_or_else(|_| String::new(), |to| to.to_string_lossy().into_owned())
        })
    }

    fn socket(&mut self) -> Option<&OwnedFd> {
        if !self.link().starts_with("socket:") {
            return None;
        }
        let (pidfd, fd) = (self.pidfd, self.fd);
        self.copy
            .get_or_init(|| system::copy_of_fd(pidfd?.as_fd(), fd))
            .as_ref()
    }

    fn socket_type(&mut self) -> Option<SockType> {
        getsockopt(self.socket()?, sockopt::SockType).ok()
    }

    fn listens(&mut self) -> bool {
        self.socket()
            .is_some_and(|s| getsockopt(s, sockopt::AcceptConn).unwrap_or(false))
    }

    /// Whether it is of this kind.
    pub fn is(&mut self, kind: Kind) -> bool {
        match kind {
            Kind::Socket => self.link().starts_with("socket:"),
            Kind::Stream => self.socket_type() == Some(SockType::Stream) && !self.listens(),
            Kind::Datagram => self.socket_type() == Some(SockType::Datagram),
            Kind::Listener => self.listens(),
            Kind::Pipe => self.link().starts_with("pipe:"),
            Kind::Terminal => {
                let link = self.link();
                link.starts_with("/dev/pts/") || link.starts_with("/dev/tty")
            }
            Kind::File => self.link().starts_with('/') && !self.is(Kind::Terminal),
        }
    }

    /// Whether a transfer may be cut and continued: not a datagram's.
    pub fn has_no_edges(&mut self) -> bool {
        match self.socket_type() {
            Some(kind) => kind == SockType::Stream,
            None => !self.link().is_empty(),
        }
    }

    /// Who is at the other end.
    pub fn peer(&mut self) -> Option<SocketAddr> {
        let peer = getpeername::<SockaddrStorage>(self.socket()?.as_raw_fd()).ok()?;
        let v4 = peer.as_sockaddr_in().map(|a| SocketAddr::V4((*a).into()));
        v4.or_else(|| peer.as_sockaddr_in6().map(|a| SocketAddr::V6((*a).into())))
    }

    /// In a few words; empty when it is not open.
    pub fn words(&mut self) -> String {
        if let Some(socket) = self.socket()
            && let Some(mut words) = describe(socket)
        {
            if let Some(end) = words.rfind(", ")
                && words.ends_with(" bytes to read")
            {
                words.truncate(end);
            }
            return words;
        }
        let link = self.link();
        match link.split_once(':') {
            Some(("pipe", _)) => "pipe".into(),
            Some(("anon_inode", what)) => what.trim_matches(['[', ']']).into(),
            _ => link.into(),
        }
    }
}
