//! What is in the name a socket is bound to: which ports, which local addresses, which interfaces, which paths?

use std::net::{TcpListener, TcpStream};

use lab::prelude::*;
use lab::trial::{little_endian_machine, said, saw};
use libc::{AF_INET, AF_UNIX, EADDRINUSE, SOCK_DGRAM};

use crate::folder::enter;
use crate::sockets::{
    Bytes, LOCALHOST, bind, ipv6_socket, own_address, port_in, socket, unix, v4, v6,
};

/// There is no room for 65536: cut to 16 bits it is 0, and 0 means "choose one for me".
pub fn a_port_has_sixteen_bits_and_0_asks_for_one(cx: &Check) -> Verdict {
    let cut = 65536_u32 as u16;
    saw(cx, "65536 in 16 bits", cut).is(0)?;
    let any = socket(AF_INET, SOCK_DGRAM)?;
    bind(&any, v4(LOCALHOST, cut).bytes())?;
    let chosen = port_in(&own_address(&any)?) != 0;
    saw(cx, "bind to 0 gives a port other than 0", chosen).is(true)?;

    let last = socket(AF_INET, SOCK_DGRAM)?;
    match bind(&last, v4(LOCALHOST, 65535).bytes()) {
        // Somebody else has it. So it is a port.
        Err(error) if error.raw_os_error() == Some(EADDRINUSE) => {
            cx.evidence("bind to 65535: EADDRINUSE");
            return PASS;
        }
        other => other?,
    }
    let port = port_in(&own_address(&last)?);
    saw(cx, "bind to 65535 gives port", port).is(65535)?;
    PASS
}

/// All of 127.0.0.0/8 is this machine, so loopback has more than one address to come in by.
pub fn inaddr_any_is_reached_by_every_local_address(cx: &Check) -> Verdict {
    for (bound_to, at, wanted) in [
        ("0.0.0.0", "127.0.0.1", "ok"),
        ("0.0.0.0", "127.0.0.2", "ok"),
        ("127.0.0.1", "127.0.0.1", "ok"),
        ("127.0.0.1", "127.0.0.2", "ECONNREFUSED"),
    ] {
        let listener = TcpListener::bind((bound_to, 0))?;
        let port = listener.local_addr()?.port();
        let reached = said(&TcpStream::connect((at, port)));
        let what = format!("bound to {bound_to}, reached at {at}");
        saw(cx, &what, reached).is(wanted)?;
    }
    PASS
}

/// The listener never learns an address. Each connection has its own.
pub fn the_local_address_is_fixed_by_the_connection(cx: &Check) -> Verdict {
    let listener = TcpListener::bind("0.0.0.0:0")?;
    let port = listener.local_addr()?.port();
    for to in ["127.0.0.2", "127.0.0.3"] {
        let _client = TcpStream::connect((to, port))?;
        let (connection, _) = listener.accept()?;
        let local = connection.local_addr()?.ip().to_string();
        saw(cx, "local address of the accepted socket", local).is(to)?;
    }
    let local = listener.local_addr()?.ip().to_string();
    saw(cx, "local address of the listener", local).is("0.0.0.0")?;
    PASS
}

/// The scope id is the number of an interface on this machine and never leaves it. So it has the
/// machine's byte order.
pub fn the_scope_id_is_in_host_order(cx: &Check) -> Verdict {
    little_endian_machine()?;
    // SAFETY: a string that ends in NUL.
    let lo = unsafe { libc::if_nametoindex(c"lo".as_ptr()) };
    let mut link_local = [0; 16];
    (link_local[0], link_local[1], link_local[15]) = (0xfe, 0x80, 1);
    let bind_with = |scope_id| {
        let socket = ipv6_socket(SOCK_DGRAM)?;
        let address = v6(link_local, scope_id, 0);
        Ok::<_, Finding>(said(&bind(&socket, address.bytes())))
    };
    saw(cx, "bind fe80::1 with scope id 0", bind_with(0)?).is("EINVAL")?;
    // The interface is found, and does not have that address.
    let bound = bind_with(lo)?;
    saw(cx, "with that of lo in host order", bound).is("EADDRNOTAVAIL")?;
    let bound = bind_with(lo.to_be())?;
    saw(cx, "with that of lo in network order", bound).is("ENODEV")?;
    PASS
}

/// Linux lets the path fill its field to the last byte and adds the NUL itself.
pub fn a_path_of_108_bytes_binds(cx: &Check) -> Verdict {
    let folder = enter(cx.folder()?)?;
    for (length, wanted) in [(107, "ok"), (108, "ok"), (109, "EINVAL")] {
        let path = "a".repeat(length);
        let socket = socket(AF_UNIX, SOCK_DGRAM)?;
        let what = format!("a path of {length} bytes without a NUL");
        saw(cx, &what, said(&bind(&socket, &unix(&path)))).is(wanted)?;
        let there = folder.join(&path).exists();
        ensure!(there == (wanted == "ok"), "a file of that name: {there}");
        if length == 108 {
            // Longer than sockaddr_un: whoever looks for the NUL inside its 110 bytes does not find it.
            let what = "the length that getsockname then reports";
            saw(cx, what, own_address(&socket)?.len()).is(111)?;
        }
    }
    PASS
}
