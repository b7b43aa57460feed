//! The server's and the client's calls, from the first to the last.

use std::io::{Read, Write};
use std::mem::{size_of, size_of_val};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use lab::net::diag;
use lab::prelude::*;
use lab::trial::{said as said_by, saw};
use libc::{AF_INET, AF_INET6, SOCK_STREAM, c_int, socklen_t};
use nix::sys::wait::waitpid;
use nix::unistd::{read, write};

use crate::common::{child, connection, reset, said, state_of, write_raw};
use crate::sockets::{Bytes, LOCALHOST, bind, listen, own_address, port_in, socket, v4, v6};

const SERVER: &str = env!("CARGO_BIN_EXE_tcp-echo-server");
const CLIENT: &str = env!("CARGO_BIN_EXE_tcp-echo-client");

/// Eight bytes of `sockaddr_in` are for nothing. Those of `sockaddr_in6` all mean something.
pub fn what_is_not_zeroed_may_mean_something(cx: &Check) -> Verdict {
    let mut name = v4(LOCALHOST, 0);
    name.sin_zero = [0x5a; 8];
    let bound = bind(&socket(AF_INET, SOCK_STREAM)?, name.bytes());
    saw(cx, "IPv4 with garbage in sin_zero, bind", said_by(&bound)).is("ok")?;

    let net = cx.lan(&["server"])?;
    let host = net.host("server");
    let link_local = host.link_local().octets();
    for (what, scope_id, wanted) in [
        (
            "IPv6 with the interface in sin6_scope_id, bind",
            host.index(),
            "ok",
        ),
        ("with garbage there", 0x5a5a_5a5a, "ENODEV"),
    ] {
        let server = host.run(|| socket(AF_INET6, SOCK_STREAM))?;
        let bound = bind(&server, v6(link_local, scope_id, 0).bytes());
        saw(cx, what, said_by(&bound)).is(wanted)?;
    }
    PASS
}

/// The client says `hel` and hears it. What else it may have to say, nobody reads.
pub fn one_read_is_not_an_echo_server(cx: &Check) -> Verdict {
    let (peer, end) = cx.tcp_pair()?;
    let server = cx.subject(move || {
        let mut buffer = [0; 16];
        let count = read(&end, &mut buffer)?;
        write(&end, &buffer[..count])
    })?;
    peer.sends("hel")?;
    let heard = peer.receives_to_end()?;
    saw(
        cx,
        "a client says hel, and hears, to the end",
        heard.escape_ascii().to_string(),
    )
    .is("hel")?;
    server.returns(Ok(3))?;

    let mut server = cx.program(SERVER, &["127.0.0.1:0"])?;
    let at = address_in(&server.line()?)?;
    let peer = cx.connects(at)?;
    for piece in ["hel", "lo"] {
        peer.sends(piece)?;
        peer.expects(piece)?;
    }
    cx.evidence("a server that reads in a loop answers: hel, lo");
    PASS
}

/// The address at the end of what the server says first.
fn address_in(line: &str) -> Result<SocketAddr, Finding> {
    let last = line.rsplit(' ').next().and_then(|word| word.parse().ok());
    last.ok_or_else(|| Finding::fault(format!("the server said {line:?}")))
}

/// What `read` returns is a number of bytes only if it is not -1.
pub fn minus_one_as_a_count_is_efault(cx: &Check) -> Verdict {
    let (client, server) = connection()?;
    reset(client)?;
    let mut buffer = [0; 16];
    let count = read(&server, &mut buffer);
    saw(cx, "read after the client's RST", said(count)).is("ECONNRESET")?;
    // SAFETY: from the buffer on, -1 bytes lead beyond the address space, so the kernel copies nothing.
    let written = unsafe { write_raw(&server, buffer.as_ptr(), -1_isize as usize) };
    saw(cx, "write of -1 bytes", said(written)).is("EFAULT")?;
    saw(cx, "the next read", said(read(&server, &mut buffer))).is("0")?;
    PASS
}

/// A child of the chat closes the listener in place of the connection, and so does the server.
pub fn closing_the_listener_leaves_the_connection(cx: &Check) -> Verdict {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let at = listener.local_addr()?;
    let mut client = TcpStream::connect(at)?;
    let (mut server, _) = listener.accept()?;
    drop(listener);
    let refused = TcpStream::connect(at).map(drop);
    saw(
        cx,
        "after close of the listener, a new client",
        said_by(&refused),
    )
    .is("ECONNREFUSED")?;
    saw(cx, "the old client is", state_of(&client)?).is("ESTABLISHED")?;
    server.write_all(b"still here")?;
    let count = client.read(&mut [0; 16])?;
    saw(cx, "and reads bytes", count).is(10)?;

    // Nobody closes it but the end of the process.
    drop(server);
    let rest = client.read(&mut [0; 16])?;
    saw(cx, "after close of the connection, read", rest).is(0)?;
    saw(cx, "the client is", state_of(&client)?).is("CLOSE_WAIT")?;
    PASS
}

/// Two who are polite, and let the other begin.
pub fn two_who_read_first_wait_for_ever(cx: &Check) -> Verdict {
    let (client, server) = connection()?;
    let ends = [client.try_clone()?, server.try_clone()?];
    let server = cx
        .spawner()
        .named("the server")
        .subject(move || read(&server, &mut [0; 16]))?;
    let reader = cx
        .spawner()
        .named("the client")
        .subject(move || read(&client, &mut [0; 16]))?;
    server.waits_in(&["read"])?;
    reader.waits_in(&["read"])?;
    cx.evidence("the client waits in: read");
    cx.evidence("the server waits in: read");
    for (who, end) in ["client", "server"].iter().zip(&ends) {
        let local = end.local_addr()?;
        let queued = diag::tcp()?
            .into_iter()
            .find(|socket| socket.local == local && socket.peer.port() != 0);
        let queued = queued.map(|socket| socket.receive_queue + socket.send_queue);
        saw(
            cx,
            &format!("bytes on their way to or from the {who}"),
            queued.unwrap_or(1),
        )
        .is(0)?;
    }
    // It takes only one that writes first.
    write(&ends[0], b"hello")?;
    server.returns(Ok(5))?;
    cx.evidence("if the client writes 5 bytes, the server reads: 5");
    PASS
}

/// A connection ends when the last copy of its descriptor is closed.
pub fn each_process_closes_its_copy(cx: &Check) -> Verdict {
    let (client, server) = connection()?;
    let (go, wait) = connection()?;
    let parent = cx.subject(move || -> nix::Result<()> {
        waitpid(child(|| 0)?, None)?;
        read(&wait, &mut [0])?;
        drop(server);
        read(&wait, &mut [0]).map(drop)
    })?;
    parent.waits_in(&["read"])?;
    saw(
        cx,
        "the child has ended, the parent has its copy: the client is",
        state_of(&client)?,
    )
    .is("ESTABLISHED")?;
    write(&go, b"!")?;
    let end = read(&client, &mut [0]);
    saw(cx, "the parent closes it, too: the client reads", said(end)).is("0")?;
    saw(cx, "and is", state_of(&client)?).is("CLOSE_WAIT")?;
    write(&go, b"!")?;
    parent.returns(Ok(()))?;
    PASS
}

/// Nothing was typed, so nothing is sent, so nothing comes back.
pub fn at_the_end_of_its_input_it_reads_on(cx: &Check) -> Verdict {
    let mut server = cx.program(SERVER, &["127.0.0.1:0"])?;
    let at = address_in(&server.line()?)?;
    let connection = TcpStream::connect(at)?;
    let client = cx.subject(move || -> nix::Result<()> {
        let mut line = [0; 16];
        loop {
            // Standard input is at its end.
            let count = read(std::io::stdin(), &mut line)?;
            if count > 0 {
                write(&connection, &line[..count])?;
            }
            read(&connection, &mut line)?;
        }
    })?;
    client.waits_in(&["read"])?;
    cx.evidence("at the end of its input, the loop waits in: read");
    drop(client);

    let mut client = cx.program(CLIENT, &[at.to_string()])?;
    client.exits(0)?;
    cx.evidence("a client that closes its half exits with: 0");
    PASS
}

const YES: c_int = 1;

/// `setsockopt(SO_REUSEADDR)` with this many bytes of a number.
fn reuse(socket: &impl AsFd, number: c_int, length: usize) -> std::io::Result<()> {
    assert!(length <= size_of_val(&number), "no more than there are");
    let fd = socket.as_fd().as_raw_fd();
    let value = (&raw const number).cast();
    // SAFETY: the value has as many bytes as the length says, or more.
    let result = unsafe {
        libc::setsockopt(
            fd,
            libc::SOL_SOCKET,
            libc::SO_REUSEADDR,
            value,
            length as socklen_t,
        )
    };
    Ok(Errno::result(result).map(drop)?)
}

/// A server that sets the option after `bind`, ended with a client connected, and started again.
pub fn so_reuseaddr_after_bind_is_too_late(cx: &Check) -> Verdict {
    let server = socket(AF_INET, SOCK_STREAM)?;
    bind(&server, v4(LOCALHOST, 0).bytes())?;
    reuse(&server, YES, size_of::<c_int>())?;
    listen(&server)?;
    let port = port_in(&own_address(&server)?);
    let client = TcpStream::connect(("127.0.0.1", port))?;
    let server = TcpListener::from(server);
    let (connection, _) = server.accept()?;
    // The server's process ends; its connection does not, as long as the client is there.
    drop((connection, server));
    read(&client, &mut [0])?;

    let again = socket(AF_INET, SOCK_STREAM)?;
    let bound = bind(&again, v4(LOCALHOST, port).bytes());
    saw(cx, "started again, bind before the option", said_by(&bound)).is("EADDRINUSE")?;
    let again = socket(AF_INET, SOCK_STREAM)?;
    reuse(&again, YES, size_of::<c_int>())?;
    let bound = bind(&again, v4(LOCALHOST, port).bytes());
    saw(cx, "the option before bind", said_by(&bound)).is("ok")?;
    PASS
}

/// The option's value is an `int`, whatever it is used for.
pub fn the_option_is_an_int(cx: &Check) -> Verdict {
    saw(cx, "bytes of a bool", size_of::<bool>()).is(1)?;
    let server = socket(AF_INET, SOCK_STREAM)?;
    let with_bool = reuse(&server, YES, size_of::<bool>());
    saw(cx, "setsockopt with that many", said_by(&with_bool)).is("EINVAL")?;
    let with_int = reuse(&server, YES, size_of::<c_int>());
    saw(cx, "with those of an int, 4", said_by(&with_int)).is("ok")?;

    // What sizeof(int) of a bool reads: its byte, and three that lie behind it.
    let behind = c_int::from_ne_bytes([0, 0, 0, 7]);
    reuse(&server, behind, size_of::<c_int>())?;
    let on = nix::sys::socket::getsockopt(&server, nix::sys::socket::sockopt::ReuseAddr)?;
    saw(
        cx,
        "false, with a byte behind it that is not zero, switches it on",
        on,
    )
    .is(true)?;
    PASS
}

/// The length is an argument in both directions: the room that there is, and the length that it took.
pub fn accept_with_length_0_writes_no_address(cx: &Check) -> Verdict {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    for (room, wanted) in [(0, 0), (size_of::<libc::sockaddr_in>(), 16)] {
        let _client = TcpStream::connect(listener.local_addr()?)?;
        let mut name = [0x5a_u8; 16];
        let mut length = room as socklen_t;
        let fd = listener.as_raw_fd();
        // SAFETY: the kernel writes at most `length` bytes, which is no more than there are.
        let fd = unsafe { libc::accept(fd, name.as_mut_ptr().cast(), &raw mut length) };
        // SAFETY: the descriptor is new, and nobody else knows its number.
        drop(unsafe { OwnedFd::from_raw_fd(Errno::result(fd)?) });
        // All but the padding at the end is written, or nothing is.
        let written = if name == [0x5a; 16] { 0 } else { 16 };
        saw(
            cx,
            &format!("with length {room}, bytes of the address"),
            written,
        )
        .is(wanted)?;
    }
    let one = size_of_val(&0_i32) == size_of::<socklen_t>();
    saw(cx, "an int has the size of a socklen_t", one).is(true)?;
    PASS
}

/// A name without a slash at its beginning is looked for where the process is, not where its program is.
pub fn a_relative_name_begins_where_the_process_is(cx: &Check) -> Verdict {
    let folder = cx.folder()?;
    std::fs::write(folder.join("data"), "here")?;
    let program = std::env::current_exe()?;
    let name = program.file_name().unwrap_or_default();
    let opens = |folder: &std::path::Path, name: &std::ffi::OsStr| {
        let (folder, name) = (folder.to_owned(), name.to_owned());
        let subject = cx.subject(move || {
            std::env::set_current_dir(folder)?;
            std::fs::File::open(name).map(drop)
        })?;
        Ok::<_, Finding>(said_by(&subject.value()?))
    };
    let beside = opens(folder, name)?;
    saw(cx, "a file in the program's folder", beside).is("ENOENT")?;
    let here = opens(folder, "data".as_ref())?;
    saw(cx, "a file in the working directory", here).is("ok")?;
    let elsewhere = opens("/".as_ref(), "data".as_ref())?;
    saw(cx, "the same from another directory", elsewhere).is("ENOENT")?;
    PASS
}
