//! **What will connect say?** The reference answer.

pub use nix::errno::Errno;

/// Whom a client finds at the address to which it connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// No socket has this port.
    Nobody,
    /// A UDP socket has this port. The client speaks TCP.
    UdpOnly,
    /// A TCP socket was bound to the port. It has not called `listen`.
    BoundOnly,
    /// The server listens, and its program sleeps: it has not called `accept`, and never will.
    NeverAccepts,
    /// The server listens at 127.0.0.1. The client connects to `::1`, same port.
    OnTheOtherLocalhost,
    /// The server listens at `[::]`, `IPV6_V6ONLY` off. The client connects to 127.0.0.1, same port.
    OnAllAddresses,
    /// The server listened, and has closed its listening socket.
    NoLongerThere,
    /// The address is 192.0.2.1, and the machine's only network is loopback.
    Nowhere,
}

/// What `connect(2)` returns to a client of this server.
///
/// # Errors
///
/// That is what the function is about.
pub fn connect(server: Server) -> Result<(), Errno> {
    match server {
        // The kernel of a listening server answers. Its program need not.
        Server::NeverAccepts | Server::OnAllAddresses => Ok(()),
        Server::Nobody
        | Server::UdpOnly
        | Server::BoundOnly
        | Server::OnTheOtherLocalhost
        | Server::NoLongerThere => Err(Errno::ECONNREFUSED),
        Server::Nowhere => Err(Errno::ENETUNREACH),
    }
}

/// What a server does with a connection that it has accepted, before the client calls `read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It closes.
    ClosedAtOnce,
    /// It writes 5 bytes and closes.
    WroteAndClosed,
    /// It writes 2 bytes, then 3 bytes, and all have arrived. It does not close.
    WroteTwice,
    /// The client has written 5 bytes, and they have arrived. The server closes without having read them.
    ClosedWithoutReading,
}

/// What the client's first two calls of `read(2)`, with room for 100 bytes, return: a number of bytes or
/// an error each. `None` stands for a call that would wait.
pub fn two_reads(then: Then) -> [Option<Result<usize, Errno>>; 2] {
    match then {
        Then::ClosedAtOnce => [Some(Ok(0)), Some(Ok(0))],
        Then::WroteAndClosed => [Some(Ok(5)), Some(Ok(0))],
        Then::WroteTwice => [Some(Ok(5)), None],
        // The error is told once. After that, the connection is over.
        Then::ClosedWithoutReading => [Some(Err(Errno::ECONNRESET)), Some(Ok(0))],
    }
}
