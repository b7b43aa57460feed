//! A server that has no descriptors left cannot serve.

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
            && (!passes(errno) || errno == Errno::EMFILE)
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
