//! Would a grader notice? `cargo mutants` changes the solutions, one small thing at a time, and the checks should fail.
//!
//! What they cannot notice is listed, with the reason, in the solution's `mutants.toml`. See [`list`].

mod list;
mod shop;

use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use catalog::{Catalog, Exercise};
use serde_json::Value;

use super::workshop::target_directory;
use super::{in_parallel, table, time_scale};
use crate::compile::cargo;
use crate::paint::{self, Status, count};
use crate::process::{self, Cancel};
use list::Listed;

/// A mutant for which the grader needs longer than this is stuck, though the grader has deadlines of its own.
const LIMIT: Duration = Duration::from_secs(60);

/// One small change to a solution, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mutant {
    /// `replace < with <= in readn`
    change: String,
    /// The first line that it changes, without the white space around it.
    line: String,
    /// The number of that line.
    number: usize,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// A check failed.
    Caught,
    /// The grader did not end.
    Timeout,
    /// It does not compile.
    Unviable,
    /// All checks passed.
    Survived,
}

/// What came of one exercise's mutants.
#[derive(Debug, Default)]
pub struct Tally {
    /// Which exercise.
    pub slug: String,
    /// All of them.
    pub mutants: usize,
    /// Those that a check caught.
    pub caught: usize,
    /// Those that do not compile.
    pub unviable: usize,
    /// Those that made the grader too slow. They do not get through either.
    pub timeouts: usize,
    /// Those that are listed with a reason.
    pub listed: usize,
    /// Sentences about what is wrong.
    pub wrong: Vec<String>,
}

/// Changes the solutions of these exercises, and says which changes go unnoticed.
///
/// # Errors
///
/// When cargo-mutants, or the folder that it works in, does not work.
pub fn prove(catalog: &Catalog, exercises: &[&Exercise]) -> Result<bool> {
    if !is_installed(catalog) {
        paint::line("not run: needs cargo-mutants: `cargo install --locked cargo-mutants`");
        return Ok(true);
    }
    let target = target_directory(&catalog.root)?;
    let mut status = Status::new();
    let done = AtomicUsize::new(0);
    let tallies = {
        let status = Mutex::new(&mut status);
        in_parallel(exercises.len(), |number| {
            let exercise = exercises[number];
            let tally = one(catalog, exercise, &target);
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            if let Ok(mut status) = status.lock() {
                status.set(&format!(
                    "mutants of {done} of {}: {}",
                    count(exercises.len(), "solution"),
                    exercise.slug
                ));
            }
            tally
        })
    };
    status.clear();
    drop(status);
    let tallies = tallies.into_iter().collect::<Result<Vec<Tally>>>()?;
    paint::say(table::mutants(&tallies));
    let wrong: Vec<String> = tallies.into_iter().flat_map(|tally| tally.wrong).collect();
    paint::say(table::findings(&wrong, 0));
    Ok(wrong.is_empty())
}

fn is_installed(catalog: &Catalog) -> bool {
    let mut command = cargo(&catalog.root);
    command.args(["mutants", "--version"]);
    process::run(
        &mut command,
        Duration::from_mins(1),
        &Cancel::default(),
        |_| {},
    )
    .is_ok_and(|finished| finished.success())
}

/// Makes and judges all mutants of one solution.
fn one(catalog: &Catalog, exercise: &Exercise, target: &std::path::Path) -> Result<Tally> {
    let slug = &exercise.slug;
    let shop = shop::set_up(catalog, exercise, target)
        .with_context(|| format!("cannot prepare the mutants of {slug}"))?;
    let mut command: Command = cargo(&shop);
    command.args(["mutants", "--in-place", "--colors", "never", "--no-times"]);
    let least = (LIMIT * time_scale()).as_secs().to_string();
    command.args(["--minimum-test-timeout", &least]);
    command.args(["--", "--test", "grade"]);
    command.env("CARGO_TARGET_DIR", target.join("course/verify/target"));
    let hours = Duration::from_hours(2);
    let finished = process::run(&mut command, hours, &Cancel::default(), |_| {})?;
    let said = || {
        let text = [finished.stdout.as_slice(), &finished.stderr].concat();
        String::from_utf8_lossy(&text).trim_end().to_owned()
    };
    let outcomes = std::fs::read_to_string(shop.join("mutants.out/outcomes.json"))
        .map_err(|_| anyhow!("cargo mutants on {slug} left no outcomes:\n{}", said()))?;
    let outcomes: Value = serde_json::from_str(&outcomes).context("mutants.out/outcomes.json")?;
    let source = std::fs::read_to_string(shop.join(shop::SOURCE))?;
    let mutants = read(&outcomes, &source)
        .with_context(|| format!("cargo mutants on {slug}:\n{}", said()))?;
    let list = exercise.solution.join(list::NAME);
    let listed = match std::fs::read_to_string(catalog.at(&list)) {
        Ok(text) => list::parse(&text).map_err(|what| anyhow!("{}: {what}", list.display()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).with_context(|| list.display().to_string()),
    };
    let file = exercise.solution.join(shop::SOURCE);
    Ok(tally(
        slug,
        &file.display().to_string(),
        &mutants,
        &listed,
        &list.display().to_string(),
    ))
}

/// Takes the mutants out of what cargo-mutants wrote.
fn read(outcomes: &Value, source: &str) -> Result<Vec<Mutant>> {
    let lines: Vec<&str> = source.lines().collect();
    let mut mutants = Vec::new();
    for outcome in outcomes["outcomes"].as_array().context("no outcomes")? {
        let summary = outcome["summary"].as_str().unwrap_or_default();
        let mutant = &outcome["scenario"]["Mutant"];
        if mutant.is_null() {
            if summary != "Success" {
                bail!("the solution itself does not pass");
            }
            continue;
        }
        let number = mutant["span"]["start"]["line"].as_u64().unwrap_or(0) as usize;
        let name = mutant["name"].as_str().unwrap_or_default();
        mutants.push(Mutant {
            change: name.splitn(4, ':').last().unwrap_or_default().trim().into(),
            line: lines
                .get(number.wrapping_sub(1))
                .map_or("", |line| line.trim())
                .into(),
            number,
            fate: match summary {
                "CaughtMutant" => Fate::Caught,
                "MissedMutant" => Fate::Survived,
                "Timeout" => Fate::Timeout,
                "Unviable" => Fate::Unviable,
                other => bail!("{name} ended in {other:?}, which means nothing here"),
            },
        });
    }
    Ok(mutants)
}

/// Compares what survived with what may.
fn tally(slug: &str, file: &str, mutants: &[Mutant], listed: &[Listed], list: &str) -> Tally {
    let number = |fate| mutants.iter().filter(|mutant| mutant.fate == fate).count();
    let mut tally = Tally {
        slug: slug.to_owned(),
        mutants: mutants.len(),
        caught: number(Fate::Caught),
        unviable: number(Fate::Unviable),
        timeouts: number(Fate::Timeout),
        ..Tally::default()
    };
    for mutant in mutants.iter().filter(|one| one.fate == Fate::Survived) {
        if listed.iter().any(|entry| entry.is(mutant)) {
            tally.listed += 1;
        } else {
            tally.wrong.push(format!(
                "{slug}: no check notices `{}` at {file}:{}: `{}`",
                mutant.change, mutant.number, mutant.line
            ));
        }
    }
    for entry in listed {
        let mut meant = mutants.iter().filter(|mutant| entry.is(mutant)).peekable();
        let at = format!("{list}:{}", entry.at);
        if meant.peek().is_none() {
            tally.wrong.push(format!(
                "{at}: there is no mutant `{}` of a line `{}`",
                entry.change, entry.line
            ));
        } else if meant.any(|mutant| mutant.fate != Fate::Survived) {
            tally.wrong.push(format!(
                "{at}: `{}` does not survive: take it off the list",
                entry.change
            ));
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "fn a(b: u8) -> bool {\n    b < 3 || b < 5\n}\n";

    fn outcomes(mutants: &[(&str, &str)]) -> Value {
        let mut all = vec![serde_json::json!({ "scenario": "Baseline", "summary": "Success" })];
        for (change, summary) in mutants {
            all.push(serde_json::json!({ "summary": summary, "scenario": { "Mutant": {
                "name": format!("src/lib.rs:2:7: {change}"), "span": { "start": { "line": 2, "column": 7 } },
            }}}));
        }
        serde_json::json!({ "outcomes": all })
    }

    fn judged(mutants: &[(&str, &str)], list: &str) -> Tally {
        let mutants = read(&outcomes(mutants), SOURCE).unwrap();
        tally(
            "x",
            "src/lib.rs",
            &mutants,
            &list::parse(list).unwrap(),
            "m.toml",
        )
    }

    const LIST: &str = "[[mutant]]\nchange = \"replace < with <= in a\"\nline = \"b < 3 || b < 5\"\nwhy = \"It is the same: b is even.\"\n";

    #[test]
    fn what_is_caught_needs_no_list() {
        let tally = judged(
            &[
                ("x", "CaughtMutant"),
                ("y: z", "Timeout"),
                ("z", "Unviable"),
            ],
            "",
        );
        assert_eq!((tally.mutants, tally.caught), (3, 1));
        assert_eq!((tally.unviable, tally.timeouts, tally.listed), (1, 1, 0));
        assert!(tally.wrong.is_empty());
    }

    #[test]
    fn a_survivor_is_listed_or_wrong() {
        let survivor = [("replace < with <= in a", "MissedMutant")];
        assert_eq!(
            judged(&survivor, "").wrong,
            ["x: no check notices `replace < with <= in a` at src/lib.rs:2: `b < 3 || b < 5`"]
        );
        let tally = judged(&survivor, LIST);
        assert_eq!((tally.listed, tally.wrong.len()), (1, 0));
    }

    #[test]
    fn a_list_that_is_no_longer_true_is_wrong() {
        let caught = [
            ("replace < with <= in a", "MissedMutant"),
            ("replace < with <= in a", "CaughtMutant"),
        ];
        assert_eq!(
            judged(&caught, LIST).wrong,
            ["m.toml:1: `replace < with <= in a` does not survive: take it off the list"]
        );
        assert_eq!(
            judged(&[("replace < with > in a", "CaughtMutant")], LIST).wrong,
            ["m.toml:1: there is no mutant `replace < with <= in a` of a line `b < 3 || b < 5`"]
        );
    }

    #[test]
    fn a_solution_that_fails_proves_nothing() {
        let mut failed = outcomes(&[("x", "CaughtMutant")]);
        failed["outcomes"][0]["summary"] = "Failure".into();
        assert!(read(&failed, SOURCE).is_err());
        assert!(read(&outcomes(&[("x", "Success")]), SOURCE).is_err());
    }

    #[test]
    fn a_mutant_is_known_by_its_change_and_its_line() {
        let mutants = read(
            &outcomes(&[("replace a -> bool with true: b", "Unviable")]),
            SOURCE,
        );
        assert_eq!(
            mutants.unwrap(),
            [Mutant {
                change: "replace a -> bool with true: b".into(),
                line: "b < 3 || b < 5".into(),
                number: 2,
                fate: Fate::Unviable,
            }]
        );
    }
}
