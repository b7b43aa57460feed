//! Grades `value-result`.

use std::fs;
use std::io;
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;

use lab::prelude::*;
use value_result::{callers, senders};

pub fn main() -> std::process::ExitCode {
    Grader::new("value-result")
        .section("03-sockets-introduction#value-result")
        .check(2, an_ipv6_caller_is_whole)
        .check(1, a_unix_caller_is_whole)
        .check(1, the_longest_path_is_whole)
        .see("03-sockets-introduction#unix-paths")
        .check(1, a_caller_without_a_name_has_none)
        .check(1, an_abstract_name_keeps_all_its_bytes)
        .see("03-sockets-introduction#unix-paths")
        .check(1, the_first_sender_has_an_address)
        .check(1, a_sender_after_one_without_a_name)
        .check(1, a_long_name_after_a_short_one)
        .main()
}

const ROOM: &str = "Before the call the length says how much room the buffer has, and the kernel writes no more than that. \
     An IPv6 address takes 28 bytes, a Unix one up to 110, a sockaddr_storage has room for any.";
const RESULT: &str = "After the call the length says how many bytes of the buffer are the address. The others are left \
     from the caller before, or from nobody, and belong to no name.";
const AGAIN: &str = "The kernel has put the length of the last address where the room was. Say again how much room there is, \
     before each call.";

const ERRORS: &str = "The program reported errors before it was mended, and has to do so still.";

/// An IPv6 caller after an IPv4 caller: both addresses come out whole.
fn an_ipv6_caller_is_whole(cx: &Check) -> Verdict {
    let calls = [
        inet_call("127.0.0.1:0")?,
        inet6_call()?,
        inet_call("127.0.0.1:0")?,
    ];
    said_of_callers(cx, &calls, ROOM)?;

    let socket = socket(libc::AF_INET, libc::SOCK_STREAM)?;
    cx.begins_again("callers gets a socket that does not listen");
    let subject = cx.spawner().named("callers");
    let subject = subject.subject(move || callers(&[socket.as_fd()]))?;
    subject.fails_with(Errno::EINVAL).because(ERRORS)?;
    PASS
}

/// A caller from the Unix domain: its path comes out whole, and so does the IPv4 address after it.
fn a_unix_caller_is_whole(cx: &Check) -> Verdict {
    let folder = cx.folder()?;
    let calls = [
        unix_call(
            folder,
            Some(in_folder(
                folder,
                "a-path-that-is-longer-than-fourteen-bytes",
            )?),
        )?,
        inet_call("127.0.0.1:0")?,
    ];
    said_of_callers(cx, &calls, ROOM)
}

/// A caller whose path fills all 108 bytes of `sun_path`.
fn the_longest_path_is_whole(cx: &Check) -> Verdict {
    let folder = cx.folder()?;
    let mut path = in_folder(folder, "")?;
    path.resize(108, b'x');
    said_of_callers(
        cx,
        &[unix_call(folder, Some(path))?],
        "A path of 108 bytes leaves no room for a zero byte in a sockaddr_un. The kernel adds one all the same, and \
         says 111: more than the structure has. A sockaddr_storage has room for it; in a smaller buffer, never take \
         more bytes than there are.",
    )
}

/// A caller that has no name, after one that has: it does not get the name of the other.
fn a_caller_without_a_name_has_none(cx: &Check) -> Verdict {
    let folder = cx.folder()?;
    let calls = [
        unix_call(folder, Some(in_folder(folder, "named")?))?,
        unix_call(folder, None)?,
    ];
    said_of_callers(cx, &calls, RESULT)
}

/// An abstract name may hold zero bytes, also at its end, and ends where the length says.
fn an_abstract_name_keeps_all_its_bytes(cx: &Check) -> Verdict {
    let folder = cx.folder()?;
    let calls = [
        unix_call(folder, Some(b"\0late\0edition\0".to_vec()))?,
        unix_call(folder, Some(b"\0news\0".to_vec()))?,
    ];
    said_of_callers(cx, &calls, RESULT)
}

/// The first sender of a datagram has an address, and each that follows has its own.
fn the_first_sender_has_an_address(cx: &Check) -> Verdict {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let mut sent = Vec::new();
    // An empty datagram is a datagram.
    for data in [&b"hello"[..], b"", b"again"] {
        let sender = UdpSocket::bind("127.0.0.1:0")?;
        sender.send_to(data, socket.local_addr()?)?;
        sent.push(("an IPv4 socket", sender.local_addr()?.to_string()));
    }
    said_of_senders(cx, socket.into(), &sent, ROOM)?;

    let socket = self::socket(libc::AF_INET, libc::SOCK_STREAM)?;
    cx.begins_again("senders gets a socket that is not connected");
    let subject = cx.spawner().named("senders");
    let subject = subject.subject(move || senders(socket.as_fd(), 1))?;
    subject.fails_with(Errno::ENOTCONN).because(ERRORS)?;
    PASS
}

/// A sender with a name after one that has none.
fn a_sender_after_one_without_a_name(cx: &Check) -> Verdict {
    let path = in_folder(cx.folder()?, "named")?;
    unix_datagrams(cx, &[None, Some(path)], AGAIN)
}

/// A sender with a long name after one with a short name, and one with a short name after that.
fn a_long_name_after_a_short_one(cx: &Check) -> Verdict {
    let folder = cx.folder()?;
    let names = ["s", "a-name-that-is-much-longer", "t"].map(|name| in_folder(folder, name));
    let [short, long, other] = names;
    unix_datagrams(cx, &[Some(short?), Some(long?), Some(other?)], AGAIN)
}

/// A listener, the connection that waits in it, and the name that the caller has.
struct Call {
    listener: OwnedFd,
    _connection: OwnedFd,
    kind: &'static str,
    name: String,
}

/// Demands that `callers` names all who call.
fn said_of_callers(cx: &Check, calls: &[Call], why: &str) -> Verdict {
    for Call { kind, name, .. } in calls {
        cx.step(format!("{kind} calls, from {name}"));
    }
    let subject = cx.spawner().named("callers").subject(|| {
        let listeners: Vec<BorrowedFd<'_>> =
            calls.iter().map(|call| call.listener.as_fd()).collect();
        callers(&listeners)
    })?;
    let said = subject.value().because(why)?;
    let expected: Vec<_> = calls
        .iter()
        .map(|call| (call.kind, call.name.clone()))
        .collect();
    compare("callers", "caller", said, &expected, why)
}

/// Demands that `senders` names all who have sent a datagram to `socket`.
fn said_of_senders(cx: &Check, socket: OwnedFd, sent: &[(&str, String)], why: &str) -> Verdict {
    for (kind, name) in sent {
        cx.step(format!("{kind} sends a datagram, from {name}"));
    }
    let count = sent.len();
    let subject = cx
        .spawner()
        .named("senders")
        .subject(move || senders(socket.as_fd(), count))?;
    let said = subject.value().because(why)?;
    compare("senders", "sender", said, sent, why)
}

/// Compares name by name: the first that differs is told.
fn compare(
    function: &str,
    who: &str,
    said: io::Result<Vec<String>>,
    expected: &[(&str, String)],
    why: &str,
) -> Verdict {
    let said = match said {
        Ok(said) => said,
        Err(error) => {
            return Err(Finding::fail(format!(
                "{function} returned the error {error}"
            )))
            .because(why);
        }
    };
    for (i, (kind, name)) in expected.iter().enumerate() {
        let said = said.get(i).map_or("nothing", String::as_str);
        if said != name {
            let of = format!("{who} {} of {} was {kind}", i + 1, expected.len());
            return Err(Finding::fail(format!(
                "{of}: {function} said {said}, expected {name}"
            )))
            .because(why);
        }
    }
    if said.len() > expected.len() {
        let (got, wanted) = (said.len(), expected.len());
        return Err(Finding::fail(format!(
            "{function} gave {got} names, expected {wanted}"
        )))
        .because(why);
    }
    PASS
}

/// Sends a datagram from a socket of each name, `None` for none.
fn unix_datagrams(cx: &Check, names: &[Option<Vec<u8>>], why: &str) -> Verdict {
    let at = in_folder(cx.folder()?, "to")?;
    let socket = unix_socket(libc::SOCK_DGRAM, Some(&at))?;
    let mut sent = Vec::new();
    for name in names {
        let sender = unix_socket(libc::SOCK_DGRAM, name.as_deref())?;
        to_unix(&sender, &at)?;
        // SAFETY: five bytes are there.
        checked(unsafe {
            libc::send(sender.as_raw_fd(), b"hello".as_ptr().cast(), 5, 0) as libc::c_int
        })?;
        sent.push(unix_name(name.as_deref()));
    }
    said_of_senders(cx, socket, &sent, why)
}

fn inet_call(at: &str) -> io::Result<Call> {
    let listener = TcpListener::bind(at)?;
    let connection = TcpStream::connect(listener.local_addr()?)?;
    Ok(Call {
        name: connection.local_addr()?.to_string(),
        kind: "an IPv4 socket",
        listener: listener.into(),
        _connection: connection.into(),
    })
}

fn inet6_call() -> Result<Call, Finding> {
    let call = inet_call(&SocketAddr::from((Ipv6Addr::LOCALHOST, 0)).to_string());
    let call = call.map_err(|_| Finding::needs("IPv6 on the loopback interface"))?;
    Ok(Call {
        kind: "an IPv6 socket",
        ..call
    })
}

/// A caller of that name, `None` for none.
fn unix_call(folder: &Path, name: Option<Vec<u8>>) -> io::Result<Call> {
    // Each call has a listener of its own, named for how many files there were before it.
    let at = in_folder(folder, &format!("l{}", fs::read_dir(folder)?.count()))?;
    let listener = unix_socket(libc::SOCK_STREAM, Some(&at))?;
    // SAFETY: no pointers are passed.
    checked(unsafe { libc::listen(listener.as_raw_fd(), 1) })?;
    let connection = unix_socket(libc::SOCK_STREAM, name.as_deref())?;
    to_unix(&connection, &at)?;
    let (kind, name) = unix_name(name.as_deref());
    Ok(Call {
        listener,
        _connection: connection,
        kind,
        name,
    })
}

/// What sort of name that is, and the name as `text` shows it.
fn unix_name(name: Option<&[u8]>) -> (&'static str, String) {
    match name {
        None => ("a Unix socket without a name", "(no name)".into()),
        Some(name) => {
            let kind = if name[0] == 0 {
                "a Unix socket with an abstract name"
            } else {
                "a Unix socket with a path"
            };
            (kind, String::from_utf8_lossy(name).replace('\0', "@"))
        }
    }
}

/// The bytes of a path in the folder.
fn in_folder(folder: &Path, name: &str) -> io::Result<Vec<u8>> {
    let path = folder.join(name).into_os_string().into_encoded_bytes();
    if path.len() > 100 {
        return Err(io::Error::other(format!(
            "the check's folder has too long a name: {}",
            folder.display()
        )));
    }
    Ok(path)
}

/// A socket of the Unix domain, bound to a name if there is one.
fn unix_socket(kind: libc::c_int, name: Option<&[u8]>) -> io::Result<OwnedFd> {
    let socket = socket(libc::AF_UNIX, kind)?;
    if let Some(name) = name {
        let address = unix_address(name);
        // SAFETY: the address is as long as is said.
        checked(unsafe {
            libc::bind(
                socket.as_raw_fd(),
                address.as_ptr().cast(),
                address.len() as libc::socklen_t,
            )
        })?;
    }
    Ok(socket)
}

fn socket(family: libc::c_int, kind: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed, and the new descriptor is owned by nobody else.
    unsafe {
        let fd = checked(libc::socket(family, kind | libc::SOCK_CLOEXEC, 0))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

fn to_unix(socket: &OwnedFd, name: &[u8]) -> io::Result<()> {
    let address = unix_address(name);
    // SAFETY: the address is as long as is said.
    checked(unsafe {
        libc::connect(
            socket.as_raw_fd(),
            address.as_ptr().cast(),
            address.len() as libc::socklen_t,
        )
    })?;
    Ok(())
}

/// Family and name, without a zero byte behind the name: the length ends it.
fn unix_address(name: &[u8]) -> Vec<u8> {
    let family = (libc::AF_UNIX as libc::sa_family_t).to_ne_bytes();
    [&family[..], name].concat()
}

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}
