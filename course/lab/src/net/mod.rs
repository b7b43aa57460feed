//! A network on a bench: hosts, and a switch that does to chosen frames what networks do to them.
//!
//! ```ignore
//! let net = Net::lan(&["client", "server"])?;
//! let listener = net.host("server").run(|| TcpListener::bind("0.0.0.0:7"))?;
//! net.rule(Rule::on(Match::tcp().from("client").with_data()).nth(2).drop())?;
//! // What is under test happens here.
//! println!("{}", net.wire()?.tcp(7));
//! ```
//!
//! A host is a network namespace. Its device is one end of a cable; the other end is in the switch, a process of its own, which
//! forwards frames, records them, and obeys rules. A LAN's hosts have the addresses 10.0.0.1, 10.0.0.2, … and fd00::1, fd00::2,
//! …, with the hardware addresses 02:00:00:00:00:01, …
//!
//! All this is for a process with one thread, which may make namespaces: root, or the owner of a user namespace.
//!
//! - [`Net`], [`Host`]: build a network and use it.
//! - [`Rule`], [`Match`]: what befalls frames.
//! - [`crate::wire`]: what was on the wire.
//! - [`diag`]: which sockets there are.

mod build;
mod cable;
mod control;
pub mod diag;
mod host;
mod link;
mod matching;
mod namespace;
mod netlink;
mod probe;
mod record;
mod rule;
mod switch;

use std::cell::RefCell;
use std::fmt::Display;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use nix::sys::wait::{Id, WaitPidFlag, waitid};

use crate::system;
use crate::wire::{Frame, History, Wire};
use control::{Commander, Order};
use rule::{Compiled, Ports};

pub use host::{Device, Host};
pub use matching::Match;
pub use probe::{is_missing, probe};
pub use rule::{Case, Rule};

/// Hosts and the switch that connects them. When it is dropped, the switch ends; the hosts end with the last process and
/// socket in them.
pub struct Net {
    hosts: Vec<Host>,
    switch: Switch,
    history: RefCell<History>,
}

/// The process that is the switch.
struct Switch {
    pid: i32,
    pidfd: OwnedFd,
    commander: Commander,
}

/// A rule that is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleId(u32);

impl RuleId {
    /// Its number, from 1, as [`crate::wire::Fate::rule`] shows it.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl Net {
    /// The host of this name.
    ///
    /// # Panics
    /// When there is none, which is a mistake of who wrote the check.
    pub fn host(&self, name: &str) -> &Host {
        self.find(name).unwrap_or_else(|error| panic!("{error}"))
    }

    /// All hosts, a router last.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// Puts a rule in force. When this returns, it holds for each frame that is sent from now on.
    ///
    /// # Errors
    /// `InvalidInput` for a host that is not there.
    pub fn rule(&self, rule: Rule) -> io::Result<RuleId> {
        let (number, _) = self
            .switch
            .commander
            .order(Order::Add(Compiled::new(&rule, self)?))?;
        Ok(RuleId(number as u32))
    }

    /// Takes a rule away, and gives the number of frames that it was applied to. Frames it held back are delivered now;
    /// delayed ones still come in their time.
    ///
    /// # Errors
    /// When the switch does not answer.
    pub fn lift(&self, rule: RuleId) -> io::Result<u64> {
        Ok(self.switch.commander.order(Order::Remove(rule.0))?.0)
    }

    /// Cuts a host's cable. No frame passes any more, neither way. Within a second the host's device notices that its carrier
    /// is gone.
    ///
    /// # Errors
    /// `InvalidInput` for a host that is not there.
    pub fn cut(&self, host: &str) -> io::Result<()> {
        self.switch
            .commander
            .order(Order::Cut(self.ports_of(host)?))
            .map(drop)
    }

    /// Mends a host's cable, and waits until its device is ready again.
    ///
    /// # Errors
    /// `InvalidInput` for a host that is not there.
    pub fn mend(&self, host: &str) -> io::Result<()> {
        let ports = self.ports_of(host)?;
        self.find(host)?
            .until_operational(|| self.switch.commander.order(Order::Mend(ports)).map(drop))
    }

    /// Tells every host the hardware addresses of the others on its link, so that nobody asks for them on the wire: no ARP and
    /// no neighbor discovery.
    ///
    /// # Errors
    /// Those of rtnetlink(7).
    pub fn introduce(&self) -> io::Result<()> {
        self.hosts
            .iter()
            .try_for_each(|host| host.introduce(&self.hosts))
    }

    /// All that was on the wire so far. A frame that a host had sent before this call is in it.
    ///
    /// # Errors
    /// When the switch does not answer.
    pub fn wire(&self) -> io::Result<Wire> {
        let mut history = self.history.borrow_mut();
        let (_, news) = self.switch.commander.order(Order::Record {
            from: history.length(),
        })?;
        build::append(&mut history, &news);
        Ok(history.wire())
    }

    /// Waits until there is a frame, since the network was built, of which `wanted` is true, and gives the first; nothing if
    /// there is none until the deadline. A frame is looked at again when it has arrived or is lost.
    ///
    /// # Errors
    /// When the switch does not answer.
    pub fn wait_for(
        &self,
        deadline: Instant,
        mut wanted: impl FnMut(&Frame) -> bool,
    ) -> io::Result<Option<Arc<Frame>>> {
        let mut looked_at = 0;
        loop {
            let wire = self.wire()?;
            let news = wire.frames().iter().skip(looked_at);
            if let Some(frame) = news.into_iter().find(|frame| wanted(frame)) {
                return Ok(Some(frame.clone()));
            }
            // Frames whose end is not yet known are looked at again.
            looked_at = wire
                .frames()
                .iter()
                .position(|frame| frame.fates.is_empty())
                .unwrap_or(wire.frames().len());
            let at_most = deadline.saturating_duration_since(Instant::now());
            if at_most.is_zero() {
                return Ok(None);
            }
            let mut history = self.history.borrow_mut();
            let (_, news) = self.switch.commander.order(Order::Wait {
                from: history.length(),
                at_most,
            })?;
            build::append(&mut history, &news);
        }
    }

    /// Is no frame delayed or held back in the switch? Then nothing will come over the wire unless a host sends something.
    ///
    /// # Errors
    /// When the switch does not answer.
    pub fn is_quiet(&self) -> io::Result<bool> {
        Ok(self.switch.commander.order(Order::Busy)?.0 == 0)
    }

    /// The processes that work for this network, and are not the learner's.
    pub fn helpers(&self) -> Vec<i32> {
        vec![self.switch.pid]
    }

    /// The ports of the switch that hold the cables of this host.
    fn ports_of(&self, name: &str) -> io::Result<Ports> {
        Ok(self
            .find(name)?
            .devices()
            .iter()
            .map(|device| 1 << device.port)
            .sum())
    }

    fn find(&self, name: &str) -> io::Result<&Host> {
        self.hosts
            .iter()
            .find(|host| &**host.name() == name)
            .ok_or_else(|| {
                let names: Vec<&str> = self.hosts.iter().map(|host| &**host.name()).collect();
                invalid(format!(
                    "there is no host {name:?}; there are {}",
                    names.join(", ")
                ))
            })
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        if self.switch.is_ours() {
            // A connection that is closed now finds no peer any more to take its leave of. It would try for minutes and keep
            // its host for so long; a few hundred such hosts fill the kernel's table of neighbors, and frames of others are lost.
            for host in &self.hosts {
                let _ = host.sysctl("net.ipv4.tcp_orphan_retries", "1");
            }
        }
    }
}

impl Switch {
    /// Is the switch a child of this process? A forked child has a copy of this value, but not of its parent's children.
    fn is_ours(&self) -> bool {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        waitid(Id::PIDFd(self.pidfd.as_fd()), flags).is_ok()
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        if self.is_ours() {
            system::kill(self.pid, libc::SIGKILL);
            system::reap(self.pid);
        }
    }
}

/// Says what was being done when an error came.
fn context(doing: impl Display) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{doing}: {error}"))
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
