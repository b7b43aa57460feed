//! **What the client hears.** The reference answer.
//!
//! A host that lives says what it knows: FIN for a process that ended, RST for a connection it does not
//! have. A host that does not live says nothing, and the client's own kernel has to guess.

pub use nix::errno::Errno;

/// What becomes of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// `kill -9` ends the server's process. Its host lives.
    ProcessKilled,
    /// The host loses its power, in a network far away. Nobody on the way notices: no ICMP comes.
    HostCrashed,
    /// The host loses its power, on the client's own Ethernet. The client's kernel has forgotten its
    /// hardware address in the meantime, and asks for it when it has something to send.
    NeighborCrashed,
    /// The host loses its power, and it is back, before the client does anything. No server was started.
    HostRebooted,
    /// Somebody calls `shutdown -h now`. Each process gets `SIGTERM` and ends, and then the power is off.
    HostShutDown,
}

/// A segment that ends something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment {
    /// The end of what the sender sends.
    Fin,
    /// There is no such connection.
    Rst,
}

/// What `read(2)` returns to a client that has written nothing since: a number of bytes, or an error, or
/// `None` when it waits, and nothing will ever come to end the wait.
pub fn first_read(fate: Fate) -> Option<Result<usize, Errno>> {
    match fate {
        Fate::ProcessKilled | Fate::HostShutDown => Some(Ok(0)),
        Fate::HostCrashed | Fate::NeighborCrashed | Fate::HostRebooted => None,
    }
}

/// What the first `write(2)` of 5 bytes returns.
///
/// # Errors
///
/// None: the kernel takes the bytes in all five cases.
pub fn first_write(_fate: Fate) -> Result<usize, Errno> {
    Ok(5)
}

/// What comes back from the server's host in answer to those bytes.
pub fn answer(fate: Fate) -> Option<Segment> {
    match fate {
        Fate::ProcessKilled | Fate::HostRebooted => Some(Segment::Rst),
        Fate::HostCrashed | Fate::NeighborCrashed | Fate::HostShutDown => None,
    }
}

/// What the next `read` returns: after the answer, or, where there is none, as soon as it returns at all.
///
/// # Errors
///
/// What the client's kernel made of it.
pub fn second_read(fate: Fate) -> Result<usize, Errno> {
    match fate {
        // The FIN is still what read finds first.
        Fate::ProcessKilled | Fate::HostShutDown => Ok(0),
        Fate::HostCrashed => Err(Errno::ETIMEDOUT),
        Fate::NeighborCrashed => Err(Errno::EHOSTUNREACH),
        Fate::HostRebooted => Err(Errno::ECONNRESET),
    }
}

/// What a `write` of 5 bytes returns right after that. `SIGPIPE` is ignored.
///
/// # Errors
///
/// `EPIPE` where the client's kernel knows that there is no connection any more.
pub fn second_write(fate: Fate) -> Result<usize, Errno> {
    match fate {
        // Nobody has said that the server does not read.
        Fate::HostShutDown => Ok(5),
        _ => Err(Errno::EPIPE),
    }
}
