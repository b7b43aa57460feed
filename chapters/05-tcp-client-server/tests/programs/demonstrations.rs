//! The programs that show one thing each.

use lab::prelude::*;

/// Demands that a program prints this, and ends well.
fn prints(cx: &Check, path: &str, expected: &str) -> Verdict {
    let said = cx.program(path, &[] as &[&str])?.exits(0)?;
    ensure!(
        said.trim_end() == expected.trim_end(),
        "it printed\n{said}\nand not\n{expected}"
    );
    PASS
}

/// Signals that wait are one signal.
pub fn one_wait_leaves_four_of_five(cx: &Check) -> Verdict {
    prints(
        cx,
        env!("CARGO_BIN_EXE_lost-signals"),
        "handler         runs  zombies left\n\
         wait               1             4\n\
         waitpid, loop      1             0",
    )
}

/// `SA_RESTART` helps some calls and not others.
pub fn what_a_signal_interrupts(cx: &Check) -> Verdict {
    cx.allows_long_waits();
    prints(
        cx,
        env!("CARGO_BIN_EXE_interrupted"),
        "                   no flags           SA_RESTART\n\
         accept             EINTR, again: ok   goes on\n\
         read               EINTR, again: ok   goes on\n\
         write              EINTR, again: ok   goes on\n\
         waitpid            EINTR, again: ok   goes on\n\
         connect            EINTR, again: ok   goes on\n\
         read, SO_RCVTIMEO  EINTR, again: ok   EINTR, again: ok\n\
         poll               EINTR, again: ok   EINTR, again: ok\n\
         nanosleep          EINTR, again: ok   EINTR, again: ok",
    )
}

/// Linux gives the connection out, and its error with the first read.
pub fn an_aborted_connection_is_accepted(cx: &Check) -> Verdict {
    prints(
        cx,
        env!("CARGO_BIN_EXE_abort-in-queue"),
        "accept4: a connection\nread: ECONNRESET: Connection reset by peer\nread: 0",
    )
}

/// After a FIN the first write succeeds; after a RST it does not. The second brings SIGPIPE.
pub fn the_second_write_kills(cx: &Check) -> Verdict {
    let second = "\x20 second, SIG_DFL         killed by SIGPIPE\n\
                  \x20 second, SIG_IGN         EPIPE: Broken pipe\n\
                  \x20 second, MSG_NOSIGNAL    EPIPE: Broken pipe\n";
    prints(
        cx,
        env!("CARGO_BIN_EXE_second-write"),
        &format!(
            "the peer has closed\n  first write             5\n{second}\
             the peer has reset the connection\n\
             \x20 first write             ECONNRESET: Connection reset by peer\n{second}"
        ),
    )
}

/// On a machine of 64 bits a `long` begins at a multiple of eight.
pub fn structures_have_holes(cx: &Check) -> Verdict {
    if size_of::<std::ffi::c_long>() != 8 {
        return Err(Finding::needs("a machine of 64 bits"));
    }
    let said = cx
        .program(env!("CARGO_BIN_EXE_struct-bytes"), &[] as &[&str])?
        .exits(0)?;
    let numbers: Vec<Vec<u32>> = said
        .lines()
        .skip(1)
        .map(|line| {
            line.split_whitespace()
                .rev()
                .map_while(|word| word.parse().ok())
                .collect()
        })
        .collect();
    let expected = [vec![16, 8, 2, 0], vec![11, 3, 1, 0], vec![8, 4, 2, 0]];
    ensure!(numbers == expected, "it printed\n{said}");
    PASS
}
