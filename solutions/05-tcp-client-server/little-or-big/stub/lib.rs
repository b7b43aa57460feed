//! **Little or big?** Read what two machines said to each other, byte by byte.
//!
//! A client has a server add two numbers, twice the same two. First it asks in text, and all is well. Then
//! it sends a structure, as its C compiler made it. This is what such a pair puts on the wire:
//!
//! ```text
//! in text
//!   client  31 30 30 30 20 32 34 0a
//!   server  31 30 32 34 0a
//!
//! as structures
//!   client  2b 00 03 ff fc 71 b8 02  00 00 00 00 00 00 03 e8  00 00 00 00 00 00 00 18
//!   server  3d 55 7f 00 00 c0 e5 a4  00 00 00 00 00 00 03 00
//! ```
//!
//! Both programs were compiled from this source:
//!
//! ```c
//! struct request { char operation; unsigned long a, b; };   /* operation is '+' */
//! struct answer  { char status;    unsigned long sum; };    /* status is '=' */
//!
//! write(fd, &request, sizeof request);                      /* and the other way round with read */
//! ```
//!
//! The server runs on a little-endian machine with `long`s of 64 bits, such as yours. On what machine the
//! client runs, the bytes tell. The file asks eight questions. Answer each: replace its `todo!` with a
//! constant, in hexadecimal where you like. A table of ASCII is allowed (`man ascii`).

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
    todo!("two numbers, a blank between them, and a newline")
}

/// Which sum does the server answer in text?
pub fn sum_in_text() -> u64 {
    todo!("a number and a newline")
}

/// In which order does the client's machine keep the bytes of a number?
pub fn order_of_the_client() -> Order {
    todo!("the numbers are the same as in text")
}

/// How many bytes has an `unsigned long` on the client's machine?
pub fn size_of_long() -> usize {
    todo!("24 bytes, and three fields")
}

/// Where in the request is the padding, that is, the bytes that belong to no field? At which byte does it
/// begin, counted from 0, and how many bytes is it?
pub fn padding_of_the_request() -> (usize, usize) {
    todo!("a field of n bytes begins at a multiple of n")
}

/// Which two numbers does the server take out of the structure?
pub fn numbers_the_server_takes() -> (u64, u64) {
    todo!("the same bytes, in the memory of the server's machine")
}

/// Which sum does the client's program print, when it has the answer as a structure?
pub fn sum_the_client_prints() -> u64 {
    todo!("the bytes of the answer, in the memory of the client's machine")
}

/// The client asks for the sum of 1 and 2, as structures. Which sum does its program print?
pub fn sum_of_1_and_2() -> u64 {
    todo!("from the client's memory to the server's, added, and back")
}
