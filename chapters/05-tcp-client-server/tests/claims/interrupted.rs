//! A signal comes while a call waits.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::ptr::null_mut;
use std::time::Duration;

use lab::prelude::*;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, connect, socket};
use nix::unistd::{read, write};

use crate::common::{PORT, done, handle, nothing};
use crate::evidence::saw;

/// The names of the calls that wait for a descriptor, on all machines.
const READ: &[&str] = &["read"];
const ACCEPT: &[&str] = &["accept", "accept4"];
const POLL: &[&str] = &["poll", "ppoll"];
const SELECT: &[&str] = &["select", "pselect6"];
const EPOLL: &[&str] = &["epoll_wait", "epoll_pwait"];
const SLEEP: &[&str] = &["nanosleep", "clock_nanosleep"];

const NONE: i32 = 0;
const RESTART: i32 = libc::SA_RESTART;

/// One SIGUSR1 while the call waits. If it goes back to wait, `release` does what it waits for.
///
/// Says `goes on`, or what the call returned; then, if that was EINTR, what it returned when called again.
fn under_a_signal(
    cx: &Check,
    flags: i32,
    names: &[&str],
    call: impl Fn() -> nix::Result<()>,
    release: impl FnOnce(),
) -> Result<String, Finding> {
    let subject = cx.subject(move || -> nix::Result<String> {
        handle(Signal::SIGUSR1, nothing, flags)?;
        match call() {
            Err(Errno::EINTR) => Ok(format!("EINTR, again: {}", done(call()))),
            Err(errno) => Ok(format!("{errno:?}")),
            Ok(()) => Ok("goes on".into()),
        }
    })?;
    subject.waits_in(names)?;
    subject.signal(Signal::SIGUSR1);
    subject.waits_in(names)?;
    release();
    Ok(subject.value()??)
}

fn in_accept(cx: &Check, flags: i32) -> Result<String, Finding> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let at = listener.local_addr()?;
    let ours = listener.try_clone()?;
    let call = move || {
        // SAFETY: nobody asks for the address.
        let fd = unsafe { libc::accept(ours.as_raw_fd(), null_mut(), null_mut()) };
        // SAFETY: the descriptor is new, and nobody else knows its number.
        Errno::result(fd).map(|fd| drop(unsafe { OwnedFd::from_raw_fd(fd) }))
    };
    under_a_signal(cx, flags, ACCEPT, call, || drop(std::net::TcpStream::connect(at)))
}

fn in_read(cx: &Check, flags: i32) -> Result<String, Finding> {
    let (end, mut other) = UnixStream::pair()?;
    let call = move || read(&end, &mut [0]).map(drop);
    under_a_signal(cx, flags, READ, call, || drop(other.write(b"!")))
}

fn in_write(cx: &Check, flags: i32) -> Result<String, Finding> {
    let (end, mut other) = UnixStream::pair()?;
    end.set_nonblocking(true)?;
    while write(&end, &[0; 4096]).is_ok() {}
    end.set_nonblocking(false)?;
    other.set_nonblocking(true)?;
    let call = move || write(&end, &[0; 4096]).map(drop);
    let drain = || while other.read(&mut [0; 4096]).is_ok() {};
    under_a_signal(cx, flags, &["write"], call, drain)
}

/// A FIFO opens when the other side is opened.
fn in_open(cx: &Check, flags: i32) -> Result<String, Finding> {
    let path = cx.folder()?.join(format!("fifo-{flags}"));
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU)?;
    let name = std::ffi::CString::new(path.as_os_str().as_encoded_bytes()).map_err(std::io::Error::from)?;
    let call = move || {
        // SAFETY: the name ends with a zero.
        let fd = unsafe { libc::open(name.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
        // SAFETY: the descriptor is new, and nobody else knows its number.
        Errno::result(fd).map(|fd| drop(unsafe { OwnedFd::from_raw_fd(fd) }))
    };
    let subject = cx.subject(move || -> nix::Result<String> {
        handle(Signal::SIGUSR1, nothing, flags)?;
        match call() {
            Err(Errno::EINTR) => Ok(format!("EINTR, again: {}", done(call()))),
            Err(errno) => Ok(format!("{errno:?}")),
            Ok(()) => Ok("goes on".into()),
        }
    })?;
    cx.wait_until("the subject to wait in open", || is_opening(subject.pid(), 0))?;
    let before = switches(subject.pid()).unwrap_or_default();
    subject.signal(Signal::SIGUSR1);
    cx.wait_until("the subject to be in open again", || is_opening(subject.pid(), before))?;
    let writer = std::fs::OpenOptions::new().write(true).open(&path)?;
    let said = subject.value()??;
    drop(writer);
    Ok(said)
}

/// Whether the process sleeps in `openat(2)` or `open(2)`, more often than so many times.
fn is_opening(pid: i32, slept: u64) -> Option<()> {
    let call = std::fs::read_to_string(format!("/proc/{pid}/syscall")).ok()?;
    let number: i64 = call.split(' ').next()?.parse().ok()?;
    #[cfg(target_arch = "x86_64")]
    let opens = [libc::SYS_open, libc::SYS_openat];
    #[cfg(not(target_arch = "x86_64"))]
    let opens = [libc::SYS_openat];
    (opens.contains(&number) && switches(pid)? > slept).then_some(())
}

/// How often the process has gone to sleep.
fn switches(pid: i32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn in_select(cx: &Check, flags: i32) -> Result<String, Finding> {
    let (end, mut other) = UnixStream::pair()?;
    let call = move || {
        // SAFETY: an fd_set is plain bits, and the descriptor is below FD_SETSIZE.
        unsafe {
            let mut set: libc::fd_set = std::mem::zeroed();
            libc::FD_SET(end.as_raw_fd(), &raw mut set);
            let count = end.as_raw_fd() + 1;
            Errno::result(libc::select(count, &raw mut set, null_mut(), null_mut(), null_mut())).map(drop)
        }
    };
    under_a_signal(cx, flags, SELECT, call, || drop(other.write(b"!")))
}

fn in_poll(cx: &Check, flags: i32) -> Result<String, Finding> {
    let (end, mut other) = UnixStream::pair()?;
    let call = move || poll(&mut [PollFd::new(end.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE).map(drop);
    under_a_signal(cx, flags, POLL, call, || drop(other.write(b"!")))
}

/// An epoll instance that watches this descriptor for input.
fn epoll_of(end: &impl AsFd) -> nix::Result<OwnedFd> {
    let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
    // SAFETY: the descriptor is new, and nobody else knows its number.
    let epoll = unsafe { OwnedFd::from_raw_fd(Errno::result(libc::epoll_create1(libc::EPOLL_CLOEXEC))?) };
    let (watch, end) = (libc::EPOLL_CTL_ADD, end.as_fd().as_raw_fd());
    // SAFETY: the event is a whole one.
    Errno::result(unsafe { libc::epoll_ctl(epoll.as_raw_fd(), watch, end, &raw mut event) })?;
    Ok(epoll)
}

fn epoll_wait(epoll: &OwnedFd) -> nix::Result<()> {
    let mut event = libc::epoll_event { events: 0, u64: 0 };
    // SAFETY: there is room for one event.
    Errno::result(unsafe { libc::epoll_wait(epoll.as_raw_fd(), &raw mut event, 1, -1) }).map(drop)
}

fn in_epoll_wait(cx: &Check, flags: i32) -> Result<String, Finding> {
    let (end, mut other) = UnixStream::pair()?;
    let epoll = epoll_of(&end)?;
    let call = move || {
        let _open = &end;
        epoll_wait(&epoll)
    };
    under_a_signal(cx, flags, EPOLL, call, || drop(other.write(b"!")))
}

fn in_read_with_timeout(cx: &Check, flags: i32) -> Result<String, Finding> {
    let (end, mut other) = UnixStream::pair()?;
    end.set_read_timeout(Some(Duration::from_secs(60)))?;
    let call = move || read(&end, &mut [0]).map(drop);
    under_a_signal(cx, flags, READ, call, || drop(other.write(b"!")))
}

/// A minute for the first, nothing for the second.
fn in_nanosleep(cx: &Check, flags: i32) -> Result<String, Finding> {
    let subject = cx.subject(move || -> nix::Result<String> {
        handle(Signal::SIGUSR1, nothing, flags)?;
        let minute = libc::timespec { tv_sec: 60, tv_nsec: 0 };
        // SAFETY: the time is a whole one, and nobody asks what is left of it.
        Ok(done(Errno::result(unsafe { libc::nanosleep(&raw const minute, null_mut()) })))
    })?;
    subject.waits_in(SLEEP)?;
    subject.signal(Signal::SIGUSR1);
    Ok(subject.value()??)
}

/// A pipe may stay empty for ever. A file has its bytes, or has none.
pub fn a_file_is_not_slow(cx: &Check) -> Verdict {
    let interrupted = in_read(cx, NONE)?;
    saw(cx, "a read of a socket under a signal", interrupted).is("EINTR, again: ok")?;

    let path = cx.folder()?.join("file");
    std::fs::write(&path, vec![0; 4 << 20])?;
    let subject = cx.subject(move || -> nix::Result<(bool, u32)> {
        handle(Signal::SIGALRM, nothing, NONE)?;
        let file = std::fs::File::open(path).map_err(|_| Errno::ENOENT)?;
        let often = libc::timeval { tv_sec: 0, tv_usec: 50 };
        let timer = libc::itimerval { it_interval: often, it_value: often };
        // SAFETY: the timer is a whole one, and nobody asks for the one before.
        Errno::result(unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, null_mut()) })?;
        let (mut buffer, mut interrupted) = (vec![0; 1 << 20], 0);
        let mut whole = true;
        for _ in 0..4 {
            match read(&file, &mut buffer) {
                Ok(count) => whole &= count == buffer.len(),
                Err(Errno::EINTR) => interrupted += 1,
                Err(errno) => return Err(errno),
            }
        }
        Ok((whole, interrupted))
    })?;
    let (whole, interrupted) = subject.value()??;
    saw(cx, "reads of a file under a storm of signals, EINTR", interrupted).is(0)?;
    saw(cx, "and each was whole", whole).is(true)?;
    PASS
}

/// What the handler was registered with decides.
pub fn eintr_is_what_you_asked_for(cx: &Check) -> Verdict {
    for (what, case) in [
        ("accept", in_accept as fn(&Check, i32) -> Result<String, Finding>),
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
        ("accept", in_accept as fn(&Check, i32) -> Result<String, Finding>),
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
        ("accept", in_accept as fn(&Check, i32) -> Result<String, Finding>, "goes on"),
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
        ("read with SO_RCVTIMEO", in_read_with_timeout as fn(&Check, i32) -> Result<String, Finding>),
        ("poll", in_poll),
        ("epoll_wait", in_epoll_wait),
    ] {
        saw(cx, &format!("{what}, SA_RESTART"), case(cx, RESTART)?).is("EINTR, again: ok")?;
    }
    saw(cx, "nanosleep, SA_RESTART", in_nanosleep(cx, RESTART)?).is("EINTR")?;
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
            Ok(done(if with_epoll { epoll_wait(&epoll) } else { read(&end, &mut [0]).map(drop) }))
        })?;
        subject.waits_in(if with_epoll { EPOLL } else { READ })?;
        stop_and_continue(cx, subject.pid())?;
        if !with_epoll {
            subject.waits_in(READ)?;
            other.write_all(b"!")?;
        }
        saw(cx, &format!("{what}, stopped and continued"), subject.value()??).is(wanted)?;
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
        let said = under_a_signal(cx, flags, &["connect"], call, || mended = net.mend("server"))?;
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
    for (what, wanted) in [("a connect that does not wait", "EINPROGRESS"), ("and again", "EALREADY")] {
        saw(cx, what, done(connect(client.as_raw_fd(), &at))).is(wanted)?;
    }
    PASS
}

fn tcp() -> nix::Result<OwnedFd> {
    socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)
}
