//! How is the proof shown? A table of exercises, a line a chapter, and what is wrong.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use super::chapters::Proof;
use super::mutants::Tally;
use super::soak::Soaked;
use super::transcripts::{self, Replay};
use crate::paint::{bold, count, dim, green, red, yellow};

/// What was proven of one exercise.
#[derive(Default)]
pub struct Row {
    /// Which exercise.
    pub slug: String,
    /// The stub is clean, and fails every check.
    pub stub: bool,
    /// The solution passes every check.
    pub solution: bool,
    /// Mistakes that were rejected as they must be, and all there are.
    pub mistakes: (usize, usize),
    /// Mistakes whose check this machine cannot run.
    pub mistakes_not_run: usize,
    /// Checks of the solution that this machine cannot run.
    pub not_run: usize,
    /// What the exercise is worth.
    pub points: u32,
    /// How long its graders ran.
    pub took: Duration,
    /// The learner has changed the stub.
    pub edited: bool,
    /// What came of rounds under load.
    pub soaked: Option<Soaked>,
    /// Sentences about what is wrong.
    pub wrong: Vec<String>,
}

/// The table.
pub fn exercises(rows: &[Row]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let widest = rows
        .iter()
        .map(|row| row.slug.len())
        .max()
        .unwrap_or(0)
        .max("exercise".len());
    let head = format!(
        "{:widest$}  stub  solution  mistakes  points    time",
        "exercise"
    );
    let mut text = format!("{}\n", bold(head));
    for row in rows {
        let (caught, mistakes) = row.mistakes;
        let all_caught = caught + row.mistakes_not_run == mistakes;
        let _ = writeln!(
            text,
            "{:widest$}  {}     {}         {}  {:>6}  {:>6}{}",
            row.slug,
            mark(row.stub, false),
            mark(row.solution, row.not_run > 0),
            colored(
                &format!("{:>8}", format!("{caught}/{mistakes}")),
                all_caught,
                row.mistakes_not_run > 0
            ),
            row.points,
            seconds(row.took),
            remarks(row),
        );
    }
    text
}

fn mark(good: bool, partly: bool) -> String {
    match (good, partly) {
        (false, _) => red("✗"),
        (true, true) => yellow("○"),
        (true, false) => green("✓"),
    }
}

fn colored(text: &str, good: bool, partly: bool) -> String {
    match (good, partly) {
        (false, _) => red(text),
        (true, true) => yellow(text),
        (true, false) => green(text),
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

fn remarks(row: &Row) -> String {
    let mut remarks = Vec::new();
    if row.not_run > 0 {
        remarks.push(yellow(format_args!(
            "{} not run",
            count(row.not_run, "check")
        )));
    }
    if row.mistakes_not_run > 0 {
        remarks.push(yellow(format_args!(
            "{} not run",
            count(row.mistakes_not_run, "mistake")
        )));
    }
    if let Some(soaked) = &row.soaked {
        let (good, of) = (soaked.passed, soaked.rounds);
        remarks.push(colored(
            &format!(
                "{good}/{of} under load, {} at most",
                seconds(soaked.slowest)
            ),
            good == of,
            false,
        ));
    }
    if row.edited {
        remarks.push(dim("edited"));
    }
    if remarks.is_empty() {
        String::new()
    } else {
        format!("  {}", remarks.join(", "))
    }
}

/// What became of the mutants: a line an exercise, and one for all. What does not compile is no mutant to catch.
pub fn mutants(tallies: &[Tally]) -> String {
    let mut all = Tally {
        slug: "all".to_owned(),
        ..Tally::default()
    };
    for tally in tallies {
        all.mutants += tally.mutants;
        all.caught += tally.caught;
        all.unviable += tally.unviable;
        all.timeouts += tally.timeouts;
        all.listed += tally.listed;
    }
    let widest = tallies
        .iter()
        .map(|tally| tally.slug.len())
        .max()
        .unwrap_or(0)
        .max("exercise".len());
    let head = format!(
        "{:widest$}  mutants  unviable  caught  timeouts  listed      of",
        "exercise"
    );
    let mut text = format!("{}\n", bold(head));
    for tally in tallies.iter().chain([&all]) {
        let viable = tally.mutants - tally.unviable;
        let stopped = tally.caught + tally.timeouts;
        let share = match (stopped * 1000).checked_div(viable) {
            None => "-".to_owned(),
            Some(tenths) => format!("{}.{} %", tenths / 10, tenths % 10),
        };
        let _ = writeln!(
            text,
            "{:widest$}  {:>7}  {:>8}  {:>6}  {:>8}  {:>6}  {}",
            tally.slug,
            tally.mutants,
            tally.unviable,
            tally.caught,
            tally.timeouts,
            tally.listed,
            colored(
                &format!("{share:>7}"),
                stopped + tally.listed == viable,
                tally.listed > 0
            ),
        );
    }
    text
}

/// A line a chapter.
pub fn chapters(proofs: &[Proof]) -> String {
    let mut text = String::new();
    for proof in proofs {
        let (told, lines) = proof.told;
        let tenths = (told * 1000).checked_div(lines).unwrap_or(1000);
        let _ = writeln!(
            text,
            "\n{} {}  {}.{} % of {lines} lines told · {}: {} by experiment, {} by authority",
            if proof.wrong.is_empty() {
                green("✓")
            } else {
                red("✗")
            },
            bold(&proof.chapter),
            tenths / 10,
            tenths % 10,
            count(proof.claims, "claim"),
            proof.experiments,
            proof.claims - proof.experiments,
        );
    }
    text
}

/// A line a page that has terminals, and below it those that were not replayed.
pub fn replays(replays: &[(PathBuf, Replay)]) -> String {
    let mut text = String::new();
    for (page, replay) in replays {
        let Some((line, more)) = transcripts::summary(replay) else {
            continue;
        };
        let mark = if replay.wrong.is_empty() {
            green("✓")
        } else {
            red("✗")
        };
        let name = page.file_stem().unwrap_or_default().to_string_lossy();
        let _ = writeln!(text, "\n{mark} {}  {line}", bold(name));
        for what in more {
            let _ = writeln!(text, "  {}", yellow(what));
        }
    }
    text
}

/// What is wrong, a finding a line, and the sum of it all, where so much could not be run here.
pub fn findings(wrong: &[String], not_run: usize) -> String {
    let mut text = String::from("\n");
    for what in wrong {
        let _ = writeln!(text, "{} {what}", red("✗"));
    }
    if !wrong.is_empty() {
        return text + &format!("\n{} found.\n", red(count(wrong.len(), "problem")));
    }
    if not_run > 0 {
        text += &yellow(format_args!(
            "Nothing is wrong, but {not_run} could not be run here: see `cargo course doctor`.\n"
        ));
    } else {
        let _ = writeln!(text, "{}", green("All is well."));
    }
    text
}
