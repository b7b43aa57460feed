//! Grades `port-on-the-wire`.
//!
//! No answer stands in here: each is read from the frame, or is what the kernel makes of it.

use std::io;
use std::mem::size_of;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use lab::prelude::*;
use port_on_the_wire as answers;

pub fn main() -> std::process::ExitCode {
    Grader::new("port-on-the-wire")
        .section("03-sockets-introduction#host-and-network-order")
        .check(2, the_ports)
        .check(1, the_addresses)
        .check(1, the_sequence_number)
        .check(1, where_the_source_port_stands)
        .check(1, what_a_forgotten_ntohs_prints)
        .check(2, what_the_kernel_tells_accept)
        .see("03-sockets-introduction#socket-address-structures")
        .check(2, a_frame_that_your_kernel_sends)
        .main()
}

/// The client's port and the server's port.
fn the_ports(cx: &Check) -> Verdict {
    const WHY: &str = "The TCP header begins with the source port, the destination port comes next, and of the two \
         bytes of each the first is the big end.";
    let frame = Frame::captured();
    let (source, destination) = cx
        .subject(|| (answers::source_port(), answers::destination_port()))?
        .value()?;
    if u64::from(source) == frame.number(frame.tcp + 2, 2)
        && u64::from(destination) == frame.number(frame.tcp, 2)
    {
        return Err(Finding::fail(format!(
            "source_port() said {source} and destination_port() said {destination}: they have changed places"
        )))
        .because(WHY);
    }
    frame
        .says("source_port()", source.into(), frame.tcp, 2)
        .because(WHY)?;
    frame
        .says("destination_port()", destination.into(), frame.tcp + 2, 2)
        .because(WHY)
}

/// The client's address and the server's address.
fn the_addresses(cx: &Check) -> Verdict {
    const WHY: &str = "The four numbers of an address stand in the frame one byte after the other, as they are \
         written. In the IPv4 header the source comes first, at its byte 12.";
    let frame = Frame::captured();
    let subject = cx.subject(|| (answers::source_address(), answers::destination_address()))?;
    let (source, destination) = subject.value()?;
    if source == frame.address(frame.ip + 16) && destination == frame.address(frame.ip + 12) {
        return Err(Finding::fail(format!(
            "source_address() said {source} and destination_address() said {destination}: they have changed places"
        )))
        .because(WHY);
    }
    for (call, said, at) in [
        ("source_address()", source, frame.ip + 12),
        ("destination_address()", destination, frame.ip + 16),
    ] {
        let stands = frame.address(at);
        let backwards = Ipv4Addr::from_bits(stands.to_bits().swap_bytes());
        if said == backwards {
            return Err(Finding::fail(format!(
                "{call} said {said}: the right four bytes, read from the last to the first"
            )))
            .because(WHY);
        }
        if said != stands {
            return Err(Finding::fail(format!(
                "{call} said {said}, {}",
                frame.places(&said.octets())
            )))
            .because(WHY);
        }
    }
    PASS
}

/// The number from which the client counts its bytes.
fn the_sequence_number(cx: &Check) -> Verdict {
    let frame = Frame::captured();
    let said = cx.subject(answers::sequence_number)?.value()?;
    frame.says("sequence_number()", said.into(), frame.tcp + 4, 4).because(
        "The sequence number is 32 bits at byte 4 of the TCP header, right behind the ports, its big end first.",
    )
}

/// The byte of the frame at which the source port begins.
fn where_the_source_port_stands(cx: &Check) -> Verdict {
    let frame = Frame::captured();
    let said = cx.subject(answers::source_port_begins_at)?.value()?;
    if said == frame.tcp {
        return PASS;
    }
    let stands = frame
        .bytes
        .get(said..said + 2)
        .map_or("past the end of the frame".into(), hex);
    let what = format!("source_port_begins_at() said byte {said}: there stands {stands}");
    Err(Finding::fail(what)).because(match said {
        _ if said == frame.tcp - frame.ip => {
            "That is counted from the IPv4 header. A captured frame begins with the Ethernet header before it."
        }
        _ if said == frame.ip => "That is where the IPv4 header begins. Its source port is in the TCP header behind it.",
        _ if said == frame.tcp + 1 || said == frame.tcp + 2 => {
            "Near. Count from 0: the first byte behind the two headers is the first byte of the source port."
        }
        _ => "Before the TCP header stand the Ethernet header, 14 bytes, and the IPv4 header, 20 bytes.",
    })
}

/// The destination port as a little-endian program prints it that forgets `ntohs`.
fn what_a_forgotten_ntohs_prints(cx: &Check) -> Verdict {
    const WHY: &str = "The two bytes are copied as they are. A little-endian machine takes the first of them for the \
         little end: first byte + 256 × second byte.";
    let frame = Frame::captured();
    let said = cx
        .subject(answers::destination_port_without_ntohs)?
        .value()?;
    let at = frame.tcp + 2;
    let bytes = hex(&frame.bytes[at..at + 2]);
    if u64::from(said) == frame.number(at, 2) {
        return Err(Finding::fail(format!(
            "destination_port_without_ntohs() said {said}: that is {bytes} with the big end first, as ntohs would give it"
        )))
        .because(WHY);
    }
    if said.to_le_bytes() != frame.bytes[at..at + 2] {
        return Err(Finding::fail(format!(
            "destination_port_without_ntohs() said {said}, which is {} in the memory of a little-endian machine; \
             the two bytes are {bytes}",
            hex(&said.to_le_bytes())
        )))
        .because(WHY);
    }
    PASS
}

/// The sixteen bytes that `accept` gives for this client: what this kernel writes for that address and port.
fn what_the_kernel_tells_accept(cx: &Check) -> Verdict {
    const WHY: &str = "Port and address lie in a sockaddr_in as they stand on the wire. The family was never on the \
         wire: it is a number of this machine, in host byte order. The last eight bytes are zero.";
    let said = cx.subject(answers::what_accept_writes)?.value()?;
    let frame = Frame::captured();
    let (client, _) = frame.ends();
    let written = name_of(&bound(&sockaddr_in(client))?)?;
    // The answer is asked for a little-endian machine; that part of it is the kernel's only on one.
    let family = (libc::AF_INET as u16).to_le_bytes();
    let wanted = [&family[..], &written[2..]].concat();
    if said[..] == wanted {
        return PASS;
    }
    let reads = u16::from_le_bytes([said[0], said[1]]);
    let mut what = format!("what_accept_writes() said {}", hex(&said));
    what += &if reads == libc::AF_INET as u16 {
        // Let the kernel read the answer: what it takes for port and address says what is wrong.
        let mut own = said;
        own[..2].copy_from_slice(&written[..2]);
        match bound(&own).and_then(|socket| name_of(&socket)) {
            Ok(_) if said[8..] != [0; 8] => "; the eight bytes of padding are not zero".into(),
            Ok(name) => {
                let port = u16::from_be_bytes([name[2], name[3]]);
                let address = Ipv4Addr::new(name[4], name[5], name[6], name[7]);
                format!("; the kernel reads port {port} and address {address} there")
            }
            Err(error) => format!("; given to bind(2), the kernel says {error}"),
        }
    } else {
        let inet = libc::AF_INET;
        format!("; a little-endian machine reads family {reads} there, and AF_INET is {inet}")
    };
    Err(Finding::fail(what)).because(WHY)
}

/// The same connection once more, between two hosts of this machine: the answers hold for the frame that
/// this kernel sends, and for what this kernel tells `accept`.
fn a_frame_that_your_kernel_sends(cx: &Check) -> Verdict {
    const WHY: &str = "A number is the same in every frame: it lies where its header has room for it, its big end first. \
         Only the sequence number is made up anew each time.";
    let captured = Frame::captured();
    let (client, server) = captured.ends();
    let net = cx.lan(&["client", "server"])?;
    let listener = net.host("server").run(|| TcpListener::bind(server))?;
    let caller = net.host("client").run(|| {
        let caller = bound_stream(client)?;
        connected(&caller, server)?;
        Ok(caller)
    })?;
    let told = accepted(&listener)?;
    drop(caller);
    let wire = net.wire()?;
    let syn = wire
        .frames()
        .iter()
        .find(|frame| frame.packet.tcp().is_some());
    let syn = syn.ok_or_else(|| Finding::fault("no TCP on the wire"))?;
    let frame = Frame::new(syn.bytes.to_vec());
    cx.step(format!("this kernel sends a SYN from {client} to {server}"));
    cx.step(format!("and accept writes {}", hex(&told)));

    let subject = cx.subject(|| {
        let ports = (answers::source_port(), answers::destination_port());
        (
            answers::source_port_begins_at(),
            ports,
            answers::what_accept_writes(),
        )
    })?;
    let (at, (source, destination), accept) = subject.value()?;
    for (what, said, at) in [
        ("source_port()", source, at),
        ("destination_port()", destination, at + 2),
    ] {
        let Some(bytes) = frame.bytes.get(at..at + 2) else {
            let length = frame.bytes.len();
            return Err(Finding::fail(format!(
                "byte {at} is behind the end of the frame, which has {length} bytes"
            )))
            .because(WHY);
        };
        if bytes != said.to_be_bytes() {
            return Err(Finding::fail(format!(
                "at byte {at} of this kernel's frame stands {}, and {what} said {said}",
                hex(bytes)
            )))
            .because(WHY);
        }
    }
    let family = (libc::AF_INET as u16).to_le_bytes();
    if accept != [&family[..], &told[2..]].concat()[..] {
        return Err(Finding::fail(format!("what_accept_writes() said {}", hex(&accept)))).because(
            "Port and address lie in a sockaddr_in as they stand on the wire, and the family in host byte order.",
        );
    }
    PASS
}

/// A frame, and where its headers begin.
struct Frame {
    bytes: Vec<u8>,
    ip: usize,
    tcp: usize,
}

impl Frame {
    /// The frame of the task.
    fn captured() -> Frame {
        let dump = include_str!("frame.txt");
        let bytes = dump
            .lines()
            .flat_map(|line| line.split_whitespace().skip(1));
        Frame::new(
            bytes
                .map(|b| u8::from_str_radix(b, 16).expect("two hexadecimal digits"))
                .collect(),
        )
    }

    /// A frame with an Ethernet, an IPv4 and a TCP header.
    fn new(bytes: Vec<u8>) -> Frame {
        let ip = 14;
        let tcp = ip + 4 * usize::from(bytes[ip] & 0x0f);
        Frame { bytes, ip, tcp }
    }

    /// Where the frame comes from and where it goes to.
    fn ends(&self) -> (SocketAddrV4, SocketAddrV4) {
        let end = |ip, tcp| SocketAddrV4::new(self.address(ip), self.number(tcp, 2) as u16);
        (end(self.ip + 12, self.tcp), end(self.ip + 16, self.tcp + 2))
    }

    /// The number in the `width` bytes at `at`, its big end first.
    fn number(&self, at: usize, width: usize) -> u64 {
        self.bytes[at..at + width]
            .iter()
            .fold(0, |n, b| n << 8 | u64::from(*b))
    }

    /// The address in the four bytes at `at`.
    fn address(&self, at: usize) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.number(at, 4) as u32)
    }

    /// Demands that `call` said the number in the `width` bytes at `at`.
    fn says(&self, call: &str, said: u64, at: usize, width: usize) -> Verdict {
        if said == self.number(at, width) {
            return PASS;
        }
        let bytes = &self.bytes[at..at + width];
        let backwards = bytes.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b));
        Err(Finding::fail(if said == backwards {
            format!(
                "{call} said {said}: that is {} with the little end first",
                hex(bytes)
            )
        } else {
            format!(
                "{call} said {said}, {}",
                self.places(&said.to_be_bytes()[8 - width..])
            )
        }))
    }

    /// Where in the frame such bytes stand, for somebody who looked in the wrong place.
    fn places(&self, bytes: &[u8]) -> String {
        let at: Vec<String> = (0..=self.bytes.len() - bytes.len())
            .filter(|at| self.bytes[*at..].starts_with(bytes))
            .map(|at| at.to_string())
            .collect();
        let bytes = hex(bytes);
        if at.is_empty() {
            format!("which would be {bytes}; these bytes stand nowhere in the frame")
        } else {
            format!(
                "which would be {bytes}; these bytes stand at byte {} of the frame",
                at.join(" and ")
            )
        }
    }
}

/// A TCP socket with this local address.
fn bound_stream(to: SocketAddrV4) -> io::Result<OwnedFd> {
    let socket = socket(libc::SOCK_STREAM)?;
    let address = sockaddr_in(to);
    // SAFETY: the address is as long as is said.
    checked(unsafe {
        libc::bind(
            socket.as_raw_fd(),
            address.as_ptr().cast(),
            address.len() as libc::socklen_t,
        )
    })?;
    Ok(socket)
}

fn connected(socket: &OwnedFd, to: SocketAddrV4) -> io::Result<()> {
    let address = sockaddr_in(to);
    // SAFETY: the address is as long as is said.
    checked(unsafe {
        libc::connect(
            socket.as_raw_fd(),
            address.as_ptr().cast(),
            address.len() as libc::socklen_t,
        )
    })
}

/// The sixteen bytes that `accept` gives for the next caller.
fn accepted(listener: &TcpListener) -> io::Result<[u8; 16]> {
    let mut name = [0; 16];
    let mut length = name.len() as libc::socklen_t;
    // SAFETY: `name` has room for `length` bytes.
    let fd = unsafe {
        libc::accept(
            listener.as_raw_fd(),
            name.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    checked(fd)?;
    // SAFETY: the descriptor is new and owned by nobody else.
    drop(unsafe { OwnedFd::from_raw_fd(fd) });
    Ok(name)
}

/// A UDP socket bound to the sockaddr_in in `address`, whether the machine has that address or not.
fn bound(address: &[u8; 16]) -> io::Result<OwnedFd> {
    let socket = socket(libc::SOCK_DGRAM)?;
    let yes: libc::c_int = 1;
    let length = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: both pointers are to live values, and each length is that of its value.
    unsafe {
        checked(libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            libc::IP_FREEBIND,
            (&raw const yes).cast(),
            length,
        ))?;
        checked(libc::bind(
            socket.as_raw_fd(),
            address.as_ptr().cast(),
            address.len() as libc::socklen_t,
        ))?;
    }
    Ok(socket)
}

/// The sixteen bytes that the kernel writes for the socket's own address.
fn name_of(socket: &OwnedFd) -> io::Result<[u8; 16]> {
    let mut name = [0; 16];
    let mut length = name.len() as libc::socklen_t;
    // SAFETY: `name` has room for `length` bytes.
    checked(unsafe {
        libc::getsockname(
            socket.as_raw_fd(),
            name.as_mut_ptr().cast(),
            &raw mut length,
        )
    })?;
    Ok(name)
}

/// A new IPv4 socket.
fn socket(kind: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed.
    let fd = unsafe { libc::socket(libc::AF_INET, kind | libc::SOCK_CLOEXEC, 0) };
    checked(fd)?;
    // SAFETY: the descriptor is new and owned by nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn checked(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// The sixteen bytes of a sockaddr_in on this machine.
fn sockaddr_in(address: SocketAddrV4) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&(libc::AF_INET as libc::sa_family_t).to_ne_bytes());
    bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
    bytes[4..8].copy_from_slice(&address.ip().octets());
    bytes
}

fn hex(bytes: &[u8]) -> String {
    let hex: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
    hex.join(" ")
}
