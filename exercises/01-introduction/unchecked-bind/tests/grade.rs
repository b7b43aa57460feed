//! Grades `unchecked-bind`.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;
use std::{fs::File, thread};

use lab::prelude::*;
use unchecked_bind::listening_socket;

pub fn main() -> std::process::ExitCode {
    Grader::new("unchecked-bind")
        .section("01-introduction#errors-that-name-their-call")
        .check(3, a_taken_port_is_an_error)
        .check(1, an_address_of_another_machine_is_an_error)
        .check(1, a_port_for_the_privileged_is_an_error)
        .check(2, no_descriptor_left_is_an_error)
        .check(1, a_listen_that_fails_is_an_error)
        .main()
}

/// What came of it: the address at which the kernel says that the socket listens, or call and errno.
type Said = Result<String, (String, Errno)>;

/// Calls the learner's code and asks the kernel about the socket, which is then closed.
fn ask(address: SocketAddrV4) -> Said {
    match listening_socket(address) {
        Ok(socket) => Ok(address_of(socket)),
        Err(error) => Err((error.call.to_string(), error.errno)),
    }
}

fn address_of(socket: OwnedFd) -> String {
    let listener = TcpListener::from(socket);
    match listener.local_addr() {
        Ok(address) => address.to_string(),
        Err(error) => format!("no address ({error})"),
    }
}

/// Demands an error of this call.
fn fails(said: Said, what: &str, call: &str, errno: Errno) -> Verdict {
    const WHY: &str = "A call that fails returns -1 and changes nothing, and the next one starts from there: listen \
         gives a socket without a name a free port, at every address of the machine. Look at each result, \
         and leave with the name of the call.";
    let wanted = format!("expected the error {call}: {errno:?}");
    let seen = match said {
        Err((said_call, said_errno)) if said_call == call && said_errno == errno => return PASS,
        Err((said_call, said_errno)) => format!("the error {said_call}: {said_errno:?}"),
        Ok(address) => format!("a socket that listens at {address}"),
    };
    Err(Finding::fail(format!(
        "{what}: {wanted}, it returned {seen}"
    )))
    .because(WHY)
}

/// On a free port the server listens there; on the same port, once more, it says that it cannot.
fn a_taken_port_is_an_error(cx: &Check) -> Verdict {
    let port = free_port()?;
    let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    let subject = cx.subject(move || match listening_socket(address) {
        Ok(socket) => greets(&socket),
        Err(error) => Err(format!("{}: {:?}", error.call, error.errno)),
    })?;
    let said = subject.value()?;
    ensure!(
        said == Ok("hello".to_string()),
        "asked for port {port}, which is free: expected a socket that a client reaches, it returned {said:?}"
    );

    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = taken.local_addr()?.port();
    let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    let said = cx.subject(move || ask(address))?.value().because(
        "On each way out, what was opened is closed, and the process is left to those who called.",
    )?;
    let what = format!("asked for port {port}, which is taken");
    fails(said, &what, "bind", Errno::EADDRINUSE)
}

/// A port that was free a moment ago.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// Lets a client connect, and tells what it heard.
fn greets(socket: &OwnedFd) -> Result<String, String> {
    let words = |error: std::io::Error| error.to_string();
    let listener = TcpListener::from(socket.try_clone().map_err(words)?);
    let address = listener.local_addr().map_err(words)?;
    let client = thread::spawn(move || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut heard = String::new();
        stream.read_to_string(&mut heard).map(|_| heard)
    });
    let (mut connection, _) = listener.accept().map_err(words)?;
    std::io::Write::write_all(&mut connection, b"hello").map_err(words)?;
    drop(connection);
    client
        .join()
        .map_err(|_| "the client panicked".to_string())?
        .map_err(words)
}

/// 192.0.2.1 is in every book and on no machine.
fn an_address_of_another_machine_is_an_error(cx: &Check) -> Verdict {
    let address = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 0);
    let said = cx.subject(move || ask(address))?.value()?;
    fails(
        said,
        "asked for 192.0.2.1, which is not this machine's",
        "bind",
        Errno::EADDRNOTAVAIL,
    )
}

/// Ports below 1024 are for programs with a privilege that yours has not.
fn a_port_for_the_privileged_is_an_error(cx: &Check) -> Verdict {
    let first = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start")?;
    if first.trim() != "1024" {
        return Err(Finding::needs(
            "a machine that keeps ports below 1024 for the privileged",
        ));
    }
    let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 13);
    let said = cx.subject(move || ask(address))?.value()?;
    fails(
        said,
        "asked for port 13, without privilege",
        "bind",
        Errno::EACCES,
    )
}

/// A process may have so many descriptors. When it has them all, there is no socket to bind.
fn no_descriptor_left_is_an_error(cx: &Check) -> Verdict {
    let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
    let subject = cx.subject(move || {
        let mut all = Vec::new();
        while let Ok(file) = File::open("/dev/null") {
            all.push(file);
        }
        ask(address)
    })?;
    let said = subject.value().because(
        "socket returns -1 when the process has no descriptor left. That is no socket; the first thing to do is to look.",
    )?;
    fails(
        said,
        "the process has no descriptor left",
        "socket",
        Errno::EMFILE,
    )
}

/// Two sockets may be bound to one port, if both ask for it; the first to call `listen` has it. The other's `listen`
/// fails.
fn a_listen_that_fails_is_an_error(cx: &Check) -> Verdict {
    let plan = Faults::new().on(Call::Listen).fails(Errno::EADDRINUSE);
    let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
    let subject = cx.spawner().faults(plan).subject(move || ask(address))?;
    let said = subject.value().because(
        "The socket has a name, and does not listen: nobody will ever get through to it. Close it, and say that it was listen.",
    )?;
    fails(
        said,
        "somebody else listens on the port",
        "listen",
        Errno::EADDRINUSE,
    )
}
