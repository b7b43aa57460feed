//! A call that waits, a signal, and what becomes of the call.
//!
//! Each case is a call in a process of its own. The signal is sent when it sleeps there.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::ptr::null_mut;
use std::time::Duration;

use lab::prelude::*;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::unistd::{read, write};

use crate::common::{done, handle, nothing};

/// The names of the calls that wait for a descriptor, on all machines.
pub const READ: &[&str] = &["read"];
const ACCEPT: &[&str] = &["accept", "accept4"];
const POLL: &[&str] = &["poll", "ppoll"];
const SELECT: &[&str] = &["select", "pselect6"];
pub const EPOLL: &[&str] = &["epoll_wait", "epoll_pwait"];
const SLEEP: &[&str] = &["nanosleep", "clock_nanosleep"];

/// How a handler is registered.
pub const NONE: i32 = 0;
pub const RESTART: i32 = libc::SA_RESTART;

/// A process that has a handler with these flags, and makes the call; once more if it was interrupted.
fn calls(
    cx: &Check,
    flags: i32,
    call: impl Fn() -> nix::Result<()>,
) -> Result<Subject<nix::Result<String>>, Finding> {
    cx.subject(move || {
        handle(Signal::SIGUSR1, nothing, flags)?;
        match call() {
            Err(Errno::EINTR) => Ok(format!("EINTR, again: {}", done(call()))),
            Err(errno) => Ok(format!("{errno:?}")),
            Ok(()) => Ok("goes on".into()),
        }
    })
}

/// One SIGUSR1 while the call waits. If it goes back to wait, `release` does what it waits for.
///
/// Says `goes on`, or what the call returned; then, if that was EINTR, what it returned when called again.
pub fn under_a_signal(
    cx: &Check,
    flags: i32,
    names: &[&str],
    call: impl Fn() -> nix::Result<()>,
    release: impl FnOnce(),
) -> Result<String, Finding> {
    let subject = calls(cx, flags, call)?;
    subject.waits_in(names)?;
    subject.signal(Signal::SIGUSR1);
    subject.waits_in(names)?;
    release();
    Ok(subject.value()??)
}

pub fn in_accept(cx: &Check, flags: i32) -> Result<String, Finding> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let at = listener.local_addr()?;
    let ours = listener.try_clone()?;
    let call = move || {
        // SAFETY: nobody asks for the address.
        let fd = unsafe { libc::accept(ours.as_raw_fd(), null_mut(), null_mut()) };
        // SAFETY: the descriptor is new, and nobody else knows its number.
        Errno::result(fd).map(|fd| drop(unsafe { OwnedFd::from_raw_fd(fd) }))
    };
    under_a_signal(cx, flags, ACCEPT, call, || {
        drop(std::net::TcpStream::connect(at));
    })
}

pub fn in_read(cx: &Check, flags: i32) -> Result<String, Finding> {
    let (end, mut other) = UnixStream::pair()?;
    let call = move || read(&end, &mut [0]).map(drop);
    under_a_signal(cx, flags, READ, call, || drop(other.write(b"!")))
}

pub fn in_write(cx: &Check, flags: i32) -> Result<String, Finding> {
    let (end, mut other) = UnixStream::pair()?;
    end.set_nonblocking(true)?;
    while write(&end, &[0; 4096]).is_ok() {}
    end.set_nonblocking(false)?;
    other.set_nonblocking(true)?;
    let call = move || write(&end, &[0; 4096]).map(drop);
    let drain = || while other.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {};
    under_a_signal(cx, flags, &["write"], call, drain)
}

/// A FIFO opens when the other side is opened.
pub fn in_open(cx: &Check, flags: i32) -> Result<String, Finding> {
    let path = cx.folder()?.join(format!("fifo-{flags}"));
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU)?;
    let name = std::ffi::CString::new(path.as_os_str().as_encoded_bytes())
        .map_err(std::io::Error::from)?;
    let call = move || {
        // SAFETY: the name ends with a zero.
        let fd = unsafe { libc::open(name.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
        // SAFETY: the descriptor is new, and nobody else knows its number.
        Errno::result(fd).map(|fd| drop(unsafe { OwnedFd::from_raw_fd(fd) }))
    };
    let subject = calls(cx, flags, call)?;
    cx.wait_until("the subject to wait in open", || {
        is_opening(subject.pid(), 0)
    })?;
    let before = switches(subject.pid()).unwrap_or_default();
    subject.signal(Signal::SIGUSR1);
    cx.wait_until("the subject to be in open again", || {
        is_opening(subject.pid(), before)
    })?;
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
    let line = status
        .lines()
        .find(|line| line.starts_with("voluntary_ctxt_switches:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

pub fn in_select(cx: &Check, flags: i32) -> Result<String, Finding> {
    let (end, mut other) = UnixStream::pair()?;
    let call = move || {
        // SAFETY: an fd_set is plain bits, and the descriptor is below FD_SETSIZE.
        unsafe {
            let mut set: libc::fd_set = std::mem::zeroed();
            libc::FD_SET(end.as_raw_fd(), &raw mut set);
            let count = end.as_raw_fd() + 1;
            Errno::result(libc::select(
                count,
                &raw mut set,
                null_mut(),
                null_mut(),
                null_mut(),
            ))
            .map(drop)
        }
    };
    under_a_signal(cx, flags, SELECT, call, || drop(other.write(b"!")))
}

pub fn in_poll(cx: &Check, flags: i32) -> Result<String, Finding> {
    let (end, mut other) = UnixStream::pair()?;
    let call = move || {
        poll(
            &mut [PollFd::new(end.as_fd(), PollFlags::POLLIN)],
            PollTimeout::NONE,
        )
        .map(drop)
    };
    under_a_signal(cx, flags, POLL, call, || drop(other.write(b"!")))
}

/// An epoll instance that watches this descriptor for input.
pub fn epoll_of(end: &impl AsFd) -> nix::Result<OwnedFd> {
    let mut event = libc::epoll_event {
        events: libc::EPOLLIN as u32,
        u64: 0,
    };
    // SAFETY: the descriptor is new, and nobody else knows its number.
    let epoll =
        unsafe { OwnedFd::from_raw_fd(Errno::result(libc::epoll_create1(libc::EPOLL_CLOEXEC))?) };
    let (watch, end) = (libc::EPOLL_CTL_ADD, end.as_fd().as_raw_fd());
    // SAFETY: the event is a whole one.
    Errno::result(unsafe { libc::epoll_ctl(epoll.as_raw_fd(), watch, end, &raw mut event) })?;
    Ok(epoll)
}

pub fn epoll_wait(epoll: &OwnedFd) -> nix::Result<()> {
    let mut event = libc::epoll_event { events: 0, u64: 0 };
    // SAFETY: there is room for one event.
    Errno::result(unsafe { libc::epoll_wait(epoll.as_raw_fd(), &raw mut event, 1, -1) }).map(drop)
}

pub fn in_epoll_wait(cx: &Check, flags: i32) -> Result<String, Finding> {
    let (end, mut other) = UnixStream::pair()?;
    let epoll = epoll_of(&end)?;
    let call = move || {
        let _open = &end;
        epoll_wait(&epoll)
    };
    under_a_signal(cx, flags, EPOLL, call, || drop(other.write(b"!")))
}

pub fn in_read_with_timeout(cx: &Check, flags: i32) -> Result<String, Finding> {
    let (end, mut other) = UnixStream::pair()?;
    end.set_read_timeout(Some(Duration::from_secs(60)))?;
    let call = move || read(&end, &mut [0]).map(drop);
    under_a_signal(cx, flags, READ, call, || drop(other.write(b"!")))
}

/// A minute for the first call, nothing for the second.
pub fn in_nanosleep(cx: &Check, flags: i32) -> Result<String, Finding> {
    let seconds = Cell::new(60);
    let call = move || {
        let time = libc::timespec {
            tv_sec: seconds.replace(0),
            tv_nsec: 0,
        };
        // SAFETY: the time is a whole one, and nobody asks what is left of it.
        Errno::result(unsafe { libc::nanosleep(&raw const time, null_mut()) }).map(drop)
    };
    let subject = calls(cx, flags, call)?;
    subject.waits_in(SLEEP)?;
    subject.signal(Signal::SIGUSR1);
    Ok(subject.value()??)
}
