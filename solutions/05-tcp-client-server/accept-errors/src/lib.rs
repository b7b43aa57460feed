//! **The server that stopped serving.** The reference answer.
//!
//! The spare descriptor is a promise that one more client can be told. It is broken for as long as it takes
//! to tell, and no longer.

use std::fs::File;
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
    let mut spare = None;
    loop {
        // Once more, if there was none to be had the last time.
        spare = spare.or_else(spare_descriptor);
        let told: Result<(), Errno> = match accept() {
            Ok(connection) => {
                handle(connection);
                Ok(())
            }
            Err(Errno::EMFILE | Errno::ENFILE) => {
                // In the place of the spare: one client comes in, and goes.
                spare = None;
                accept().map(drop)
            }
            Err(errno) => Err(errno),
        };
        if let Err(errno) = told
            && !passes(errno)
        {
            return errno;
        }
    }
}

/// None, if there is not even one left now. Later, perhaps.
fn spare_descriptor() -> Option<File> {
    File::open("/dev/null").ok()
}

/// Whether the next call may be fine.
fn passes(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::EINTR
            | Errno::ECONNABORTED
            | Errno::EPROTO
            | Errno::ENETDOWN
            | Errno::ENETUNREACH
            | Errno::EHOSTDOWN
            | Errno::EHOSTUNREACH
            | Errno::ENONET
            | Errno::ENOPROTOOPT
            | Errno::ENOBUFS
            | Errno::ENOMEM
            | Errno::EMFILE
            | Errno::ENFILE
    )
}
