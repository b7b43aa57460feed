//! What do submissions that attack achieve?
//!
//! Each foe is let loose in every mode that this machine can give, in front of an honest submission.
//! The foe must get the verdict that the table names, the honest one must pass, and what is there
//! afterwards must be what was there before.

mod crew;
mod mode;
mod scene;
mod table;

use std::process::ExitCode;
use std::time::Duration;

use lab::prelude::*;

use mode::Mode;
use scene::Scene;
use table::{FOES, Foe};

fn main() -> ExitCode {
    if std::env::var_os("FOES_CREW").is_some() {
        return crew::main();
    }
    let long = Duration::from_secs(240);
    Suite::new("foes")
        .check(as_root)
        .time(long)
        .check(as_an_ordinary_user)
        .time(long)
        .check(without_namespaces_as_root)
        .time(long)
        .check(without_namespaces_as_an_ordinary_user)
        .time(long)
        .main()
}

fn as_root(cx: &Check) -> Verdict {
    all(cx, Mode::Root)
}

fn as_an_ordinary_user(cx: &Check) -> Verdict {
    all(cx, Mode::User)
}

fn without_namespaces_as_root(cx: &Check) -> Verdict {
    all(cx, Mode::LoopbackRoot)
}

fn without_namespaces_as_an_ordinary_user(cx: &Check) -> Verdict {
    all(cx, Mode::LoopbackUser)
}

/// Lets all foes loose, one after the other.
fn all(cx: &Check, mode: Mode) -> Verdict {
    if let lab::Isolation::Loopback(why) = lab::isolation() {
        let what = format!("namespaces around the foes, which are dangerous ({why})");
        return Err(Finding::needs(what));
    }
    if !mode.is_possible() {
        return Err(Finding::needs("root"));
    }
    let scene = Scene::new(cx.folder()?)?;
    let only = std::env::var("FOES_ONLY").unwrap_or_default();
    let mut wrong = Vec::new();
    for foe in FOES.iter().filter(|foe| foe.name.contains(&only)) {
        if foe.can_be_stopped() {
            wrong.extend(one(cx, mode, foe, &scene)?);
        } else {
            cx.evidence(format!("{:<32} not let loose: needs Landlock 6", foe.name));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("; "));
    PASS
}

/// Lets one foe loose. What was not as it must be.
fn one(cx: &Check, mode: Mode, foe: &Foe, scene: &Scene) -> Result<Vec<String>, Finding> {
    let before = scene.look();
    let (said, honest) = mode.let_loose(foe.name, scene)?;
    let after = scene.look();
    let gone = before
        .difference(&after)
        .map(|what| format!("no more: {what}"));
    let new = after.difference(&before).cloned();
    let left: Vec<String> = gone.chain(new).collect();
    let shown = if left.is_empty() {
        "nothing".into()
    } else {
        left.join(", ")
    };
    cx.evidence(format!(
        "{:<32} {:<8} {:>7.1} ms  left: {shown}  {}",
        foe.name, said.outcome, said.millis, said.why
    ));
    let mut wrong = Vec::new();
    let (outcome, phrase) = foe.verdict(mode);
    if said.outcome != outcome || !said.why.contains(phrase) {
        wrong.push(format!(
            "{}: {} ({}), expected {outcome} ({phrase})",
            foe.name, said.outcome, said.why
        ));
    }
    if honest.outcome != "pass" {
        wrong.push(format!(
            "after {} an honest submission: {} ({})",
            foe.name, honest.outcome, honest.why
        ));
    }
    if !left.is_empty() {
        wrong.push(format!("{} left {}", foe.name, left.join(", ")));
    }
    Ok(wrong)
}
