//! **Big end first.** Two machines agree on a number only if they agree which of its bytes goes first.
//!
//! A peer offers you a file. It sends an [`Offer`] in 15 bytes, with no gap between the fields and
//! every number in network byte order, the most significant byte first:
//!
//! | bytes   | field  | what it is                                   |
//! |---------|--------|----------------------------------------------|
//! | 0       | `kind` | 8 bits                                       |
//! | 1 to 2  | `port` | 16 bits                                      |
//! | 3 to 6  | `skew` | 32 bits, signed, two's complement            |
//! | 7 to 14 | `size` | 64 bits                                      |
//!
//! Write [`to_wire`] and [`from_wire`]. Then write [`sin_port`]: it gives a number, not bytes, because
//! the field of that name in `sockaddr_in` is a number. The kernel looks at its two bytes in memory
//! and takes the first for the big end, on every machine.
//!
//! Use what you like: shifts, `to_be_bytes`, `libc::htons`.

/// The length of an offer on the wire, in bytes.
pub const LEN: usize = 15;

/// An offer of a file: come and fetch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// What sort of file it is.
    pub kind: u8,
    /// The port to fetch it from.
    pub port: u16,
    /// How far the sender's clock is ahead of true time, in milliseconds; negative when behind.
    pub skew: i32,
    /// The size of the file, in bytes.
    pub size: u64,
}

/// Returns the number to store in the field `sin_port` so that the kernel reads `port`.
pub fn sin_port(port: u16) -> u16 {
    todo!("the number whose bytes in memory are {port} in network byte order")
}

/// Returns the offer as it goes on the wire.
pub fn to_wire(offer: &Offer) -> [u8; LEN] {
    todo!("the {LEN} bytes of {offer:?}")
}

/// Takes an offer from the start of `bytes`. What follows the first [`LEN`] bytes is not looked at.
///
/// Returns `None` when `bytes` is shorter than an offer.
pub fn from_wire(bytes: &[u8]) -> Option<Offer> {
    todo!("the offer in {bytes:?}")
}
