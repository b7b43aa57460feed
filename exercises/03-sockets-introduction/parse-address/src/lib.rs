//! **From text to an address.** And back, for people who type `[fe80::1%eth0]:80`.
//!
//! Write [`parse`] and [`text`]. These forms are addresses, and no others:
//!
//! | text                | what it is                                                        |
//! |---------------------|-------------------------------------------------------------------|
//! | `192.0.2.1:80`      | IPv4: four decimal numbers without leading zeros                  |
//! | `[2001:db8::1]:80`  | IPv6, in every form that `Ipv6Addr` reads, always in brackets     |
//! | `[fe80::1%2]:80`    | with a scope id, in digits; it need not be the index of anything  |
//! | `[fe80::1%eth0]:80` | with the name of an interface, whose index is the scope id        |
//!
//! A port is one or more digits and at most 65535. Nothing comes before, between or behind: no space, no
//! sign, no name of a host. The text may come from anybody, and you never panic.
//!
//! Use the parsers of `std` for `Ipv4Addr`, `Ipv6Addr`, even `SocketAddr`: what they do not know is the
//! names of interfaces. `if_nametoindex(3)` does.

use std::net::SocketAddr;

/// Reads a socket address from text, in one of the forms above.
///
/// # Errors
///
/// A line for the user, which quotes the part of the text that is wrong: `"65536"` for a port that is
/// too large, `"eth7"` for an interface that is not there.
pub fn parse(text: &str) -> Result<SocketAddr, String> {
    todo!("the address in {text:?}")
}

/// Writes a socket address so that [`parse`] reads it back. A scope id other than 0 is shown as the
/// name of the interface with that index, or as a number if there is none.
pub fn text(address: &SocketAddr) -> String {
    todo!("{address:?} as text")
}
