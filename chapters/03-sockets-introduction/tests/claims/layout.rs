//! Where in an address structure does each thing lie?
//!
//! The offsets are those of the `libc` crate; that they are right is shown by what the kernel writes there.

use std::mem::{offset_of, size_of, size_of_val};
use std::net::{TcpListener, TcpStream};

use lab::prelude::*;
use libc::{
    AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM, SOCK_STREAM, in_addr, sa_family_t, sockaddr,
    sockaddr_in, sockaddr_in6, sockaddr_un,
};

use crate::evidence::{hex, said, saw};
use crate::folder::{enter, names_in};
use crate::sockets::{
    Bytes, LOCALHOST, address_into, bind, connect, ipv6_socket, own_address, port_in, socket, unix,
    v4, v6, written,
};

/// Let `std` choose and read the address, and find the same in the bytes.
pub fn sockaddr_in_has_the_port_at_2_and_the_address_at_4(cx: &Check) -> Verdict {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let bytes = own_address(&listener)?;
    saw(
        cx,
        "bytes of the whole",
        bytes.len(),
        size_of::<sockaddr_in>(),
    )?;
    saw(cx, "sin_port lies at", offset_of!(sockaddr_in, sin_port), 2)?;
    saw(
        cx,
        "its bytes, high one first",
        hex(&bytes[2..4]),
        hex(&port.to_be_bytes()),
    )?;
    saw(cx, "sin_addr lies at", offset_of!(sockaddr_in, sin_addr), 4)?;
    saw(cx, "127.0.0.1", hex(&bytes[4..8]), "7f 00 00 01")?;
    saw(
        cx,
        "bytes of in_addr",
        size_of::<in_addr>(),
        size_of::<u32>(),
    )?;
    PASS
}

/// The kernel wants them counted in the length. It does not want them.
pub fn eight_unused_bytes_pad_to_sixteen(cx: &Check) -> Verdict {
    let address = v4(LOCALHOST, 0);
    saw(cx, "sin_zero lies at", offset_of!(sockaddr_in, sin_zero), 8)?;
    saw(cx, "its bytes", size_of_val(&address.sin_zero), 8)?;
    saw(
        cx,
        "with them, as many bytes as struct sockaddr",
        size_of::<sockaddr_in>(),
        size_of::<sockaddr>(),
    )?;
    let socket = socket(AF_INET, SOCK_DGRAM)?;
    saw(
        cx,
        "bind with 15 bytes",
        said(&bind(&socket, &address.bytes()[..15])),
        "EINVAL",
    )?;
    saw(
        cx,
        "bind with 16 bytes",
        said(&bind(&socket, address.bytes())),
        "ok",
    )?;
    PASS
}

/// Whatever lies there goes nowhere.
pub fn garbage_in_sin_zero_is_ignored(cx: &Check) -> Verdict {
    let mut dirty = v4(LOCALHOST, 0);
    dirty.sin_zero = *b"GARBAGE!";
    let server = socket(AF_INET, SOCK_DGRAM)?;
    saw(
        cx,
        "bind with \"GARBAGE!\" in sin_zero",
        said(&bind(&server, dirty.bytes())),
        "ok",
    )?;
    let name = own_address(&server)?;
    saw(
        cx,
        "sin_zero that getsockname gives back",
        hex(&name[8..16]),
        "00 00 00 00 00 00 00 00",
    )?;

    dirty.sin_port = port_in(&name).to_be();
    let client = socket(AF_INET, SOCK_DGRAM)?;
    saw(
        cx,
        "connect with \"GARBAGE!\" in sin_zero",
        said(&connect(&client, dirty.bytes())),
        "ok",
    )?;
    PASS
}

/// The family says how to read the rest, so it must be the family of the structure and of the socket.
pub fn sockaddr_in_refuses_af_inet6(cx: &Check) -> Verdict {
    let socket = socket(AF_INET, SOCK_DGRAM)?;
    let mut address = v4(LOCALHOST, 0);
    address.sin_family = AF_INET6 as sa_family_t;
    saw(
        cx,
        "bind a sockaddr_in that says AF_INET6",
        said(&bind(&socket, address.bytes())),
        "EAFNOSUPPORT",
    )?;
    address.sin_family = AF_UNIX as sa_family_t;
    saw(
        cx,
        "bind a sockaddr_in that says AF_UNIX",
        said(&bind(&socket, address.bytes())),
        "EAFNOSUPPORT",
    )?;
    address.sin_family = AF_INET as sa_family_t;
    saw(
        cx,
        "bind a sockaddr_in that says AF_INET",
        said(&bind(&socket, address.bytes())),
        "ok",
    )?;
    PASS
}

/// Two of family, fourteen of the rest.
pub fn sockaddr_is_16_bytes(cx: &Check) -> Verdict {
    saw(cx, "sizeof(struct sockaddr)", size_of::<sockaddr>(), 16)?;
    // An IPv4 address fills it to the last byte, neither more nor less.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (bytes, length) = written(&listener, 32)?;
    saw(
        cx,
        "bytes that getsockname writes of an IPv4 address",
        bytes,
        16,
    )?;
    saw(cx, "and the length it reports", length, 16)?;
    PASS
}

/// Four would hold an IPv4 address, but no port.
pub fn sa_data_has_14_bytes(cx: &Check) -> Verdict {
    let at = offset_of!(sockaddr, sa_data);
    saw(cx, "sa_data lies at", at, 2)?;
    saw(
        cx,
        "from there to the end of struct sockaddr",
        size_of::<sockaddr>() - at,
        14,
    )?;
    let (_listener, client) = connected()?;
    let mut room = [0xaa; 2 + 4];
    address_into(&client, libc::getpeername, &mut room)?;
    // With four bytes of data the address is cut in its middle.
    saw(
        cx,
        "four bytes of it, of a peer at 127.0.0.1",
        hex(&room[4..]),
        "7f 00",
    )?;
    PASS
}

/// Read by hand what `getpeername` left in fourteen bytes, and see whether port and address are both there.
pub fn sa_data_is_read_as_the_family_says(cx: &Check) -> Verdict {
    let (listener, client) = connected()?;
    let mut peer = [0; 16];
    address_into(&client, libc::getpeername, &mut peer)?;
    let data = &peer[2..];
    saw(
        cx,
        "AF_INET: port",
        u16::from_be_bytes([data[0], data[1]]) == listener.local_addr()?.port(),
        true,
    )?;
    saw(cx, "AF_INET: address", hex(&data[2..6]), "7f 00 00 01")?;

    let six = ipv6_socket(SOCK_DGRAM)?;
    bind(&six, v6(MAPPED_LOCALHOST, 0, 0).bytes())?;
    let whole = own_address(&six)?;
    saw(
        cx,
        "AF_INET6: bytes of the address that do not fit",
        whole.len() - 16,
        12,
    )?;

    enter(cx.folder()?)?;
    let local = socket(AF_UNIX, SOCK_DGRAM)?;
    bind(&local, &unix("foo"))?;
    saw(
        cx,
        "AF_UNIX: no port, a path",
        own_address(&local)?[2..].escape_ascii().to_string(),
        "foo\\x00",
    )?;
    PASS
}

/// On BSD the first byte would be the length, 16, and the second the family. Here both are the family.
pub fn the_family_is_two_bytes(cx: &Check) -> Verdict {
    saw(cx, "sizeof(sa_family_t)", size_of::<sa_family_t>(), 2)?;
    let socket = socket(AF_INET, SOCK_DGRAM)?;
    let mut address = v4(LOCALHOST, 0);
    // If only one of the two bytes counted, this would do.
    for upset in [0x0100, 0x1000] {
        address.sin_family = AF_INET as sa_family_t | upset;
        let what = format!("bind with family {:#06x}", address.sin_family);
        saw(
            cx,
            &what,
            said(&bind(&socket, address.bytes())),
            "EAFNOSUPPORT",
        )?;
    }
    address.sin_family = AF_INET as sa_family_t;
    saw(
        cx,
        "bind with family 0x0002",
        said(&bind(&socket, address.bytes())),
        "ok",
    )?;
    PASS
}

/// What the kernel writes begins with the family, not with a length.
pub fn sockaddr_begins_with_the_family(cx: &Check) -> Verdict {
    saw(cx, "sa_family lies at", offset_of!(sockaddr, sa_family), 0)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let name = own_address(&listener)?;
    saw(
        cx,
        "the first two bytes of an IPv4 address",
        hex(&name[..2]),
        hex((AF_INET as u16).bytes()),
    )?;
    ensure!(
        usize::from(name[0]) != name.len(),
        "the first byte is the length"
    );
    PASS
}

/// An IPv4 address in an IPv6 one: it shows which byte is where, and works where IPv6 is switched off.
const MAPPED_LOCALHOST: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1];

/// The address does not follow the port, as in IPv4: the flow information is between them.
pub fn sockaddr_in6_has_the_address_at_8(cx: &Check) -> Verdict {
    saw(
        cx,
        "sizeof(struct sockaddr_in6)",
        size_of::<sockaddr_in6>(),
        28,
    )?;
    saw(
        cx,
        "sin6_port lies at",
        offset_of!(sockaddr_in6, sin6_port),
        2,
    )?;
    saw(
        cx,
        "sin6_flowinfo lies at",
        offset_of!(sockaddr_in6, sin6_flowinfo),
        4,
    )?;
    saw(
        cx,
        "sin6_addr lies at",
        offset_of!(sockaddr_in6, sin6_addr),
        8,
    )?;
    saw(
        cx,
        "sin6_scope_id lies at",
        offset_of!(sockaddr_in6, sin6_scope_id),
        24,
    )?;
    let socket = ipv6_socket(SOCK_DGRAM)?;
    bind(&socket, v6(MAPPED_LOCALHOST, 0, 0).bytes())?;
    let name = own_address(&socket)?;
    saw(cx, "bytes that getsockname gives", name.len(), 28)?;
    saw(
        cx,
        "sin6_addr of ::ffff:127.0.0.1",
        hex(&name[8..24]),
        hex(&MAPPED_LOCALHOST),
    )?;
    PASS
}

/// A family and a path. The length that comes back counts the path and its NUL, not the whole structure.
pub fn sockaddr_un_is_a_family_and_a_path(cx: &Check) -> Verdict {
    saw(
        cx,
        "sizeof(struct sockaddr_un)",
        size_of::<sockaddr_un>(),
        110,
    )?;
    saw(cx, "sun_path lies at", offset_of!(sockaddr_un, sun_path), 2)?;
    let folder = enter(cx.folder()?)?;
    let mut address = sockaddr_un {
        sun_family: AF_UNIX as sa_family_t,
        sun_path: [0; 108],
    };
    for (at, byte) in address.sun_path.iter_mut().zip(*b"foo.socket") {
        *at = byte as libc::c_char;
    }
    let socket = socket(AF_UNIX, SOCK_STREAM)?;
    saw(
        cx,
        "bind with all 110 bytes",
        said(&bind(&socket, address.bytes())),
        "ok",
    )?;
    saw(cx, "the file", names_in(folder)?, "foo.socket")?;
    saw(
        cx,
        "bytes that getsockname gives",
        own_address(&socket)?.len(),
        2 + "foo.socket".len() + 1,
    )?;
    PASS
}

/// A listener on loopback and a client that is connected to it.
fn connected() -> std::io::Result<(TcpListener, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    Ok((listener, client))
}
