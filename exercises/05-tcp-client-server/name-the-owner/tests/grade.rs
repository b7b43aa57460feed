//! Grades `name-the-owner`.
//!
//! The owners are processes of the grader, each with sockets of its own. They wait, and are named.

use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};

use lab::prelude::*;
use name_the_owner::listeners;

pub fn main() -> std::process::ExitCode {
    Grader::new("name-the-owner")
        .section("05-tcp-client-server#who-owns-this-port")
        .check(2, a_listener_is_named)
        .check(1, an_ipv6_listener_is_named)
        .check(2, only_who_listens_is_named)
        .check(1, all_who_share_it_are_named)
        .check(1, each_is_named_once)
        .check(1, nobody_is_no_error)
        .check(1, one_table_is_enough_and_half_an_answer_is_none)
        .main()
}

const TABLE: &str = "Each line of /proc/net/tcp and /proc/net/tcp6 is one socket: field 2 has the local port in hexadecimal, field 4 the state \
     (0A is LISTEN), field 10 the inode. /proc/PID/fd/N links to socket:[inode].";

/// One process listens at 127.0.0.1, another at 0.0.0.0, on other ports.
fn a_listener_is_named(cx: &Check) -> Verdict {
    let one = Owner::listens(cx, "127.0.0.1:0", "a process")?;
    let two = Owner::listens(cx, "0.0.0.0:0", "another process")?;
    for owner in [&one, &two] {
        named(cx, owner.port, &[owner.pid()], TABLE)?;
    }
    PASS
}

/// One process listens at `[::1]`, another at `[::]`.
fn an_ipv6_listener_is_named(cx: &Check) -> Verdict {
    const WHY: &str = "Sockets of IPv6 have a table of their own, /proc/net/tcp6. A server at [::] takes callers of IPv4, too, and stands \
         in this table only.";
    if UdpSocket::bind("[::1]:0").is_err() {
        return Err(Finding::needs("IPv6"));
    }
    for at in ["[::1]:0", "[::]:0"] {
        let owner = Owner::listens(cx, at, "a process")?;
        named(cx, owner.port, &[owner.pid()], WHY)?;
    }
    PASS
}

/// Clients of the port have it as their peer's, and who serves one has it as its own. Neither listens.
fn only_who_listens_is_named(cx: &Check) -> Verdict {
    const WHY: &str = "A connection has the port, too: as the local one where it was accepted, as the remote one where it came from. Only \
         a socket in state LISTEN, 0A, keeps others from it. Who kills all the others kills browsers.";
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let at = listener.local_addr()?;
    let client = TcpStream::connect(at)?;
    let (served, _) = listener.accept()?;
    let client = Owner::keeps(cx, "a client", at.port(), vec![client.into()])?;
    let server = Owner::keeps(cx, "who serves the client", at.port(), vec![served.into()])?;
    let owner = Owner::keeps(cx, "who listens", at.port(), vec![listener.into()])?;
    let others = [
        (client.pid(), "a client"),
        (server.pid(), "who only serves a client"),
    ];
    let said = ask(cx, at.port())?;
    for (pid, who) in others {
        if said.contains(&pid) {
            return Err(Finding::fail(format!(
                "listeners({}) named {who}, process {pid}; only process {} listens",
                at.port(),
                owner.pid()
            )))
            .because(WHY);
        }
    }
    are_named(at.port(), said, &[owner.pid()]).because(WHY)
}

/// Two processes have the same listening socket, as after fork.
fn all_who_share_it_are_named(cx: &Check) -> Verdict {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let copy = listener.try_clone()?;
    let one = Owner::keeps(cx, "a parent", port, vec![copy.into()])?;
    let two = Owner::keeps(cx, "its child", port, vec![listener.into()])?;
    let mut both = [one.pid(), two.pid()];
    both.sort_unstable();
    named(
        cx,
        port,
        &both,
        "After fork, parent and child have the same socket: one inode, two owners. The port is free when both have closed it.",
    )
}

/// One process has two descriptors of the socket, and listens on the port with a second socket, too.
fn each_is_named_once(cx: &Check) -> Verdict {
    if UdpSocket::bind("[::1]:0").is_err() {
        return Err(Finding::needs("IPv6"));
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let second = TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port)))?;
    let all = vec![listener.try_clone()?.into(), listener.into(), second.into()];
    let owner = Owner::keeps(cx, "a process with three descriptors", port, all)?;
    named(
        cx,
        port,
        &[owner.pid()],
        "It is one process, with two sockets and three descriptors. The answer is about processes.",
    )
}

/// On a port at which nobody listens there is nobody: it is free, or UDP's.
fn nobody_is_no_error(cx: &Check) -> Verdict {
    const WHY: &str = "The question has an answer: no process. An error would say that it could not be found out. And a port of UDP is \
         another port, with a table of its own.";
    let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let udp = UdpSocket::bind(("127.0.0.1", free))?;
    let _owner = Owner::keeps(cx, "a process with a UDP socket", free, vec![udp.into()])?;
    named(cx, free, &[], WHY)
}

/// Without IPv6 in the kernel there is one table. A table that is there and cannot be read is an error.
fn one_table_is_enough_and_half_an_answer_is_none(cx: &Check) -> Verdict {
    const WITHOUT: &str = "A kernel without IPv6 has no /proc/net/tcp6: ENOENT. Nobody listens there, then, and what the other table says is \
         the whole answer.";
    const HALF: &str = "Only ENOENT says that there is no such table. After any other error, who is in it is not known, and an answer \
         without them would be taken for the whole.";
    let owner = Owner::listens(cx, "127.0.0.1:0", "a process")?;
    let opening = |errno| Faults::new().on(Call::Open).path("/net/tcp6").fails(errno);
    let port = owner.port;
    cx.begins_again(format!(
        "there is no /proc/net/tcp6, and process {} listens on port {port}",
        owner.pid()
    ));
    let subject = cx.spawner().looks_around().faults(opening(Errno::ENOENT));
    let subject = subject.subject(move || listeners(port))?;
    let said = subject.value()?.map_err(|error| {
        Finding::fail(format!(
            "listeners({port}) returned the error {error}, and /proc/net/tcp was there"
        ))
    });
    are_named(port, said.because(WITHOUT)?, &[owner.pid()]).because(WITHOUT)?;

    cx.begins_again("/proc/net/tcp6 cannot be opened: no descriptor is left");
    let subject = cx.spawner().looks_around().faults(opening(Errno::EMFILE));
    let subject = subject.subject(move || listeners(port))?;
    match subject.value()? {
        Err(error) if error.raw_os_error() == Some(libc::EMFILE) => PASS,
        Err(error) => Err(Finding::fail(format!(
            "opening /proc/net/tcp6 gave EMFILE, listeners({port}) returned the error {error}"
        )))
        .because(HALF),
        Ok(pids) => Err(Finding::fail(format!(
            "opening /proc/net/tcp6 gave EMFILE, listeners({port}) returned {pids:?} as if it had read it"
        )))
        .because(HALF),
    }
}

/// A process that has sockets, and waits.
struct Owner {
    process: Subject<()>,
    port: u16,
}

impl Owner {
    /// It listens at this address, port 0.
    fn listens(cx: &Check, at: &str, name: &str) -> Result<Owner, Finding> {
        let listener = TcpListener::bind(at)?;
        let port = listener.local_addr()?.port();
        Owner::keeps(cx, name, port, vec![listener.into()])
    }

    /// It has these sockets and no others. This process's copies are closed.
    fn keeps(cx: &Check, name: &str, port: u16, sockets: Vec<OwnedFd>) -> Result<Owner, Finding> {
        let process = cx.spawner().named(name).may_leak().subject(move || {
            let kept: Vec<i32> = sockets.iter().map(AsRawFd::as_raw_fd).collect();
            for other in (3..700).filter(|number| !kept.contains(number)) {
                // SAFETY: these came along from the check, and nobody in this process uses them.
                unsafe { libc::close(other) };
            }
            waits();
        })?;
        process.waits_in(&["pause", "ppoll"])?;
        Ok(Owner { process, port })
    }

    fn pid(&self) -> u32 {
        self.process.pid() as u32
    }
}

/// Waits to be killed.
fn waits() {
    loop {
        nix::unistd::pause();
    }
}

/// What the learner's code says of a port.
fn ask(cx: &Check, port: u16) -> Result<Vec<u32>, Finding> {
    let subject = cx
        .spawner()
        .looks_around()
        .subject(move || listeners(port))?;
    subject.value()?.map_err(|error| {
        let finding = Finding::fail(format!("listeners({port}) returned the error {error}"));
        let closed = [libc::EACCES, libc::EPERM, libc::ENOENT].contains(&error.raw_os_error().unwrap_or(0));
        let told: Result<(), Finding> = Err(finding);
        told.because(if closed {
            "Other people's processes are closed to you: EACCES, process 1 first of all. A process that ends while you look is \
             ENOENT. Neither says anything about the others: pass them by."
        } else {
            TABLE
        })
        .expect_err("it is an error")
    })
}

/// Demands that exactly these processes are named.
fn named(cx: &Check, port: u16, expected: &[u32], why: &str) -> Verdict {
    cx.begins_again(match expected {
        [] => format!("nobody listens on port {port}"),
        [pid] => format!("process {pid} listens on port {port}"),
        pids => format!("processes {pids:?} listen on port {port}"),
    });
    are_named(port, ask(cx, port)?, expected).because(why)
}

fn are_named(port: u16, said: Vec<u32>, expected: &[u32]) -> Verdict {
    ensure!(
        said == expected,
        "listeners({port}) returned {said:?}, expected {expected:?}"
    );
    PASS
}
