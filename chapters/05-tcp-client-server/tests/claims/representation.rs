//! What do numbers look like between two programs?

use std::io::Write;
use std::mem::{offset_of, size_of};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{FromRawFd, OwnedFd};

use lab::prelude::*;
use lab::trial::{hex, little_endian_machine, saw};
use lab::wire::Packet;
use tcp_client_server::sum::Machine;

/// Two numbers, as a C program sends them.
#[repr(C)]
struct Numbers {
    first: libc::c_long,
    second: libc::c_long,
}

/// Its memory, from the first byte to the last.
fn bytes(numbers: &Numbers) -> &[u8] {
    // SAFETY: two longs, with nothing between them, and the slice lives no longer than they do.
    unsafe { std::slice::from_raw_parts((&raw const *numbers).cast(), size_of::<Numbers>()) }
}

/// A `long` of 8 bytes, or *not run*.
fn long_of_eight_bytes() -> Result<(), Finding> {
    if size_of::<libc::c_long>() != 8 {
        return Err(Finding::needs("a machine on which a long has 8 bytes"));
    }
    Ok(())
}

/// Sends the structure over loopback, and gives the frame that carried it, from the IP header on.
fn captured(cx: &Check, numbers: &Numbers) -> Result<(Packet, Vec<u8>), Finding> {
    // SAFETY: the call takes no pointer.
    let fd = unsafe {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        libc::socket(
            libc::AF_PACKET,
            kind,
            i32::from((libc::ETH_P_ALL as u16).to_be()),
        )
    };
    let fd = Errno::result(fd)
        .map_err(|errno| Finding::needs(format!("to capture on loopback ({errno})")))?;
    // SAFETY: the descriptor is new, and nobody else knows its number.
    let capture = unsafe { OwnedFd::from_raw_fd(fd) };

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let _server = listener.accept()?;
    client.write_all(bytes(numbers))?;
    let port = client.local_addr()?.port();
    cx.wait_until("the segment with the numbers", || {
        let mut frame = vec![0; 2048];
        let count = nix::unistd::read(&capture, &mut frame).ok()?;
        frame.truncate(count);
        let packet = Packet::decode(&frame);
        let is_it = packet.data.len() == 16 && packet.ports().is_some_and(|(from, _)| from == port);
        is_it.then_some((packet, frame))
    })
}

/// A capture shows the payload as the sender has it in memory, and the header as RFC 9293 has it.
pub fn the_payload_is_little_endian_and_the_header_is_not(cx: &Check) -> Verdict {
    little_endian_machine()?;
    long_of_eight_bytes()?;
    let (packet, frame) = captured(
        cx,
        &Numbers {
            first: 1,
            second: 2,
        },
    )?;
    let payload = &frame[packet.data.clone()];
    saw(cx, "the payload's first number", hex(&payload[..8])).is("01 00 00 00 00 00 00 00")?;
    let port = packet.ports().map_or(0, |(from, _)| from);
    let header = &frame[packet.segment.start..][..2];
    saw(
        cx,
        "the header's port is big-endian",
        header == port.to_be_bytes(),
    )
    .is(true)?;
    PASS
}

/// Two numbers, one and two. A `1` and another `1` would be other bytes.
pub fn the_payload_is_one_and_two(cx: &Check) -> Verdict {
    little_endian_machine()?;
    long_of_eight_bytes()?;
    let (packet, frame) = captured(
        cx,
        &Numbers {
            first: 1,
            second: 2,
        },
    )?;
    let payload = &frame[packet.data];
    let numbers: Vec<u64> = payload
        .chunks_exact(8)
        .map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap_or_default()))
        .collect();
    saw(cx, "the payload", hex(payload)).is("01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00")?;
    saw(
        cx,
        "as two numbers",
        format!("{} {}", numbers[0], numbers[1]),
    )
    .is("1 2")?;
    PASS
}

/// If it takes eight bytes, it has eight.
pub fn a_long_has_eight_bytes(cx: &Check) -> Verdict {
    long_of_eight_bytes()?;
    saw(cx, "bytes of a long", size_of::<libc::c_long>()).is(8)?;
    saw(cx, "bytes of an int", size_of::<libc::c_int>()).is(4)?;
    saw(
        cx,
        "bytes of the structure of two longs",
        size_of::<Numbers>(),
    )
    .is(16)?;
    PASS
}

/// A sender leaves the sum to the device. Loopback has none, and needs none.
pub fn the_checksum_is_half_done(cx: &Check) -> Verdict {
    let (packet, frame) = captured(
        cx,
        &Numbers {
            first: 1,
            second: 2,
        },
    )?;
    let segment = &frame[packet.segment.clone()];
    let seen = u16::from_be_bytes([segment[16], segment[17]]);
    saw(cx, "length of the segment", segment.len()).is(48)?;
    saw(cx, "its checksum field", format!("{seen:#06x}")).is("0xfe38")?;

    // Addresses, protocol and length: what the pseudo header of RFC 9293 has.
    let ip = packet.segment.start;
    let mut pseudo = frame[ip - 8..ip].to_vec();
    pseudo.extend([0, libc::IPPROTO_TCP as u8]);
    pseudo.extend((segment.len() as u16).to_be_bytes());
    saw(
        cx,
        "sum of the pseudo header",
        format!("{:#06x}", sum(&[&pseudo])),
    )
    .is("0xfe38")?;
    let right = packet.checksums_are_right(&frame);
    saw(cx, "and so it is right for the whole segment", right).is(false)?;
    PASS
}

/// The sum of 16-bit words, with the carry added again; not yet complemented.
fn sum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let sum: u32 = words
        .map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0)))
        .sum();
    let once = (sum & 0xffff) + (sum >> 16);
    ((once & 0xffff) + (once >> 16)) as u16
}

/// The same declaration, with and without the gaps that compilers leave.
#[repr(C)]
struct Aligned {
    kind: u8,
    number: u32,
}

#[repr(C, packed)]
struct Packed {
    kind: u8,
    number: u32,
}

/// Works as long as both ends are the same machine and the same compiler.
pub fn two_machines_see_two_structures(cx: &Check) -> Verdict {
    let (aligned, packed) = (offset_of!(Aligned, number), offset_of!(Packed, number));
    ensure!(
        offset_of!(Aligned, kind) == offset_of!(Packed, kind),
        "the first member has moved"
    );
    saw(
        cx,
        "offset of a u32 behind a u8, as C has it and packed",
        format!("{aligned} {packed}"),
    )
    .is("4 1")?;
    let machine = |name| Machine::named(name).map_err(Finding::fault);
    let sent = machine("x86-64")?.bytes_of(1);
    for (name, wanted) in [
        ("x86-64", 1),
        ("i386", 1),
        ("s390x", 1_i64 << 56),
        ("sparc", 1 << 24),
    ] {
        let machine = machine(name)?;
        let number = machine.number_in(&sent[..machine.word]);
        saw(cx, &format!("1 sent by x86-64, read by {name}"), number).is(wanted)?;
    }
    let short = machine("i386")?.word;
    saw(cx, "bytes that i386 reads of 8", short).is(4)?;
    let network = machine("network")?;
    saw(
        cx,
        "1 as agreed, read as agreed",
        network.number_in(&network.bytes_of(1)),
    )
    .is(1)?;
    PASS
}
