//! What came of it? One exercise's grade, one student's grades, and how they are kept from one run to the next.

use std::time::Duration;

use catalog::Exercise;
use serde_json::{Value, json};

use super::sandbox::{Ended, readable};
use crate::clock;
use crate::report::{self, Check, Report};

/// What the files that are ours begin with; the schema is in `course/class/grade.schema.json`.
pub const SCHEMA: &str = "cargo-course/class/grade/1";

/// How grading one answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All checks that this machine could run passed.
    Passed,
    /// It was checked, and did not pass.
    Failed,
    /// The compiler rejected it.
    DoesNotCompile,
    /// It was not run: it is not what may be handed in, or it reaches for the grader.
    Refused,
    /// The compiler took too long or too much for it.
    Stopped,
    /// It is the exercise as it was handed out.
    Untouched,
    /// Nothing was handed in.
    Missing,
    /// The grader or the machine failed. Not the student's doing; graded again in the next run.
    Fault,
}

impl Outcome {
    pub const ALL: [Outcome; 8] = [
        Outcome::Passed,
        Outcome::Failed,
        Outcome::DoesNotCompile,
        Outcome::Refused,
        Outcome::Stopped,
        Outcome::Untouched,
        Outcome::Missing,
        Outcome::Fault,
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::DoesNotCompile => "does-not-compile",
            Outcome::Refused => "refused",
            Outcome::Stopped => "stopped",
            Outcome::Untouched => "untouched",
            Outcome::Missing => "missing",
            Outcome::Fault => "fault",
        }
    }

    fn of(name: &str) -> Option<Outcome> {
        Outcome::ALL
            .into_iter()
            .find(|outcome| outcome.name() == name)
    }
}

/// One student's grade for one exercise.
#[derive(Clone, Debug)]
pub struct Result {
    /// The exercise's slug.
    pub exercise: String,
    /// Its title.
    pub title: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The reason, in a line; empty when it passed.
    pub why: String,
    /// Points won.
    pub points: u32,
    /// Points there were.
    pub of: u32,
    /// Of the course, the compiler and the answer.
    pub digest: String,
    /// The answer's files that were taken.
    pub files: Vec<String>,
    /// What was not taken, and why.
    pub ignored: Vec<(String, String)>,
    /// What was checked.
    pub checks: Vec<Check>,
    /// What the compiler said, or the grader when it died.
    pub output: String,
    /// When, in UTC.
    pub graded: String,
    /// Time by the clock.
    pub wall: Duration,
    /// Processor time of the compiler, and of the checks.
    pub cpu: [Duration; 2],
    /// Whether it was taken over from an earlier run.
    pub kept: bool,
}

impl Result {
    /// A grade that is not yet given.
    pub fn new(exercise: &Exercise, of: u32, digest: String) -> Result {
        Result {
            exercise: exercise.slug.clone(),
            title: exercise.title.clone(),
            outcome: Outcome::Fault,
            why: String::new(),
            points: 0,
            of,
            digest,
            files: Vec::new(),
            ignored: Vec::new(),
            checks: Vec::new(),
            output: String::new(),
            graded: clock::now(),
            wall: Duration::ZERO,
            cpu: [Duration::ZERO; 2],
            kept: false,
        }
    }

    /// Gives the grade.
    pub fn end(&mut self, outcome: Outcome, why: String) {
        self.outcome = outcome;
        self.why = why;
    }

    /// Counts a compiler's time and keeps what it said.
    pub fn compiled(&mut self, ended: &Ended) {
        self.cpu[0] += ended.cpu;
        let said = ended.output.trim();
        if !said.is_empty() {
            said.clone_into(&mut self.output);
        }
    }

    /// The grade for what a compiler did not finish. `what` it compiled.
    pub fn end_compiler(&mut self, ended: &Ended, limit: Duration, what: &str) {
        let memory =
            self.output.contains("memory allocation of") || self.output.contains("out of memory");
        let killed = matches!(ended.signal, Some(libc::SIGXCPU | libc::SIGKILL));
        let used_up = killed && ended.cpu + Duration::from_secs(1) >= limit;
        if ended.too_slow || used_up {
            self.end(
                Outcome::Stopped,
                format!(
                    "the compiler was still at {what} after {} s of processor time",
                    limit.as_secs()
                ),
            );
        } else if memory || ended.signal.is_some() {
            let how = if memory {
                "asked for more memory than it may have".to_owned()
            } else {
                ended.how()
            };
            self.end(Outcome::Stopped, format!("the compiler {how}"));
        } else {
            let first = self
                .output
                .lines()
                .find(|line| line.starts_with("error"))
                .unwrap_or("the compiler failed");
            let why = format!("{what} does not compile: {first}");
            self.end(Outcome::DoesNotCompile, why);
        }
    }

    /// Counts the grader's time.
    pub fn ran(&mut self, ended: &Ended) {
        self.cpu[1] += ended.cpu;
    }

    /// The grade that a report gives. `expected` is what the grader checks; a check that is not reported is not passed.
    pub fn judge(
        &mut self,
        expected: &[Check],
        report: &Report,
        ended: &Ended,
        broken: Option<String>,
    ) {
        let mut all_there = report.ended && report.checks.len() == expected.len();
        for wanted in expected {
            let mut reported = report
                .checks
                .iter()
                .filter(|check| check.name == wanted.name && check.points == wanted.points);
            let mut check = match (reported.next(), reported.next()) {
                (Some(check), None) => check.clone(),
                _ => {
                    all_there = false;
                    let mut lost = wanted.clone();
                    lost.outcome = report::Outcome::Fail;
                    "the grader ended before it came to this check".clone_into(&mut lost.why);
                    lost.message = String::new();
                    lost
                }
            };
            check.why = readable(check.why.as_bytes());
            check.message = readable(check.message.as_bytes());
            if check.outcome == report::Outcome::Pass {
                self.points += check.points;
            }
            self.checks.push(check);
        }
        let count = |outcome| {
            self.checks
                .iter()
                .filter(|check| check.outcome == outcome)
                .count()
        };
        let first = self
            .checks
            .iter()
            .find(|check| check.outcome == report::Outcome::Fail);
        if !all_there || ended.status.is_none() {
            self.points = 0;
            self.output.clone_from(&ended.output);
            let what = broken.map_or_else(
                || ended.how(),
                |broken| format!("left a report that cannot be read ({broken})"),
            );
            self.end(
                Outcome::Failed,
                format!("the grader did not come to its end: it {what}; nothing counts as passed"),
            );
        } else if let Some(first) = first {
            let why = format!("{}: {}", first.name, first.why);
            self.end(Outcome::Failed, why);
        } else if let Some(fault) = self
            .checks
            .iter()
            .find(|check| check.outcome == report::Outcome::Fault)
        {
            let why = format!("the grader itself failed in {}: {}", fault.name, fault.why);
            self.end(Outcome::Fault, why);
        } else if count(report::Outcome::Pass) == 0 {
            self.end(
                Outcome::Fault,
                "no check could be run on this machine".to_owned(),
            );
        } else {
            let left = count(report::Outcome::NotRun);
            let why = if left == 0 {
                String::new()
            } else {
                format!("{left} of the checks could not be run on this machine")
            };
            self.end(Outcome::Passed, why);
        }
    }

    /// As it is written.
    pub fn json(&self) -> Value {
        let checks = self.checks.iter().map(|check| {
            json!({
                "check": check.name, "outcome": check.outcome.name(), "points": check.points,
                "why": check.why, "message": check.message, "see": check.see,
            })
        });
        let ignored = self
            .ignored
            .iter()
            .map(|(file, why)| json!({ "file": file, "why": why }));
        json!({
            "exercise": self.exercise, "title": self.title, "outcome": self.outcome.name(), "why": self.why,
            "points": self.points, "of": self.of, "digest": self.digest, "files": self.files,
            "ignored": ignored.collect::<Vec<_>>(), "checks": checks.collect::<Vec<_>>(), "output": self.output,
            "graded": self.graded,
            "seconds": {
                "wall": self.wall.as_secs_f64(), "compile": self.cpu[0].as_secs_f64(), "checks": self.cpu[1].as_secs_f64(),
            },
        })
    }

    /// What [`Result::json`] wrote, or `None` when it is damaged: then the answer is graded again.
    pub fn read(value: &Value) -> Option<Result> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let number = |value: &Value| value.as_u64().map(|number| number as u32);
        let list = |value: &'static str, of: &Value| of[value].as_array().cloned();
        let checks = list("checks", value)?.into_iter().map(|check| {
            let outcome = check["outcome"].as_str()?;
            Some(Check {
                name: text(&check["check"])?,
                outcome: report::Outcome::ALL
                    .into_iter()
                    .find(|one| one.name() == outcome)?,
                points: number(&check["points"])?,
                see: text(&check["see"])?,
                why: text(&check["why"])?,
                message: text(&check["message"])?,
                evidence: Vec::new(),
            })
        });
        let ignored = list("ignored", value)?
            .into_iter()
            .map(|one| Some((text(&one["file"])?, text(&one["why"])?)));
        let seconds =
            |name: &str| Duration::try_from_secs_f64(value["seconds"][name].as_f64()?).ok();
        Some(Result {
            exercise: text(&value["exercise"])?,
            title: text(&value["title"])?,
            outcome: Outcome::of(value["outcome"].as_str()?)?,
            why: text(&value["why"])?,
            points: number(&value["points"])?,
            of: number(&value["of"])?,
            digest: text(&value["digest"])?,
            files: list("files", value)?
                .iter()
                .map(text)
                .collect::<Option<_>>()?,
            ignored: ignored.collect::<Option<_>>()?,
            checks: checks.collect::<Option<_>>()?,
            output: text(&value["output"])?,
            graded: text(&value["graded"])?,
            wall: seconds("wall")?,
            cpu: [seconds("compile")?, seconds("checks")?],
            kept: true,
        })
    }
}

/// One student's grades.
#[derive(Clone, Debug)]
pub struct Student {
    /// The folder's name, as it can be written.
    pub name: String,
    /// In the course's order.
    pub results: Vec<Result>,
    /// What is odd about the folder itself.
    pub notes: Vec<String>,
}

impl Student {
    /// Points won, and points there were.
    pub fn points(&self) -> (u32, u32) {
        let sum = |points: fn(&Result) -> u32| self.results.iter().map(points).sum();
        (sum(|result| result.points), sum(|result| result.of))
    }

    /// As it is written.
    pub fn json(&self, course: &str) -> Value {
        let (points, of) = self.points();
        let exercises: Vec<Value> = self.results.iter().map(Result::json).collect();
        json!({
            "schema": SCHEMA, "student": self.name, "course": course, "points": points, "of": of,
            "notes": self.notes, "exercises": exercises,
        })
    }
}
