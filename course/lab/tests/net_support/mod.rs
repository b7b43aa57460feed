//! What the tests of the network share: sockets in hosts, none of which waits for ever.

#![allow(dead_code, reason = "not every test binary uses all of it")]

use std::io::{self, Read};
use std::net::{SocketAddr, SocketAddrV6, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use lab::net::Host;

/// Longer than anything here takes, however busy the machine is.
pub const LONG: Duration = Duration::from_secs(8);

/// The time by which a thing must have happened.
pub fn soon() -> Instant {
    Instant::now() + LONG
}

/// The addresses at which `client` reaches `server` on their common link: IPv4, IPv6, link-local IPv6; and the same as the
/// server itself must write them.
pub fn addresses(client: &Host, server: &Host, port: u16) -> [(SocketAddr, SocketAddr); 3] {
    let scoped = |host: &Host| SocketAddrV6::new(server.link_local(), port, 0, host.index()).into();
    [
        ((server.v4(), port).into(), (server.v4(), port).into()),
        ((server.v6(), port).into(), (server.v6(), port).into()),
        (scoped(client), scoped(server)),
    ]
}

/// A TCP connection from one host to port 7 of another: the client's end, the server's end.
pub fn connection(client: &Host, server: &Host) -> io::Result<(TcpStream, TcpStream)> {
    let listener = server.run(|| TcpListener::bind((server.v4(), 7)))?;
    let ours = client.run(|| TcpStream::connect_timeout(&(server.v4(), 7).into(), LONG))?;
    let (theirs, _) = listener.accept()?;
    for end in [&ours, &theirs] {
        end.set_read_timeout(Some(LONG))?;
        end.set_nodelay(true)?;
    }
    Ok((ours, theirs))
}

/// A UDP socket in a host.
pub fn datagrams(host: &Host, at: impl Into<SocketAddr>) -> io::Result<UdpSocket> {
    let at = at.into();
    let socket = host.run(|| UdpSocket::bind(at))?;
    socket.set_read_timeout(Some(LONG))?;
    Ok(socket)
}

/// The bytes of the next datagram.
pub fn next(socket: &UdpSocket) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 2000];
    let length = socket.recv(&mut buffer)?;
    Ok(buffer[..length].to_vec())
}

/// Exactly so many bytes of a stream.
pub fn read(stream: &mut TcpStream, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}
