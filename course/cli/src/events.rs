//! What does a program hear that drives this one? With `--events`, one JSON object a line, as things happen.
//!
//! | event | what else is in it |
//! |---|---|
//! | `begin` | `exercise`, or `chapter` and how many `experiments` |
//! | `busy` | `text`: what cargo is at |
//! | `compiler` | `text`: why it does not compile |
//! | `check` | `check`, `outcome`, `points`, `why`, `message`, `see` |
//! | `wire` | `check`, `record`: what was on its wire |
//! | `claim` | `id`, `outcome` (`same`, `different`, `not-run`), `seen` |
//! | `end` | of an exercise: `passed`, `points`, `of`, `next`, `warnings`, `died` with `output` |
//!
//! The program that drives holds the other end of our standard input. When it closes that, or dies, nobody listens any
//! more: this program ends, with all that it started.

use std::io::{self, Read, Write};

use catalog::Exercise;
use nix::sys::signal::{Signal, raise};
use serde_json::{Value, json};

use crate::process;
use crate::report::Check;
use crate::wire::Folder;

/// From now on the end of standard input is the end of this program, as if it had been asked to terminate.
pub fn end_with_standard_input() {
    std::thread::spawn(|| {
        let mut ignored = [0; 64];
        let mut input = io::stdin().lock();
        loop {
            match input.read(&mut ignored) {
                Ok(1..) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => break,
            }
        }
        process::end_all();
        let _ = std::fs::remove_dir_all(Folder::place());
        // What began in between ends by the handler.
        let _ = raise(Signal::SIGTERM);
    });
}

/// Says one thing, at once. Who cannot hear it is gone, which the end of standard input says too.
pub fn tell(event: &str, mut what: Value) {
    what["event"] = event.into();
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{what}").and_then(|()| out.flush());
}

/// What cargo is at.
pub fn busy(text: &str) {
    tell("busy", json!({ "text": text }));
}

/// A check that ended.
pub fn check(exercise: &Exercise, check: &Check) {
    let see = if check.see.is_empty() {
        exercise.section.to_string()
    } else {
        check.see.clone()
    };
    tell(
        "check",
        json!({
            "check": check.name,
            "outcome": check.outcome.name(),
            "points": check.points,
            "why": check.why,
            "message": check.message,
            "see": see,
        }),
    );
}
