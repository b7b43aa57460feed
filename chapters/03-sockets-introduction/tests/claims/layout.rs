//! Where in an address structure does each thing lie?
//!
//! The offsets are those of the `libc` crate; that they are right is shown by what the kernel
//! writes there.

use std::mem::{offset_of, size_of, size_of_val};
use std::net::{TcpListener, TcpStream};

use lab::prelude::*;
use lab::trial::{hex, said, saw};
use libc::{AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM, SOCK_STREAM};
use libc::{in_addr, sa_family_t, sockaddr, sockaddr_in, sockaddr_in6, sockaddr_un};

use crate::folder::{enter, names_in};
use crate::sockets::{Bytes, LOCALHOST, address_into, bind, connect, ipv6_socket};
use crate::sockets::{own_address, port_in, socket, unix, v4, v6, written};

/// Let `std` choose and read the address, and find the same in the bytes.
pub fn sockaddr_in_has_the_port_at_2_and_the_address_at_4(cx: &Check) -> Verdict {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let name = own_address(&listener)?;
    saw(cx, "bytes of the whole", name.len()).is(size_of::<sockaddr_in>())?;

    saw(cx, "sin_port lies at", offset_of!(sockaddr_in, sin_port)).is(2)?;
    let there = u16::from_be_bytes([name[2], name[3]]) == port;
    saw(cx, "std's port is there, high byte first", there).is(true)?;

    saw(cx, "sin_addr lies at", offset_of!(sockaddr_in, sin_addr)).is(4)?;
    saw(cx, "127.0.0.1", hex(&name[4..8])).is("7f 00 00 01")?;
    saw(cx, "bytes of in_addr", size_of::<in_addr>()).is(4)?;
    PASS
}

/// The kernel wants them counted in the length. It does not want them.
pub fn eight_unused_bytes_pad_to_sixteen(cx: &Check) -> Verdict {
    let address = v4(LOCALHOST, 0);
    saw(cx, "sin_zero lies at", offset_of!(sockaddr_in, sin_zero)).is(8)?;
    saw(cx, "its bytes", size_of_val(&address.sin_zero)).is(8)?;
    let (whole, generic) = (size_of::<sockaddr_in>(), size_of::<sockaddr>());
    saw(cx, "with them, as many bytes as struct sockaddr", whole).is(generic)?;

    let socket = socket(AF_INET, SOCK_DGRAM)?;
    let bound = said(&bind(&socket, &address.bytes()[..15]));
    saw(cx, "bind with 15 bytes", bound).is("EINVAL")?;
    let bound = said(&bind(&socket, address.bytes()));
    saw(cx, "bind with 16 bytes", bound).is("ok")?;
    PASS
}

/// Whatever lies there goes nowhere.
pub fn garbage_in_sin_zero_is_ignored(cx: &Check) -> Verdict {
    let mut dirty = v4(LOCALHOST, 0);
    dirty.sin_zero = *b"GARBAGE!";
    let server = socket(AF_INET, SOCK_DGRAM)?;
    let bound = said(&bind(&server, dirty.bytes()));
    saw(cx, "bind with \"GARBAGE!\" in sin_zero", bound).is("ok")?;
    let name = own_address(&server)?;
    let zeros = "00 00 00 00 00 00 00 00";
    saw(cx, "sin_zero of getsockname", hex(&name[8..16])).is(zeros)?;

    dirty.sin_port = port_in(&name).to_be();
    let client = socket(AF_INET, SOCK_DGRAM)?;
    let connected = said(&connect(&client, dirty.bytes()));
    saw(cx, "connect with \"GARBAGE!\" in sin_zero", connected).is("ok")?;
    PASS
}

/// The family says how to read the rest, so it must be that of the structure and of the socket.
pub fn sockaddr_in_refuses_af_inet6(cx: &Check) -> Verdict {
    let socket = socket(AF_INET, SOCK_DGRAM)?;
    let mut address = v4(LOCALHOST, 0);
    for (name, family, wanted) in [
        ("AF_INET6", AF_INET6, "EAFNOSUPPORT"),
        ("AF_UNIX", AF_UNIX, "EAFNOSUPPORT"),
        ("AF_INET", AF_INET, "ok"),
    ] {
        address.sin_family = family as sa_family_t;
        let bound = said(&bind(&socket, address.bytes()));
        saw(cx, &format!("bind a sockaddr_in that says {name}"), bound).is(wanted)?;
    }
    PASS
}

/// Two of family, fourteen of the rest.
pub fn sockaddr_is_16_bytes(cx: &Check) -> Verdict {
    saw(cx, "bytes of struct sockaddr", size_of::<sockaddr>()).is(16)?;
    // An IPv4 address fills it to the last byte, neither more nor less.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (bytes, length) = written(&listener, 32)?;
    saw(cx, "bytes that getsockname writes for IPv4", bytes).is(16)?;
    saw(cx, "and the length it reports", length).is(16)?;
    PASS
}

/// Four would be the port and half of the address.
pub fn sa_data_has_14_bytes(cx: &Check) -> Verdict {
    let at = offset_of!(sockaddr, sa_data);
    saw(cx, "sa_data lies at", at).is(2)?;
    let rest = size_of::<sockaddr>() - at;
    saw(cx, "from there to the end of struct sockaddr", rest).is(14)?;

    let (_listener, client) = connected()?;
    let mut with_four = [0; 2 + 4];
    address_into(&client, libc::getpeername, &mut with_four)?;
    let address = hex(&with_four[4..]);
    saw(cx, "what four bytes have of the address 127.0.0.1", address).is("7f 00")?;
    PASS
}

/// Read by hand what the kernel left in fourteen bytes, and see whether port and address are both
/// there.
pub fn sa_data_is_read_as_the_family_says(cx: &Check) -> Verdict {
    let (listener, client) = connected()?;
    let peer = listener.local_addr()?;
    let mut name = [0; 16];
    address_into(&client, libc::getpeername, &mut name)?;
    let data = &name[2..];
    let port = u16::from_be_bytes([data[0], data[1]]);
    saw(cx, "AF_INET: port first", port == peer.port()).is(true)?;
    saw(cx, "AF_INET: then address", hex(&data[2..6])).is("7f 00 00 01")?;

    let six = ipv6_socket(SOCK_DGRAM)?;
    bind(&six, v6(MAPPED_LOCALHOST, 0, 0).bytes())?;
    let left_out = own_address(&six)?.len() - 16;
    saw(cx, "AF_INET6: bytes that do not fit", left_out).is(12)?;

    enter(cx.folder()?)?;
    let local = socket(AF_UNIX, SOCK_DGRAM)?;
    bind(&local, &unix("foo"))?;
    let data = own_address(&local)?[2..].escape_ascii().to_string();
    saw(cx, "AF_UNIX: no port, a path", data).is("foo\\x00")?;
    PASS
}

/// On BSD the first byte would be the length, 16, and the second the family. Here both are the
/// family, and both count.
pub fn the_family_is_two_bytes(cx: &Check) -> Verdict {
    saw(cx, "bytes of sa_family_t", size_of::<sa_family_t>()).is(2)?;
    let socket = socket(AF_INET, SOCK_DGRAM)?;
    let mut address = v4(LOCALHOST, 0);
    for (family, wanted) in [
        (0x0102, "EAFNOSUPPORT"),
        (0x1002, "EAFNOSUPPORT"),
        (0x0002, "ok"),
    ] {
        address.sin_family = family;
        let bound = said(&bind(&socket, address.bytes()));
        saw(cx, &format!("bind with family {family:#06x}"), bound).is(wanted)?;
    }
    PASS
}

/// What the kernel writes begins with the family, not with a length.
pub fn sockaddr_begins_with_the_family(cx: &Check) -> Verdict {
    saw(cx, "sa_family lies at", offset_of!(sockaddr, sa_family)).is(0)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let name = own_address(&listener)?;
    let family = hex((AF_INET as u16).bytes());
    saw(cx, "first two bytes for IPv4", hex(&name[..2])).is(family)?;
    saw(cx, "although its length is", name.len()).is(16)?;
    PASS
}

/// An IPv4 address in an IPv6 one: it shows which byte is where, and works where IPv6 is switched
/// off.
const MAPPED_LOCALHOST: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1];

/// The address does not follow the port, as in IPv4: the flow information is between them.
pub fn sockaddr_in6_has_the_address_at_8(cx: &Check) -> Verdict {
    for (what, at, wanted) in [
        ("sin6_port lies at", offset_of!(sockaddr_in6, sin6_port), 2),
        (
            "sin6_flowinfo lies at",
            offset_of!(sockaddr_in6, sin6_flowinfo),
            4,
        ),
        ("sin6_addr lies at", offset_of!(sockaddr_in6, sin6_addr), 8),
        (
            "sin6_scope_id lies at",
            offset_of!(sockaddr_in6, sin6_scope_id),
            24,
        ),
    ] {
        saw(cx, what, at).is(wanted)?;
    }
    let socket = ipv6_socket(SOCK_DGRAM)?;
    bind(&socket, v6(MAPPED_LOCALHOST, 0, 0).bytes())?;
    let name = own_address(&socket)?;
    saw(cx, "bytes that getsockname gives", name.len()).is(28)?;
    let address = hex(&name[8..24]);
    saw(cx, "sin6_addr of ::ffff:127.0.0.1", address).is(hex(&MAPPED_LOCALHOST))?;
    PASS
}

/// A family and a path. The length that comes back counts the path and its NUL, not the whole
/// structure.
pub fn sockaddr_un_is_a_family_and_a_path(cx: &Check) -> Verdict {
    saw(cx, "bytes of struct sockaddr_un", size_of::<sockaddr_un>()).is(110)?;
    saw(cx, "sun_path lies at", offset_of!(sockaddr_un, sun_path)).is(2)?;

    let folder = enter(cx.folder()?)?;
    let mut address = sockaddr_un {
        sun_family: AF_UNIX as sa_family_t,
        sun_path: [0; 108],
    };
    for (at, byte) in address.sun_path.iter_mut().zip(*b"foo.socket") {
        *at = byte as libc::c_char;
    }
    let socket = socket(AF_UNIX, SOCK_STREAM)?;
    let bound = said(&bind(&socket, address.bytes()));
    saw(cx, "bind with all 110 bytes", bound).is("ok")?;
    saw(cx, "the file", names_in(folder)?).is("foo.socket")?;
    let length = own_address(&socket)?.len();
    saw(cx, "bytes that getsockname gives", length).is(2 + "foo.socket".len() + 1)?;
    PASS
}

/// A listener on loopback and a client that is connected to it.
fn connected() -> std::io::Result<(TcpListener, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    Ok((listener, client))
}
