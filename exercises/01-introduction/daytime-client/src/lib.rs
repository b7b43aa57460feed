//! **What time is it?** Ask a server, and bring back all that it says.
//!
//! Write [`daytime`]: connect to the server, send nothing, read until the server has closed its side,
//! close yours. The server may be reached over IPv4 or IPv6. It may say its line in one write or in
//! twenty-six, it may say much more than a line, and nobody promised that it is text.
//!
//! `TcpStream::connect` and `read_to_end` would do it, because they are what you are about to write.
//! Use the calls, from `libc` or from `nix`, and let each error name the call that failed.

use std::net::SocketAddr;

pub use nix::errno::Errno;

/// A system call that failed, by its name in the manual (`"connect"`), and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallError {
    pub call: &'static str,
    pub errno: Errno,
}

/// Asks the daytime server at this address. Returns every byte that it sent until it closed.
///
/// # Errors
///
/// That of the first call which fails: `socket`, `connect` or `read`. Half an answer is not an answer.
pub fn daytime(server: SocketAddr) -> Result<Vec<u8>, CallError> {
    todo!("connect to {server}, read to the end")
}
