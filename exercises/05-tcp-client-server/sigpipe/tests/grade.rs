//! Grades `sigpipe`.
//!
//! The subject begins as a C program does: `SIGPIPE` ends it. A Rust program ignores it from the start.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};

use lab::Spawner;
use lab::prelude::*;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use sigpipe::{publish, say_goodbye};

pub fn main() -> std::process::ExitCode {
    Grader::new("sigpipe")
        .section("05-tcp-client-server#sigpipe")
        .check(2, a_reader_who_has_left_is_an_error)
        .check(2, the_others_get_every_headline)
        .check(1, says_why_each_was_not_reached)
        .see("05-tcp-client-server#server-process-dies")
        .check(1, who_says_no_more_still_reads)
        .check(2, goodbye_reaches_who_is_there)
        .check(2, sigpipe_is_what_it_was_to_the_program)
        .check(1, a_headline_goes_out_whole)
        .see("03-sockets-introduction#a-stream-has-no-edges")
        .main()
}

const WHY: &str = "The first write to a peer that has closed succeeds: the data goes out, and a RST comes back. The next one has \
     nowhere to go. It sends SIGPIPE, which ends a program that has not said otherwise, and returns EPIPE, which a \
     live program can look at. MSG_NOSIGNAL, for send and sendmsg, asks for the error alone.";

/// A reader leaves. The first headline goes out, the second is an error, and the program lives.
fn a_reader_who_has_left_is_an_error(cx: &Check) -> Verdict {
    let (reader, end) = cx.tcp_pair()?;
    reader.closes();
    let subject = subject(cx, move || {
        let mut readers = vec![end];
        let first = publish(&mut readers, "Cables are laid");
        // The RST comes as the answer to it.
        for reader in &readers {
            is_broken(reader)?;
        }
        let second = publish(&mut readers, "Cables are cut");
        Ok::<_, io::Error>((first, second, readers.len()))
    })?;
    let (first, second, left) = value(subject, "publish").because(WHY)?;
    let both: Vec<io::Error> = first.into_iter().chain(second).collect();
    errors_are(
        "two headlines after the reader closed",
        &both,
        &[Errno::EPIPE],
    )
    .because(WHY)?;
    stays_in_the_list(left, 0)
}

/// One of three readers has left: the other two get all headlines, also those behind it in the list.
fn the_others_get_every_headline(cx: &Check) -> Verdict {
    const OTHERS: &str =
        "What is wrong with one reader is no reason to stop: go on with the next one.";
    let (first, first_end) = cx.tcp_pair()?;
    let gone = who_has_left(cx)?;
    let (third, third_end) = cx.tcp_pair()?;
    let (first, third) = (
        first.named("the first reader"),
        third.named("the third reader"),
    );
    let subject = subject(cx, move || {
        let mut readers = vec![first_end, gone, third_end];
        let errors = publish(&mut readers, "Cables are laid");
        let more = publish(&mut readers, "Cables are cut");
        Ok::<_, io::Error>((errors, more, readers.len()))
    })?;
    let (errors, more, left) = value(subject, "publish").because(WHY)?;
    for reader in [&first, &third] {
        reader
            .expects("Cables are laid\nCables are cut\n")
            .because(OTHERS)?;
    }
    errors_are("the first headline", &errors, &[Errno::EPIPE]).because(WHY)?;
    errors_are("the second headline", &more, &[])?;
    stays_in_the_list(left, 2)
}

/// A reader who reset the connection gives `ECONNRESET`, one who closed it `EPIPE`.
fn says_why_each_was_not_reached(cx: &Check) -> Verdict {
    let (reset, reset_end) = cx.tcp_pair()?;
    reset.resets()?;
    is_broken(&reset_end)?;
    let closed = who_has_left(cx)?;
    let subject = subject(cx, move || {
        let mut readers = vec![reset_end, closed];
        let errors = publish(&mut readers, "Cables are laid");
        Ok::<_, io::Error>((errors, readers.len()))
    })?;
    let (errors, left) = value(subject, "publish").because(WHY)?;
    let both = [Errno::ECONNRESET, Errno::EPIPE];
    errors_are("a headline to one who reset and one who closed", &errors, &both).because(
        "A RST out of the blue is ECONNRESET, once. After a FIN, or the second time, it is EPIPE. Both say that this reader \
         has gone; hand on what the kernel said.",
    )?;
    stays_in_the_list(left, 0)
}

/// A reader who has shut down its own half reads on, whoever else has left.
fn who_says_no_more_still_reads(cx: &Check) -> Verdict {
    const HALF: &str = "A FIN says that the peer will send no more. It does not say that the peer will not read: \
         shutdown(SHUT_WR) closes one half. Whether somebody still reads, only a write finds out.";
    let gone = who_has_left(cx)?;
    let (reader, end) = cx.tcp_pair()?;
    let reader = reader.named("the reader");
    reader.shuts_down_writing()?;
    has_been_told(&end)?;
    let subject = subject(cx, move || {
        let mut readers = vec![gone, end];
        let errors = publish(&mut readers, "Cables are laid");
        Ok::<_, io::Error>((errors, readers.len()))
    })?;
    let (errors, left) = value(subject, "publish").because(WHY)?;
    reader.expects("Cables are laid\n").because(HALF)?;
    errors_are("a headline", &errors, &[Errno::EPIPE]).because(HALF)?;
    stays_in_the_list(left, 1)
}

/// The last word is sent to all who are there, and nobody dies of those who are not.
fn goodbye_reaches_who_is_there(cx: &Check) -> Verdict {
    let (first, first_end) = cx.tcp_pair()?;
    let gone = who_has_left(cx)?;
    let (third, third_end) = cx.tcp_pair()?;
    let (first, third) = (
        first.named("the first reader"),
        third.named("the third reader"),
    );
    let readers = vec![first_end, gone, third_end];
    let subject = subject(cx, move || Ok::<_, io::Error>(say_goodbye(readers, 12)))?;
    let reached = value(subject, "say_goodbye").because(WHY)?;
    for reader in [&first, &third] {
        let said = reader.receives_to_end()?;
        ensure!(
            said == b"12 headlines. Goodbye.\n",
            "a reader received \"{}\" at the end, expected \"12 headlines. Goodbye.\\n\"",
            said.escape_ascii()
        );
    }
    ensure!(
        reached == 2,
        "say_goodbye says that it reached {reached} of three readers, one of whom has left; expected 2"
    );
    PASS
}

/// The program has a handler for `SIGPIPE`. It is still there afterwards, and nothing has come to it.
fn sigpipe_is_what_it_was_to_the_program(cx: &Check) -> Verdict {
    const LIBRARY: &str = "The action of a signal is one for the whole process, its threads, and the programs it starts: `ls | head` \
         relies on SIGPIPE. A library that changes it changes it for all of them. MSG_NOSIGNAL changes one call.";
    let (gone, too) = (who_has_left(cx)?, who_has_left(cx)?);
    let subject = cx.subject(move || {
        let handler = count_signal as *const () as libc::sighandler_t;
        // SAFETY: the handler adds to an atomic number, and does nothing else.
        unsafe { libc::signal(libc::SIGPIPE, handler) };
        publish(&mut vec![gone], "Cables are laid");
        say_goodbye(vec![too], 1);
        // SAFETY: all zeros are a sigaction and a set, and both are places for an answer.
        let (action, blocked) = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            let mut blocked: libc::sigset_t = std::mem::zeroed();
            libc::sigaction(libc::SIGPIPE, std::ptr::null(), &raw mut action);
            libc::sigprocmask(libc::SIG_BLOCK, std::ptr::null(), &raw mut blocked);
            (
                action.sa_sigaction,
                libc::sigismember(&raw const blocked, libc::SIGPIPE),
            )
        };
        let now = match action {
            libc::SIG_DFL => "the default",
            libc::SIG_IGN => "ignored",
            action if action == handler => "",
            _ => "another handler",
        };
        (
            now.to_string(),
            blocked == 1,
            SIGNALS.load(Ordering::SeqCst),
        )
    })?;
    let (now, blocked, came) = subject.value().because(WHY)?;
    let changed = |what: &str| Err(Finding::fail(what)).because(LIBRARY);
    if !now.is_empty() {
        return changed(&format!(
            "the program had a handler for SIGPIPE; afterwards SIGPIPE is {now}"
        ));
    }
    if blocked {
        return changed("SIGPIPE was not blocked before, and is afterwards");
    }
    if came > 0 {
        return changed(&format!(
            "SIGPIPE came {came} times; your code knew of a way without"
        ));
    }
    PASS
}

/// The kernel takes the headline in parts, and a signal comes between two of them.
fn a_headline_goes_out_whole(cx: &Check) -> Verdict {
    const WHOLE: &str = "send says how many bytes it took, and that may be some of them: send the others. EINTR says that a signal came \
         first: send again. Neither says anything about the reader.";
    let gone = who_has_left(cx)?;
    let (reader, end) = cx.tcp_pair()?;
    let reader = reader.named("the reader");
    let plan = Faults::new()
        .on(Call::Write)
        .fd(&end)
        .nth(1)
        .at_most(6)
        .on(Call::Write)
        .fd(&end)
        .nth(2)
        .fails(Errno::EINTR);
    let subject = as_in_c(cx.spawner().faults(plan), move || {
        let mut readers = vec![gone, end];
        let errors = publish(&mut readers, "Cables are laid");
        Ok::<_, io::Error>((errors, readers.len()))
    })?;
    let calls = subject.calls()?;
    let (errors, left) = value(subject, "publish").because(WHY)?;
    reader.expects("Cables are laid\n").because(WHOLE)?;
    errors_are(
        "a headline to one who left and one who reads",
        &errors,
        &[Errno::EPIPE],
    )
    .because(WHOLE)?;
    calls.met_every_fault()?;
    stays_in_the_list(left, 1)
}

static SIGNALS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count_signal(_: libc::c_int) {
    SIGNALS.fetch_add(1, Ordering::SeqCst);
}

/// The subject, with `SIGPIPE` as it is in a program that was not written in Rust.
fn subject<T: Sealed>(
    cx: &Check,
    f: impl FnOnce() -> io::Result<T>,
) -> Result<Subject<io::Result<T>>, Finding> {
    as_in_c(cx.spawner(), f)
}

fn as_in_c<T: Sealed>(
    spawner: Spawner<'_>,
    f: impl FnOnce() -> io::Result<T>,
) -> Result<Subject<io::Result<T>>, Finding> {
    spawner.subject(|| {
        // SAFETY: SIG_DFL is a valid action.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        f()
    })
}

/// What the subject returned. That `SIGPIPE` killed it is told by name.
fn value<T: Sealed>(subject: Subject<io::Result<T>>, function: &str) -> Result<T, Finding> {
    Ok(subject.value().map_err(|finding| {
        if finding.is_failure() && finding.what().contains("SIGPIPE") {
            Finding::fail(format!("SIGPIPE killed the program, in {function}"))
        } else {
            finding
        }
    })??)
}

/// The other end of a reader who has closed, and from whom a RST has come since.
fn who_has_left(cx: &Check) -> Result<OwnedFd, Finding> {
    let (reader, end) = cx.tcp_pair()?;
    reader.named("a reader").closes();
    let flags = nix::sys::socket::MsgFlags::MSG_NOSIGNAL;
    nix::sys::socket::send(end.as_raw_fd(), b"\n", flags)?;
    is_broken(&end)?;
    Ok(end)
}

/// Waits until the connection is broken for good: `EPIPE` or `ECONNRESET` comes next.
fn is_broken(end: &impl AsFd) -> io::Result<()> {
    wait(end.as_fd(), PollFlags::empty())
}

/// Waits until the peer's FIN is there.
fn has_been_told(end: &impl AsFd) -> io::Result<()> {
    wait(end.as_fd(), PollFlags::POLLIN)
}

fn wait(end: BorrowedFd<'_>, events: PollFlags) -> io::Result<()> {
    poll(&mut [PollFd::new(end, events)], PollTimeout::NONE)?;
    Ok(())
}

fn errors_are(what: &str, said: &[io::Error], expected: &[Errno]) -> Result<(), Finding> {
    let same = said.len() == expected.len()
        && said
            .iter()
            .zip(expected)
            .all(|(said, expected)| said.raw_os_error() == Some(*expected as i32));
    let expected: Vec<io::Error> = expected.iter().map(|errno| (*errno).into()).collect();
    let (said, expected) = (told(said), told(&expected));
    ensure!(same, "{what} gave {said}, expected {expected}");
    Ok(())
}

fn told(errors: &[io::Error]) -> String {
    if errors.is_empty() {
        return "no error".into();
    }
    let names = errors.iter().map(|error| match error.raw_os_error() {
        Some(code) => format!("{:?}", Errno::from_raw(code)),
        None => error.to_string(),
    });
    names.collect::<Vec<_>>().join(" and ")
}

fn stays_in_the_list(left: usize, expected: usize) -> Verdict {
    ensure!(
        left == expected,
        "{left} readers are in the list afterwards, expected {expected}: who cannot be reached is taken out"
    );
    PASS
}
