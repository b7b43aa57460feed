//! **A port on the wire.** The reference answers.
//!
//! The Ethernet header takes bytes 0 to 13, the IPv4 header 14 to 33, so TCP begins at byte 34, or 22
//! in hexadecimal.

use std::net::Ipv4Addr;

/// Which port does the client use?
pub fn source_port() -> u16 {
    0xe62c
}

/// To which port does it connect?
pub fn destination_port() -> u16 {
    0x1f40
}

/// Which is the client's address?
pub fn source_address() -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, 1)
}

/// Which is the server's address?
pub fn destination_address() -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, 2)
}

/// From which number does the client count the bytes that it will send?
pub fn sequence_number() -> u32 {
    0xe462_1d6c
}

/// At which byte of the frame, counted from 0, does the source port begin?
pub fn source_port_begins_at() -> usize {
    14 + 20
}

/// A program copies the two bytes of the destination port into a `u16`, as they are, and forgets
/// `ntohs`. Which port does it print, on a little-endian machine such as yours?
pub fn destination_port_without_ntohs() -> u16 {
    0x401f
}

/// The server calls `accept` with room for a `sockaddr_in`. Which sixteen bytes does the kernel write
/// for this client, on a little-endian machine? The family (`AF_INET` is 2) takes two bytes, then come
/// the port, the address, and eight bytes of padding.
pub fn what_accept_writes() -> [u8; 16] {
    [2, 0, 0xe6, 0x2c, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
}
