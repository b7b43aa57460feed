//! Two people, four processes.

use lab::prelude::*;
use nix::sys::signal::Signal;
use tcp_client_server::children::children_of;

const CHAT: &str = env!("CARGO_BIN_EXE_chat");

/// Both ends, connected.
fn start(cx: &Check) -> Result<[Program; 2], Finding> {
    let mut ann = cx.program(CHAT, &["--listen"])?;
    let at = ann.line_after("waiting at ")?;
    let mut bob = cx.program(CHAT, &[&at])?;
    ensure!(ann.line()?.ends_with(" is here"), "nobody came");
    ensure!(
        bob.line()? == format!("connected to {at}"),
        "it is somewhere else"
    );
    Ok([ann, bob])
}

/// Neither has to wait for the other.
pub fn both_hear_what_the_other_says(cx: &Check) -> Verdict {
    let [mut ann, mut bob] = start(cx)?;
    ann.types("one\ntwo\n")?;
    bob.types("three\n")?;
    for (who, line) in [(&mut bob, "peer: one"), (&mut ann, "peer: three")] {
        let heard = who.line()?;
        ensure!(heard == line, "expected {line:?}, it printed {heard:?}");
    }
    bob.types("four\n")?;
    ensure!(bob.line()? == "peer: two", "the second line is lost");
    ensure!(ann.line()? == "peer: four", "the answer is lost");
    PASS
}

/// All that was said before is heard. Then all four processes end.
pub fn the_end_of_one_keyboard_ends_both(cx: &Check) -> Verdict {
    let [mut ann, mut bob] = start(cx)?;
    bob.types("bye\n")?;
    bob.ends_input();
    ensure!(ann.line()? == "peer: bye", "the last word is lost");
    ensure!(
        ann.line()? == "the conversation is over",
        "the end is not heard"
    );
    // Her keyboard is still open: nothing but the end of the conversation has ended her processes.
    let hers = ann.pid() as u32;
    cx.wait_until("her process to be without children", || {
        children_of(hers).map_or(Some(()), |children| children.is_empty().then_some(()))
    })?;
    ann.exits(0)?;
    ensure!(bob.line()? == "the conversation is over", "he is not told");
    bob.exits(0)?;
    PASS
}

/// The child that reads the keyboard is not left behind.
pub fn a_killed_parent_takes_the_child_along(cx: &Check) -> Verdict {
    let [mut ann, mut bob] = start(cx)?;
    let children = cx.wait_until("her second process", || {
        let children = children_of(ann.pid() as u32).ok()?;
        (children.len() == 1).then_some(children)
    })?;
    // It has said that it wants to end with its parent once it reads the keyboard.
    let child = children[0].pid;
    cx.wait_until("her second process to read the keyboard", || {
        let call = std::fs::read_to_string(format!("/proc/{child}/syscall")).ok()?;
        call.starts_with(&format!("{} 0x0 ", nix::libc::SYS_read))
            .then_some(())
    })?;
    ann.signal(Signal::SIGKILL);
    // Her keyboard stays open: nothing but the death of its parent can end it.
    cx.wait_until("her second process to end", || {
        let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        (stat.is_empty() || stat.contains(") Z ")).then_some(())
    })?;
    ann.dies_of(Signal::SIGKILL)?;
    ensure!(bob.line()? == "the conversation is over", "he is not told");
    bob.exits(0)?;
    PASS
}

/// Escape sequences of terminals come out as question marks.
pub fn a_peer_cannot_reach_the_terminal(cx: &Check) -> Verdict {
    let [mut ann, mut bob] = start(cx)?;
    bob.types(b"\x1b[2J\x07gr\xc3\xbc\xc3\x9fe\xff\n")?;
    let heard = ann.line()?;
    ensure!(heard == "peer: ?[2J?grüße\u{fffd}", "it printed {heard:?}");
    PASS
}
