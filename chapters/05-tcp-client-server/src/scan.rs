// ANCHOR: state
//! What does `connect` tell about a port?

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use introduction::error::{CallError, InCall};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, connect, getsockopt, socket, sockopt,
};
use sockets_introduction::value_result::local_address;

/// What a connect scan can see of a port, and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The host answered SYN with SYN and ACK: somebody listens.
    Open,
    /// The host answered with RST: nobody listens. Or something in between answered for it.
    Closed,
    /// No answer, or one that says that the way is barred. The port may be anything.
    Filtered,
}

impl State {
    /// What the end of a `connect` says.
    fn of(result: nix::Result<()>) -> Result<State, CallError> {
        match result {
            Ok(()) => Ok(State::Open),
            Err(Errno::ECONNREFUSED | Errno::ECONNRESET) => Ok(State::Closed),
            Err(Errno::ETIMEDOUT | Errno::EHOSTUNREACH | Errno::ENETUNREACH | Errno::EACCES) => {
                Ok(State::Filtered)
            }
            Err(errno) => Err(errno).in_call("connect"),
        }
    }
}
// ANCHOR_END: state

// ANCHOR: scan
/// How much a scan may do at once, and how long it waits.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Connections under way at any time; at least one.
    pub at_once: usize,
    /// After this time without an answer, a port counts as filtered.
    pub patience: Duration,
}

/// Tries to connect to each of the ports, and closes again at once.
///
/// # Errors
///
/// `EMFILE` when not even one socket can be had; what else `connect(2)` reports that tells nothing
/// about the port.
pub fn scan(host: IpAddr, ports: &[u16], pace: Pace) -> Result<Vec<(u16, State)>, CallError> {
    let mut found = Vec::new();
    let mut under_way: Vec<Attempt> = Vec::new();
    let mut ports = ports.iter().copied().peekable();
    while ports.peek().is_some() || !under_way.is_empty() {
        while under_way.len() < pace.at_once.max(1)
            && let Some(&port) = ports.peek()
        {
            match Attempt::begin(SocketAddr::new(host, port)) {
                // The others must end first.
                Err(error) if error.errno == Errno::EMFILE && !under_way.is_empty() => break,
                begun => under_way.push(begun?),
            }
            ports.next();
        }
        wait_for_one(&under_way, pace.patience)?;
        let mut waiting = Vec::new();
        for attempt in under_way {
            match attempt.result(pace.patience)? {
                Some(state) => found.push((attempt.address.port(), state)),
                None => waiting.push(attempt),
            }
        }
        under_way = waiting;
    }
    found.sort_unstable_by_key(|(port, _)| *port);
    Ok(found)
}
// ANCHOR_END: scan

// ANCHOR: attempt
/// A `connect` that has begun.
struct Attempt {
    address: SocketAddr,
    socket: OwnedFd,
    began: Instant,
    /// It ended at once, as it may on the same host.
    ended: Option<nix::Result<()>>,
}

impl Attempt {
    fn begin(address: SocketAddr) -> Result<Attempt, CallError> {
        let to = SockaddrStorage::from(address);
        let family = if address.is_ipv4() {
            AddressFamily::Inet
        } else {
            AddressFamily::Inet6
        };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(family, SockType::Stream, flags, None).in_call("socket")?;
        let ended = match connect(socket.as_raw_fd(), &to) {
            Err(Errno::EINPROGRESS | Errno::EINTR) => None,
            result => Some(result),
        };
        Ok(Attempt {
            address,
            socket,
            began: Instant::now(),
            ended,
        })
    }

    /// What it came to, if it has come to anything.
    fn result(&self, patience: Duration) -> Result<Option<State>, CallError> {
        let mut ended = self.ended;
        if ended.is_none() && self.is_ready()? {
            let errno = getsockopt(&self.socket, sockopt::SocketError).in_call("getsockopt")?;
            ended = Some(if errno == 0 {
                Ok(())
            } else {
                Err(Errno::from_raw(errno))
            });
        }
        match ended {
            None if self.began.elapsed() < patience => Ok(None),
            None => Ok(Some(State::Filtered)),
            // On the same host the kernel may choose the very port as our own: we met ourselves.
            Some(Ok(())) if local_address(&self.socket)?.to_std() == Some(self.address) => {
                Ok(Some(State::Closed))
            }
            Some(result) => State::of(result).map(Some),
        }
    }

    fn is_ready(&self) -> Result<bool, CallError> {
        let mut ready = [PollFd::new(self.socket.as_fd(), PollFlags::POLLOUT)];
        match poll(&mut ready, PollTimeout::ZERO) {
            // A signal came first, even where there is nothing to wait for.
            Err(Errno::EINTR) => Ok(false),
            count => Ok(count.in_call("poll")? == 1),
        }
    }
}

/// Waits until one of them ends, or the oldest runs out of time.
fn wait_for_one(under_way: &[Attempt], patience: Duration) -> Result<(), CallError> {
    let ended = under_way.iter().any(|attempt| attempt.ended.is_some());
    let oldest = under_way
        .iter()
        .map(|attempt| attempt.began.elapsed())
        .max();
    let time = match oldest {
        Some(elapsed) if !ended => patience.saturating_sub(elapsed).as_millis() + 1,
        _ => 0,
    };
    let ends = under_way
        .iter()
        .map(|one| PollFd::new(one.socket.as_fd(), PollFlags::POLLOUT));
    let time = PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX);
    match poll(&mut ends.collect::<Vec<_>>(), time) {
        Err(Errno::EINTR) | Ok(_) => Ok(()),
        Err(errno) => Err(errno).in_call("poll"),
    }
}
// ANCHOR_END: attempt

// ANCHOR: permitted
/// Whether this host is surely one of your own: this machine, or an address that no network but
/// yours routes (RFC 1918, RFC 3927, RFC 4193, RFC 4291).
pub fn is_at_home(host: IpAddr) -> bool {
    match host.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}
// ANCHOR_END: permitted
