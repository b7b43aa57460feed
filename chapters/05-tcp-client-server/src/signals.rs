// ANCHOR: on_signal
//! How does a program say what a signal shall do?

use std::mem::zeroed;
use std::ptr;

use introduction::error::{CallError, InCall};
use libc::c_int;
use nix::errno::Errno;
use nix::sys::signal::Signal;

/// Runs `handler` whenever `signal` comes: `sigaction(2)`.
///
/// `flags` is 0, or `SA_RESTART` to have the kernel repeat the calls that the signal interrupts.
/// The handler may call only what is async-signal-safe, see `signal-safety(7)`: no printing, no
/// memory, no locks.
///
/// # Errors
///
/// `EINVAL` for SIGKILL and SIGSTOP, which nobody can catch.
pub fn on_signal(
    signal: Signal,
    handler: extern "C" fn(c_int),
    flags: c_int,
) -> Result<(), CallError> {
    // SAFETY: all zeros are a `sigaction`: no flags, and no other signal blocked meanwhile.
    let mut action: libc::sigaction = unsafe { zeroed() };
    action.sa_sigaction = handler as *const () as libc::sighandler_t;
    action.sa_flags = flags;
    // SAFETY: the action is a whole one, and nobody asks for the one before.
    let result = unsafe { libc::sigaction(signal as c_int, &raw const action, ptr::null_mut()) };
    Errno::result(result).map(drop).in_call("sigaction")
}
// ANCHOR_END: on_signal
