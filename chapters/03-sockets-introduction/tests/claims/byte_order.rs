//! Which byte comes first, and what do `htons` and its family do about it?

use std::io;
use std::net::UdpSocket;
use std::os::fd::OwnedFd;

use lab::prelude::*;
use lab::trial::{C, hex, little_endian_machine, said, saw};
use libc::{AF_INET, EADDRINUSE, INADDR_ANY, INADDR_LOOPBACK, SOCK_DGRAM};

use crate::sockets::{Bytes, LOCALHOST, bind, own_address, port_in, send_to, socket, v4};

// The C library's own functions. Rust has no need of them: it has `to_be` and `from_be`.
unsafe extern "C" {
    safe fn htons(host: u16) -> u16;
    safe fn htonl(host: u32) -> u32;
    safe fn ntohs(net: u16) -> u16;
    safe fn ntohl(net: u32) -> u32;
}

/// The number is the same; the order in memory is what differs.
pub fn the_low_byte_comes_first_in_little_endian(cx: &Check) -> Verdict {
    let number: u32 = 0x0102_0304;
    let little = hex(&number.to_le_bytes());
    let big = hex(&number.to_be_bytes());
    saw(cx, "little-endian 0x01020304", little.as_str()).is("04 03 02 01")?;
    saw(cx, "big-endian 0x01020304", big.as_str()).is("01 02 03 04")?;
    let is_little = cfg!(target_endian = "little");
    let ours = if is_little { little } else { big };
    saw(cx, "in this machine's memory", hex(number.bytes())).is(ours)?;
    PASS
}

/// The family is for the kernel of this machine, the port is for the wire. They lie side by side.
pub fn one_structure_holds_both_orders(cx: &Check) -> Verdict {
    little_endian_machine()?;
    let (socket, port) = bound_to_a_lopsided_port()?;
    let name = own_address(&socket)?;
    saw(cx, "the family, 2, in host order", hex(&name[..2])).is("02 00")?;
    let what = format!("the port, {port:#06x}, in network order");
    saw(cx, &what, hex(&name[2..4])).is(hex(&port.to_be_bytes()))?;
    PASS
}

/// Which is why the same C source works on both kinds of machine: what lies in memory afterwards
/// does not depend on it.
pub fn htons_gives_the_same_bytes_on_every_machine(cx: &Check) -> Verdict {
    let right = |&number: &u16| {
        let high_byte_first = [(number >> 8) as u8, number as u8];
        htons(number).bytes() == high_byte_first && ntohs(htons(number)) == number
    };
    let count = (0..=u16::MAX).filter(right).count();
    saw(cx, "numbers whose high byte htons puts first", count).is(65536)?;

    // Each bit alone, to the byte it belongs in.
    let right = |&bit: &u32| {
        let number = 1_u32 << bit;
        let byte = htonl(number).bytes()[3 - bit as usize / 8];
        byte == 1 << (bit % 8) && ntohl(htonl(number)) == number
    };
    let count = (0..32).filter(right).count();
    saw(cx, "bits that htonl puts where they belong", count).is(32)?;
    saw(cx, "htonl(0x01020304)", hex(htonl(0x0102_0304).bytes())).is("01 02 03 04")?;
    PASS
}

/// The names are from a time when a `long` had 32 bits.
pub fn s_is_16_bits_and_l_is_32(cx: &Check) -> Verdict {
    let c = C::compiler(cx)?;
    let asks = r#"printf("%zu %zu %zu", sizeof(htons(1)), sizeof(htonl(1)), sizeof(long));"#;
    let printed = c.program(&["arpa/inet.h"], asks)?.works(cx, "sizeof")?;
    let sizes: Vec<&str> = printed.split(' ').collect();
    saw(cx, "bytes of htons", sizes[0]).is("2")?;
    saw(cx, "bytes of htonl", sizes[1]).is("4")?;
    cx.evidence(format!("bytes of long: {}", sizes[2]));
    PASS
}

/// Both swap, or both do nothing. The name only tells the reader which way you are going.
pub fn htons_and_ntohs_do_the_same(cx: &Check) -> Verdict {
    let same = (0..=u16::MAX).filter(|&number| htons(number) == ntohs(number));
    saw(cx, "numbers for which htons and ntohs agree", same.count()).is(65536)?;
    let converted = hex(ntohs(8899).bytes());
    saw(cx, "ntohs(8899), as it lies in memory", converted).is(hex(&[0x22, 0xc3]))?;
    PASS
}

/// The port is read as it lies. 8000 is `1f40`; the other way round it is `401f`, which is 16415.
pub fn an_unconverted_8000_binds_16415(cx: &Check) -> Verdict {
    little_endian_machine()?;
    // 8000 if it can be had. Another program may hold 16415, so try the numbers after it too.
    for number in 8000_u16..8064 {
        let mut address = v4(LOCALHOST, 0);
        address.sin_port = number;
        let socket = socket(AF_INET, SOCK_DGRAM)?;
        match bind(&socket, address.bytes()) {
            Err(error) if error.raw_os_error() == Some(EADDRINUSE) => continue,
            other => other?,
        }
        let port = port_in(&own_address(&socket)?);
        let what = format!("sin_port = {number} without htons binds port");
        saw(cx, &what, port).is(number.swap_bytes())?;
        return PASS;
    }
    Err(Finding::needs("a free port"))
}

/// Long after a connection stands, a number that goes into an address must still be converted; and
/// before there is one, a number that comes out of an address must be.
pub fn the_direction_decides_not_the_time(cx: &Check) -> Verdict {
    little_endian_machine()?;
    // Nothing was sent yet, and already an address comes back in network order.
    let (right, port) = bound_to_a_lopsided_port()?;
    let name = own_address(&right)?;
    let raw = u16::from_ne_bytes([name[2], name[3]]);
    let needs_ntohs = raw != port && ntohs(raw) == port;
    saw(cx, "before any traffic, the port needs ntohs", needs_ntohs).is(true)?;

    // Somebody who listens where the mistake leads.
    let wrong = socket(AF_INET, SOCK_DGRAM)?;
    match bind(&wrong, v4(LOCALHOST, port.swap_bytes()).bytes()) {
        Err(error) if error.raw_os_error() == Some(EADDRINUSE) => {
            return Err(Finding::needs("a free port on loopback"));
        }
        other => other?,
    }
    let (right, wrong) = (UdpSocket::from(right), UdpSocket::from(wrong));

    // The two have talked: whatever there was to set up is set up.
    let sender = socket(AF_INET, SOCK_DGRAM)?;
    send_to(&sender, b"1", v4(LOCALHOST, port).bytes())?;
    right.recv(&mut [0; 1])?;

    let mut astray = v4(LOCALHOST, 0);
    astray.sin_port = port;
    send_to(&sender, b"2", astray.bytes())?;
    // Loopback has delivered before sendto returns.
    for socket in [&right, &wrong] {
        socket.set_nonblocking(true)?;
    }
    let at_right = said(&right.recv(&mut [0; 1]));
    let at_wrong = said(&wrong.recv(&mut [0; 1]));
    saw(cx, "a later sendto without htons, at the port", at_right).is("EAGAIN")?;
    saw(cx, "at the port with its bytes swapped", at_wrong).is("ok")?;
    PASS
}

/// Zero looks the same from both ends. `htonl` is good manners here; with the other constants it is
/// needed.
pub fn inaddr_any_is_zero_in_any_order(cx: &Check) -> Verdict {
    saw(cx, "htonl(INADDR_ANY)", hex(htonl(INADDR_ANY).bytes())).is("00 00 00 00")?;
    saw(cx, "INADDR_ANY as it is", hex(INADDR_ANY.bytes())).is("00 00 00 00")?;
    let converted = hex(htonl(INADDR_LOOPBACK).bytes());
    saw(cx, "htonl(INADDR_LOOPBACK)", converted).is("7f 00 00 01")?;
    if cfg!(target_endian = "little") {
        saw(cx, "INADDR_LOOPBACK as it is", hex(INADDR_LOOPBACK.bytes())).is("01 00 00 7f")?;
    }
    PASS
}

/// A UDP socket on loopback, at a port whose two bytes differ and are both at least 4: so that it
/// means another port when swapped, and one that an ordinary user may bind.
fn bound_to_a_lopsided_port() -> io::Result<(OwnedFd, u16)> {
    loop {
        let socket = socket(AF_INET, SOCK_DGRAM)?;
        bind(&socket, v4(LOCALHOST, 0).bytes())?;
        let port = port_in(&own_address(&socket)?);
        let [high, low] = port.to_be_bytes();
        if high != low && low >= 4 {
            return Ok((socket, port));
        }
    }
}
