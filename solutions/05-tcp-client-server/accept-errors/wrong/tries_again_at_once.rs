//! EMFILE passes, as the others do.

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
    use Errno::*;
    matches!(errno, EINTR | ECONNABORTED | EPROTO)
        || matches!(
            errno,
            ENETDOWN | ENETUNREACH | EHOSTDOWN | EHOSTUNREACH | ENONET | ENOPROTOOPT
        )
        || matches!(errno, ENOBUFS | ENOMEM | EMFILE | ENFILE)
}
