//! The bytes of a structure are its fields, one behind the other.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    BigEndian,
    LittleEndian,
}

pub fn numbers_in_text() -> (u64, u64) {
    (1000, 24)
}

pub fn sum_in_text() -> u64 {
    1024
}

pub fn order_of_the_client() -> Order {
    Order::BigEndian
}

pub fn size_of_long() -> usize {
    8
}

pub fn padding_of_the_request() -> (usize, usize) {
    (1, 0)
}

pub fn numbers_the_server_takes() -> (u64, u64) {
    (0xe803_0000_0000_0000, 0x1800_0000_0000_0000)
}

pub fn sum_the_client_prints() -> u64 {
    0x300
}

pub fn sum_of_1_and_2() -> u64 {
    3
}
