//! **The server that stopped serving.** Its accept loop was fine on a quiet day.
//!
//! Then a signal came, and the server was gone. Then a client gave up while it waited, and the server was
//! gone. Then there were more clients than descriptors, and the server was busy: with one core at a
//! hundred percent, and nobody served.
//!
//! Mend [`serve`]. Three kinds of errors are to be told apart; accept(2) lists them.
//!
//! - What concerns this one call or one client. The next call may be fine: `EINTR`, `ECONNABORTED`,
//!   `EPROTO`, and those that Linux hands on from the network, `ENETDOWN`, `ENETUNREACH`, `EHOSTDOWN`,
//!   `EHOSTUNREACH`, `ENONET`, `ENOPROTOOPT`. `ENOBUFS` and `ENOMEM` pass, too.
//! - No descriptor is left, `EMFILE`, or none in the whole system, `ENFILE`. The client stays in the queue,
//!   so the next call fails as fast as this one. Nobody shall wait there for nothing: keep a spare
//!   descriptor, `/dev/null` will do. Close it, accept the client in its place, close that at once, so
//!   that the client knows, and take a new spare.
//! - What will not pass: all others. A server that does not end then spins for ever.

use std::os::fd::OwnedFd;

use nix::errno::Errno;

/// Serves until `accept` fails for good, and returns that error.
///
/// `accept` waits for a client and gives its connection, as `accept(2)` does. Each connection is handed to
/// `handle`, except those that are closed at once because no descriptor is left.
pub fn serve(
    mut accept: impl FnMut() -> Result<OwnedFd, Errno>,
    mut handle: impl FnMut(OwnedFd),
) -> Errno {
    loop {
        match accept() {
            Ok(connection) => handle(connection),
            // There will be room again.
            Err(Errno::EMFILE) => {}
            Err(errno) => return errno,
        }
    }
}
