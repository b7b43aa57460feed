//! What does a grade look like? The checks in a line each, then the first one that failed, in full.

use std::fmt::Write;

use catalog::Exercise;

use crate::course::Course;
use crate::grade::Ran;
use crate::paint::{self, bold, count, cyan, dim, green, red, yellow};
use crate::report::{Check, Outcome};

/// The whole verdict. With `all`, every failure is in full.
pub fn verdict(course: &Course, exercise: &Exercise, ran: &Ran, all: bool) -> String {
    let mut text = headline(exercise, ran);
    let failures: Vec<&Check> = ran
        .report
        .checks
        .iter()
        .filter(|check| is_failure(check))
        .collect();
    let in_full = if all { failures.len() } else { 1 };
    if !ran.passed() || ran.report.count(Outcome::NotRun) > 0 {
        text.push('\n');
        for check in &ran.report.checks {
            text += &line(
                check,
                failures
                    .iter()
                    .take(in_full)
                    .any(|full| std::ptr::eq(*full, check)),
            );
        }
    }
    for check in failures.iter().take(in_full) {
        text += &in_detail(course, check);
        if let Some(place) = course.place_of(&check.see) {
            let _ = write!(text, "\n{place}");
        }
    }
    if let Some((how, output)) = &ran.died {
        text += &died(exercise, how, output);
    }
    if ran.report.count(Outcome::NotRun) > 0 {
        let _ = writeln!(
            text,
            "\n  {} says what this machine lacks.",
            cyan("cargo course doctor")
        );
    }
    text + &warnings(exercise, ran)
}

/// `value-result  3 of 8 points`, marked.
fn headline(exercise: &Exercise, ran: &Ran) -> String {
    let (points, of) = ran.report.points();
    let score = if ran.report.checks.is_empty() {
        String::new()
    } else {
        format!("{points} of {of} points")
    };
    let mark = if ran.passed() {
        green("✓")
    } else {
        red("✗")
    };
    let word = match ran.report.count(Outcome::NotRun) {
        _ if !ran.passed() => String::new(),
        0 => green("  passed"),
        missing => format!(
            "{}  {}",
            green("  passed"),
            yellow(format_args!("{} not run", count(missing, "check")))
        ),
    };
    format!("{mark} {}  {score}{word}\n", bold(&exercise.slug))
}

/// One check in a line. What is shown in full below has no reason beside it.
fn line(check: &Check, in_full: bool) -> String {
    let name = &check.name;
    let why = check.why.strip_prefix("not run: ").unwrap_or(&check.why);
    let room = paint::width().saturating_sub(name.chars().count() + 6);
    match check.outcome {
        Outcome::Pass => format!("  {} {}\n", green("✓"), dim(name)),
        Outcome::Fail if in_full => format!("  {} {}\n", red("✗"), bold(name)),
        Outcome::Fail => format!(
            "  {} {name}  {}\n",
            red("✗"),
            dim(paint::shortened(why, room))
        ),
        Outcome::NotRun => {
            format!(
                "  {} {name}  {}\n",
                yellow("○"),
                yellow(format_args!(
                    "not run: {}",
                    paint::shortened(why, room.saturating_sub(9))
                ))
            )
        }
        Outcome::Fault => format!(
            "  {} {name}  {}\n",
            yellow("!"),
            yellow("the grader's fault, not yours")
        ),
    }
}

/// The message as the grader gives it, but for the last lines, which tell a reader without this program where to go on.
fn in_detail(course: &Course, check: &Check) -> String {
    let message = if check.message.trim().is_empty() {
        &check.why
    } else {
        &check.message
    };
    let message = course.catalog.reasons.translate(message);
    let mut text = String::from("\n");
    let for_others = |line: &str| {
        line.trim_start().starts_with("read on: ") || line.trim_start().starts_with("again: ")
    };
    let lines: Vec<&str> = message.lines().filter(|line| !for_others(line)).collect();
    let room = paint::width().saturating_sub(2);
    for (number, line) in lines.join("\n").trim_end().lines().enumerate() {
        let finding = line.trim_start().starts_with("x. ");
        for part in paint::fitted(line, room) {
            let shown = match number {
                0 => bold(part),
                _ if finding => red(part),
                _ => part,
            };
            let _ = writeln!(
                text,
                "{}",
                if line.is_empty() {
                    String::new()
                } else {
                    format!("  {shown}")
                }
            );
        }
    }
    if check.outcome == Outcome::Fault {
        text += "\n  This is a fault of the grader, not of your answer. Please report it.\n";
    }
    text
}

fn died(exercise: &Exercise, how: &str, output: &str) -> String {
    let mut text = format!("\n  {} {how}\n", red("The grader did not finish:"));
    let lines: Vec<&str> = output.lines().collect();
    for line in lines.iter().skip(lines.len().saturating_sub(12)) {
        let _ = writeln!(text, "    {line}");
    }
    let again = format!("cargo test -p {}", exercise.slug);
    let _ = writeln!(
        text,
        "\n  That is not your error, unless your code ended the grader. To look closer: {}",
        cyan(again)
    );
    text
}

/// Warnings concern a finished answer; before that, they are counted.
fn warnings(exercise: &Exercise, ran: &Ran) -> String {
    if ran.warnings.is_empty() {
        return String::new();
    }
    if ran.passed() {
        return format!("\n{}", ran.warnings.concat());
    }
    let command = cyan(format_args!("cargo check -p {}", exercise.slug));
    format!(
        "\n  {} from the compiler: {command}\n",
        yellow(count(ran.warnings.len(), "warning"))
    )
}

/// What to type next.
pub fn what_now(course: &Course, exercise: &Exercise, ran: &Ran) -> String {
    if !ran.passed() {
        return format!(
            "\n  {} gives a hint.\n",
            cyan(format_args!("cargo course hint {}", exercise.slug))
        );
    }
    let solution = cyan(format_args!("cargo course solution {}", exercise.slug));
    let mut text = format!("\n  Now you may compare: {solution}\n\n");
    if let Some(chapter) = course.catalog.chapter(&exercise.chapter) {
        text += &course.standing_line(chapter);
    }
    match course.unsolved_after(&exercise.slug) {
        Some(next) => text + &format!("\nNext: {}", course.introduce(next)),
        None => {
            text + &format!(
                "\nThat was the last one: all {} pass.\n",
                course.catalog.exercises.len()
            )
        }
    }
}

/// Whether a check counts against the answer.
pub fn is_failure(check: &Check) -> bool {
    matches!(check.outcome, Outcome::Fail | Outcome::Fault)
}
