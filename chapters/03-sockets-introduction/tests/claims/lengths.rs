//! One pointer type for all addresses: what does the kernel do with the length beside it?

use std::mem::size_of;

use lab::prelude::*;
use libc::{
    AF_INET, AF_UNIX, SOCK_DGRAM, SOCK_STREAM, sockaddr, sockaddr_in6, sockaddr_storage,
    sockaddr_un,
};

use crate::evidence::{hex, said, saw};
use crate::folder::{enter, names_in};
use crate::sockets::{
    Bytes, LOCALHOST, address_into, bind, ipv6_socket, own_address, socket, unix, v4, v6, written,
};

/// Really convert an address, byte by byte, into the generic structure, and it is cut off.
pub fn a_converted_address_is_refused(cx: &Check) -> Verdict {
    let socket = ipv6_socket(SOCK_DGRAM)?;
    let address = v6([0; 16], 0, 0);
    let mut generic = [0; size_of::<sockaddr>()];
    generic.copy_from_slice(&address.bytes()[..size_of::<sockaddr>()]);
    saw(
        cx,
        "bind an IPv6 address copied into a sockaddr",
        said(&bind(&socket, &generic)),
        "EINVAL",
    )?;
    saw(
        cx,
        "bind the address where it lies, behind a cast pointer",
        said(&bind(&socket, address.bytes())),
        "ok",
    )?;
    PASS
}

/// Sixteen bytes are enough for IPv4 alone.
pub fn sockaddr_has_no_room_for_ipv6(cx: &Check) -> Verdict {
    saw(cx, "sizeof(struct sockaddr)", size_of::<sockaddr>(), 16)?;
    saw(
        cx,
        "sizeof(struct sockaddr_in6)",
        size_of::<sockaddr_in6>(),
        28,
    )?;
    saw(
        cx,
        "sizeof(struct sockaddr_un)",
        size_of::<sockaddr_un>(),
        110,
    )?;
    saw(
        cx,
        "sizeof(struct sockaddr_storage)",
        size_of::<sockaddr_storage>(),
        128,
    )?;

    let socket = ipv6_socket(SOCK_DGRAM)?;
    bind(&socket, v6([0; 16], 0, 0).bytes())?;
    let mut room = [0xaa; size_of::<sockaddr>()];
    let length = address_into(&socket, libc::getsockname, &mut room)?;
    saw(
        cx,
        "length that getsockname reports for 16 bytes of room",
        length,
        28,
    )?;
    saw(
        cx,
        "bytes of the IPv6 address that came",
        hex(&room[8..]),
        "00 00 00 00 00 00 00 00",
    )?;
    saw(
        cx,
        "bytes that sockaddr_storage takes",
        own_address(&socket)?.len(),
        28,
    )?;
    PASS
}

/// `sizeof` a pointer is 8. What eight bytes mean depends on the family, and only one of the two complains.
pub fn bind_with_the_size_of_a_pointer(cx: &Check) -> Verdict {
    let length = size_of::<*const sockaddr_un>();
    saw(cx, "sizeof a pointer", length, 8)?;
    let inet = socket(AF_INET, SOCK_STREAM)?;
    saw(
        cx,
        "AF_INET",
        said(&bind(&inet, &v4(LOCALHOST, 0).bytes()[..length])),
        "EINVAL",
    )?;

    let folder = enter(cx.folder()?)?;
    let local = socket(AF_UNIX, SOCK_STREAM)?;
    saw(
        cx,
        "AF_UNIX",
        said(&bind(&local, &unix("foo.socket")[..length])),
        "ok",
    )?;
    saw(cx, "a file named", names_in(folder)?, "foo.so")?;
    PASS
}

/// The generic structure happens to be as long as an IPv4 address, and no other.
pub fn the_size_of_sockaddr_fits_ipv4_only(cx: &Check) -> Verdict {
    let length = size_of::<sockaddr>();
    let four = socket(AF_INET, SOCK_DGRAM)?;
    saw(
        cx,
        "AF_INET, 16 bytes",
        said(&bind(&four, &v4(LOCALHOST, 0).bytes()[..length])),
        "ok",
    )?;
    let six = ipv6_socket(SOCK_DGRAM)?;
    saw(
        cx,
        "AF_INET6, 16 bytes",
        said(&bind(&six, &v6([0; 16], 0, 0).bytes()[..length])),
        "EINVAL",
    )?;

    let folder = enter(cx.folder()?)?;
    let local = socket(AF_UNIX, SOCK_DGRAM)?;
    saw(
        cx,
        "AF_UNIX, 16 bytes",
        said(&bind(&local, &unix("a-name-too-long.socket")[..length])),
        "ok",
    )?;
    saw(cx, "a file named", names_in(folder)?, "a-name-too-lon")?;
    PASS
}

/// The length goes in as the room there is, and comes back as the room it takes.
pub fn getsockname_reads_the_length_first(cx: &Check) -> Verdict {
    let socket = socket(AF_INET, SOCK_DGRAM)?;
    bind(&socket, v4(LOCALHOST, 0).bytes())?;
    for room in [0, 4, 16, 32] {
        let (bytes, length) = written(&socket, room)?;
        let what = format!("length {room} goes in, bytes written");
        saw(cx, &what, bytes, room.min(16))?;
        saw(cx, "and the length that comes out", length, 16)?;
    }
    PASS
}
