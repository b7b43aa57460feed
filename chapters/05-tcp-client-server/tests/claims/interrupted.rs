//! A signal comes while a call waits.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};

use lab::prelude::*;
use lab::trial::saw;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, connect, socket};
use nix::sys::uio::pread;
use nix::unistd::read;

use crate::common::{PORT, done, handle};
use crate::waiting::{
    EPOLL, NONE, READ, RESTART, epoll_of, epoll_wait, in_accept, in_epoll_wait, in_nanosleep,
    in_open, in_poll, in_read, in_read_with_timeout, in_select, in_write, under_a_signal,
};

/// How many signals have come.
static SIGNALS: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_signal: i32) {
    SIGNALS.fetch_add(1, Ordering::Relaxed);
}

/// A pipe may stay empty for ever. A file has its bytes, or has none.
pub fn a_file_is_not_slow(cx: &Check) -> Verdict {
    let interrupted = in_read(cx, NONE)?;
    saw(cx, "a read of a socket under a signal", interrupted).is("EINTR, again: ok")?;

    let path = cx.folder()?.join("file");
    std::fs::write(&path, vec![0; 1 << 20])?;
    let subject = cx.subject(move || -> nix::Result<(bool, u32)> {
        handle(Signal::SIGALRM, count, NONE)?;
        let file = std::fs::File::open(path).map_err(|_| Errno::ENOENT)?;
        let often = libc::timeval {
            tv_sec: 0,
            tv_usec: 50,
        };
        let timer = libc::itimerval {
            it_interval: often,
            it_value: often,
        };
        // SAFETY: the timer is a whole one, and nobody asks for the one before.
        Errno::result(unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, null_mut()) })?;
        let (mut buffer, mut interrupted, mut whole) = (vec![0; 1 << 20], 0, true);
        while SIGNALS.load(Ordering::Relaxed) < 100 {
            match pread(&file, &mut buffer, 0) {
                Ok(count) => whole &= count == buffer.len(),
                Err(Errno::EINTR) => interrupted += 1,
                Err(errno) => return Err(errno),
            }
        }
        Ok((whole, interrupted))
    })?;
    let (whole, interrupted) = subject.value()??;
    saw(
        cx,
        "reads of a file while 100 signals come, EINTR",
        interrupted,
    )
    .is(0)?;
    saw(cx, "and each was whole", whole).is(true)?;
    PASS
}

/// What the handler was registered with decides.
pub fn eintr_is_what_you_asked_for(cx: &Check) -> Verdict {
    for (what, case) in [
        (
            "accept",
            in_accept as fn(&Check, i32) -> Result<String, Finding>,
        ),
        ("read", in_read),
    ] {
        saw(cx, &format!("{what}, no flags"), case(cx, NONE)?).is("EINTR, again: ok")?;
        saw(cx, &format!("{what}, SA_RESTART"), case(cx, RESTART)?).is("goes on")?;
    }
    PASS
}

/// Nothing is lost: called again, each does what it would have done.
pub fn an_interrupted_call_can_be_made_again(cx: &Check) -> Verdict {
    for (what, case) in [
        (
            "accept",
            in_accept as fn(&Check, i32) -> Result<String, Finding>,
        ),
        ("read", in_read),
        ("write", in_write),
    ] {
        saw(cx, what, case(cx, NONE)?).is("EINTR, again: ok")?;
    }
    PASS
}

/// By hand all five; by SA_RESTART all but `select`.
pub fn select_is_not_restarted(cx: &Check) -> Verdict {
    for (what, case, restart) in [
        (
            "accept",
            in_accept as fn(&Check, i32) -> Result<String, Finding>,
            "goes on",
        ),
        ("read", in_read, "goes on"),
        ("write", in_write, "goes on"),
        ("open of a FIFO", in_open, "goes on"),
        ("select", in_select, "EINTR, again: ok"),
    ] {
        saw(cx, what, case(cx, NONE)?).is("EINTR, again: ok")?;
        saw(cx, &format!("{what}, SA_RESTART"), case(cx, RESTART)?).is(restart)?;
    }
    PASS
}

/// Those that wait for a time, or could.
pub fn calls_with_a_time_are_never_restarted(cx: &Check) -> Verdict {
    saw(cx, "read, SA_RESTART", in_read(cx, RESTART)?).is("goes on")?;
    for (what, case) in [
        (
            "read with SO_RCVTIMEO",
            in_read_with_timeout as fn(&Check, i32) -> Result<String, Finding>,
        ),
        ("poll", in_poll),
        ("epoll_wait", in_epoll_wait),
        ("nanosleep", in_nanosleep),
    ] {
        saw(cx, &format!("{what}, SA_RESTART"), case(cx, RESTART)?).is("EINTR, again: ok")?;
    }
    PASS
}

/// A signal that is ignored does not even wake the call. To be stopped and continued wakes it, handler or not.
pub fn an_ignored_signal_interrupts_nothing(cx: &Check) -> Verdict {
    let (end, mut other) = UnixStream::pair()?;
    let subject = cx.subject(move || -> nix::Result<usize> {
        // SAFETY: SIG_IGN is no function of ours.
        unsafe { signal(Signal::SIGUSR1, SigHandler::SigIgn) }?;
        read(&end, &mut [0])
    })?;
    subject.waits_in(READ)?;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(subject.pid()), Signal::SIGUSR1)?;
    other.write_all(b"!")?;
    subject.returns(Ok(1))?;
    cx.evidence("read, an ignored SIGUSR1: goes on");

    for (what, with_epoll, wanted) in [("read", false, "ok"), ("epoll_wait", true, "EINTR")] {
        let (end, mut other) = UnixStream::pair()?;
        let subject = cx.subject(move || -> nix::Result<String> {
            let epoll = epoll_of(&end)?;
            Ok(done(if with_epoll {
                epoll_wait(&epoll)
            } else {
                read(&end, &mut [0]).map(drop)
            }))
        })?;
        subject.waits_in(if with_epoll { EPOLL } else { READ })?;
        stop_and_continue(cx, subject.pid())?;
        if !with_epoll {
            subject.waits_in(READ)?;
            other.write_all(b"!")?;
        }
        saw(
            cx,
            &format!("{what}, stopped and continued"),
            subject.value()??,
        )
        .is(wanted)?;
    }
    PASS
}

/// SIGSTOP, and when the process has stopped, SIGCONT.
fn stop_and_continue(cx: &Check, pid: i32) -> Result<(), Finding> {
    let to = nix::unistd::Pid::from_raw(pid);
    nix::sys::signal::kill(to, Signal::SIGSTOP)?;
    cx.wait_until("the subject to be stopped", || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.starts_with('T').then_some(())
    })?;
    Ok(nix::sys::signal::kill(to, Signal::SIGCONT)?)
}

/// The server's cable is out while the client connects, and in again later.
pub fn connect_can_be_called_again(cx: &Check) -> Verdict {
    cx.allows_long_waits();
    for (what, flags, wanted) in [
        ("connect, no flags", NONE, "EINTR, again: ok"),
        ("connect, SA_RESTART", RESTART, "goes on"),
    ] {
        let net = cx.lan(&["client", "server"])?;
        net.introduce()?;
        let at = SocketAddr::new(net.host("server").v4().into(), PORT);
        let _listener = net.host("server").run(|| TcpListener::bind(at))?;
        net.cut("server")?;
        let client = net.host("client").run(|| Ok(tcp()?))?;
        let other = client.try_clone()?;
        let call = move || connect(client.as_raw_fd(), &SockaddrStorage::from(at));
        let mut mended = Ok(());
        let said = under_a_signal(cx, flags, &["connect"], call, || {
            mended = net.mend("server");
        })?;
        mended?;
        saw(cx, what, said).is(wanted)?;
        let third = connect(other.as_raw_fd(), &SockaddrStorage::from(at));
        saw(cx, "and once more", done(third)).is("EISCONN")?;
    }

    let net = cx.lan(&["client", "server"])?;
    net.introduce()?;
    net.cut("server")?;
    let at = SockaddrStorage::from(SocketAddr::new(net.host("server").v4().into(), PORT));
    let client = net.host("client").run(|| Ok(tcp()?))?;
    std::net::TcpStream::from(client.try_clone()?).set_nonblocking(true)?;
    for (what, wanted) in [
        ("a connect that does not wait", "EINPROGRESS"),
        ("and again", "EALREADY"),
    ] {
        saw(cx, what, done(connect(client.as_raw_fd(), &at))).is(wanted)?;
    }
    PASS
}

fn tcp() -> nix::Result<OwnedFd> {
    socket(
        AddressFamily::Inet,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    )
}
