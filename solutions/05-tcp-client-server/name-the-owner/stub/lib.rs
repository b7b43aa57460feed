//! **Who has the port?** `Address already in use`, says `bind`. Whose is it, then?
//!
//! Write [`listeners`]. The kernel tells it in two steps, both under `/proc`:
//!
//! - `/proc/net/tcp` and `/proc/net/tcp6` have a line for each socket, below a line of headings. Its fields
//!   are divided by blanks. The second is the local address, a colon and the port, in hexadecimal; the
//!   fourth is the state, where `0A` is LISTEN; the tenth is the number of the socket's inode. See proc(5).
//! - `/proc/PID/fd` has a link for each descriptor of a process. Where the descriptor is a socket, the link
//!   says `socket:[4711]`, with the same number.
//!
//! You do not get to see into every process, and processes come and go while you look.

use std::io;

/// The ids of all processes that have a TCP socket that listens on `port`, at any address, IPv4 or IPv6.
///
/// In ascending order, each once. Processes that cannot be looked into are left out.
///
/// # Errors
///
/// What opening or reading the tables reports. A kernel without IPv6 has no `/proc/net/tcp6`, and that is no error.
pub fn listeners(port: u16) -> io::Result<Vec<u32>> {
    todo!("which sockets listen on {port}, and which processes have them?")
}
