//! What do the bytes look like that leave the machine?
//!
//! A client and a server, each with its own network, and a switch between them that keeps each
//! frame. The offsets are counted by hand, because a decoder would say what it believes.

use std::net::{TcpListener, TcpStream, UdpSocket};

use lab::net::Net;
use lab::prelude::*;
use lab::trial::{hex, said, saw};
use libc::{AF_INET6, SOCK_STREAM};

use crate::sockets::{Bytes, connect, socket, v6};

/// A frame begins with an Ethernet header of 14 bytes. Then comes IPv4, here without options, of 20.
const IP: usize = 14;
/// TCP's or UDP's header.
const TRANSPORT: usize = IP + 20;

/// The network of all experiments here.
const HOSTS: [&str; 2] = ["client", "server"];

/// Nobody else is in the server's network, so the port can be the one that the claim names.
const PORT: u16 = 8000;

/// The number is the same in TCP and UDP, and in the same place.
pub fn port_8000_is_1f40_on_the_wire(cx: &Check) -> Verdict {
    let net = cx.lan(&HOSTS)?;
    let destination_port = TRANSPORT + 2..TRANSPORT + 4;
    let (syn, _) = handshake(&net)?;
    let port = hex(&syn[destination_port.clone()]);
    saw(cx, "TCP destination port 8000", port).is("1f 40")?;
    let datagram = datagram(&net, b"")?;
    let port = hex(&datagram[destination_port]);
    saw(cx, "UDP destination port 8000", port).is("1f 40")?;
    PASS
}

/// Lengths, ports and sequence numbers have the high byte first. Four bytes of payload have what
/// the program put there.
pub fn headers_are_big_endian_and_the_payload_is_free(cx: &Check) -> Verdict {
    let net = cx.lan(&HOSTS)?;
    let frame = datagram(&net, &1_u32.to_le_bytes())?;
    let total_length = hex(&frame[IP + 2..IP + 4]);
    saw(cx, "IP total length 32", total_length).is("00 20")?;
    let length = hex(&frame[TRANSPORT + 4..TRANSPORT + 6]);
    saw(cx, "UDP length 12", length).is("00 0c")?;
    let payload = hex(&frame[TRANSPORT + 8..TRANSPORT + 12]);
    saw(cx, "the payload, 1 in little-endian", payload).is("01 00 00 00")?;

    // TCP acknowledges a SYN with its sequence number and one. Read the wrong way round, the two
    // numbers would be far apart.
    let (syn, syn_ack) = handshake(&net)?;
    let number = |frame: &[u8], at: usize| {
        u32::from_be_bytes([frame[at], frame[at + 1], frame[at + 2], frame[at + 3]])
    };
    let sequence = number(&syn, TRANSPORT + 4);
    let acknowledgment = number(&syn_ack, TRANSPORT + 8);
    let ahead = acknowledgment.wrapping_sub(sequence);
    saw(cx, "TCP acknowledgment minus sequence number", ahead).is(1)?;
    PASS
}

/// RFC 791 calls Don't Fragment bit 1 of three flags, and on the wire it is 0x40 of a byte: so bit
/// 0, which is always zero, is 0x80. Counted as in C, bit 1 would be 0x02.
pub fn bit_0_is_the_most_significant_on_the_wire(cx: &Check) -> Verdict {
    let net = cx.lan(&HOSTS)?;
    let frame = datagram(&net, &0x0102_0304_u32.to_be_bytes())?;
    let number = hex(&frame[TRANSPORT + 8..TRANSPORT + 12]);
    saw(cx, "0x01020304 in network order", number).is("01 02 03 04")?;
    let address = u32::from(net.host("server").v4());
    let (what, wanted) = (format!("the address {address:#010x}"), "0a 00 00 02");
    saw(cx, &what, hex(&frame[IP + 16..IP + 20])).is(wanted)?;
    let flags = hex(&frame[IP + 6..IP + 7]);
    saw(cx, "the flags, of which bit 1 is Don't Fragment", flags).is("40")?;
    PASS
}

/// Each link has its fe80::, so the address alone does not say on which of them the server is.
pub fn a_link_local_connect_needs_the_scope_id(cx: &Check) -> Verdict {
    let net = cx.lan(&HOSTS)?;
    let (client, server) = (net.host("client"), net.host("server"));
    let _listener = server.run(|| TcpListener::bind(("::", PORT)))?;
    let connect_with = |scope_id| {
        let address = v6(server.link_local().octets(), scope_id, PORT);
        let socket = client.run(|| socket(AF_INET6, SOCK_STREAM))?;
        Ok::<_, Finding>(said(&connect(&socket, address.bytes())))
    };
    let without = connect_with(0)?;
    saw(cx, "connect to fe80:: with scope id 0", without).is("EINVAL")?;
    let with = connect_with(client.index())?;
    saw(cx, "with the number of the interface", with).is("ok")?;
    PASS
}

/// Connects the client to the server. Returns the frames of its SYN and of the server's answer.
fn handshake(net: &Net) -> Result<(Vec<u8>, Vec<u8>), Finding> {
    let (client, server) = (net.host("client"), net.host("server"));
    let _listener = server.run(|| TcpListener::bind((server.v4(), PORT)))?;
    let _client = client.run(|| TcpStream::connect((server.v4(), PORT)))?;
    Ok((
        first_frame(net, "client", TCP)?,
        first_frame(net, "server", TCP)?,
    ))
}

/// Sends a datagram from the client to the server. Returns its frame.
fn datagram(net: &Net, payload: &[u8]) -> Result<Vec<u8>, Finding> {
    let (client, server) = (net.host("client"), net.host("server"));
    let receiver = server.run(|| UdpSocket::bind((server.v4(), PORT)))?;
    let sender = client.run(|| UdpSocket::bind((client.v4(), 0)))?;
    sender.send_to(payload, (server.v4(), PORT))?;
    // It may have to wait until the client knows the server's hardware address.
    receiver.recv(&mut [0; 64])?;
    first_frame(net, "client", UDP)
}

/// `IPPROTO_TCP` and `IPPROTO_UDP`, as IPv4 has them in a byte.
const TCP: u8 = 6;
const UDP: u8 = 17;

/// The first IPv4 frame from this host with this protocol.
fn first_frame(net: &Net, from: &str, protocol: u8) -> Result<Vec<u8>, Finding> {
    let wire = net.wire()?;
    let found = wire.frames().iter().find(|frame| {
        let is_ipv4 = frame.bytes[12..14] == [0x08, 0x00];
        &*frame.from == from && is_ipv4 && frame.bytes[IP + 9] == protocol
    });
    match found {
        Some(frame) => Ok(frame.bytes.to_vec()),
        None => Err(Finding::fault("the frame that was sent is not on the wire")),
    }
}
