//! Grades `accept-errors`.
//!
//! What the kernel can be made to do, it does: a signal in the middle of `accept`, and a process without
//! descriptors. The other errors come from a script, because Linux does not give them when asked: a client
//! that resets its connection in the queue is accepted all the same, and the first `read` tells.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use accept_errors::serve;
use lab::Spawner;
use lab::prelude::*;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

pub fn main() -> std::process::ExitCode {
    Grader::new("accept-errors")
        .section("05-tcp-client-server#aborted-before-accept")
        .check(1, a_signal_is_no_reason_to_end)
        .see("05-tcp-client-server#interrupted-calls")
        .check(2, one_clients_trouble_is_not_the_servers)
        .check(3, who_finds_no_room_is_told)
        .check(2, there_is_a_spare_again)
        .check(1, room_may_be_missing_twice)
        .check(1, an_error_that_stays_ends_it)
        .check(1, a_lost_spare_is_replaced)
        .main()
}

/// A signal comes while the server waits in `accept`. The client after it is served.
fn a_signal_is_no_reason_to_end(cx: &Check) -> Verdict {
    const WHY: &str = "EINTR says that a signal handler ran while accept waited. The listener is as good as before: call \
         accept again.";
    let (listener, at) = listener()?;
    let subject = cx.subject(move || {
        is_interruptible();
        let accept = || nix::sys::socket::accept(listener.as_raw_fd()).map(owned);
        serve(accept, greet) as i32
    })?;
    subject.waits_in(ACCEPTING)?;
    subject.signal(Signal::SIGALRM);
    still_serves(&subject).because(WHY)?;
    let client = cx.connects(at)?;
    client.expects("hello\n").because(WHY)?;
    PASS
}

/// Each error that concerns one client: the one after it is served.
fn one_clients_trouble_is_not_the_servers(cx: &Check) -> Verdict {
    const WHY: &str = "This error is about a client that has gone, or about a moment that passes, not about the listener. A server that \
         ends for it can be ended by anybody who connects and gives up.";
    for errno in [
        Errno::ECONNABORTED,
        Errno::EPROTO,
        Errno::ENETDOWN,
        Errno::ENETUNREACH,
        Errno::EHOSTDOWN,
        Errno::EHOSTUNREACH,
        Errno::ENONET,
        Errno::ENOPROTOOPT,
        Errno::ENOBUFS,
        Errno::ENOMEM,
    ] {
        cx.begins_again(format!("accept gives {errno:?}, then a client"));
        let end = played(cx, [Err(errno), Ok("a"), Err(errno), Ok("b")])?;
        if end.handled != ["a", "b"] {
            return Err(Finding::fail(format!(
                "accept gave {errno:?}, then a client, twice: {}, expected both to be handled",
                end.told()
            )))
            .because(WHY);
        }
    }
    PASS
}

/// More clients than descriptors: who finds no room hears of it, and the server waits for the next.
fn who_finds_no_room_is_told(cx: &Check) -> Verdict {
    let crowd = Crowd::gathers(cx)?;
    crowd.is_turned_away(cx, "the first client too many")?;
    PASS
}

/// The next client too many is told as well, and when somebody leaves, there is room for one.
fn there_is_a_spare_again(cx: &Check) -> Verdict {
    let mut crowd = Crowd::gathers(cx)?;
    for who in [
        "the first client too many",
        "the second client too many",
        "the third client too many",
    ] {
        crowd.is_turned_away(cx, who)?;
    }
    crowd.one_leaves(cx)?;
    let client = cx.connects(crowd.at)?.named("the next client");
    client.expects("hello\n").because(
        "A descriptor is free again, and it is the client's, not yours: of the spare there shall be one, and of closed \
         connections nothing may be left.",
    )?;
    crowd.is_turned_away(cx, "the client after it")
}

/// While a client was turned away, somebody else took the descriptor of the spare. When clients have left, there is a
/// spare again.
fn a_lost_spare_is_replaced(cx: &Check) -> Verdict {
    const WHY: &str = "Between your accept and your open somebody else may take the descriptor, and then there is no spare. When \
         clients leave there is room for one, but no error will tell you. So whenever you have none, try to have one before the \
         next call.";
    // The first is the spare's, the second the next spare's. Who copies one has it from dup.
    let plan = [Call::Open, Call::Dup]
        .into_iter()
        .fold(Faults::new(), |plan, call| {
            plan.on(call).nth(2).fails(Errno::EMFILE)
        });
    let mut crowd = Crowd::gathers_at(cx, cx.spawner().faults(plan))?;
    crowd.is_turned_away(cx, "the first client too many")?;
    cx.step("somebody else had the descriptor: no spare was to be had");
    for _ in 0..3 {
        crowd.one_leaves(cx)?;
    }
    crowd.grows_until_it_is_full(cx)?;
    crowd
        .is_turned_away(cx, "the second client too many")
        .because(WHY)
}

/// Also in the place of the spare, `accept` may fail. It is tried again.
fn room_may_be_missing_twice(cx: &Check) -> Verdict {
    const WHY: &str = "Between your close and your accept somebody else may have taken the descriptor: another thread, or, for \
         ENFILE, another process. And the client may be gone. None of it is for ever.";
    for script in [
        [
            Err(Errno::EMFILE),
            Err(Errno::EMFILE),
            Ok("turned away"),
            Ok("a"),
        ],
        [
            Err(Errno::ENFILE),
            Err(Errno::ENFILE),
            Ok("turned away"),
            Ok("a"),
        ],
        [
            Err(Errno::EMFILE),
            Err(Errno::ECONNABORTED),
            Ok("a"),
            Ok("b"),
        ],
        [Err(Errno::ENFILE), Err(Errno::EINTR), Ok("a"), Ok("b")],
        [Err(Errno::ENFILE), Ok("turned away"), Ok("a"), Ok("b")],
    ] {
        let words: Vec<String> = script
            .iter()
            .map(|said| match said {
                Ok(_) => "a client".into(),
                Err(errno) => format!("{errno:?}"),
            })
            .collect();
        cx.begins_again(format!("accept gives {}", words.join(", ")));
        // With two failures in a row it is a matter of taste who is turned away.
        let last = script.iter().rev().find_map(|said| said.as_ref().ok());
        let handled = *last.expect("there is a client");
        let end = played(cx, script)?;
        if end.handled.last().map(String::as_str) != Some(handled) {
            return Err(Finding::fail(format!(
                "accept gave {}: {}, expected the last client to be handled",
                words.join(", "),
                end.told()
            )))
            .because(WHY);
        }
        if script[1].is_ok() && end.handled.iter().any(|name| name == "turned away") {
            return Err(Finding::fail(format!(
                "accept gave {}: the client after ENFILE was handled, expected it to be closed",
                words.join(", ")
            )))
            .because("There was no room for it: it was let in to be told so.");
        }
    }
    PASS
}

/// After an error that will not pass, `serve` returns it. What came before it did not end the server.
fn an_error_that_stays_ends_it(cx: &Check) -> Verdict {
    const WHY: &str = "A listener that is no listener any more will not become one. A loop that goes on after EBADF or EINVAL \
         never waits again: it spins.";
    for errno in [Errno::EBADF, Errno::EINVAL, Errno::ENOTSOCK] {
        cx.begins_again(format!("accept gives ECONNABORTED, then {errno:?}"));
        let end = played_until(cx, [Err(Errno::ECONNABORTED)], errno)?;
        if end.returned != Some(errno) {
            return Err(Finding::fail(format!(
                "accept gave ECONNABORTED, then {errno:?} each time: {}, expected serve to return {errno:?}",
                end.told()
            )))
            .because(WHY);
        }
    }
    PASS
}

/// What came of a script.
struct End {
    handled: Vec<String>,
    /// The error that `serve` returned; nothing when it called `accept` once more after that error.
    returned: Option<Errno>,
}

impl End {
    fn told(&self) -> String {
        let handled = match self.handled.as_slice() {
            [] => "no client was handled".into(),
            [one] => format!("only {one:?} was handled"),
            all => format!("{} were handled", all.join(" and ")),
        };
        match self.returned {
            Some(errno) => format!("{handled}, and serve returned {errno:?}"),
            None => format!("{handled}, and serve called accept again and again after it"),
        }
    }
}

/// Plays a script, and after it an error that will not pass.
fn played<const N: usize>(
    cx: &Check,
    script: [Result<&'static str, Errno>; N],
) -> Result<End, Finding> {
    played_until(cx, script, Errno::EBADF)
}

fn played_until<const N: usize>(
    cx: &Check,
    script: [Result<&'static str, Errno>; N],
    last: Errno,
) -> Result<End, Finding> {
    let subject = cx.subject(move || {
        let mut script = VecDeque::from(script);
        // A connection is a pipe here, with its name in it.
        let mut calls_too_many = 0;
        let mut handled = Vec::new();
        let accept = || match script.pop_front() {
            Some(Ok(name)) => {
                let (reader, writer) = io::pipe().map_err(|_| Errno::EIO)?;
                (&writer)
                    .write_all(name.as_bytes())
                    .map_err(|_| Errno::EIO)?;
                Ok(OwnedFd::from(reader))
            }
            Some(Err(errno)) => Err(errno),
            None => {
                calls_too_many += 1;
                assert!(calls_too_many <= 3, "{SPINS}");
                Err(last)
            }
        };
        let returned = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            serve(accept, |connection| {
                let name = io::read_to_string(std::fs::File::from(connection));
                handled.push(name.unwrap_or_else(|error| error.to_string()));
            })
        }));
        match returned {
            Ok(errno) => (handled, errno as i32),
            Err(panic) => match panic.downcast_ref::<String>() {
                Some(text) if text == SPINS => (handled, 0),
                _ => std::panic::resume_unwind(panic),
            },
        }
    })?;
    let (handled, errno) = subject.value()?;
    Ok(End {
        handled,
        returned: (errno != 0).then(|| Errno::from_raw(errno)),
    })
}

/// How the script gets out of a loop that would not end.
const SPINS: &str = "accept was called again and again after an error that stays";

/// A server that has no descriptor left, and the clients that it serves.
struct Crowd {
    subject: Subject<i32>,
    at: SocketAddr,
    served: Vec<Peer>,
}

const ROOM: &str = "The client that found no room is still in the queue, and accept fails again, at once, for as long as nobody \
     leaves. Free the spare descriptor, accept the client in its place, and close it: it reads end-of-file and can go \
     elsewhere.";

/// Descriptors of the subject. Three are the standard streams, one is the listener.
const DESCRIPTORS: u64 = 12;

impl Crowd {
    /// Clients come until the server has no more room, and one more comes.
    fn gathers(cx: &Check) -> Result<Crowd, Finding> {
        Crowd::gathers_at(cx, cx.spawner())
    }

    /// The same, at a server that is started like this.
    fn gathers_at(cx: &Check, spawner: Spawner<'_>) -> Result<Crowd, Finding> {
        let (listener, at) = listener()?;
        let limits = Limits {
            descriptors: DESCRIPTORS,
            ..Limits::default()
        };
        let subject = spawner.limits(limits).may_leak().subject(move || {
            has_only(&listener);
            let served = std::cell::RefCell::new(Vec::<TcpStream>::new());
            let mut in_vain = 0;
            let accept = || {
                // On Linux accept takes its descriptor before it waits. Wait first, so that only somebody who
                // is there can find no room.
                let mut waiting = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
                poll(&mut waiting, PollTimeout::NONE)?;
                served.borrow_mut().retain(|client| !has_left(client));
                let accepted = nix::sys::socket::accept(listener.as_raw_fd()).map(owned);
                in_vain = match accepted {
                    Err(Errno::EMFILE) => in_vain + 1,
                    _ => 0,
                };
                assert!(
                    in_vain < 5,
                    "accept has said EMFILE 5 times in a row, and the client still waits"
                );
                accepted
            };
            let errno = serve(accept, |connection| {
                let client = TcpStream::from(connection);
                if (&client).write_all(b"hello\n").is_ok() {
                    served.borrow_mut().push(client);
                }
            });
            errno as i32
        })?;
        let mut crowd = Crowd {
            subject,
            at,
            served: Vec::new(),
        };
        // The spare takes one, and a careful server may have another.
        for _ in 0..DESCRIPTORS - 4 - 2 {
            let client = cx.connects(at)?;
            client.expects("hello\n")?;
            crowd.served.push(client);
        }
        still_serves(&crowd.subject)?;
        crowd.grows_until_it_is_full(cx)?;
        Ok(crowd)
    }

    /// Clients come until the next finds no room.
    fn grows_until_it_is_full(&mut self, cx: &Check) -> Result<(), Finding> {
        while self.open_descriptors()? < DESCRIPTORS {
            let client = cx.connects(self.at)?;
            client.expects("hello\n")?;
            self.served.push(client);
            still_serves(&self.subject)?;
        }
        Ok(())
    }

    /// The first client says that it is done, and the server's kernel knows.
    fn one_leaves(&mut self, cx: &Check) -> Result<(), Finding> {
        const FIN_WAIT2: u8 = 5;
        let leaves = self.served.remove(0);
        leaves.shuts_down_writing()?;
        cx.wait_until("the server's kernel to acknowledge the FIN", || {
            (tcp_state(leaves.as_fd().as_raw_fd()) == FIN_WAIT2).then_some(())
        })?;
        leaves.closes();
        Ok(())
    }

    /// How many descriptors the subject has, of those that the limit counts.
    fn open_descriptors(&self) -> io::Result<u64> {
        let entries = std::fs::read_dir(format!("/proc/{}/fd", self.subject.pid()))?;
        let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        Ok(numbers.filter(|number: &u64| *number < DESCRIPTORS).count() as u64)
    }

    /// One more client comes. It is told that there is no room, and the server waits for the next.
    fn is_turned_away(&self, cx: &Check, who: &str) -> Verdict {
        let client = cx.connects(self.at)?.named(who);
        let mut heard = [0; 16];
        let heard = cx.wait_until(&format!("{who} to hear that there is no room"), || {
            match nix::unistd::read(&client, &mut heard) {
                Err(Errno::EAGAIN) => None,
                other => Some(other),
            }
        });
        still_serves(&self.subject).because(ROOM)?;
        match heard.because(ROOM)? {
            Ok(0) | Err(Errno::ECONNRESET) => {}
            _ => {
                return Err(Finding::fail(format!(
                    "{who} was handled, expected its connection to be closed at once: no descriptor was left but the spare"
                )))
                .because(ROOM);
            }
        }
        PASS
    }
}

/// The state of a connection, as the kernel counts them; 0 when it does not say.
fn tcp_state(socket: i32) -> u8 {
    let mut state = 0_u8;
    let mut length = 1;
    // SAFETY: the state is the first byte of what the kernel says, and there is room for one.
    unsafe {
        libc::getsockopt(
            socket,
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut state).cast(),
            &raw mut length,
        );
    }
    state
}

const ACCEPTING: &[&str] = &["accept", "accept4", "poll", "ppoll"];

/// Waits until the server waits for a client, and says how it ended if it did.
fn still_serves(subject: &Subject<i32>) -> Result<(), Finding> {
    subject.waits_in(ACCEPTING).map_err(|finding| {
        let name = |code: &str| code.parse().map(Errno::from_raw);
        match finding.what().rsplit_once("it returned ") {
            Some((_, code)) if name(code).is_ok() => {
                let errno = name(code).expect("asked before");
                Finding::fail(format!(
                    "expected the server to wait for a client, but serve returned {errno:?}"
                ))
            }
            _ => finding,
        }
    })
}

/// Closes what came along from whoever started the grader: an editor, say, that has left a file open.
fn has_only(listener: &TcpListener) {
    for other in (3..700).filter(|number| *number != listener.as_raw_fd()) {
        // SAFETY: these are nobody's in this process but the check's, which does not use them here.
        unsafe { libc::close(other) };
    }
}

fn has_left(client: &TcpStream) -> bool {
    let mut end = [PollFd::new(client.as_fd(), PollFlags::POLLIN)];
    poll(&mut end, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

fn greet(connection: OwnedFd) {
    let _ = TcpStream::from(connection).write_all(b"hello\n");
}

fn listener() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let at = listener.local_addr()?;
    Ok((listener, at))
}

fn owned(fd: i32) -> OwnedFd {
    use std::os::fd::FromRawFd;
    // SAFETY: accept has just given it, and nobody else has it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Lets `SIGALRM` interrupt calls: a handler without `SA_RESTART`, so that they come back with `EINTR`.
fn is_interruptible() {
    extern "C" fn nothing(_: libc::c_int) {}
    let action = SigAction::new(
        SigHandler::Handler(nothing),
        SaFlags::empty(),
        SigSet::empty(),
    );
    // SAFETY: the handler does nothing.
    unsafe { sigaction(Signal::SIGALRM, &action) }.expect("a handler for SIGALRM");
}
