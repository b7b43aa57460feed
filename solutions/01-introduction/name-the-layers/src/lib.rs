//! **Name the layers.** The reference answers.
//!
//! A: the TCP header says 80 at its byte 12, eight units of four bytes. B: the packet has 2b bytes, 43, and the
//! frame 60. C: a header of IPv6 has 40 bytes. D: the type of the frame is 08 06, and there is no IP in it.

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
    vec![Layer::Ethernet, Layer::Ipv4, Layer::Tcp, Layer::Data]
}

/// At which byte of frame A, counted from 0, does the data begin?
pub fn data_of_a_begins_at() -> usize {
    14 + 20 + 32
}

/// What is in frame B?
pub fn layers_of_b() -> Vec<Layer> {
    vec![
        Layer::Ethernet,
        Layer::Ipv4,
        Layer::Tcp,
        Layer::Data,
        Layer::Padding,
    ]
}

/// How many bytes did the server's program send in frame B?
pub fn bytes_of_data_in_b() -> usize {
    43 - 20 - 20
}

/// What is in frame C?
pub fn layers_of_c() -> Vec<Layer> {
    vec![Layer::Ethernet, Layer::Ipv6, Layer::Udp, Layer::Data]
}

/// At which byte of frame C, counted from 0, does the header of UDP begin?
pub fn udp_of_c_begins_at() -> usize {
    14 + 40
}

/// What is in frame D?
pub fn layers_of_d() -> Vec<Layer> {
    vec![Layer::Ethernet, Layer::Arp]
}

/// Whose hardware address does frame D ask for?
pub fn sought_in_d() -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, 2)
}
