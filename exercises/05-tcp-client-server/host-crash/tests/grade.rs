//! Grades `host-crash`.
//!
//! No answer stands in here: each server is really brought to its end, and the kernel answers.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::rc::Rc;

use host_crash::{Fate, Segment, answer, first_read, first_write, second_read, second_write};
use lab::net::{Net, diag};
use lab::prelude::*;
use lab::wire::Flags;
use nix::sys::signal::Signal;
use nix::sys::socket::{MsgFlags, send, setsockopt, sockopt};

pub fn main() -> std::process::ExitCode {
    Grader::new("host-crash")
        .section("05-tcp-client-server#host-crashes")
        .check(2, when_the_process_is_killed)
        .see("05-tcp-client-server#server-process-dies")
        .check(2, when_the_host_crashes)
        .check(1, when_a_neighbor_crashes)
        .check(2, when_the_host_reboots)
        .see("05-tcp-client-server#host-reboots")
        .check(2, when_the_host_shuts_down)
        .see("05-tcp-client-server#host-shuts-down")
        .main()
}

/// `kill -9` for the process: its kernel speaks for it.
fn when_the_process_is_killed(cx: &Check) -> Verdict {
    compare(cx, Fate::ProcessKilled)
}

/// No power, and nobody who says so.
fn when_the_host_crashes(cx: &Check) -> Verdict {
    compare(cx, Fate::HostCrashed)
}

/// No power, and a client that asks who has its address.
fn when_a_neighbor_crashes(cx: &Check) -> Verdict {
    compare(cx, Fate::NeighborCrashed)
}

/// No power, and back again, with nothing in its memory.
fn when_the_host_reboots(cx: &Check) -> Verdict {
    compare(cx, Fate::HostRebooted)
}

/// An end in good order.
fn when_the_host_shuts_down(cx: &Check) -> Verdict {
    compare(cx, Fate::HostShutDown)
}

/// What happened, or what is said to happen, as the five questions ask.
struct Story {
    first_read: Option<Result<usize, Errno>>,
    first_write: Result<usize, Errno>,
    answer: Option<Segment>,
    second_read: Result<usize, Errno>,
    second_write: Result<usize, Errno>,
}

impl Story {
    fn told(&self) -> [(&'static str, String); 5] {
        let waits = "waits for ever".to_string();
        let nothing = "nothing comes".to_string();
        [
            ("first_read", self.first_read.map_or(waits, words)),
            ("first_write", words(self.first_write)),
            (
                "answer",
                self.answer
                    .map_or(nothing, |segment| format!("{segment:?}")),
            ),
            ("second_read", words(self.second_read)),
            ("second_write", words(self.second_write)),
        ]
    }
}

fn words(result: Result<usize, Errno>) -> String {
    match result {
        Ok(count) => count.to_string(),
        Err(errno) => format!("{errno:?}"),
    }
}

/// Compares what is said with what happens, question by question.
fn compare(cx: &Check, fate: Fate) -> Verdict {
    let subject = cx.subject(|| {
        let segment = answer(fate).map(|segment| segment == Segment::Fin);
        let reads = (first_read(fate), second_read(fate));
        (reads, (first_write(fate), second_write(fate)), segment)
    })?;
    let ((first_read, second_read), (first_write, second_write), fin) = subject.value()?;
    let said = Story {
        first_read,
        first_write,
        answer: fin.map(|fin| if fin { Segment::Fin } else { Segment::Rst }),
        second_read,
        second_write,
    };
    let (said, seen) = (said.told(), happens(cx, fate)?.told());
    let mut wrong = Vec::new();
    let mut why = "";
    for ((question, said), (_, seen)) in said.into_iter().zip(seen) {
        if said != seen {
            wrong.push(format!("{question}: you say {said}, it is {seen}"));
            if why.is_empty() {
                why = because(fate, question);
            }
        }
    }
    let [first, rest @ ..] = wrong.as_slice() else {
        return PASS;
    };
    let what = format!("{fate:?}: {} of 5 are wrong. {first}", wrong.len());
    let finding = Finding::fail(what);
    Err(if rest.is_empty() {
        finding
    } else {
        finding.with_detail(rest.join("\n"))
    })
    .because(why)
}

/// Why it is so, told after it was.
fn because(fate: Fate, question: &str) -> &'static str {
    match (fate, question) {
        (_, "first_write") => {
            "write hands bytes to the client's own kernel, and returns. Whether anybody is there who reads them is found out \
             afterwards. A FIN does not say that nobody is: it says that no more will come."
        }
        (Fate::ProcessKilled | Fate::HostShutDown, "first_read") => {
            "However a process ends, its kernel closes its sockets, and each says FIN. read returns 0."
        }
        (Fate::HostCrashed | Fate::NeighborCrashed, "first_read") => {
            "A host without power sends nothing, and a connection on which nobody has anything to say looks just like \
             that. Only SO_KEEPALIVE, or a timeout of your own, would ask."
        }
        (Fate::HostRebooted, "first_read") => {
            "After the reboot the host knows nothing of the connection, so it has nobody to tell. It answers when it is asked, and \
             who waits in read does not ask."
        }
        (Fate::ProcessKilled | Fate::HostRebooted, "answer") => {
            "Bytes for a connection that the host does not have, or whose reader has gone: RST."
        }
        (_, "answer") => "There is nobody any more who could answer.",
        (Fate::ProcessKilled, "second_read") => {
            "The FIN came before the RST, so for read the stream has ended, as it had before: 0. It is the next write that finds \
             the connection gone."
        }
        (Fate::HostCrashed, "second_read") => {
            "The kernel sends the 5 bytes again and again, and gives up at last. ETIMEDOUT is what it has to say of a peer that \
             does not answer."
        }
        (Fate::NeighborCrashed, "second_read") => {
            "The bytes cannot even be sent: ARP asks who has the address, and nobody answers. That is no route to the host, \
             and when the kernel gives up it names that reason rather than the time."
        }
        (Fate::HostRebooted, "second_read") => {
            "A RST out of the blue, with no FIN before it: ECONNRESET."
        }
        (Fate::HostShutDown, "second_read") => {
            "The FIN has come long before the power went. read returns 0 at once, and as often as you ask, while the kernel \
             is still sending the 5 bytes to nobody."
        }
        (Fate::HostShutDown, _) => {
            "The client's kernel does not know yet that the host is off: it has seen a FIN, and no answer to its bytes so \
             far. It takes 5 more, and will give up later."
        }
        _ => {
            "The connection is over, and the client's kernel knows. It has told the reason once; from now on it says EPIPE, and sends \
             SIGPIPE to who has not ignored it."
        }
    }
}

const PORT: u16 = 7;
const LINE: &[u8] = b"hello";

/// Does it, and looks.
fn happens(cx: &Check, fate: Fate) -> Result<Story, Finding> {
    // From here on only the kernel's own timers are waited for.
    cx.allows_long_waits();
    let net = cx.lan(&["client", "server"])?;
    // Everybody knows everybody's hardware address for good: what happens beyond ARP is the question.
    net.introduce()?;
    let server = cx.on(&net, "server");
    let at = SocketAddr::from((server.host().v4(), PORT));
    let process = server
        .spawner()
        .named("the server")
        .privileged()
        .subject(move || serve_one(at, fate))?;
    let client = cx.on(&net, "client").connects(at)?.named("the client");
    client.sends(LINE)?;
    client.expects(LINE)?;
    is_quiet(cx, &net)?;
    process.waits_in(&["read", "pause", "ppoll"])?;
    setsockopt(&client, sockopt::TcpUserTimeout, &300)?;

    let before = net.wire()?.frames().len();
    match fate {
        Fate::ProcessKilled => {
            process.signal(Signal::SIGKILL);
            hears_fin(cx, &client)?;
        }
        Fate::HostShutDown => {
            process.signal(Signal::SIGTERM);
            hears_fin(cx, &client)?;
            net.cut("server")?;
            cx.step("the server's host is off");
        }
        Fate::HostCrashed => {
            net.cut("server")?;
            cx.step("the server's host has no power");
        }
        Fate::NeighborCrashed => {
            net.cut("server")?;
            cx.step("the server's host has no power");
            let host = net.host("client");
            let device = host.device().to_owned();
            // Three questions, a second apart, would be three seconds.
            host.sysctl(&format!("net.ipv4.neigh.{device}.retrans_time_ms"), "20")?;
            host.run(|| forget(at, &device))?;
        }
        Fate::HostRebooted => {
            process.signal(Signal::SIGKILL);
            cx.wait_until("the server's host to have forgotten the connection", || {
                let sockets = server.host().run(diag::tcp).ok()?;
                sockets.is_empty().then_some(())
            })?;
            cx.step("the server's host has been without power, and is back");
        }
    }

    let first_read = match read(&client) {
        Err(Errno::EAGAIN) => {
            is_quiet(cx, &net)?;
            None
        }
        other => Some(other),
    };
    cx.step(format!(
        "first read: {}",
        first_read.map_or("waits".into(), words)
    ));
    let first_write = write(&client);
    cx.step(format!("first write: {}", words(first_write)));
    if matches!(fate, Fate::ProcessKilled | Fate::HostRebooted) {
        cx.wait_until("the answer to the write", || {
            is_closed(&client).then_some(())
        })?;
    }
    let second_read = cx.wait_until("the second read to return", || match read(&client) {
        Err(Errno::EAGAIN) => None,
        other => Some(other),
    })?;
    cx.step(format!("second read: {}", words(second_read)));
    let second_write = write(&client);
    cx.step(format!("second write: {}", words(second_write)));
    Ok(Story {
        first_read,
        first_write,
        answer: answered(&net, before)?,
        second_read,
        second_write,
    })
}

/// The server's process: a line there and back, and then it waits for what becomes of it.
fn serve_one(at: SocketAddr, fate: Fate) -> io::Result<()> {
    let listener = TcpListener::bind(at)?;
    let (connection, _) = listener.accept()?;
    drop(listener);
    let mut line = [0; LINE.len()];
    nix::unistd::read(&connection, &mut line)?;
    nix::unistd::write(&connection, &line)?;
    if fate == Fate::HostRebooted {
        forgets(&connection)?;
        loop {
            nix::unistd::pause();
        }
    }
    nix::unistd::read(&connection, &mut line)?;
    Ok(())
}

/// Has the kernel forget the connection without a last word when the process ends, as a power cut has.
fn forgets(connection: &TcpStream) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the option is an int.
    let result = unsafe {
        libc::setsockopt(
            connection.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_REPAIR,
            (&raw const on).cast(),
            size_of_val(&on) as libc::socklen_t,
        )
    };
    Errno::result(result)?;
    Ok(())
}

/// Makes the kernel forget a neighbor's hardware address; arp(7).
fn forget(who: SocketAddr, device: &str) -> io::Result<()> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
    let SocketAddr::V4(who) = who else {
        return Err(io::ErrorKind::Unsupported.into());
    };
    // SAFETY: an arpreq is plain data, valid as zeros.
    let mut request: libc::arpreq = unsafe { std::mem::zeroed() };
    request.arp_pa.sa_family = libc::AF_INET as libc::sa_family_t;
    for (to, from) in request.arp_pa.sa_data[2..6]
        .iter_mut()
        .zip(who.ip().octets())
    {
        *to = from as libc::c_char;
    }
    for (to, from) in request.arp_dev.iter_mut().zip(device.bytes()) {
        *to = from as libc::c_char;
    }
    // SAFETY: SIOCDARP reads an arpreq.
    let result =
        unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCDARP as _, &raw const request) };
    Errno::result(result)?;
    Ok(())
}

/// Waits until nothing is on its way and no timer of TCP is running: nothing will come of itself any more.
fn is_quiet(cx: &Check, net: &Rc<Net>) -> Result<(), Finding> {
    cx.wait_until("nothing to be under way", || {
        let sockets = net.host("client").run(diag::tcp).ok()?;
        let idle = sockets
            .iter()
            .all(|socket| socket.timer == diag::Timer::None);
        (idle && net.is_quiet().ok()?).then_some(())
    })
}

fn hears_fin(cx: &Check, client: &Peer) -> Result<(), Finding> {
    const CLOSE_WAIT: u8 = 8;
    cx.wait_until("the client's host to hear FIN", || {
        (state(client) == CLOSE_WAIT).then_some(())
    })
}

fn is_closed(client: &Peer) -> bool {
    const CLOSE: u8 = 7;
    state(client) == CLOSE
}

/// The first byte of `TCP_INFO`, which is the state of the connection.
fn state(client: &Peer) -> u8 {
    let (mut state, mut length) = (0_u8, 1);
    // SAFETY: one byte of room, and the length says so.
    unsafe {
        libc::getsockopt(
            client.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut state).cast(),
            &raw mut length,
        )
    };
    state
}

/// The answer to the first segment with data, among the frames behind the first `before`.
fn answered(net: &Net, before: usize) -> Result<Option<Segment>, Finding> {
    let wire = net.wire()?;
    let frames = wire.frames().iter().skip(before);
    let mut after = frames.skip_while(|frame| &*frame.from != "client" || frame.data().is_empty());
    let answer = after.find_map(|frame| {
        let flags = frame.packet.tcp()?.flags;
        match (&*frame.from, frame.arrived()) {
            ("server", true) if flags.has(Flags::RST) => Some(Segment::Rst),
            ("server", true) if flags.has(Flags::FIN) => Some(Segment::Fin),
            _ => None,
        }
    });
    Ok(answer)
}

/// One `read`; the peer's socket does not block, so where it would wait it is `EAGAIN`.
fn read(client: &Peer) -> Result<usize, Errno> {
    nix::unistd::read(client, &mut [0; 100])
}

fn write(client: &Peer) -> Result<usize, Errno> {
    send(client.as_fd().as_raw_fd(), b"again", MsgFlags::MSG_NOSIGNAL)
}
