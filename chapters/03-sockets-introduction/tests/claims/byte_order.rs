//! Which byte comes first, and what do `htons` and its family do about it?

use std::io;
use std::net::UdpSocket;
use std::os::fd::OwnedFd;

use lab::prelude::*;
use libc::{AF_INET, INADDR_ANY, INADDR_LOOPBACK, SOCK_DGRAM};

use crate::c::C;
use crate::evidence::{hex, said, saw};
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
    let (little, big) = ("04 03 02 01", "01 02 03 04");
    saw(
        cx,
        "little-endian 0x01020304",
        hex(&number.to_le_bytes()),
        little,
    )?;
    saw(cx, "big-endian 0x01020304", hex(&number.to_be_bytes()), big)?;
    let here = if cfg!(target_endian = "little") {
        little
    } else {
        big
    };
    saw(cx, "in this machine's memory", hex(number.bytes()), here)?;
    PASS
}

/// The family is for the kernel of this machine, the port is for the wire. They lie side by side.
pub fn one_structure_holds_both_orders(cx: &Check) -> Verdict {
    if cfg!(target_endian = "big") {
        return Err(Finding::needs(
            "a little-endian machine, for the two orders to differ",
        ));
    }
    let (socket, port) = bound_to_a_lopsided_port()?;
    let address = own_address(&socket)?;
    saw(
        cx,
        "the family, 2, in host order",
        hex(&address[..2]),
        "02 00",
    )?;
    saw(
        cx,
        &format!("the port, {port:#06x}, in network order"),
        hex(&address[2..4]),
        hex(&port.to_be_bytes()),
    )?;
    PASS
}

/// Which is why the same C source works on both kinds of machine: what lies in memory afterwards does not depend on it.
pub fn htons_gives_the_same_bytes_on_every_machine(cx: &Check) -> Verdict {
    for number in 0..=u16::MAX {
        let bytes = [(number >> 8) as u8, number as u8];
        ensure!(
            htons(number).bytes() == bytes,
            "htons({number:#06x}) is {}",
            hex(htons(number).bytes())
        );
        ensure!(
            ntohs(htons(number)) == number,
            "ntohs does not undo htons({number:#06x})"
        );
    }
    cx.evidence("htons puts the high byte first: 65536 of 65536 numbers");
    for bit in 0..32 {
        let number = 1_u32 << bit;
        let byte = 3 - bit / 8;
        ensure!(
            htonl(number).bytes()[byte] == 1 << (bit % 8),
            "htonl({number:#x}) is {}",
            hex(htonl(number).bytes())
        );
        ensure!(
            ntohl(htonl(number)) == number,
            "ntohl does not undo htonl({number:#x})"
        );
    }
    saw(
        cx,
        "htonl(0x01020304)",
        hex(htonl(0x0102_0304).bytes()),
        "01 02 03 04",
    )?;
    PASS
}

/// The names are from a time when a `long` had 32 bits.
pub fn s_is_16_bits_and_l_is_32(cx: &Check) -> Verdict {
    let c = C::compiler(cx)?;
    let sizes = r#"printf("%zu %zu %zu", sizeof(htons(1)), sizeof(htonl(1)), sizeof(long));"#;
    let printed = c.program(&["arpa/inet.h"], sizes)?.works(cx, "sizeof")?;
    let sizes: Vec<&str> = printed.split(' ').collect();
    saw(cx, "bytes of htons", sizes[0], "2")?;
    saw(cx, "bytes of htonl", sizes[1], "4")?;
    cx.evidence(format!("bytes of long: {}", sizes[2]));
    PASS
}

/// Both swap, or both do nothing. The name only tells the reader which way you are going.
pub fn htons_and_ntohs_do_the_same(cx: &Check) -> Verdict {
    let same = (0..=u16::MAX)
        .filter(|&number| htons(number) == ntohs(number))
        .count();
    saw(cx, "numbers for which htons and ntohs agree", same, 65536)?;
    saw(
        cx,
        "ntohs(8899) is port 8899 in network order",
        hex(ntohs(8899).bytes()),
        hex(&8899_u16.to_be_bytes()),
    )?;
    PASS
}

/// The port is read as it lies. 8000 is `1f40`; the other way round it is `401f`, which is 16415.
pub fn an_unconverted_8000_binds_16415(cx: &Check) -> Verdict {
    if cfg!(target_endian = "big") {
        return Err(Finding::needs(
            "a little-endian machine: on a big-endian one the mistake does not show",
        ));
    }
    // 8000 if it can be had. Another program may hold 16415, so try the numbers after it too.
    for number in 8000_u16..8064 {
        let socket = socket(AF_INET, SOCK_DGRAM)?;
        let mut address = v4(LOCALHOST, 0);
        address.sin_port = number;
        match bind(&socket, address.bytes()) {
            Err(error) if error.raw_os_error() == Some(libc::EADDRINUSE) => {}
            Err(error) => return Err(error.into()),
            Ok(()) => {
                let what = format!("sin_port = {number} without htons binds port");
                let wanted = number.swap_bytes();
                saw(cx, &what, port_in(&own_address(&socket)?), wanted)?;
                return PASS;
            }
        }
    }
    Err(Finding::needs("a free port"))
}

/// Long after a connection stands, a number that goes into an address must still be converted; and before there is one, a
/// number that comes out of an address must be.
pub fn the_direction_decides_not_the_time(cx: &Check) -> Verdict {
    if cfg!(target_endian = "big") {
        return Err(Finding::needs(
            "a little-endian machine: on a big-endian one the mistake does not show",
        ));
    }
    // No connection yet, and already an address comes back in network order.
    let (right, port) = bound_to_a_lopsided_port()?;
    let raw = own_address(&right)?;
    let unconverted = u16::from_ne_bytes([raw[2], raw[3]]);
    saw(
        cx,
        "before any traffic, the port needs ntohs",
        ntohs(unconverted) == port && unconverted != port,
        true,
    )?;
    // Whoever listens where the mistake leads.
    let wrong = socket(AF_INET, SOCK_DGRAM)?;
    match bind(&wrong, v4(LOCALHOST, port.swap_bytes()).bytes()) {
        Err(error) if error.raw_os_error() == Some(libc::EADDRINUSE) => {
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
    wrong.recv(&mut [0; 1])?;
    right.set_nonblocking(true)?;
    let here = right.recv(&mut [0; 1]);
    saw(
        cx,
        "a later sendto without htons, at the right port",
        said(&here),
        "EAGAIN",
    )?;
    cx.evidence("and at the port with its bytes swapped: arrived");
    PASS
}

/// Zero looks the same from both ends. `htonl` is good manners here; with the other constants it is needed.
pub fn inaddr_any_is_zero_in_any_order(cx: &Check) -> Verdict {
    saw(
        cx,
        "htonl(INADDR_ANY)",
        hex(htonl(INADDR_ANY).bytes()),
        "00 00 00 00",
    )?;
    saw(
        cx,
        "INADDR_ANY as it is",
        hex(INADDR_ANY.bytes()),
        "00 00 00 00",
    )?;
    saw(
        cx,
        "htonl(INADDR_LOOPBACK)",
        hex(htonl(INADDR_LOOPBACK).bytes()),
        "7f 00 00 01",
    )?;
    if cfg!(target_endian = "little") {
        saw(
            cx,
            "INADDR_LOOPBACK as it is",
            hex(INADDR_LOOPBACK.bytes()),
            "01 00 00 7f",
        )?;
    }
    PASS
}

/// A UDP socket on loopback, at a port whose two bytes differ and are both at least 4: so that it means another port
/// when swapped, and one that an ordinary user may bind.
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
