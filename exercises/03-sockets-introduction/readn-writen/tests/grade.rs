//! Grades `readn-writen`.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use lab::prelude::*;
use nix::sys::signal::Signal;
use readn_writen::{readn, writen};

pub fn main() -> std::process::ExitCode {
    Grader::new("readn-writen")
        .section("03-sockets-introduction#a-stream-has-no-edges")
        .check(2, reads_on_until_it_has_all)
        .check(1, stops_at_end_of_file)
        .time(Duration::from_secs(2))
        .check(1, leaves_the_next_message_alone)
        .check(2, reads_on_after_a_signal)
        .check(1, reports_a_reset)
        .check(2, writes_on_after_a_short_count)
        .check(1, writes_on_after_a_signal)
        .check(1, reports_a_closed_peer)
        .check(1, is_done_at_once_with_nothing)
        .check(1, a_signal_undoes_nothing)
        .main()
}

/// The calls in which a reader may wait, and those in which a writer may.
const READING: &[&str] = &[
    "read", "readv", "recvfrom", "recvmsg", "poll", "ppoll", "select", "pselect6",
];
const WRITING: &[&str] = &[
    "write", "writev", "sendto", "sendmsg", "poll", "ppoll", "select", "pselect6",
];

/// Five bytes that come in two or more pieces are five bytes.
fn reads_on_until_it_has_all(cx: &Check) -> Verdict {
    const WHY: &str = "A stream has no message boundaries: read(2) may give fewer bytes than you asked for. \
         Ask again, for the part that is still missing and into the part that is still empty.";
    for split in 1..5 {
        let (first, rest) = b"hello".split_at(split);
        cx.begins_again("readn is to read 5 bytes");
        let (peer, end) = cx.stream_pair()?;
        let subject = subject(cx, "readn", move || read_five(&end))?;
        let sent = peer.sends(first).and_then(|()| peer.sends_once_read(rest));
        returns(subject, Ok(b"hello".to_vec()), sent).because(WHY)?;
    }
    // Over TCP, and byte by byte.
    cx.begins_again("readn is to read 5 bytes");
    let (peer, end) = cx.tcp_pair()?;
    let subject = subject(cx, "readn", move || read_five(&end))?;
    let sent = b"hello"
        .iter()
        .try_for_each(|byte| peer.sends_once_read([*byte]));
    returns(subject, Ok(b"hello".to_vec()), sent).because(WHY)
}

/// When the peer closes its half early, the count says how many bytes came.
fn stops_at_end_of_file(cx: &Check) -> Verdict {
    const WHY: &str = "read(2) gives 0 at end-of-file, now and for ever after. It does not mean that nothing has come \
         yet: for that, read waits. Stop, and return the count so far.";
    for came in [&b"hel"[..], b""] {
        cx.begins_again("readn is to read 5 bytes");
        let (peer, end) = cx.stream_pair()?;
        let subject = subject(cx, "readn", move || read_five(&end))?;
        if !came.is_empty() {
            peer.sends(came)?;
            peer.is_read().because(WHY)?;
        }
        peer.shuts_down_writing()?;
        subject.returns(Ok(came.to_vec())).because(WHY)?;
    }
    PASS
}

/// What follows the five bytes stays in the socket.
fn leaves_the_next_message_alone(cx: &Check) -> Verdict {
    const WHY: &str = "What follows belongs to the next message, and whoever reads that will look for it in the \
         socket. Ask only for what is still missing.";
    let (peer, end) = cx.stream_pair()?;
    let subject = subject(cx, "readn", move || {
        let five = read_five(&end);
        (five, left_unread(&end))
    })?;
    peer.sends(b"hel")?;
    peer.is_read().because(WHY)?;
    peer.sends(b"lo, world")?;
    let (five, left) = subject.value().because(WHY)?;
    let five = five
        .map_err(|error| Finding::fail(format!("readn returned {error}")))
        .because(WHY)?;
    if five != b"hello" {
        return Err(Finding::fail(format!(
            "readn gave \"{}\", expected \"hello\"",
            five.escape_ascii()
        )))
        .because(WHY);
    }
    if left != b", world" {
        let taken = b", world".len() - left.len();
        return Err(Finding::fail(format!(
            "after \"hello\" the socket should hold \", world\", but it holds \"{}\": readn took {taken} bytes too many",
            left.escape_ascii()
        )))
        .because(WHY);
    }
    PASS
}

/// A signal changes nothing, before the first byte or between two.
fn reads_on_after_a_signal(cx: &Check) -> Verdict {
    const WHY: &str = "EINTR says that a signal handler ran while you waited and that nothing was read. It is no \
         failure of the socket. Ask again.";
    for split in [0, 3] {
        cx.begins_again("readn is to read 5 bytes");
        let (peer, end) = cx.stream_pair()?;
        let subject = subject(cx, "readn", move || {
            is_interruptible();
            read_five(&end)
        })?;
        let (first, rest) = b"hello".split_at(split);
        if !first.is_empty() {
            peer.sends(first)?;
            peer.is_read().because(WHY)?;
        }
        interrupts(&subject, READING).because(WHY)?;
        let sent = peer.sends(rest);
        returns(subject, Ok(b"hello".to_vec()), sent).because(WHY)?;
    }
    PASS
}

/// A peer that resets the connection is an error, also after three of the five bytes.
fn reports_a_reset(cx: &Check) -> Verdict {
    let (peer, end) = cx.tcp_pair()?;
    const WHY: &str = "End-of-file says that the peer has sent all it wanted to send. A reset says that something is \
         lost, and the caller must be able to tell one from the other.";
    let subject = subject(cx, "readn", move || readn(end.as_fd(), &mut [0; 5]))?;
    peer.sends(b"hel")?;
    peer.is_read().because(WHY)?;
    peer.resets()?;
    subject.fails_with(Errno::ECONNRESET).because(WHY)?;
    PASS
}

/// A megabyte arrives whole and once, although the kernel takes it in parts.
fn writes_on_after_a_short_count(cx: &Check) -> Verdict {
    const WHY: &str = "write(2) says how many bytes it took, and that may be fewer than you gave it: a signal came while it \
         waited for room, say. Write the rest, from where it stopped.";
    const TOTAL: usize = 1 << 20;
    let data: Vec<u8> = (0..TOTAL as u32 / 4).flat_map(u32::to_be_bytes).collect();

    // Does one write to such a socket really come back short here? If not, the check would prove nothing.
    let (short, taken) = interrupted(cx, "write", &data, |end, data| {
        nix::unistd::write(end, data).map_err(io::Error::from)
    })?;
    match short.value()? {
        Ok(n) if n == taken.len() && n < TOTAL => {
            cx.begins_again(format!(
                "one write of {TOTAL} bytes, which a signal interrupts, returns {n}; now writen"
            ));
        }
        other => {
            return Err(Finding::fault(format!(
                "one write of {TOTAL} bytes gave {other:?}, expected a short count"
            )));
        }
    }

    let (subject, got) = interrupted(cx, "writen", &data, |end, data| writen(end.as_fd(), data))?;
    subject.returns(Ok(())).because(WHY)?;
    // The data are numbers of four bytes, each one more than the last.
    let differs = got
        .iter()
        .zip(&data)
        .position(|(a, b)| a != b)
        .map(|at| at & !3);
    let whole = match differs {
        None if got.len() == data.len() => Ok(Pass),
        None if got.len() > data.len() => {
            let more = got.len() - data.len();
            Err(Finding::fail(format!(
                "the peer received all of it, and {more} bytes more"
            )))
        }
        None => Err(Finding::fail(format!(
            "the peer received the first {} of {TOTAL} bytes; the others never arrived",
            got.len()
        ))),
        Some(at) if got[at..].starts_with(&data[..8]) => Err(Finding::fail(format!(
            "the first {at} bytes arrived, but what follows them begins again from the first byte"
        ))),
        Some(at) => Err(Finding::fail(format!(
            "the first {at} bytes arrived, but what follows is not the next byte"
        ))),
    };
    whole.because(WHY)
}

/// A signal changes nothing when it comes before the first byte could be written.
fn writes_on_after_a_signal(cx: &Check) -> Verdict {
    const WHY: &str = "EINTR says that a signal handler ran while you waited for room and that nothing was written. It is \
         no failure of the socket. Write again.";
    let (peer, end) = cx.stream_pair()?;
    let full = fill(&end)?;
    cx.step(format!(
        "the socket is full: {full} bytes, and the peer does not read"
    ));
    let subject = subject(cx, "writen", move || {
        is_interruptible();
        writen(end.as_fd(), b"hello")
    })?;
    interrupts(&subject, WRITING).because(WHY)?;
    let got = peer.receives_to_end()?;
    subject.returns(Ok(())).because(WHY)?;
    if got[full.min(got.len())..] != *b"hello" {
        let got = got[full.min(got.len())..].escape_ascii();
        return Err(Finding::fail(format!(
            "the peer received \"{got}\", expected \"hello\""
        )))
        .because(WHY);
    }
    PASS
}

/// A peer that is gone is an error, before the first byte or in the middle.
fn reports_a_closed_peer(cx: &Check) -> Verdict {
    const WHY: &str = "Who is told that all was written relies on it. EPIPE says that nobody will ever read it: hand it on.";
    let (peer, end) = cx.stream_pair()?;
    peer.closes();
    let first = subject(cx, "writen", move || writen(end.as_fd(), b"hello"))?;
    first.fails_with(Errno::EPIPE).because(WHY)?;

    cx.begins_again("writen is to write 1048576 bytes, and the peer does not read");
    let (peer, end) = cx.stream_pair()?;
    let subject = subject(cx, "writen", move || writen(end.as_fd(), &vec![0; 1 << 20]))?;
    subject.waits_in(WRITING).because(WHY)?;
    peer.closes();
    if subject.value().because(WHY)?.is_ok() {
        return Err(Finding::fail(
            "writen returned Ok for a mebibyte of which the peer had read nothing when it closed",
        ))
        .because(WHY);
    }
    PASS
}

/// An empty buffer is read and written at once, while the peer says nothing and reads nothing.
fn is_done_at_once_with_nothing(cx: &Check) -> Verdict {
    const WHY: &str = "Nothing is missing, so there is nothing to ask for: look whether something is left before each call. \
         recv(2) of 0 bytes waits for a byte to come, although it will not take it.";
    let (_peer, end) = cx.stream_pair()?;
    subject(cx, "readn", move || readn(end.as_fd(), &mut []))?
        .returns(Ok(0))
        .because(WHY)?;
    let (_peer, end) = cx.stream_pair()?;
    fill(&end)?;
    subject(cx, "writen", move || writen(end.as_fd(), &[]))?
        .returns(Ok(()))
        .because(WHY)?;
    PASS
}

/// A short count, then a signal, then a short count and a signal again: the next call goes on from there.
fn a_signal_undoes_nothing(cx: &Check) -> Verdict {
    const WHY: &str = "EINTR speaks of one call: that one moved nothing. What the calls before it moved is moved. Keep your place, and \
         go on from there.";
    let mixed = |call, end: &OwnedFd| {
        Faults::new()
            .on(call)
            .fd(end)
            .nth(1)
            .at_most(2)
            .on(call)
            .fd(end)
            .nth(2)
            .fails(Errno::EINTR)
            .on(call)
            .fd(end)
            .nth(3)
            .at_most(1)
            .on(call)
            .fd(end)
            .nth(4)
            .fails(Errno::EINTR)
    };
    cx.begins_again("readn is to read 5 bytes, which are there");
    let (peer, end) = cx.stream_pair()?;
    peer.sends(b"hello")?;
    let reader = cx.spawner().named("readn").faults(mixed(Call::Read, &end));
    let reader = reader.subject(move || read_five(&end))?;
    let calls = reader.calls()?;
    reader.returns(Ok(b"hello".to_vec())).because(WHY)?;
    calls.met_every_fault()?;

    cx.begins_again("writen is to write \"hello\", for which there is room");
    let (peer, end) = cx.stream_pair()?;
    let writer = cx
        .spawner()
        .named("writen")
        .faults(mixed(Call::Write, &end));
    let writer = writer.subject(move || writen(end.as_fd(), b"hello"))?;
    let calls = writer.calls()?;
    writer.returns(Ok(())).because(WHY)?;
    calls.met_every_fault()?;
    let got = peer.receives_to_end()?;
    if got != b"hello" {
        return Err(Finding::fail(format!(
            "writen was to write \"hello\", the peer received \"{}\"",
            got.escape_ascii()
        )))
        .because(WHY);
    }
    PASS
}

/// The learner's function at work, under its own name.
fn subject<T: Sealed>(
    cx: &Check,
    name: &str,
    f: impl FnOnce() -> T,
) -> Result<Subject<T>, Finding> {
    cx.spawner().named(name).subject(f)
}

/// Demands that the subject returns `expected`, and that the peer could say all it had to say.
///
/// The subject comes first: a peer that could not send finds only what the subject has done before.
fn returns<T: Sealed>(subject: Subject<T>, expected: T, said: Result<(), Finding>) -> Verdict {
    subject.returns(expected)?;
    said?;
    PASS
}

/// Reads five bytes, and gives as many as `readn` says there are.
fn read_five(end: &OwnedFd) -> io::Result<Vec<u8>> {
    let mut buf = [0; 5];
    let n = readn(end.as_fd(), &mut buf)?;
    let read = buf
        .get(..n)
        .ok_or_else(|| io::Error::other(format!("readn returned {n} for a buffer of 5 bytes")))?;
    Ok(read.to_vec())
}

/// What is still in the socket.
fn left_unread(end: &OwnedFd) -> Vec<u8> {
    let mut buf = [0; 64];
    // SAFETY: `buf` has room for as many bytes as are asked for.
    let n = unsafe {
        libc::recv(
            end.as_raw_fd(),
            buf.as_mut_ptr().cast(),
            buf.len(),
            libc::MSG_DONTWAIT,
        )
    };
    buf[..n.max(0) as usize].to_vec()
}

/// Fills the socket until it takes no more, and says how many bytes that was.
fn fill(end: &OwnedFd) -> io::Result<usize> {
    let (bytes, mut filled) = ([0; 4096], 0);
    // Large pieces first; then single bytes, so that there is no room even for one.
    for piece in [&bytes[..], &bytes[..1]] {
        loop {
            // SAFETY: `piece` is as long as is said.
            let n = unsafe {
                libc::send(
                    end.as_raw_fd(),
                    piece.as_ptr().cast(),
                    piece.len(),
                    libc::MSG_DONTWAIT,
                )
            };
            match n {
                -1 if io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock => break,
                -1 => return Err(io::Error::last_os_error()),
                n => filled += n as usize,
            }
        }
    }
    Ok(filled)
}

/// Runs `write`, interrupts it by a signal while it waits for room, and gives all that the peer receives.
fn interrupted<T: Sealed>(
    cx: &Check,
    name: &str,
    data: &[u8],
    write: impl FnOnce(&OwnedFd, &[u8]) -> T,
) -> Result<(Subject<T>, Vec<u8>), Finding> {
    let (peer, end) = cx.stream_pair()?;
    let subject = subject(cx, name, move || {
        is_interruptible();
        write(&end, data)
    })?;
    interrupts(&subject, WRITING)?;
    let got = peer.receives_to_end()?;
    Ok((subject, got))
}

/// Lets `SIGALRM` interrupt calls: a handler without `SA_RESTART`, so that they come back with `EINTR`.
fn is_interruptible() {
    use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, sigaction};
    extern "C" fn nothing(_: libc::c_int) {}
    let action = SigAction::new(
        SigHandler::Handler(nothing),
        SaFlags::empty(),
        SigSet::empty(),
    );
    // SAFETY: the handler does nothing.
    unsafe { sigaction(Signal::SIGALRM, &action) }.expect("a handler for SIGALRM");
}

/// Interrupts the subject in one of these calls, and waits until it waits again, or has ended.
fn interrupts<T: Sealed>(subject: &Subject<T>, calls: &[&str]) -> Result<(), Finding> {
    subject.waits_in(calls)?;
    subject.signal(Signal::SIGALRM);
    // How it ended is told by what it returned.
    let _ = subject.waits_in(calls);
    Ok(())
}
