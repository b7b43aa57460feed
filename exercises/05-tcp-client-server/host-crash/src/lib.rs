//! **What the client hears.** Write it down. Then it happens.
//!
//! A client and a server are connected; a line went there and came back, and now it is quiet. Then the
//! server, or all of its host, comes to an end, in one of five ways. The client
//!
//! 1. calls `read`, to see whether it hears of it without doing anything ([`first_read`]);
//! 2. if it does not, leaves that `read` be and writes 5 bytes; if it does, writes 5 bytes, too
//!    ([`first_write`]);
//! 3. something may come back ([`answer`]);
//! 4. then it calls `read` again, and waits until that returns ([`second_read`]);
//! 5. and writes 5 bytes once more ([`second_write`]).
//!
//! The grader does each of them to hosts of its own, with processes killed and cables cut, and compares. So
//! that you need not wait for a quarter of an hour, the client's kernel gives up after 0.3 seconds instead
//! (`TCP_USER_TIMEOUT`); what it says then is the same.

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
    todo!("None, Some(Ok(n)) or Some(Err(Errno::...)), for {fate:?}")
}

/// What the first `write(2)` of 5 bytes returns.
pub fn first_write(fate: Fate) -> Result<usize, Errno> {
    todo!("Ok(n) or Err(Errno::...), for {fate:?}")
}

/// What comes back from the server's host in answer to those bytes.
pub fn answer(fate: Fate) -> Option<Segment> {
    todo!("None, Some(Segment::Fin) or Some(Segment::Rst), for {fate:?}")
}

/// What the next `read` returns: after the answer, or, where there is none, as soon as it returns at all.
pub fn second_read(fate: Fate) -> Result<usize, Errno> {
    todo!("Ok(n) or Err(Errno::...), for {fate:?}")
}

/// What a `write` of 5 bytes returns right after that. `SIGPIPE` is ignored.
pub fn second_write(fate: Fate) -> Result<usize, Errno> {
    todo!("Ok(n) or Err(Errno::...), for {fate:?}")
}
