//! **Little or big?** The reference answer.
//!
//! The numbers come back in the order in which they went, so small sums survive. A carry does not: it goes
//! from the low byte to the next higher one, and for the server that is the other way.

/// Which end of a number comes first in memory?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The byte of the highest value comes first.
    BigEndian,
    /// The byte of the lowest value comes first.
    LittleEndian,
}

/// Which two numbers does the client send in text?
pub fn numbers_in_text() -> (u64, u64) {
    (1000, 24)
}

/// Which sum does the server answer in text?
pub fn sum_in_text() -> u64 {
    1024
}

/// In which order does the client's machine keep the bytes of a number?
pub fn order_of_the_client() -> Order {
    Order::BigEndian
}

/// How many bytes has an `unsigned long` on the client's machine?
pub fn size_of_long() -> usize {
    8
}

/// Where in the request is the padding, that is, the bytes that belong to no field? At which byte does it
/// begin, counted from 0, and how many bytes is it?
pub fn padding_of_the_request() -> (usize, usize) {
    (1, 7)
}

/// Which two numbers does the server take out of the structure?
pub fn numbers_the_server_takes() -> (u64, u64) {
    (0xe803_0000_0000_0000, 0x1800_0000_0000_0000)
}

/// Which sum does the client's program print, when it has the answer as a structure?
pub fn sum_the_client_prints() -> u64 {
    0x300
}

/// The client asks for the sum of 1 and 2, as structures. Which sum does its program print?
pub fn sum_of_1_and_2() -> u64 {
    3
}
