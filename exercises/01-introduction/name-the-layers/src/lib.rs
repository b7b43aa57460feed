//! **Name the layers.** Four frames as they crossed a cable. Say what is in them, from the outside in.
//!
//! The number on the left counts the bytes of the frame from 0, in hexadecimal. No tool is needed but
//! this chapter; a calculator helps.
//!
//! Frame A was sent by a daytime server:
//!
//! ```text
//! 00  02 00 00 00 00 01 02 00  00 00 00 02 08 00 45 00
//! 10  00 4e 8e b3 40 00 40 06  97 f4 0a 00 00 02 0a 00
//! 20  00 01 00 0d e5 b0 40 66  43 46 40 6e 9e 38 80 18
//! 30  00 40 ff dd 00 00 01 01  08 0a 51 74 98 55 d3 2e
//! 40  34 cc 53 61 74 20 4e 6f  76 20 32 31 20 30 38 3a
//! 50  35 33 3a 34 31 20 32 30  32 36 0d 0a
//! ```
//!
//! Frame B was sent by another server, through a network card that sends no frame of less than 60 bytes:
//!
//! ```text
//! 00  02 00 00 00 00 01 02 00  00 00 00 02 08 00 45 00
//! 10  00 2b 2a b4 40 00 40 06  fc 16 0a 00 00 02 0a 00
//! 20  00 01 00 0d 9a ee 21 ae  f8 db f0 5f df 20 50 18
//! 30  00 3f 9d 16 00 00 6f 6b  0a 00 00 00
//! ```
//!
//! Frame C:
//!
//! ```text
//! 00  02 00 00 00 00 02 02 00  00 00 00 01 86 dd 60 0f
//! 10  81 22 00 0c 11 40 fd 00  00 00 00 00 00 00 00 00
//! 20  00 00 00 00 00 01 fd 00  00 00 00 00 00 00 00 00
//! 30  00 00 00 00 00 02 af 9e  00 7b 00 0c 7d e3 74 69
//! 40  63 6b
//! ```
//!
//! Frame D:
//!
//! ```text
//! 00  ff ff ff ff ff ff 02 00  00 00 00 01 08 06 00 01
//! 10  08 00 06 04 00 01 02 00  00 00 00 01 0a 00 00 01
//! 20  00 00 00 00 00 00 0a 00  00 02
//! ```

use std::net::Ipv4Addr;

/// What a part of a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// The header of the frame, 14 bytes.
    Ethernet,
    /// A question or an answer of the Address Resolution Protocol.
    Arp,
    /// A header of version 4 of the Internet Protocol.
    Ipv4,
    /// A header of version 6.
    Ipv6,
    /// A header of the Internet Control Message Protocol.
    Icmp,
    /// A header of the Transmission Control Protocol.
    Tcp,
    /// A header of the User Datagram Protocol.
    Udp,
    /// What a program sent.
    Data,
    /// What nobody sent: zeros behind the packet, to make the frame long enough.
    Padding,
}

/// What is in frame A, from the outside in?
pub fn layers_of_a() -> Vec<Layer> {
    todo!("the layers of frame A, as in vec![Layer::Ethernet, ...]")
}

/// At which byte of frame A, counted from 0, does the data begin?
pub fn data_of_a_begins_at() -> usize {
    todo!("the lengths of the three headers before it")
}

/// What is in frame B?
pub fn layers_of_b() -> Vec<Layer> {
    todo!("the layers of frame B")
}

/// How many bytes did the server's program send in frame B?
pub fn bytes_of_data_in_b() -> usize {
    todo!("ask the header that knows where the packet ends")
}

/// What is in frame C?
pub fn layers_of_c() -> Vec<Layer> {
    todo!("the layers of frame C")
}

/// At which byte of frame C, counted from 0, does the header of UDP begin?
pub fn udp_of_c_begins_at() -> usize {
    todo!("the lengths of the headers before it")
}

/// What is in frame D?
pub fn layers_of_d() -> Vec<Layer> {
    todo!("the layers of frame D")
}

/// Whose hardware address does frame D ask for?
pub fn sought_in_d() -> Ipv4Addr {
    todo!("four bytes of the question")
}
