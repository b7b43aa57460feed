//! Grades `daytime-client`.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use daytime_client::daytime;
use lab::Spawner;
use lab::prelude::*;

pub fn main() -> std::process::ExitCode {
    Grader::new("daytime-client")
        .section("01-introduction#the-client")
        .check(2, reads_to_the_end)
        .check(1, keeps_every_byte)
        .see("01-introduction#what-goes-wrong")
        .check(1, an_empty_answer_is_an_answer)
        .check(1, speaks_ipv6)
        .see("01-introduction#ipv4-and-ipv6-alike")
        .check(1, says_that_connect_was_refused)
        .see("01-introduction#errors-that-name-their-call")
        .check(2, a_reset_is_no_end)
        .see("01-introduction#what-goes-wrong")
        .check(1, each_call_may_fail)
        .see("01-introduction#errors-that-name-their-call")
        .main()
}

/// What comes back from the learner's code: the bytes, or the call and its errno.
type Answer = Result<Vec<u8>, (String, Errno)>;

fn ask(cx: &Check, server: SocketAddr) -> Result<Subject<Answer>, Finding> {
    asker(cx.spawner(), server)
}

fn asker(spawner: Spawner<'_>, server: SocketAddr) -> Result<Subject<Answer>, Finding> {
    spawner.named("daytime").subject(move || {
        let _limit = CpuLimit::begin();
        daytime(server).map_err(|error| (error.call.to_string(), error.errno))
    })
}

/// Ends a process that computes for a fifth of a second: whoever reads zeros for ever shall not do it for long.
struct CpuLimit(libc::timer_t);

impl CpuLimit {
    fn begin() -> CpuLimit {
        // SAFETY: plain structures of numbers, for which zeros are valid, and live pointers to them.
        unsafe {
            let mut event: libc::sigevent = std::mem::zeroed();
            event.sigev_notify = libc::SIGEV_SIGNAL;
            event.sigev_signo = libc::SIGXCPU;
            let mut timer: libc::timer_t = std::mem::zeroed();
            libc::timer_create(
                libc::CLOCK_PROCESS_CPUTIME_ID,
                &raw mut event,
                &raw mut timer,
            );
            let mut time: libc::itimerspec = std::mem::zeroed();
            time.it_value.tv_nsec = 200_000_000;
            libc::timer_settime(timer, 0, &raw const time, std::ptr::null_mut());
            CpuLimit(timer)
        }
    }
}

impl Drop for CpuLimit {
    fn drop(&mut self) {
        // SAFETY: the timer was made above.
        unsafe { libc::timer_delete(self.0) };
    }
}

/// A port of the kernel's choice on the machine itself.
fn localhost() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

fn text(bytes: &[u8]) -> String {
    format!("\"{}\"", bytes.escape_ascii())
}

/// Demands this answer, and shows what came instead as text.
fn answers(subject: Subject<Answer>, wanted: &[u8]) -> Result<(), Finding> {
    let said = subject.value()?;
    match said {
        Ok(bytes) if bytes == wanted => Ok(()),
        Ok(bytes) => Err(Finding::fail(format!(
            "the server said {} and closed, daytime returned {}",
            text(wanted),
            text(&bytes)
        ))),
        Err((call, errno)) => Err(Finding::fail(format!(
            "the server said {} and closed, daytime returned an error: {call}: {errno:?}",
            text(wanted)
        ))),
    }
}

/// A line that comes in pieces is a line, wherever it is cut.
fn reads_to_the_end(cx: &Check) -> Verdict {
    const LINE: &[u8; 26] = b"Sat Nov 21 08:38:14 2026\r\n";
    const WHY: &str = "A stream has no edges: one read brings what has arrived, at least a byte. Read again until \
         read returns 0. And 0 is the end: nothing will ever come after it. (SIGXCPU ends a program that \
         computes and computes.)";
    for cuts in [&[7][..], &[1, 2, 25], &[]] {
        cx.begins_again(format!("the line is cut in {} pieces", cuts.len() + 1));
        let listener = cx.listens(localhost())?;
        let subject = ask(cx, listener.address()?)?;
        let peer = listener.accepts()?;
        let mut from = 0;
        for cut in cuts.iter().copied().chain([LINE.len()]) {
            peer.sends_once_read(&LINE[from..cut]).because(WHY)?;
            from = cut;
        }
        peer.is_read().because(WHY)?;
        peer.closes();
        answers(subject, LINE).because(WHY)?;
    }
    PASS
}

/// Bytes that are not text, and more of them than one buffer holds, all come back.
fn keeps_every_byte(cx: &Check) -> Verdict {
    const WHY: &str = "read says how many bytes it brought: these are the answer, zero bytes and all. What stands \
         behind them in the buffer is older.";
    let sent: Vec<u8> = (0..5000_u32).map(|i| (i % 251) as u8).collect();
    let listener = cx.listens(localhost())?;
    let subject = ask(cx, listener.address()?)?;
    let peer = listener.accepts()?;
    peer.sends(&sent)?;
    peer.is_read()?;
    peer.closes();
    let said = subject.value()?;
    let Ok(bytes) = said else {
        return Err(Finding::fail(format!("daytime returned {said:?}"))).because(WHY);
    };
    if bytes == sent {
        return PASS;
    }
    let same = bytes.iter().zip(&sent).take_while(|(a, b)| a == b).count();
    Err(Finding::fail(format!(
        "of 5000 bytes daytime returned {}; the first {same} of them are right",
        bytes.len()
    )))
    .because(WHY)
}

/// A server that closes without a word has said all that it has to say.
fn an_empty_answer_is_an_answer(cx: &Check) -> Verdict {
    let listener = cx.listens(localhost())?;
    let subject = ask(cx, listener.address()?)?;
    listener.accepts()?.closes();
    answers(subject, b"")
        .because("The end came first. That is no error, and nothing to wait for.")?;
    PASS
}

/// An IPv6 address is as good as one of IPv4.
fn speaks_ipv6(cx: &Check) -> Verdict {
    let at = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    if UdpSocket::bind(at).is_err() {
        return Err(Finding::needs("IPv6 on the loopback device"));
    }
    let listener = cx.listens(at)?;
    let address = listener.address()?;
    let mut subject = Some(ask(cx, address)?);
    // A client that cannot get there ends without a connection, and that is to be said.
    let accepted = listener.accepts();
    if accepted.is_err()
        && let Some(Err((call, errno))) = subject.take().map(Subject::value).transpose()?
    {
        return Err(Finding::fail(format!(
            "daytime(\"{address}\") returned an error: {call}: {errno:?}"
        )))
        .because("The family of the socket must be that of the address: AF_INET6 for this one.");
    }
    let peer = accepted?;
    peer.sends(b"now\r\n")?;
    peer.is_read()?;
    peer.closes();
    if let Some(subject) = subject {
        answers(subject, b"now\r\n")?;
    }
    PASS
}

/// Where nobody listens, the error is that of `connect`, and nothing stays open.
fn says_that_connect_was_refused(cx: &Check) -> Verdict {
    // A UDP socket has the number; no TCP socket listens at it.
    let nobody = UdpSocket::bind(localhost())?;
    let subject = ask(cx, nobody.local_addr()?)?;
    let said = subject.value().because(
        "The socket is open from `socket` on, and must be closed on every way out. An OwnedFd closes itself.",
    )?;
    let wanted = Err(("connect".to_string(), Errno::ECONNREFUSED));
    ensure!(
        said == wanted,
        "nobody listens there: expected the error connect: ECONNREFUSED, daytime returned {said:?}"
    );
    PASS
}

/// A connection that breaks in the middle is an error, not an answer.
fn a_reset_is_no_end(cx: &Check) -> Verdict {
    const WHY: &str = "Only a read of 0 says that the server was done. When read fails, you have half an answer, \
         and no way to know which half.";
    let listener = cx.listens(localhost())?;
    let subject = ask(cx, listener.address()?)?;
    let peer = listener.accepts()?;
    peer.sends(b"Sat Nov 21")?;
    peer.is_read()?;
    peer.resets()?;
    let said = subject.value()?;
    let wanted = Err(("read".to_string(), Errno::ECONNRESET));
    if said == wanted {
        return PASS;
    }
    Err(Finding::fail(match said {
        Ok(bytes) => format!(
            "the server reset the connection in the middle, daytime returned {} as if it were all",
            text(&bytes)
        ),
        Err((call, errno)) => {
            format!("expected the error read: ECONNRESET, daytime returned {call}: {errno:?}")
        }
    }))
    .because(WHY)
}

/// No descriptor is left, nobody answers, the cable is cut: whichever call fails, its name and its reason come back.
fn each_call_may_fail(cx: &Check) -> Verdict {
    const WHY: &str = "Every call can fail, the first one too. Who asked for the time can do something about it, but only who knows \
         which call it was, and why.";
    for (family, call, errno) in [
        (Call::Socket, "socket", Errno::EMFILE),
        (Call::Connect, "connect", Errno::ETIMEDOUT),
        (Call::Read, "read", Errno::EHOSTUNREACH),
    ] {
        cx.begins_again(format!("{call} fails with {errno:?}"));
        let listener = cx.listens(localhost())?;
        let address = listener.address()?;
        // The code may read other things, the clock say.
        let plan = match family {
            Call::Read => Faults::new().on(family).peer(address).fails(errno),
            _ => Faults::new().on(family).fails(errno),
        };
        let subject = asker(cx.spawner().faults(plan), address)?;
        let said = subject.value().because(WHY)?;
        if said != Err((call.to_string(), errno)) {
            return Err(Finding::fail(format!(
                "expected the error {call}: {errno:?}, daytime returned {said:?}"
            )))
            .because(WHY);
        }
    }
    PASS
}
