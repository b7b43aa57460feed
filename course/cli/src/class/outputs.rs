//! What do others read? Scores as CSV, checks as JUnit XML, and Gradescope's JSON. A file that is not ours is kept aside.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use super::result::{Outcome, Result, SCHEMA, Student};
use crate::progress::write_atomically;
use crate::report;

const JUNIT: &str = "<testsuites name=\"cargo course class grade\"";
const CSV: &str = "\"student\",\"points\",\"of\"";

/// Whether a file's text is what one of the functions below wrote.
pub fn is_ours(text: &str) -> bool {
    text.starts_with(CSV)
        || text.get(..400).unwrap_or(text).contains(JUNIT)
        || text.contains(SCHEMA)
}

/// Replaces `path`, whole or not at all. A file that is there and was not written by this program is renamed to
/// `NAME~`, `NAME.1~` and so on.
///
/// # Errors
///
/// What `open(2)`, `write(2)` and `rename(2)` report.
pub fn store(path: &Path, text: &str) -> io::Result<()> {
    match fs::read_to_string(path) {
        Ok(before) if before == text => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Ok(before) if is_ours(&before) => {}
        _ => keep_aside(path)?,
    }
    write_atomically(path, text.as_bytes())
}

/// Renames what is at `path`, to a name that is free.
///
/// # Errors
///
/// What `rename(2)` reports.
pub fn keep_aside(path: &Path) -> io::Result<()> {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let names = std::iter::once(format!("{name}~")).chain((1..).map(|n| format!("{name}.{n}~")));
    for aside in names.map(|name| path.with_file_name(name)) {
        if fs::symlink_metadata(&aside).is_err() {
            eprintln!(
                "note: {} was not written by this program; it is now {}",
                path.display(),
                aside.display()
            );
            return fs::rename(path, aside);
        }
    }
    unreachable!("there is always another number")
}

/// A row a student, two columns an exercise.
pub fn csv(students: &[Student], exercises: &[String]) -> String {
    let mut text = CSV.to_owned();
    for slug in exercises {
        let _ = write!(
            text,
            ",{},{}",
            field(slug),
            field(&format!("{slug}: outcome"))
        );
    }
    text.push('\n');
    for student in students {
        let (points, of) = student.points();
        let _ = write!(text, "{},{points},{of}", field(&student.name));
        for slug in exercises {
            match student
                .results
                .iter()
                .find(|result| result.exercise == *slug)
            {
                Some(result) => {
                    let _ = write!(text, ",{},{}", result.points, field(result.outcome.name()));
                }
                None => text.push_str(",,"),
            }
        }
        text.push('\n');
    }
    text
}

/// In quotes; and no spreadsheet takes it for a formula.
fn field(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// A suite a student, a case a check.
pub fn junit(students: &[Student]) -> String {
    let mut suites = String::new();
    let mut all = [0; 4];
    for student in students {
        let mut cases = String::new();
        let mut counts = [0; 4];
        for result in &student.results {
            for (count, more) in counts.iter_mut().zip(junit_cases(result, &mut cases)) {
                *count += more;
            }
        }
        let _ = writeln!(
            suites,
            "  <testsuite name={}{}>",
            attribute(&student.name),
            numbers(counts)
        );
        suites += &cases;
        suites += "  </testsuite>\n";
        for (count, more) in all.iter_mut().zip(counts) {
            *count += more;
        }
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{JUNIT}{}>\n{suites}</testsuites>\n",
        numbers(all)
    )
}

fn numbers([tests, failures, errors, skipped]: [usize; 4]) -> String {
    format!(" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"")
}

/// The cases of an exercise; how many, failed, in error, skipped.
fn junit_cases(result: &Result, text: &mut String) -> [usize; 4] {
    let mut counts = [0; 4];
    let mut case = |name: &str, kind: usize, why: &str, message: &str| {
        counts[0] += 1;
        let _ = write!(
            text,
            "    <testcase classname={} name={}",
            attribute(&result.exercise),
            attribute(name)
        );
        if kind == 0 {
            text.push_str("/>\n");
            return;
        }
        counts[kind] += 1;
        let tag = ["", "failure", "error", "skipped"][kind];
        let body = if kind == 3 {
            String::new()
        } else {
            escaped(message)
        };
        let _ = writeln!(
            text,
            "><{tag} message={}>{body}</{tag}></testcase>",
            attribute(why)
        );
    };
    for check in &result.checks {
        let kind = match check.outcome {
            report::Outcome::Pass => 0,
            report::Outcome::Fail => 1,
            report::Outcome::Fault => 2,
            report::Outcome::NotRun => 3,
        };
        case(&check.name, kind, &check.why, &check.message);
    }
    if result.checks.is_empty() {
        let kind = if result.outcome == Outcome::Fault {
            2
        } else {
            1
        };
        case(result.outcome.name(), kind, &result.why, &result.output);
    }
    counts
}

fn attribute(text: &str) -> String {
    format!(
        "\"{}\"",
        escaped(text).replace('\n', "&#10;").replace('\t', "&#9;")
    )
}

/// Text for XML 1.0, without the characters that it cannot have.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Gradescope's `results.json`: a test a check.
pub fn gradescope(student: &Student) -> Value {
    let mut tests = Vec::new();
    for (number, result) in (1..).zip(&student.results) {
        let one = |name: String, points: u32, of: u32, passed: bool, output: &str| {
            json!({
                "name": name, "score": points, "max_score": of, "status": if passed { "passed" } else { "failed" },
                "output": output, "output_format": "text", "visibility": "visible",
            })
        };
        let said = [result.why.as_str(), result.output.as_str()].join("\n\n");
        if result.checks.is_empty() {
            let mut test = one(
                format!("{}: {}", result.exercise, result.outcome.name()),
                result.points,
                result.of,
                false,
                said.trim(),
            );
            test["number"] = number.to_string().into();
            tests.push(test);
        }
        // Points count only where the grader came to its end.
        let counted = result.points > 0;
        for (part, check) in (1..).zip(&result.checks) {
            let passed = check.outcome == report::Outcome::Pass && counted;
            let points = if passed { check.points } else { 0 };
            let output = if check.message.is_empty() {
                &check.why
            } else {
                &check.message
            };
            let name = format!("{}: {}", result.exercise, check.name.replace('_', " "));
            let mut test = one(name, points, check.points, passed, output);
            test["number"] = format!("{number}.{part}").into();
            tests.push(test);
        }
    }
    let mut output = student.notes.join("\n");
    for result in &student.results {
        for (file, why) in &result.ignored {
            let _ = write!(output, "\n{}: {file} was not used: {why}", result.exercise);
        }
    }
    json!({
        "score": student.points().0, "output": output.trim(), "output_format": "text", "visibility": "visible",
        "stdout_visibility": "hidden", "extra_data": { "schema": SCHEMA }, "tests": tests,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn no_field_is_a_formula_or_ends_early() {
        assert_eq!(field("=1+2"), "\"'=1+2\"");
        assert_eq!(field("a\"b,c"), "\"a\"\"b,c\"");
    }

    #[test]
    fn xml_has_no_character_that_it_cannot_have() {
        assert_eq!(
            escaped("<a>\u{1b}[31m&\u{ffff}"),
            "&lt;a&gt;\u{fffd}[31m&amp;\u{fffd}"
        );
        assert_eq!(attribute("two\nlines"), "\"two&#10;lines\"");
    }

    #[test]
    fn a_file_of_somebody_else_is_kept() {
        let dir = Scratch::new();
        dir.write("scores.csv", "mine");
        let path = dir.path().join("scores.csv");
        store(&path, &csv(&[], &[])).unwrap();
        assert_eq!(dir.read("scores.csv~"), "mine");
        store(&path, &csv(&[], &["a".into()])).unwrap();
        assert!(dir.read("scores.csv").contains("\"a\""));
        assert!(!dir.path().join("scores.csv.1~").exists());
    }
}
