//! What a check has at hand.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use crate::bench::{Bench, Wake};
use crate::fault::Gate;
use crate::finding::Finding;
use crate::isolation::{Isolation, isolation};
use crate::net::{self, Net, diag};
use crate::peer::{ListeningPeer, Peer};
use crate::place::{Place, listens_at};
use crate::program::{self, Program};
use crate::sealed::Sealed;
use crate::spawner::Spawner;
use crate::subject::Subject;
use crate::wire::Frame;

/// A check at work: its step log, its deadline, and what it can start.
pub struct Check {
    pub(crate) bench: Rc<Bench>,
    pub(crate) folder: PathBuf,
}

impl Check {
    pub(crate) fn new(time: Duration, folder: PathBuf) -> Check {
        Check {
            bench: Rc::new(Bench::new(time)),
            folder,
        }
    }

    /// Notes a step that the check took itself.
    pub fn step(&self, what: impl Into<String>) {
        self.bench.step(what);
    }

    /// Forgets the steps so far: the same thing begins anew, with another input.
    pub fn begins_again(&self, what: impl Into<String>) {
        self.bench.log.borrow_mut().clear();
        self.bench.step(what);
    }

    /// Records what an experiment saw. It is printed, and compared with a claim's verdict by readers.
    pub fn evidence(&self, what: impl Into<String>) {
        self.bench.evidence.borrow_mut().push(what.into());
    }

    /// Switches the search for hopeless hangs off, for subjects that are woken by a timer which the
    /// lab cannot see, such as `alarm(2)`.
    pub fn allows_long_waits(&self) {
        self.bench.watch_for_hangs.set(false);
    }

    /// A gate that holds calls of a subject until the check lets them go on; see
    /// [`On::waits_at`](crate::fault::On::waits_at).
    ///
    /// # Errors
    ///
    /// A grader fault when there is no memory for it.
    pub fn gate(&self) -> Result<Gate, Finding> {
        Ok(Gate::new(self.bench.clone())?)
    }

    /// Gives what `f` waits for less time than the check has.
    pub fn within<R>(&self, time: Duration, f: impl FnOnce() -> R) -> R {
        let deadline = self.bench.deadline.get();
        let scaled = time.mul_f64(crate::process::time_scale());
        self.bench
            .deadline
            .set(deadline.min(Instant::now() + scaled));
        let result = f();
        self.bench.deadline.set(deadline);
        result
    }

    /// A folder for this check alone. It is removed afterwards.
    ///
    /// # Errors
    ///
    /// A grader fault when the folder cannot be made.
    pub fn folder(&self) -> Result<&Path, Finding> {
        fs::create_dir_all(&self.folder)?;
        Ok(&self.folder)
    }

    /// The learner's code in a process of its own. See [`Spawner`] for more than the usual.
    ///
    /// # Errors
    ///
    /// A grader fault when no process can be had.
    pub fn subject<T: Sealed>(&self, f: impl FnOnce() -> T) -> Result<Subject<T>, Finding> {
        self.spawner().subject(f)
    }

    /// A program with its arguments.
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

    /// A program of the machine's, found by name: `python3`, `socat`.
    ///
    /// # Errors
    ///
    /// *Not run* when it is not installed.
    pub fn tool(&self, name: &str, arguments: &[impl AsRef<OsStr>]) -> Result<Program, Finding> {
        self.spawner().program(find_tool(name)?, arguments)
    }

    /// A subject or program with more than the usual: in a host, with other limits, under a name.
    pub fn spawner(&self) -> Spawner<'_> {
        Spawner::new(self)
    }

    /// Two connected Unix domain stream sockets: one the check plays, one for the subject.
    ///
    /// # Errors
    ///
    /// A grader fault when the kernel gives none.
    pub fn stream_pair(&self) -> Result<(Peer, OwnedFd), Finding> {
        self.unix_pair(SockType::Stream)
    }

    /// The same with datagrams (`SOCK_DGRAM`) or records (`SOCK_SEQPACKET`).
    ///
    /// # Errors
    ///
    /// A grader fault when the kernel gives none.
    pub fn unix_pair(&self, kind: SockType) -> Result<(Peer, OwnedFd), Finding> {
        let (ours, theirs) = socketpair(AddressFamily::Unix, kind, None, SockFlag::SOCK_CLOEXEC)?;
        Ok((self.peer(ours)?, theirs))
    }

    /// Two ends of a TCP connection over loopback: one the check plays, one for the subject.
    ///
    /// # Errors
    ///
    /// A grader fault when the kernel gives none.
    pub fn tcp_pair(&self) -> Result<(Peer, OwnedFd), Finding> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let theirs = std::net::TcpStream::connect(listener.local_addr()?)?;
        let (ours, _) = listener.accept()?;
        ours.set_nodelay(true)?;
        Ok((self.peer(ours.into())?, theirs.into()))
    }

    /// Hosts on one LAN, by their names; see [`Net::lan`].
    ///
    /// # Errors
    ///
    /// *Not run* where the machine allows no hosts.
    pub fn lan(&self, hosts: &[&str]) -> Result<Rc<Net>, Finding> {
        self.net(|| Net::lan(hosts))
    }

    /// Hosts on two LANs, with a host `router` between them; see [`Net::two_lans`].
    ///
    /// # Errors
    ///
    /// *Not run* where the machine allows no hosts.
    pub fn two_lans(&self, first: &[&str], second: &[&str]) -> Result<Rc<Net>, Finding> {
        self.net(|| Net::two_lans(first, second))
    }

    fn net(&self, build: impl FnOnce() -> io::Result<Net>) -> Result<Rc<Net>, Finding> {
        if let Isolation::Loopback(why) = isolation() {
            return Err(Finding::needs(format!("hosts ({why})")));
        }
        let net = build().map_err(|error| {
            if net::is_missing(&error) {
                Finding::needs(format!("hosts ({error})"))
            } else {
                error.into()
            }
        })?;
        let net = Rc::new(net);
        self.bench.nets.borrow_mut().push(net.clone());
        Ok(net)
    }

    /// A host of a network, as a place to start things and to play peers.
    ///
    /// # Panics
    ///
    /// When the network has no host of this name.
    pub fn on(&self, net: &Rc<Net>, host: &str) -> Place<'_> {
        Place::new(self, net.clone(), host)
    }

    /// Waits until a frame that fits is on the wire.
    ///
    /// # Errors
    ///
    /// A failure that says what was waited for.
    pub fn sees(
        &self,
        net: &Net,
        wanted: &str,
        mut fits: impl FnMut(&Frame) -> bool,
    ) -> Result<Arc<Frame>, Finding> {
        self.wait_until(wanted, || {
            let wire = net.wire().ok()?;
            wire.frames().iter().find(|frame| fits(frame)).cloned()
        })
    }

    /// Takes a connected socket over as a peer.
    ///
    /// # Errors
    ///
    /// A grader fault when there are no descriptors left.
    pub fn peer(&self, socket: OwnedFd) -> Result<Peer, Finding> {
        Ok(Peer::new(self.bench.clone(), socket)?)
    }

    /// A listening peer, for subjects that connect. Port 0 is the kernel's choice.
    ///
    /// # Errors
    ///
    /// A grader fault when the address cannot be bound.
    pub fn listens(&self, at: SocketAddr) -> Result<ListeningPeer, Finding> {
        let peer = ListeningPeer::new(self.bench.clone(), at);
        peer.map_err(|error| ListeningPeer::refused(&self.bench, at, error))
    }

    /// Connects to a subject that serves, as soon as it listens there. No probe connection is made.
    ///
    /// # Errors
    ///
    /// A failure when it never listens.
    pub fn connects(&self, to: SocketAddr) -> Result<Peer, Finding> {
        self.is_listening(to)?;
        let stream = std::net::TcpStream::connect(to)?;
        self.bench.step(format!("peer connects to {to}"));
        self.peer(stream.into())
    }

    /// Waits until somebody in this network namespace listens at this address, or at the wildcard
    /// address with this port.
    ///
    /// # Errors
    ///
    /// A failure when nobody ever does.
    pub fn is_listening(&self, at: SocketAddr) -> Result<(), Finding> {
        can_list_sockets()?;
        let listening = || {
            let sockets = diag::listening().ok()?;
            listens_at(&sockets, at).then_some(())
        };
        self.wait_until(&format!("your code to listen at {at}"), listening)
    }

    /// Waits until `done` gives a value, with the check's deadline; it is asked every millisecond.
    /// For what no descriptor announces.
    ///
    /// # Errors
    ///
    /// A failure that says what was waited for.
    pub fn wait_until<R>(
        &self,
        wanted: &str,
        done: impl FnMut() -> Option<R>,
    ) -> Result<R, Finding> {
        self.bench
            .wait(Wake::Tick, done)
            .map_err(|stalled| stalled.finding(wanted))
    }
}

/// Whether the kernel tells which sockets there are, or *not run*.
pub(crate) fn can_list_sockets() -> Result<(), Finding> {
    diag::listening()
        .map(drop)
        .map_err(|error| Finding::needs(format!("sock_diag(7) in the kernel ({error})")))
}

/// Where a program of the machine's is, or *not run*.
pub(crate) fn find_tool(name: &str) -> Result<PathBuf, Finding> {
    program::find(name).ok_or_else(|| Finding::needs(format!("the program {name}")))
}
