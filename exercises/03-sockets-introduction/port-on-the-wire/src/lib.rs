//! **A port on the wire.** Read a frame as it crossed the cable, and say what stands in it.
//!
//! A client connects to a server. Here is its first frame, a SYN. The number on the left counts the
//! bytes of the frame from 0, in hexadecimal:
//!
//! ```text
//! 00  02 00 00 00 00 02 02 00  00 00 00 01 08 00 45 00
//! 10  00 3c cd 79 40 00 40 06  59 40 0a 00 00 01 0a 00
//! 20  00 02 e6 2c 1f 40 e4 62  1d 6c 00 00 00 00 a0 02
//! 30  fa f0 8b 61 00 00 02 04  05 b4 04 02 08 0a e7 cf
//! 40  be 9c 00 00 00 00 01 03  03 0a
//! ```
//!
//! Three headers stand one behind the other:
//!
//! | header   | length   | what stands where, counted from the header's first byte                      |
//! |----------|----------|------------------------------------------------------------------------------|
//! | Ethernet | 14 bytes | 0: destination, 6: source, 12: type                                          |
//! | IPv4     | 20 bytes | 9: protocol, 12: source address, 16: destination address                     |
//! | TCP      | 40 bytes | 0: source port, 2: destination port, 4: sequence number (32 bits), 13: flags |
//!
//! The file asks eight questions. Answer each: replace its `todo!` with a constant. A calculator is
//! allowed, a program is not needed. On a machine that can make hosts, your answers are also tried on a
//! frame which your own kernel sends.

use std::net::Ipv4Addr;

/// Which port does the client use?
pub fn source_port() -> u16 {
    todo!("two bytes of the TCP header")
}

/// To which port does it connect?
pub fn destination_port() -> u16 {
    todo!("two bytes of the TCP header")
}

/// Which is the client's address?
pub fn source_address() -> Ipv4Addr {
    todo!("four bytes of the IPv4 header")
}

/// Which is the server's address?
pub fn destination_address() -> Ipv4Addr {
    todo!("four bytes of the IPv4 header")
}

/// From which number does the client count the bytes that it will send?
pub fn sequence_number() -> u32 {
    todo!("four bytes of the TCP header")
}

/// At which byte of the frame, counted from 0, does the source port begin?
pub fn source_port_begins_at() -> usize {
    todo!("the headers before it, one behind the other")
}

/// A program copies the two bytes of the destination port into a `u16`, as they are, and forgets
/// `ntohs`. Which port does it print, on a little-endian machine such as yours?
pub fn destination_port_without_ntohs() -> u16 {
    todo!("the same two bytes, read the other way round")
}

/// The server calls `accept` with room for a `sockaddr_in`. Which sixteen bytes does the kernel write
/// for this client, on a little-endian machine? The family (`AF_INET` is 2) takes two bytes, then come
/// the port, the address, and eight bytes of padding.
pub fn what_accept_writes() -> [u8; 16] {
    todo!("family, port, address, padding; which of them are in network byte order?")
}
