//! 64 bits are htonl of each half.

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
    // What C calls htons: on a big-endian machine it does nothing.
    port.to_be()
}

/// Returns the offer as it goes on the wire.
pub fn to_wire(offer: &Offer) -> [u8; LEN] {
    let mut wire = [0; LEN];
    wire[0] = offer.kind;
    wire[1..3].copy_from_slice(&offer.port.to_be_bytes());
    wire[3..7].copy_from_slice(&offer.skew.to_be_bytes());
    wire[7..15].copy_from_slice(&htonll(offer.size).to_ne_bytes());
    wire
}

/// Takes an offer from the start of `bytes`. What follows the first [`LEN`] bytes is not looked at.
///
/// Returns `None` when `bytes` is shorter than an offer.
pub fn from_wire(bytes: &[u8]) -> Option<Offer> {
    let (&[kind], bytes) = bytes.split_first_chunk()?;
    let (&port, bytes) = bytes.split_first_chunk()?;
    let (&skew, bytes) = bytes.split_first_chunk()?;
    let (&size, _) = bytes.split_first_chunk()?;
    Some(Offer {
        kind,
        port: u16::from_be_bytes(port),
        skew: i32::from_be_bytes(skew),
        size: u64::from_be_bytes(size),
    })
}

fn htonll(x: u64) -> u64 {
    let (high, low) = ((x >> 32) as u32, x as u32);
    u64::from(libc::htonl(high)) << 32 | u64::from(libc::htonl(low))
}
