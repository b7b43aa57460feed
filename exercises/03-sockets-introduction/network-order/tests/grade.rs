//! Grades `network-order`.

use std::mem::size_of;
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::{io, net::UdpSocket};

use lab::prelude::*;
use network_order::{LEN, Offer, from_wire, sin_port, to_wire};

pub fn main() -> std::process::ExitCode {
    Grader::new("network-order")
        .section("03-sockets-introduction#host-and-network-order")
        .check(2, sin_port_lies_right_in_memory)
        .check(1, writes_the_port_big_end_first)
        .check(1, writes_a_negative_number)
        .check(1, writes_all_64_bits_in_order)
        .check(1, reads_what_a_peer_wrote)
        .check(1, reads_bytes_above_127)
        .check(1, refuses_an_offer_cut_short)
        .check(1, leaves_what_follows_alone)
        .main()
}

/// The number that `sin_port` gives, put into a `sockaddr_in`, is that port for the kernel.
fn sin_port_lies_right_in_memory(cx: &Check) -> Verdict {
    for port in [8000, 80, 443, 1, 0x00ff, 0xff00, 0x1234, 65_534] {
        let stored = cx
            .spawner()
            .named("sin_port")
            .subject(move || sin_port(port))?
            .value()?;
        let read = port_that_the_kernel_reads(stored)?;
        let [first, second] = stored.to_ne_bytes();
        if read != port {
            return Err(Finding::fail(format!(
                "sin_port({port}) gave {stored}, which lies in memory as {first:02x} {second:02x}: \
                 the kernel read port {read} and connected a socket to it"
            )))
            .because(
                "The kernel takes the two bytes of sin_port in the order in which they lie in memory, and \
                 the first is the big end. Convert with htons, once; it is for 16 bits, htonl for 32.",
            );
        }
    }
    PASS
}

/// The 16 bits of the port go out with the most significant byte first.
fn writes_the_port_big_end_first(cx: &Check) -> Verdict {
    for port in [8000, 0x0102, 0x00ff, 0xff00] {
        let offer = Offer {
            kind: 7,
            port,
            skew: 0,
            size: 0,
        };
        written(cx, offer, "port", 1..3)?;
    }
    PASS
}

/// The 32 bits of the skew go out with the most significant byte first, and a negative number keeps its bits.
fn writes_a_negative_number(cx: &Check) -> Verdict {
    for skew in [0x0102_0304, -2, i32::MIN, -0x0102_0304] {
        let offer = Offer {
            kind: 0,
            port: 0,
            skew,
            size: 0,
        };
        written(cx, offer, "skew", 3..7)?;
    }
    PASS
}

/// The 64 bits of the size go out with the most significant byte first, from end to end.
fn writes_all_64_bits_in_order(cx: &Check) -> Verdict {
    for size in [0x0102_0304_0506_0708, 5_000_000_000, u64::MAX - 1] {
        let offer = Offer {
            kind: 0xfe,
            port: 0,
            skew: 0,
            size,
        };
        written(cx, offer, "size", 7..15)?;
    }
    PASS
}

/// Each field of an offer that a peer wrote comes out as the peer meant it.
fn reads_what_a_peer_wrote(cx: &Check) -> Verdict {
    read(
        cx,
        &[
            0x01, 0x1f, 0x40, 0x00, 0x00, 0x01, 0x02, 0, 0, 0, 0x01, 0x2a, 0x05, 0x72, 0x00,
        ],
        Offer {
            kind: 1,
            port: 8000,
            skew: 258,
            size: 0x1_2a05_7200,
        },
        "The first byte of each field is its big end: shift what you have up by 8 bits, then add the next byte.",
    )?;
    read(
        cx,
        &[
            2, 0x01, 0x02, 0x11, 0x12, 0x13, 0x14, 1, 2, 3, 4, 5, 6, 7, 8,
        ],
        Offer {
            kind: 2,
            port: 258,
            skew: 0x1112_1314,
            size: 0x0102_0304_0506_0708,
        },
        "The first byte of each field is its big end: shift what you have up by 8 bits, then add the next byte.",
    )
}

/// A byte above 127 is no negative number, and a field of such bytes is read without harm.
fn reads_bytes_above_127(cx: &Check) -> Verdict {
    const WHY: &str = "Bytes have no sign, only skew has one. Widen a byte while it is a u8; an i8 brings its sign along \
         and fills all the higher bits with it.";
    let wire = [
        0xff, 0x80, 0x90, 0x01, 0x02, 0x83, 0x84, 0x81, 2, 0x83, 4, 0x85, 6, 0x87, 0xf8,
    ];
    let offer = Offer {
        kind: 255,
        port: 0x8090,
        skew: 0x0102_8384,
        size: 0x8102_8304_8506_87f8,
    };
    read(cx, &wire, offer, WHY)?;
    let wire = [
        0x80, 0x00, 0xe1, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0xff,
    ];
    let offer = Offer {
        kind: 128,
        port: 225,
        skew: -2,
        size: 255,
    };
    read(cx, &wire, offer, WHY)
}

/// Bytes that end before the offer does are no offer, however many there are.
fn refuses_an_offer_cut_short(cx: &Check) -> Verdict {
    const WHY: &str = "What comes from the network may be cut short anywhere, by accident or on purpose. \
         Look at the length before you look at the bytes.";
    // A whole one first, so that an answer which refuses everything does not pass.
    read(
        cx,
        &[0; LEN],
        Offer {
            kind: 0,
            port: 0,
            skew: 0,
            size: 0,
        },
        WHY,
    )?;
    for length in [LEN - 1, LEN - 2, 7, 3, 2, 1, 0] {
        let bytes = vec![0x41; length];
        let call = format!("from_wire of {length} bytes");
        let got = cx
            .spawner()
            .named("from_wire")
            .subject(move || from_wire(&bytes).map(parts))?
            .value()
            .because(WHY)?;
        if let Some(parts) = got {
            return Err(Finding::fail(format!(
                "{call} gave {}, expected None",
                name(parts)
            )))
            .because(WHY);
        }
    }
    PASS
}

/// An offer is taken from the start of a longer buffer, and the rest does not matter.
fn leaves_what_follows_alone(cx: &Check) -> Verdict {
    let mut wire = vec![3, 0, 9, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6];
    wire.extend_from_slice(b"and the next one");
    read(
        cx,
        &wire,
        Offer {
            kind: 3,
            port: 9,
            skew: 5,
            size: 6,
        },
        "The buffer may hold more than the offer: the next one, or the file itself. That is no error.",
    )
}

/// Demands that `to_wire` writes `offer` as the table says, and tells about the field in `range`.
fn written(cx: &Check, offer: Offer, field: &str, range: std::ops::Range<usize>) -> Verdict {
    let wire = cx
        .spawner()
        .named("to_wire")
        .subject(move || to_wire(&offer))?
        .value()?;
    let wanted = on_the_wire(&offer);
    if wire == wanted {
        return PASS;
    }
    let (got, wanted_field) = (&wire[range.clone()], &wanted[range.clone()]);
    let (from, to) = (range.start, range.end - 1);
    if got == wanted_field {
        return Err(Finding::fail(format!(
            "{} went out as {}: bytes {from} to {to}, {field}, are right, but another field is not; expected {}",
            name(parts(offer)),
            hex(&wire),
            hex(&wanted)
        )))
        .because("The fields stand one after the other, 15 bytes, with no gap between them.");
    }
    Err(Finding::fail(format!(
        "{} went out as {}: bytes {from} to {to}, {field}, are {}, expected {}",
        name(parts(offer)),
        hex(&wire),
        hex(got),
        hex(wanted_field)
    )))
    .because(what_happened(got, wanted_field))
}

/// What somebody does who writes `got` for `wanted`.
fn what_happened(got: &[u8], wanted: &[u8]) -> &'static str {
    let backwards: Vec<u8> = wanted.iter().rev().copied().collect();
    let half = wanted.len() / 2;
    let halves_swapped = [&wanted[half..], &wanted[..half]].concat();
    let halves_backwards: Vec<u8> = backwards[half..]
        .iter()
        .chain(&backwards[..half])
        .copied()
        .collect();
    if got == backwards {
        "These are the right bytes with the little end first, as your machine's memory has them. Either the \
         number was not converted, or it was converted twice, and the second time undid the first."
    } else if half > 1 && (got == halves_swapped || got == halves_backwards) {
        "The two halves have changed places. The half with the most significant bits goes first."
    } else if half > 1 && (got[..half] == wanted[..half] || got[half..] == wanted[half..]) {
        "One of the two halves is right, the other is lost. htonl gives 32 bits: shift before the conversion, and \
         the bits are gone. to_be_bytes converts all 64 at once."
    } else {
        "Network byte order puts the most significant byte first, and a field takes just as many bytes as the \
         table says, with no gap before it or behind it."
    }
}

/// Demands that `from_wire` reads `wanted` from `wire`.
fn read(cx: &Check, wire: &[u8], wanted: Offer, why: &str) -> Verdict {
    let bytes = wire.to_vec();
    let got = cx
        .spawner()
        .named("from_wire")
        .subject(move || from_wire(&bytes).map(parts))?
        .value()?;
    if got == Some(parts(wanted)) {
        return PASS;
    }
    let got = got.map_or("None".into(), name);
    Err(Finding::fail(format!(
        "from_wire of {} gave {got}, expected {}",
        hex(wire),
        name(parts(wanted))
    )))
    .because(why)
}

/// The offer as the table in the task has it.
fn on_the_wire(offer: &Offer) -> [u8; LEN] {
    let mut wire = [0; LEN];
    wire[0] = offer.kind;
    for i in 0..2 {
        wire[1 + i] = (offer.port >> (8 * (1 - i))) as u8;
    }
    for i in 0..4 {
        wire[3 + i] = (offer.skew >> (8 * (3 - i))) as u8;
    }
    for i in 0..8 {
        wire[7 + i] = (offer.size >> (8 * (7 - i))) as u8;
    }
    wire
}

/// The fields of an offer, in the order of the table.
type Parts = (u8, u16, i32, u64);

fn parts(offer: Offer) -> Parts {
    (offer.kind, offer.port, offer.skew, offer.size)
}

fn name((kind, port, skew, size): Parts) -> String {
    format!("kind {kind}, port {port}, skew {skew}, size {size}")
}

fn hex(bytes: &[u8]) -> String {
    let hex: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
    format!("[{}]", hex.join(" "))
}

/// Connects a UDP socket to 127.0.0.1 and the port in `stored`, and asks which port that is.
///
/// A connected UDP socket sends nothing and takes no port from anybody, so any port will do.
fn port_that_the_kernel_reads(stored: u16) -> io::Result<u16> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    // SAFETY: all-zero bytes are a valid sockaddr_in.
    let mut address: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    address.sin_family = libc::AF_INET as libc::sa_family_t;
    address.sin_addr.s_addr = u32::from(Ipv4Addr::LOCALHOST).to_be();
    address.sin_port = stored;
    // SAFETY: the address is a sockaddr_in that lives through the call, and its length is its own.
    let done = unsafe {
        libc::connect(
            socket.as_raw_fd(),
            (&raw const address).cast(),
            size_of::<libc::sockaddr_in>() as libc::socklen_t,
        )
    };
    if done < 0 {
        return Err(io::Error::last_os_error());
    }
    match socket.peer_addr() {
        // Port 0 is nobody's: the kernel takes such a socket for one that is not connected.
        Err(e) if e.raw_os_error() == Some(libc::ENOTCONN) => Ok(0),
        peer => Ok(peer?.port()),
    }
}
