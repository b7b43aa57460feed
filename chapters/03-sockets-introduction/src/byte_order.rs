// ANCHOR: order
//! In which order do the bytes of a number lie in memory, and in which on the wire?

/// The two ways to lay out a number of several bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The low byte comes first.
    Little,
    /// The high byte comes first. This is network order.
    Big,
}

impl Order {
    /// Looks into memory to find the order of this host.
    pub fn of_this_host() -> Order {
        match 0x0102_u16.to_ne_bytes() {
            [0x02, 0x01] => Order::Little,
            _ => Order::Big,
        }
    }
}
// ANCHOR_END: order

// ANCHOR: wire
/// `number` in `N` bytes, high byte first. `None` when it needs more.
///
/// `N` is 1 to 8: two for a port, four for an IPv4 address, eight for a file's size.
pub fn to_wire<const N: usize>(number: u64) -> Option<[u8; N]> {
    const { assert!(N >= 1 && N <= 8) };
    let mut wire = [0; N];
    let mut rest = number;
    for byte in wire.iter_mut().rev() {
        *byte = rest as u8;
        rest >>= 8;
    }
    (rest == 0).then_some(wire)
}

/// The number that `wire` spells, high byte first. `wire` has at most eight bytes.
pub fn from_wire(wire: &[u8]) -> u64 {
    wire.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
// ANCHOR_END: wire
