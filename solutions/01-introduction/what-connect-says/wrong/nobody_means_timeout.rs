//! Where nobody listens, connect waits and times out.

pub use nix::errno::Errno;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    Nobody,
    UdpOnly,
    BoundOnly,
    NeverAccepts,
    OnTheOtherLocalhost,
    OnAllAddresses,
    NoLongerThere,
    Nowhere,
}

pub fn connect(server: Server) -> Result<(), Errno> {
    match server {
        // The kernel of a listening server answers. Its program need not.
        Server::NeverAccepts | Server::OnAllAddresses => Ok(()),
        Server::Nobody => Err(Errno::ETIMEDOUT),
        Server::UdpOnly
        | Server::BoundOnly
        | Server::OnTheOtherLocalhost
        | Server::NoLongerThere => Err(Errno::ECONNREFUSED),
        Server::Nowhere => Err(Errno::ENETUNREACH),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    ClosedAtOnce,
    WroteAndClosed,
    WroteTwice,
    ClosedWithoutReading,
}

pub fn two_reads(then: Then) -> [Option<Result<usize, Errno>>; 2] {
    match then {
        Then::ClosedAtOnce => [Some(Ok(0)), Some(Ok(0))],
        Then::WroteAndClosed => [Some(Ok(5)), Some(Ok(0))],
        Then::WroteTwice => [Some(Ok(5)), None],
        // The error is told once. After that, the connection is over.
        Then::ClosedWithoutReading => [Some(Err(Errno::ECONNRESET)), Some(Ok(0))],
    }
}
