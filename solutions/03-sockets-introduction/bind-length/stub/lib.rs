//! **How long is an address?** Say what `bind(2)` does with each length. Then Linux does it.
//!
//! `bind` takes a pointer to some address and the address's length in bytes. Programs get the length
//! wrong in every way there is: the size of a pointer (8), of another structure (16, 28, 110), of the
//! largest (128), one too many, one too few.
//!
//! Write down what you expect, as four small rules. The grader binds a new socket with each length from
//! 0 to 140, and with each pair of families, and compares with your rules. All of a rule has to be right.
//! No system calls: whether you know the kernel is the question. bind(2), ip(7), ipv6(7) and unix(7)
//! tell some of it, the grader tells where you are wrong, and why.

pub use nix::errno::Errno;

/// What `bind` does with an `AF_INET` socket and the first `length` bytes of this address: family
/// `AF_INET`, port 0, address 0.0.0.0, then zeros without end.
pub fn ipv4(length: usize) -> Result<(), Errno> {
    todo!("Ok(()) or Err(Errno::...), for {length} bytes of a sockaddr_in")
}

/// What `bind` does with an `AF_INET6` socket and the first `length` bytes of this address: family
/// `AF_INET6`, port 0, flow label 0, address `::`, scope id 0, then zeros without end.
pub fn ipv6(length: usize) -> Result<(), Errno> {
    todo!("Ok(()) or Err(Errno::...), for {length} bytes of a sockaddr_in6")
}

/// What `bind` does with an `AF_UNIX` socket and the first `length` bytes of this address: family
/// `AF_UNIX`, the name `foo.socket`, then zeros without end.
///
/// Returns the name of the file that appears in the folder, or `""` when `bind` succeeds and no file
/// appears.
pub fn unix(length: usize) -> Result<&'static str, Errno> {
    todo!("Ok(the file's name) or Err(Errno::...), for {length} bytes of a sockaddr_un")
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
    todo!("Ok(()) or Err(Errno::...), for a {socket:?} socket and a {address:?} address")
}
