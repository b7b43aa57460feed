//! What is a socket, and in which order are the calls made?

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};

use lab::prelude::*;
use lab::trial::{said, saw};
use libc::{AF_INET, AF_INET6, AF_NETLINK, AF_UNIX, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM};

use crate::folder::{enter, names_in};
use crate::sockets::{
    Bytes, LOCALHOST, bind, connect, listen, own_address, port_in, send_to, socket, v4,
};

/// A socket takes `read`, `write` and `close` from any file. It has no position, and its name in
/// the file system is not a way in.
pub fn a_socket_is_a_file_that_open_refuses(cx: &Check) -> Verdict {
    // As `File`s, so that the calls are write(2) and read(2), and nothing that is only for sockets.
    let (near, far) = UnixStream::pair()?;
    let mut near = File::from(OwnedFd::from(near));
    let mut far = File::from(OwnedFd::from(far));

    let mut buf = [0; 16];
    near.write_all(b"hello")?;
    saw(cx, "write 5 bytes, then read", far.read(&mut buf)?).is(5)?;
    let moved = seek_to_start(&near);
    saw(cx, "lseek", said(&moved)).is("ESPIPE")?;
    drop(near);
    saw(cx, "read after close of the other end", far.read(&mut buf)?).is(0)?;

    let folder = enter(cx.folder()?)?;
    let _listener = UnixListener::bind("socket")?;
    saw(cx, "bind makes a file", names_in(folder)?).is("socket")?;
    saw(cx, "open of it", said(&File::open("socket"))).is("ENXIO")?;
    PASS
}

/// `lseek(2)` as it is: `std` has its own idea of what a seek returns.
fn seek_to_start(file: &File) -> io::Result<()> {
    // SAFETY: the call takes no pointer.
    match unsafe { libc::lseek(file.as_raw_fd(), 0, libc::SEEK_SET) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Beside IPv4, IPv6 and UNIX there are families for talking to the kernel, to Bluetooth, to the
/// host of a virtual machine. Netlink is on every Linux with a network.
pub fn more_than_three_families_open(cx: &Check) -> Verdict {
    let netlink = socket(AF_NETLINK, SOCK_RAW)?;
    let name = own_address(&netlink)?;
    let family = i32::from(u16::from_ne_bytes([name[0], name[1]]));
    let known = [AF_INET, AF_INET6, AF_UNIX].contains(&family);
    ensure!(!known, "family {family} is one of the three");
    saw(cx, "a socket opens with family", family).is(AF_NETLINK)?;

    // The kernel does know its families: it does not take any number.
    let unknown = said(&socket(200, SOCK_RAW));
    saw(cx, "and with family 200", unknown).is("EAFNOSUPPORT")?;
    PASS
}

/// `PF_` for `socket` and `AF_` for addresses was a distinction that never came to be.
pub fn pf_inet_is_af_inet(cx: &Check) -> Verdict {
    saw(cx, "PF_INET", libc::PF_INET).is(AF_INET)?;
    saw(cx, "PF_INET6", libc::PF_INET6).is(AF_INET6)?;
    saw(cx, "PF_UNIX", libc::PF_UNIX).is(AF_UNIX)?;

    let by_pf = socket(libc::PF_INET, SOCK_STREAM)?;
    let bound = said(&bind(&by_pf, v4(LOCALHOST, 0).bytes()));
    saw(cx, "an AF_INET address on a PF_INET socket", bound).is("ok")?;
    PASS
}

/// One thread does it all here, so nothing can be at work in `accept` while `connect` runs.
pub fn connect_returns_before_accept_is_called(cx: &Check) -> Verdict {
    let server = socket(AF_INET, SOCK_STREAM)?;
    bind(&server, v4(LOCALHOST, 0).bytes())?;
    let address = own_address(&server)?;

    let early = said(&connect(&socket(AF_INET, SOCK_STREAM)?, &address));
    saw(cx, "connect before listen", early).is("ECONNREFUSED")?;

    listen(&server)?;
    let client = socket(AF_INET, SOCK_STREAM)?;
    let connected = said(&connect(&client, &address));
    saw(cx, "connect before accept", connected).is("ok")?;

    let (_, peer) = TcpListener::from(server).accept()?;
    let same = peer.port() == port_in(&own_address(&client)?);
    saw(cx, "accept afterwards finds that client", same).is(true)?;
    PASS
}

/// Each side is a socket. The one that waits is bound, the one that speaks first need not be.
pub fn udp_needs_no_connection(cx: &Check) -> Verdict {
    let server = socket(AF_INET, SOCK_DGRAM)?;
    bind(&server, v4(LOCALHOST, 0).bytes())?;
    let address = own_address(&server)?;
    let server = UdpSocket::from(server);

    let client = socket(AF_INET, SOCK_DGRAM)?;
    let port = port_in(&own_address(&client)?);
    saw(cx, "the client's port before sendto", port).is(0)?;
    let sent = said(&send_to(&client, b"ping", &address));
    saw(cx, "sendto without bind or connect", sent).is("ok")?;
    let port = port_in(&own_address(&client)?);
    ensure!(port != 0, "sendto left the client without a port");

    let mut buf = [0; 16];
    let (n, from) = server.recv_from(&mut buf)?;
    ensure!(&buf[..n] == b"ping", "recvfrom gave {:?}", &buf[..n]);
    let same = from.port() == port;
    saw(cx, "recvfrom names the port the client was given", same).is(true)?;

    server.send_to(b"pong", from)?;
    let n = UdpSocket::from(client).recv(&mut buf)?;
    saw(cx, "the answer", buf[..n].escape_ascii().to_string()).is("pong")?;
    PASS
}
