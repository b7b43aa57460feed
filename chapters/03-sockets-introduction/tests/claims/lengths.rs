//! One pointer type for all addresses: what does the kernel do with the length beside it?

use std::mem::size_of;

use lab::prelude::*;
use lab::trial::{hex, said, saw};
use libc::{AF_INET, AF_UNIX, SOCK_DGRAM, SOCK_STREAM};
use libc::{sockaddr, sockaddr_in6, sockaddr_storage, sockaddr_un};

use crate::folder::{enter, names_in};
use crate::sockets::{Bytes, LOCALHOST, address_into, bind, ipv6_socket, own_address};
use crate::sockets::{socket, unix, v4, v6, written};

/// `::`, every local address, so that the experiments work where IPv6 is switched off.
const ANY: [u8; 16] = [0; 16];

/// Really convert an address, byte by byte, into the generic structure, and it is cut off.
pub fn a_converted_address_is_refused(cx: &Check) -> Verdict {
    let socket = ipv6_socket(SOCK_DGRAM)?;
    let address = v6(ANY, 0, 0);
    let mut generic = [0; size_of::<sockaddr>()];
    generic.copy_from_slice(&address.bytes()[..size_of::<sockaddr>()]);

    let bound = said(&bind(&socket, &generic));
    saw(cx, "bind an IPv6 address copied to a sockaddr", bound).is("EINVAL")?;
    let bound = said(&bind(&socket, address.bytes()));
    saw(cx, "bind it where it lies, by a cast pointer", bound).is("ok")?;
    PASS
}

/// Sixteen bytes are enough for IPv4 alone.
pub fn sockaddr_has_no_room_for_ipv6(cx: &Check) -> Verdict {
    saw(cx, "bytes of sockaddr", size_of::<sockaddr>()).is(16)?;
    saw(cx, "bytes of sockaddr_in6", size_of::<sockaddr_in6>()).is(28)?;
    saw(cx, "bytes of sockaddr_un", size_of::<sockaddr_un>()).is(110)?;
    let storage = size_of::<sockaddr_storage>();
    saw(cx, "bytes of sockaddr_storage", storage).is(128)?;

    let socket = ipv6_socket(SOCK_DGRAM)?;
    bind(&socket, v6(ANY, 0, 0).bytes())?;
    let (bytes, length) = written(&socket, size_of::<sockaddr>())?;
    saw(cx, "bytes of it that getsockname writes there", bytes).is(16)?;
    saw(cx, "and the length it reports", length).is(28)?;
    let whole = own_address(&socket)?.len();
    saw(cx, "bytes it writes into a sockaddr_storage", whole).is(28)?;
    PASS
}

/// `sizeof` a pointer is 8. What eight bytes mean depends on the family, and only one of the two
/// complains.
pub fn bind_with_the_size_of_a_pointer(cx: &Check) -> Verdict {
    let length = size_of::<*const sockaddr_un>();
    saw(cx, "sizeof a pointer", length).is(8)?;

    let inet = socket(AF_INET, SOCK_STREAM)?;
    let bound = said(&bind(&inet, &v4(LOCALHOST, 0).bytes()[..length]));
    saw(cx, "AF_INET", bound).is("EINVAL")?;

    let folder = enter(cx.folder()?)?;
    let local = socket(AF_UNIX, SOCK_STREAM)?;
    let bound = said(&bind(&local, &unix("foo.socket")[..length]));
    saw(cx, "AF_UNIX", bound).is("ok")?;
    saw(cx, "a file named", names_in(folder)?).is("foo.so")?;
    PASS
}

/// The generic structure happens to be as long as an IPv4 address, and no other.
pub fn the_size_of_sockaddr_fits_ipv4_only(cx: &Check) -> Verdict {
    let length = size_of::<sockaddr>();
    let four = socket(AF_INET, SOCK_DGRAM)?;
    let bound = said(&bind(&four, &v4(LOCALHOST, 0).bytes()[..length]));
    saw(cx, "AF_INET, 16 bytes", bound).is("ok")?;

    let six = ipv6_socket(SOCK_DGRAM)?;
    let bound = said(&bind(&six, &v6(ANY, 0, 0).bytes()[..length]));
    saw(cx, "AF_INET6, 16 bytes", bound).is("EINVAL")?;

    let folder = enter(cx.folder()?)?;
    let local = socket(AF_UNIX, SOCK_DGRAM)?;
    let bound = said(&bind(&local, &unix("a-name-too-long.socket")[..length]));
    saw(cx, "AF_UNIX, 16 bytes", bound).is("ok")?;
    saw(cx, "a file named", names_in(folder)?).is("a-name-too-lon")?;
    PASS
}

/// The length goes in as the room there is, and comes back as the room it takes.
pub fn getsockname_reads_the_length_first(cx: &Check) -> Verdict {
    let socket = socket(AF_INET, SOCK_DGRAM)?;
    bind(&socket, v4(LOCALHOST, 0).bytes())?;
    for (room, wanted) in [(0, 0), (4, 4), (16, 16), (32, 16)] {
        let (bytes, length) = written(&socket, room)?;
        saw(cx, &format!("length {room} goes in, bytes written"), bytes).is(wanted)?;
        saw(cx, "and the length that comes out", length).is(16)?;
    }
    // The cut falls where the length says: family and port, and nothing of the address.
    let mut four = [0; 4];
    address_into(&socket, libc::getsockname, &mut four)?;
    saw(cx, "the four bytes begin with", hex(&four[..2])).is(hex((AF_INET as u16).bytes()))?;
    PASS
}
