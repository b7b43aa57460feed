//! **How long is an address?** The reference answer.
//!
//! Every family has a least length, and the kernel a greatest: the 128 bytes of the `sockaddr_storage`
//! that it copies an address to. Only the Unix domain has a greatest length of its own, for there the
//! length is part of the name.
#![allow(
    clippy::missing_errors_doc,
    reason = "which errors there are is the question"
)]

pub use nix::errno::Errno;

/// What `bind` does with an `AF_INET` socket and the first `length` bytes of this address: family
/// `AF_INET`, port 0, address 0.0.0.0, then zeros without end.
pub fn ipv4(length: usize) -> Result<(), Errno> {
    match length {
        16..=128 => Ok(()),
        _ => Err(Errno::EINVAL),
    }
}

/// What `bind` does with an `AF_INET6` socket and the first `length` bytes of this address: family
/// `AF_INET6`, port 0, flow label 0, address `::`, scope id 0, then zeros without end.
pub fn ipv6(length: usize) -> Result<(), Errno> {
    match length {
        // Without the scope id it is the structure of RFC 2133, which Linux still takes.
        24..=128 => Ok(()),
        _ => Err(Errno::EINVAL),
    }
}

/// What `bind` does with an `AF_UNIX` socket and the first `length` bytes of this address: family
/// `AF_UNIX`, the name `foo.socket`, then zeros without end.
///
/// Returns the name of the file that appears in the folder, or `""` when `bind` succeeds and no file
/// appears.
pub fn unix(length: usize) -> Result<&'static str, Errno> {
    const NAME: &str = "foo.socket";
    match length {
        // No byte of a name: the kernel chooses an abstract one.
        2 => Ok(""),
        3..=110 => Ok(&NAME[..NAME.len().min(length - 2)]),
        _ => Err(Errno::EINVAL),
    }
}

/// A family, as `socket` gets it or as the first two bytes of an address say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `AF_UNSPEC`, 0: no family. An address can say so, a socket cannot.
    Unspec,
    /// `AF_UNIX`: an address is 110 bytes long.
    Unix,
    /// `AF_INET`: an address is 16 bytes long.
    Inet,
    /// `AF_INET6`: an address is 28 bytes long.
    Inet6,
}

/// What `bind` does with a socket of one family and an address that says another. All bytes of the
/// address behind the family are zero, and its length is right for the family that it says (16 for
/// `AF_UNSPEC`).
pub fn family(socket: Family, address: Family) -> Result<(), Errno> {
    use Family::{Inet, Inet6, Unix, Unspec};
    match (socket, address) {
        // For old programs that left the family 0, as long as the address is 0.0.0.0.
        (Unix, Unix) | (Inet, Inet | Unspec) | (Inet6, Inet6) => Ok(()),
        // The Unix domain has no other error for it. IPv6 looks at the length first, and 16 are too few.
        (Unix, _) | (Inet6, Inet | Unspec) => Err(Errno::EINVAL),
        _ => Err(Errno::EAFNOSUPPORT),
    }
}
