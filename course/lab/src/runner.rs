//! Runs the checks of a test binary one after the other, and says what came of each.
//!
//! It has one thread and never runs the learner's code, because forking from libtest's threads hangs,
//! and libtest takes `exit(0)` for a pass. Silence is never a pass.

use std::io::{self, Write as _};
use std::time::Instant;

use crate::args::Args;
use crate::finding::{Kind, Pass};
use crate::paint::Paint;
use crate::process::{Ran, isolated};
use crate::render;
use crate::report::{Object, Report};
use crate::scratch::Scratch;
use crate::suite::{Case, Suite};
use crate::terminal::Terminal;

/// A run of some checks.
pub struct Run<'s> {
    /// The checks come from here.
    pub suite: &'s Suite,
    /// How many of its checks the command line left out.
    pub filtered: usize,
    /// The command line.
    pub args: Args,
    /// For the terminal.
    pub paint: Paint,
    /// For the course's command line.
    pub report: Report,
}

/// How many checks ended in which way.
#[derive(Default)]
struct Tally {
    passed: u32,
    failed: u32,
    not_run: u32,
    faults: u32,
    points: u32,
    of: u32,
}

impl Tally {
    fn count(&mut self, case: &Case, ran: &Ran) {
        self.of += case.points;
        match &ran.verdict {
            Ok(Pass) => {
                self.passed += 1;
                self.points += case.points;
            }
            Err(finding) => match finding.kind {
                Kind::Fail => self.failed += 1,
                Kind::NotRun => self.not_run += 1,
                Kind::Fault => self.faults += 1,
            },
        }
    }
}

impl Run<'_> {
    /// Runs them. Whether all is well.
    ///
    /// # Errors
    ///
    /// In a line, what keeps the run from going on: no process can be had, the report cannot be written.
    pub fn all(mut self, cases: &[&Case]) -> Result<bool, String> {
        let began = Instant::now();
        self.write(
            Object::event("suite")
                .text("suite", &self.suite.name)
                .number("checks", cases.len() as u64),
        )?;
        if !self.args.quiet {
            say(&format!("\nrunning {} tests\n", cases.len()));
        }
        let mut tally = Tally::default();
        let mut failures = Vec::new();
        let terminal = Terminal::remember();
        let scratch = Scratch::new().map_err(|error| error.to_string())?;
        for (number, case) in cases.iter().enumerate() {
            let ran = isolated(case, number, &scratch)?;
            terminal.restore();
            let message = self.message(case, &ran);
            tally.count(case, &ran);
            self.tell(case, &ran);
            self.report(case, &ran, &message)?;
            if matches!(&ran.verdict, Err(f) if f.kind != Kind::NotRun) {
                failures.push((case.name.clone(), message));
            }
        }
        self.write(
            Object::event("end")
                .text("suite", &self.suite.name)
                .number("passed", tally.passed)
                .number("failed", tally.failed)
                .number("not_run", tally.not_run)
                .number("faults", tally.faults)
                .number("points", tally.points)
                .number("of", tally.of),
        )?;
        self.tell_failures(&failures);
        Ok(self.tell_end(&tally, began))
    }

    fn write(&mut self, object: Object) -> Result<(), String> {
        let full = |error: io::Error| format!("LAB_REPORT: {error}");
        self.report.write(object).map_err(full)
    }

    fn report(&mut self, case: &Case, ran: &Ran, message: &str) -> Result<(), String> {
        let (outcome, why) = match &ran.verdict {
            Ok(Pass) => ("pass", ""),
            Err(finding) => (finding.kind.name(), finding.what()),
        };
        let object = Object::event("check")
            .text("suite", &self.suite.name)
            .text("check", &case.name)
            .text("outcome", outcome)
            .number("points", case.points)
            .number("micros", ran.took.as_micros() as u64)
            .text("see", self.see(case).unwrap_or_default())
            .text("why", why)
            .text("message", message)
            .texts("evidence", &ran.account.evidence);
        self.write(object)
    }

    fn see<'a>(&'a self, case: &'a Case) -> Option<&'a str> {
        case.see.as_deref().or(self.suite.section.as_deref())
    }

    /// The whole message of a check that did not pass; empty for one that did.
    fn message(&self, case: &Case, ran: &Ran) -> String {
        let Err(finding) = &ran.verdict else {
            return String::new();
        };
        let mut account = ran.account.clone();
        if !ran.printed.is_empty() {
            account
                .output
                .push(("the check".into(), ran.printed.clone()));
        }
        let title = format!("{}: {}", self.suite.name, case.name.replace('_', " "));
        let package = std::env::var("CARGO_PKG_NAME").unwrap_or_else(|_| self.suite.name.clone());
        let again = format!("cargo test -p {package} -- {}", case.name);
        render::failure(&title, &account, finding, self.see(case), &again)
    }

    /// The line of a check, as it ends.
    fn tell(&self, case: &Case, ran: &Ran) {
        if !self.args.quiet {
            let word = match &ran.verdict {
                Ok(Pass) => self.paint.green("ok"),
                Err(f) if f.kind == Kind::NotRun => {
                    self.paint.yellow(&format!("ignored, {}", f.what))
                }
                Err(f) if f.kind == Kind::Fault => self.paint.red("FAULT OF THE GRADER"),
                Err(_) => self.paint.red("FAILED"),
            };
            say(&format!("test {} ... {word}\n", case.name));
        }
        if self.args.nocapture || !self.args.quiet {
            for line in &ran.account.evidence {
                say(&format!("     {line}\n"));
            }
        }
        if self.args.nocapture {
            for (whose, text) in &ran.account.output {
                say(&format!("  {whose} printed:\n{text}\n"));
            }
            say(&ran.printed);
        }
    }

    /// All failures of a chapter's tests; the first of an exercise, because one thing at a time is
    /// enough, and the names of the others.
    fn tell_failures(&self, failures: &[(String, String)]) {
        let shown = if self.suite.graded { 1 } else { failures.len() };
        for (_, message) in failures.iter().take(shown) {
            let (title, rest) = message.split_once('\n').unwrap_or((message, ""));
            say(&format!("\n{}\n{rest}\n", self.paint.bold(title)));
        }
        if failures.len() > shown {
            let names: Vec<&str> = failures[shown..].iter().map(|f| f.0.as_str()).collect();
            say(&format!("\nalso failed: {}\n", names.join(", ")));
        }
    }

    /// The closing line, in libtest's words, where *ignored* stands for *not run*. Whether all is well.
    fn tell_end(&self, tally: &Tally, began: Instant) -> bool {
        let (mut failed, mut ignored) = (tally.failed + tally.faults, tally.not_run);
        if ignored > 0 && std::env::var("LAB_REQUIRE").is_ok_and(|v| v == "all") {
            say(&format!(
                "\nLAB_REQUIRE=all: {ignored} not run counts as failed\n"
            ));
            failed += std::mem::take(&mut ignored);
        }
        if self.suite.graded && self.filtered == 0 {
            say(&format!("\n{} of {} points\n", tally.points, tally.of));
        }
        let word = if failed == 0 {
            self.paint.green("ok")
        } else {
            self.paint.red("FAILED")
        };
        say(&format!(
            "\ntest result: {word}. {} passed; {failed} failed; {ignored} ignored; 0 measured; {} filtered \
             out; finished in {:.2}s\n\n",
            tally.passed,
            self.filtered,
            began.elapsed().as_secs_f64()
        ));
        failed == 0
    }
}

/// Prints, and stops quietly when nobody reads any more.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    if out
        .write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .is_err()
    {
        std::process::exit(101);
    }
}
