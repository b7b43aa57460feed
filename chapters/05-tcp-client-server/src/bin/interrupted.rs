//! A signal comes while a call waits. Does the call return, or go on?

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::time::Duration;

use introduction::program::{Outcome, run_alone};
use libc::c_int;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, bind, connect, listen, socket,
};
use nix::sys::time::TimeSpec;
use nix::sys::wait::wait;
use nix::unistd::{ForkResult, fork, pipe, read, write};
use sockets_introduction::value_result::accept;
use tcp_client_server::signals::on_signal;

fn main() -> ExitCode {
    run_alone("usage: interrupted", work)
}

// ANCHOR: cases
/// Begins to wait in a call, under fire of signals with these flags, and says what became of it.
type Case = fn(flags: c_int) -> io::Result<String>;

const CASES: [(&str, Case); 8] = [
    ("accept", in_accept),
    ("read", in_read),
    ("write", in_write),
    ("waitpid", in_waitpid),
    ("connect", in_connect),
    ("read, SO_RCVTIMEO", in_read_with_timeout),
    ("poll", in_poll),
    ("nanosleep", in_nanosleep),
];

fn work(out: &mut dyn Write) -> Outcome {
    writeln!(out, "{:17}  {:17}  SA_RESTART", "", "no flags")?;
    for (name, case) in CASES {
        let (plain, restart) = (case(0)?, case(libc::SA_RESTART)?);
        writeln!(out, "{name:17}  {plain:17}  {restart}")?;
    }
    Ok(())
}
// ANCHOR_END: cases

// ANCHOR: fire
/// Calls `call` while a signal comes fifty times a second, and again if it was interrupted.
///
/// `release` does, in another process, what the call waits for: after half a second, or once the
/// call was interrupted.
fn under_fire(
    flags: c_int,
    call: impl Fn() -> nix::Result<()>,
    release: impl FnOnce(),
) -> io::Result<String> {
    let (may_release, now) = pipe()?;
    // SAFETY: this process has one thread.
    if let ForkResult::Child = unsafe { fork() }? {
        drop(now);
        let _ = read(&may_release, &mut [0]);
        release();
        // SAFETY: `_exit` ends the process, without what the parent has in its buffers.
        unsafe { libc::_exit(0) }
    }
    NOW.store(now.as_raw_fd(), Ordering::Relaxed);
    SIGNALS.store(0, Ordering::Relaxed);
    on_signal(Signal::SIGALRM, tick, flags).map_err(io::Error::other)?;
    send_signals_every(20)?;
    let result = call();
    send_signals_every(0)?;
    drop(now);
    let text = match result {
        Ok(()) => "goes on".to_owned(),
        Err(Errno::EINTR) => match call() {
            Ok(()) => "EINTR, again: ok".to_owned(),
            Err(errno) => format!("EINTR, again: {errno:?}"),
        },
        Err(errno) => format!("{errno:?}"),
    };
    // In one of the cases the call itself has waited for the child.
    let _ = wait();
    Ok(text)
}

static SIGNALS: AtomicU32 = AtomicU32::new(0);
static NOW: AtomicI32 = AtomicI32::new(-1);

extern "C" fn tick(_signal: c_int) {
    let saved = Errno::last_raw();
    if SIGNALS.fetch_add(1, Ordering::Relaxed) == 25 {
        // SAFETY: one byte that is there for ever; `write` is async-signal-safe.
        unsafe { libc::write(NOW.load(Ordering::Relaxed), b"!".as_ptr().cast(), 1) };
    }
    Errno::set_raw(saved);
}

/// Has SIGALRM sent to this process again and again: `setitimer(2)`. 0 milliseconds end it.
fn send_signals_every(milliseconds: i64) -> io::Result<()> {
    let tv_usec = milliseconds * 1000;
    let time = libc::timeval { tv_sec: 0, tv_usec };
    let timer = libc::itimerval {
        it_interval: time,
        it_value: time,
    };
    // SAFETY: the timer is a whole one, and nobody asks for the one before.
    let result = unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, null_mut()) };
    Ok(Errno::result(result).map(drop)?)
}
// ANCHOR_END: fire

// ANCHOR: calls
fn in_accept(flags: c_int) -> io::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    // Not that of std, which calls again by itself.
    let call = || accept(&listener).map(drop).map_err(|error| error.errno);
    under_fire(flags, call, || drop(TcpStream::connect(address)))
}

fn in_read(flags: c_int) -> io::Result<String> {
    let (here, there) = UnixStream::pair()?;
    let call = || read(&here, &mut [0]).map(drop);
    under_fire(flags, call, || write_one(&there))
}

fn write_one(there: &UnixStream) {
    let _ = write(there, b"!");
}

fn in_write(flags: c_int) -> io::Result<String> {
    let (here, mut there) = UnixStream::pair()?;
    here.set_nonblocking(true)?;
    while write(&here, &[0; 4096]).is_ok() {}
    here.set_nonblocking(false)?;
    let call = || write(&here, &[0; 4096]).map(drop);
    there.set_nonblocking(true)?;
    under_fire(flags, call, || drop(io::copy(&mut there, &mut io::sink())))
}

fn in_waitpid(flags: c_int) -> io::Result<String> {
    under_fire(flags, || wait().map(drop), || {})
}

fn in_connect(flags: c_int) -> io::Result<String> {
    let any = SockaddrStorage::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let new = || {
        socket(
            AddressFamily::Inet,
            SockType::Stream,
            SockFlag::SOCK_CLOEXEC,
            None,
        )
    };
    // A queue of one, which is full: the next SYN is dropped, and sent again after a second.
    let listener = new()?;
    bind(listener.as_raw_fd(), &any)?;
    listen(&listener, Backlog::new(0)?)?;
    let listener = TcpListener::from(listener);
    let address = SockaddrStorage::from(listener.local_addr()?);
    let (first, second) = (new()?, new()?);
    connect(first.as_raw_fd(), &address)?;
    let call = || connect(second.as_raw_fd(), &address);
    under_fire(flags, call, || drop(listener.accept()))
}

fn in_read_with_timeout(flags: c_int) -> io::Result<String> {
    let (here, there) = UnixStream::pair()?;
    here.set_read_timeout(Some(Duration::from_secs(60)))?;
    let call = || read(&here, &mut [0]).map(drop);
    under_fire(flags, call, || write_one(&there))
}

fn in_poll(flags: c_int) -> io::Result<String> {
    let (here, there) = UnixStream::pair()?;
    let call = || {
        poll(
            &mut [PollFd::new(here.as_fd(), PollFlags::POLLIN)],
            PollTimeout::NONE,
        )
        .map(drop)
    };
    under_fire(flags, call, || write_one(&there))
}

fn in_nanosleep(flags: c_int) -> io::Result<String> {
    let time = *TimeSpec::from_duration(Duration::from_millis(100)).as_ref();
    // SAFETY: the time is a whole one, and nobody asks what is left of it.
    let call = || Errno::result(unsafe { libc::nanosleep(&raw const time, null_mut()) }).map(drop);
    under_fire(flags, call, || {})
}
// ANCHOR_END: calls
