//! The terminal as it was.
//!
//! A subject has no terminal, but one that opens it by its name may give it a mode in which nobody sees
//! what they type.

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};

/// The settings of the terminal that this process has as input, output or error, if one is.
pub struct Terminal(Option<Termios>);

impl Terminal {
    /// Remembers the settings.
    pub fn remember() -> Terminal {
        Terminal(find().and_then(|(_, settings)| settings.ok()))
    }

    /// Puts them back if they have changed.
    pub fn restore(&self) {
        let (Some(before), Some((fd, Ok(now)))) = (&self.0, find()) else {
            return;
        };
        if *before == now {
            return;
        }
        // Setting them from the background would stop this process.
        // SAFETY: SIG_IGN is a valid disposition, and what it replaces is put back.
        let usual = unsafe { signal(Signal::SIGTTOU, SigHandler::SigIgn) };
        let _ = tcsetattr(fd, SetArg::TCSANOW, before);
        if let Ok(usual) = usual {
            // SAFETY: it was the disposition before.
            let _ = unsafe { signal(Signal::SIGTTOU, usual) };
        }
    }
}

/// The first of the standard streams that is a terminal.
fn find() -> Option<(BorrowedFd<'static>, nix::Result<Termios>)> {
    for number in 0..3 {
        // SAFETY: isatty takes a number.
        if unsafe { libc::isatty(number) } == 1 {
            // SAFETY: it is open, as the line above has seen, and the lab never closes it.
            let fd = unsafe { BorrowedFd::borrow_raw(number) };
            return Some((fd, tcgetattr(fd.as_fd())));
        }
    }
    None
}
