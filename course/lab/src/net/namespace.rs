//! How does one process make several machines' worth of network, and move between them?
//!
//! A network namespace has its own devices, addresses, routes, ports and sysctls; see network_namespaces(7). A process
//! is in one at a time. A socket belongs for ever to the namespace it was made in, wherever its process goes later.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::stat::fstat;

use super::context;
use crate::system;

/// A network namespace, kept alive by this descriptor.
pub(super) struct Namespace(OwnedFd);

impl Namespace {
    /// The one this process is in.
    pub(super) fn current() -> io::Result<Self> {
        let path = "/proc/thread-self/ns/net";
        let file = File::open(path).map_err(context(path))?;
        Ok(Self(system::own(file.into())?))
    }

    /// A new one, and this process is in it.
    pub(super) fn fresh() -> io::Result<Self> {
        unshare(CloneFlags::CLONE_NEWNET)
            .map_err(io::Error::from)
            .map_err(context("unshare(CLONE_NEWNET)"))?;
        Self::current()
    }

    /// Moves this process there.
    pub(super) fn enter(&self) -> io::Result<()> {
        setns(&self.0, CloneFlags::CLONE_NEWNET)
            .map_err(io::Error::from)
            .map_err(context("setns"))
    }

    /// Does `work` there and comes back, also when `work` panics.
    pub(super) fn within<T>(&self, work: impl FnOnce() -> T) -> io::Result<T> {
        let back = Return(Self::current()?);
        self.enter()?;
        let result = work();
        drop(back);
        Ok(result)
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Goes back where it came from when dropped.
pub(super) struct Return(pub(super) Namespace);

impl Drop for Return {
    fn drop(&mut self) {
        // Without privileges one never gets away, and may not come back either.
        let returned = self.0.enter();
        let is_there =
            || Ok::<_, io::Error>(fstat(&self.0)?.st_ino == fstat(Namespace::current()?)?.st_ino);
        // A check that goes on in the wrong namespace would judge by the wrong network.
        if let Err(error) = returned {
            assert!(
                is_there().unwrap_or(false),
                "returning to the namespace this process came from: {error}"
            );
        }
    }
}
