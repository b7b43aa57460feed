// ANCHOR: next
//! Which errors of `accept` are the server's business?

use std::os::fd::{AsFd, OwnedFd};
use std::thread::sleep;
use std::time::Duration;

use introduction::error::CallError;
use nix::errno::Errno;
use sockets_introduction::address::Address;
use sockets_introduction::value_result::accept;

/// Takes the next connection, and does not let one unlucky client or one busy moment end the server.
///
/// # Errors
///
/// Those that will not pass: `EBADF`, `EINVAL`, `ENOTSOCK`.
pub fn next_client(listener: impl AsFd) -> Result<(OwnedFd, Address), CallError> {
    loop {
        match accept(&listener) {
            Err(error) if concerns_one_client(error.errno) => {}
            // The connection stays in the queue, so the next `accept` fails as fast as this one.
            Err(error) if concerns_room(error.errno) => sleep(Duration::from_millis(100)),
            result => return result,
        }
    }
}
// ANCHOR_END: next

// ANCHOR: which
/// A signal came, or this client has gone already. The next one may be fine.
fn concerns_one_client(errno: Errno) -> bool {
    use Errno::{ECONNABORTED, EINTR, EPROTO};
    // Linux hands over errors of the network that were waiting on the new socket; accept(2).
    use Errno::{EHOSTDOWN, EHOSTUNREACH, ENETDOWN, ENETUNREACH, ENONET, ENOPROTOOPT, EOPNOTSUPP};
    matches!(errno, EINTR | ECONNABORTED | EPROTO)
        || matches!(errno, EHOSTDOWN | EHOSTUNREACH | ENETDOWN | ENETUNREACH)
        || matches!(errno, ENONET | ENOPROTOOPT | EOPNOTSUPP)
}

/// No descriptor or no memory is left, for the moment.
fn concerns_room(errno: Errno) -> bool {
    use Errno::{EMFILE, ENFILE, ENOBUFS, ENOMEM};
    matches!(errno, EMFILE | ENFILE | ENOBUFS | ENOMEM)
}
// ANCHOR_END: which
