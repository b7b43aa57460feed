//! What is in the name a socket is bound to: which ports, which local addresses, which interfaces, which paths?

use std::net::{TcpListener, TcpStream};

use lab::prelude::*;
use libc::{AF_INET, AF_UNIX, SOCK_DGRAM};

use crate::evidence::{hex, said, saw};
use crate::folder::enter;
use crate::sockets::{
    Bytes, LOCALHOST, bind, ipv6_socket, own_address, port_in, socket, unix, v4, v6,
};

/// There is no room for 65536: cut to 16 bits it is 0, and 0 means "choose one for me".
pub fn a_port_has_sixteen_bits_and_0_asks_for_one(cx: &Check) -> Verdict {
    let cut = 65536_u32 as u16;
    saw(cx, "65536 in 16 bits", cut, 0)?;
    let any = socket(AF_INET, SOCK_DGRAM)?;
    bind(&any, v4(LOCALHOST, cut).bytes())?;
    let given = port_in(&own_address(&any)?);
    saw(cx, "bind to 0 gives a port other than 0", given != 0, true)?;
    let last = socket(AF_INET, SOCK_DGRAM)?;
    match bind(&last, v4(LOCALHOST, 65535).bytes()) {
        // Somebody else has it. So it is a port.
        Err(error) if error.raw_os_error() == Some(libc::EADDRINUSE) => {
            cx.evidence("port 65535: EADDRINUSE");
        }
        other => {
            other?;
            saw(
                cx,
                "bind to 65535 gives port",
                port_in(&own_address(&last)?),
                65535,
            )?;
        }
    }
    PASS
}

/// All of 127.0.0.0/8 is this machine, so loopback has more than one address to come in by.
pub fn inaddr_any_is_reached_by_every_local_address(cx: &Check) -> Verdict {
    let any = TcpListener::bind("0.0.0.0:0")?;
    let one = TcpListener::bind("127.0.0.1:0")?;
    let connect = |to, listener: &TcpListener| {
        Ok::<_, Finding>(said(&TcpStream::connect((
            to,
            listener.local_addr()?.port(),
        ))))
    };
    saw(
        cx,
        "bound to 0.0.0.0, reached at 127.0.0.1",
        connect("127.0.0.1", &any)?,
        "ok",
    )?;
    saw(
        cx,
        "bound to 0.0.0.0, reached at 127.0.0.2",
        connect("127.0.0.2", &any)?,
        "ok",
    )?;
    saw(
        cx,
        "bound to 127.0.0.1, reached at 127.0.0.1",
        connect("127.0.0.1", &one)?,
        "ok",
    )?;
    saw(
        cx,
        "bound to 127.0.0.1, reached at 127.0.0.2",
        connect("127.0.0.2", &one)?,
        "ECONNREFUSED",
    )?;
    PASS
}

/// The listener never learns an address. Each connection has its own.
pub fn the_local_address_is_fixed_by_the_connection(cx: &Check) -> Verdict {
    let listener = TcpListener::bind("0.0.0.0:0")?;
    let port = listener.local_addr()?.port();
    for to in ["127.0.0.2", "127.0.0.3"] {
        let _client = TcpStream::connect((to, port))?;
        let (connection, _) = listener.accept()?;
        saw(
            cx,
            "local address of the accepted socket",
            connection.local_addr()?.ip().to_string(),
            to,
        )?;
    }
    saw(
        cx,
        "local address of the listener",
        hex(&own_address(&listener)?[4..8]),
        "00 00 00 00",
    )?;
    PASS
}

/// The scope id is the number of an interface on this machine and never leaves it. So it has the machine's byte order.
pub fn the_scope_id_is_in_host_order(cx: &Check) -> Verdict {
    if cfg!(target_endian = "big") {
        return Err(Finding::needs(
            "a little-endian machine, for the two orders to differ",
        ));
    }
    // SAFETY: a string that ends in NUL.
    let lo = unsafe { libc::if_nametoindex(c"lo".as_ptr()) };
    let mut link_local = [0; 16];
    link_local[..2].copy_from_slice(&[0xfe, 0x80]);
    link_local[15] = 1;
    let bind_in = |scope_id| {
        let socket = ipv6_socket(SOCK_DGRAM)?;
        Ok::<_, Finding>(said(&bind(&socket, v6(link_local, scope_id, 0).bytes())))
    };
    saw(cx, "bind fe80::1 with scope id 0", bind_in(0)?, "EINVAL")?;
    // The interface is found, and does not have that address.
    saw(
        cx,
        "with that of lo in host order",
        bind_in(lo)?,
        "EADDRNOTAVAIL",
    )?;
    saw(
        cx,
        "with that of lo in network order",
        bind_in(lo.to_be())?,
        "ENODEV",
    )?;
    PASS
}

/// Linux lets the path fill its field to the last byte and adds the NUL itself.
pub fn a_path_of_108_bytes_binds(cx: &Check) -> Verdict {
    let folder = enter(cx.folder()?)?;
    for (length, wanted) in [(107, "ok"), (108, "ok"), (109, "EINVAL")] {
        let path = "a".repeat(length);
        let socket = socket(AF_UNIX, SOCK_DGRAM)?;
        let what = format!("a path of {length} bytes without a NUL");
        saw(cx, &what, said(&bind(&socket, &unix(&path))), wanted)?;
        let there = folder.join(&path).exists();
        ensure!(there == (wanted == "ok"), "a file of that name: {there}");
        if length == 108 {
            // Longer than sockaddr_un: whoever looks for the NUL inside its 110 bytes does not find it.
            let what = "the length that getsockname then reports";
            saw(cx, what, own_address(&socket)?.len(), 111)?;
        }
    }
    PASS
}
