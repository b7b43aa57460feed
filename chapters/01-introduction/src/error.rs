// ANCHOR: call_error
//! Which call failed? An `errno` alone does not say.

use std::fmt;

use nix::errno::Errno;

/// A system call that failed, and its `errno`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallError {
    /// The name of the call, as its man page has it.
    pub call: &'static str,
    /// Why it failed; errno(3) lists the numbers.
    pub errno: Errno,
}

impl std::error::Error for CallError {}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.errno)
    }
}
// ANCHOR_END: call_error

// ANCHOR: in_call
/// Adds the name of the call to what it returned.
pub trait InCall<T> {
    /// Says which call this is the result of.
    ///
    /// # Errors
    ///
    /// The same `errno`, with the name.
    fn in_call(self, call: &'static str) -> Result<T, CallError>;
}

impl<T> InCall<T> for nix::Result<T> {
    fn in_call(self, call: &'static str) -> Result<T, CallError> {
        self.map_err(|errno| CallError { call, errno })
    }
}
// ANCHOR_END: in_call
