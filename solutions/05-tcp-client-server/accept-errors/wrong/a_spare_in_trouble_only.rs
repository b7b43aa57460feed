//! When no spare is to be had, there is time until the next trouble.

use std::fs::File;
use std::os::fd::OwnedFd;

use nix::errno::Errno;

pub fn serve(
    mut accept: impl FnMut() -> Result<OwnedFd, Errno>,
    mut handle: impl FnMut(OwnedFd),
) -> Errno {
    let mut spare = spare_descriptor();
    loop {
        let told: Result<(), Errno> = match accept() {
            Ok(connection) => {
                handle(connection);
                continue;
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
        if spare.is_none() {
            spare = spare_descriptor();
        }
    }
}

fn spare_descriptor() -> Option<File> {
    File::open("/dev/null").ok()
}

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
