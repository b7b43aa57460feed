//! Grades `what-connect-says`.
//!
//! No answer stands in here: the kernel gives it.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use lab::prelude::*;
use what_connect_says::{Server, Then, connect, two_reads};

pub fn main() -> std::process::ExitCode {
    Grader::new("what-connect-says")
        .section("01-introduction#the-server")
        .check(4, connect_finds_whom_it_finds)
        .check(3, read_brings_what_it_brings)
        .see("01-introduction#what-goes-wrong")
        .main()
}

const SERVERS: [Server; 8] = [
    Server::Nobody,
    Server::UdpOnly,
    Server::BoundOnly,
    Server::NeverAccepts,
    Server::OnTheOtherLocalhost,
    Server::OnAllAddresses,
    Server::NoLongerThere,
    Server::Nowhere,
];

/// The rule for `connect` says of each server what the kernel says.
fn connect_finds_whom_it_finds(cx: &Check) -> Verdict {
    let subject = cx
        .spawner()
        .named("connect")
        .subject(|| SERVERS.map(connect).to_vec())?;
    let said = subject.value()?;
    let mut wrong = Vec::new();
    let mut why = "";
    for (server, said) in SERVERS.into_iter().zip(said) {
        let Some(seen) = kernel_connects(server)? else {
            cx.step(format!("{server:?} cannot be tried on this machine"));
            continue;
        };
        if said != seen {
            wrong.push(format!(
                "{server:?}: you say {}, the kernel says {}",
                told(said),
                told(seen)
            ));
            if why.is_empty() {
                why = about_server(server);
            }
        }
    }
    verdict(wrong, SERVERS.len(), why)
}

fn about_server(server: Server) -> &'static str {
    match server {
        Server::Nobody | Server::NoLongerThere => {
            "The kernel answers a SYN for a port at which nobody listens with a reset, at once. A connect that waits \
             waits for an answer that got lost, and here none did."
        }
        Server::UdpOnly => {
            "TCP and UDP have 65535 ports each. A UDP socket has nothing that could answer a SYN."
        }
        Server::BoundOnly => {
            "bind gives a socket its name. It is listen that makes the kernel answer: the passive open."
        }
        Server::NeverAccepts => {
            "The kernel makes the connection, all three segments of it, and keeps it until somebody calls accept. The client \
             cannot see the difference."
        }
        Server::OnTheOtherLocalhost => {
            "A socket that is bound to 127.0.0.1 is found under that address and no other. ::1 is another address, of another \
             protocol."
        }
        Server::OnAllAddresses => {
            "A socket of IPv6 that is bound to :: has all addresses of the machine, those of IPv4 included, unless \
             IPV6_V6ONLY is set."
        }
        Server::Nowhere => {
            "Where no route leads, the client's own kernel says so, before anything is sent: ENETUNREACH."
        }
    }
}

/// What the kernel says; nothing where the machine cannot do it.
fn kernel_connects(server: Server) -> io::Result<Option<Result<(), Errno>>> {
    let localhost = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    // Whatever has the port, until the client has tried.
    let (_keeps, at): (Option<OwnedFd>, SocketAddr) = match server {
        Server::Nobody => {
            // A TCP socket that is bound keeps others from this port; it is closed before the client comes.
            (None, TcpListener::bind(localhost)?.local_addr()?)
        }
        Server::UdpOnly => {
            let socket = UdpSocket::bind(localhost)?;
            let at = socket.local_addr()?;
            (Some(socket.into()), at)
        }
        Server::BoundOnly => {
            let socket = bound()?;
            let at = TcpListener::from(socket.try_clone()?).local_addr()?;
            (Some(socket), at)
        }
        Server::NeverAccepts | Server::OnTheOtherLocalhost => {
            let listener = TcpListener::bind(localhost)?;
            let mut at = listener.local_addr()?;
            if server == Server::OnTheOtherLocalhost {
                at.set_ip(Ipv6Addr::LOCALHOST.into());
                if UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
                    return Ok(None);
                }
            }
            (Some(listener.into()), at)
        }
        Server::OnAllAddresses => {
            let bindv6only = std::fs::read_to_string("/proc/sys/net/ipv6/bindv6only");
            let Ok(listener) = TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)) else {
                return Ok(None);
            };
            if bindv6only.is_ok_and(|value| value.trim() != "0") {
                return Ok(None);
            }
            let at = (Ipv4Addr::LOCALHOST, listener.local_addr()?.port()).into();
            (Some(listener.into()), at)
        }
        Server::NoLongerThere => {
            let listener = TcpListener::bind(localhost)?;
            let at = listener.local_addr()?;
            drop(TcpStream::connect(at)?);
            (None, at)
        }
        Server::Nowhere => {
            // On a machine without namespaces there may be a route to everywhere.
            if matches!(lab::isolation(), lab::Isolation::Loopback(_)) {
                return Ok(None);
            }
            (None, (Ipv4Addr::new(192, 0, 2, 1), 13).into())
        }
    };
    Ok(Some(match TcpStream::connect(at) {
        Ok(_) => Ok(()),
        Err(error) => Err(errno_of(&error)),
    }))
}

/// A TCP socket with a port, and no more.
fn bound() -> io::Result<OwnedFd> {
    let name = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: 0,
        sin_addr: libc::in_addr {
            s_addr: u32::from_ne_bytes([127, 0, 0, 1]),
        },
        sin_zero: [0; 8],
    };
    // SAFETY: `name` is a `sockaddr_in` of the length beside it; the new descriptor is nobody else's.
    unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        let socket = OwnedFd::from_raw_fd(fd);
        let length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
        if libc::bind(socket.as_raw_fd(), (&raw const name).cast(), length) < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(socket)
    }
}

fn errno_of(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}

fn told(result: Result<(), Errno>) -> String {
    match result {
        Ok(()) => "Ok".into(),
        Err(errno) => format!("{errno:?}"),
    }
}

const THEN: [Then; 4] = [
    Then::ClosedAtOnce,
    Then::WroteAndClosed,
    Then::WroteTwice,
    Then::ClosedWithoutReading,
];

/// A call of `read`: what it returned, or nothing where it would wait.
type Seen = Option<Result<usize, Errno>>;

/// The rule for `read` says of each server what the kernel says.
fn read_brings_what_it_brings(cx: &Check) -> Verdict {
    let subject = cx
        .spawner()
        .named("two_reads")
        .subject(|| THEN.map(two_reads).to_vec())?;
    let said = subject.value()?;
    let mut wrong = Vec::new();
    let mut why = "";
    for (then, said) in THEN.into_iter().zip(said) {
        let seen = kernel_reads(cx, then)?;
        if said != seen {
            let words = |reads: [Seen; 2]| reads.map(read_in_words).join(", then ");
            wrong.push(format!(
                "{then:?}: you say {}, the kernel says {}",
                words(said),
                words(seen)
            ));
            if why.is_empty() {
                why = about_close(then);
            }
        }
    }
    verdict(wrong, THEN.len(), why)
}

fn about_close(then: Then) -> &'static str {
    match then {
        Then::ClosedAtOnce => {
            "A close is no error. read returns 0, and 0 again as often as you ask."
        }
        Then::WroteAndClosed => {
            "What was sent before the close is read first. Then comes the end, which is 0."
        }
        Then::WroteTwice => {
            "A stream has no edges: one read brings all that has arrived, from however many writes. Then it waits, because \
             nobody said that it was all."
        }
        Then::ClosedWithoutReading => {
            "To close with bytes unread is to throw them away, and TCP says so to whoever sent them: with a reset, not with \
             the end. read tells the error once."
        }
    }
}

fn read_in_words(read: Seen) -> String {
    match read {
        Some(Ok(count)) => count.to_string(),
        Some(Err(errno)) => format!("{errno:?}"),
        None => "a wait".into(),
    }
}

/// What the kernel does.
fn kernel_reads(cx: &Check, then: Then) -> Result<[Seen; 2], Finding> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;
    let mut kept = None;
    match then {
        Then::ClosedAtOnce => drop(server),
        Then::WroteAndClosed => {
            server.write_all(b"hello")?;
            drop(server);
        }
        Then::WroteTwice => {
            server.set_nodelay(true)?;
            server.write_all(b"he")?;
            server.write_all(b"llo")?;
            kept = Some(server);
        }
        Then::ClosedWithoutReading => {
            client.write_all(b"hello")?;
            let all = |server: &TcpStream| server.peek(&mut [0; 100]).is_ok_and(|count| count == 5);
            cx.wait_until("five bytes to arrive", || all(&server).then_some(()))?;
            drop(server);
        }
    }
    // What the server did has arrived: five bytes, the end, or the reset. On loopback nothing is under way after a call.
    if kept.is_some() {
        let all = |client: &TcpStream| client.peek(&mut [0; 100]).is_ok_and(|count| count == 5);
        cx.wait_until("five bytes to arrive", || all(&client).then_some(()))?;
    }
    client.set_nonblocking(true)?;
    let mut read = || match client.read(&mut [0; 100]) {
        Ok(count) => Some(Ok(count)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
        Err(error) => Some(Err(errno_of(&error))),
    };
    Ok([read(), read()])
}

fn verdict(wrong: Vec<String>, of: usize, why: &str) -> Verdict {
    if wrong.is_empty() {
        return PASS;
    }
    let what = format!("{} of {of} are wrong. {}", wrong.len(), wrong[0]);
    let rest = wrong[1..].join("\n");
    let finding = Finding::fail(what);
    Err(if rest.is_empty() {
        finding
    } else {
        finding.with_detail(rest)
    })
    .because(why)
}
