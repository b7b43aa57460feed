//! What did the grader say? Its report: one JSON object a line.

use serde_json::Value;

/// What a test binary of the lab reported.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many checks it set out to run.
    pub announced: usize,
    /// The checks that came to an end, in order.
    pub checks: Vec<Check>,
    /// Whether it said that it was done. If not, it died.
    pub ended: bool,
}

/// One check.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its function's name.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What it is worth.
    pub points: u32,
    /// Where the book tells of it: `page#anchor`.
    pub see: String,
    /// The reason, in a line.
    pub why: String,
    /// The whole message, as the test binary shows it.
    pub message: String,
    /// What was seen, for claims.
    pub evidence: Vec<String>,
}

/// The four ways in which a check can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As demanded.
    Pass,
    /// Not as demanded.
    Fail,
    /// This machine lacks something.
    NotRun,
    /// The grader's own fault.
    Fault,
}

impl Outcome {
    pub const ALL: [Outcome; 4] = [
        Outcome::Pass,
        Outcome::Fail,
        Outcome::NotRun,
        Outcome::Fault,
    ];

    /// As it is written in a report.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::NotRun => "not-run",
            Outcome::Fault => "fault",
        }
    }
}

impl Report {
    /// Reads a report. A last line that was cut off is what a dying binary leaves, and is passed over.
    ///
    /// # Errors
    ///
    /// A sentence about the first line that cannot be understood.
    pub fn parse(text: &str) -> Result<Report, String> {
        let mut report = Report::default();
        let whole = text.ends_with('\n');
        let last = text.lines().count();
        for (number, line) in text.lines().enumerate() {
            let event: Value = match serde_json::from_str(line) {
                Ok(event) => event,
                Err(_) if !whole && number + 1 == last => break,
                Err(error) => return Err(format!("line {} is not JSON: {error}", number + 1)),
            };
            match event["event"].as_str() {
                Some("suite") => report.announced += event["checks"].as_u64().unwrap_or(0) as usize,
                Some("check") => report
                    .checks
                    .push(check(&event).map_err(|what| format!("line {}: {what}", number + 1))?),
                Some("end") => report.ended = true,
                // A newer lab may say more.
                _ => {}
            }
        }
        Ok(report)
    }

    /// How many checks ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.checks
            .iter()
            .filter(|check| check.outcome == outcome)
            .count()
    }

    /// Points won, and points there were.
    pub fn points(&self) -> (u32, u32) {
        let won = self
            .checks
            .iter()
            .filter(|check| check.outcome == Outcome::Pass)
            .map(|check| check.points)
            .sum();
        (won, self.checks.iter().map(|check| check.points).sum())
    }

    /// Whether the answer is right as far as this machine can tell: it ran to its end, something passed, and nothing
    /// failed. What was not run is not held against the learner.
    pub fn passed(&self) -> bool {
        let [passed, failed, faults] =
            [Outcome::Pass, Outcome::Fail, Outcome::Fault].map(|outcome| self.count(outcome));
        self.ended && passed > 0 && failed + faults == 0
    }
}

fn check(event: &Value) -> Result<Check, String> {
    let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let said = text("outcome");
    let Some(outcome) = Outcome::ALL
        .into_iter()
        .find(|outcome| outcome.name() == said)
    else {
        return Err(format!(
            "the outcome is `{said}`, not pass, fail, not-run or fault"
        ));
    };
    let name = text("check");
    if name.is_empty() {
        return Err("a check without a name".into());
    }
    let evidence = event["evidence"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned);
    Ok(Check {
        name,
        outcome,
        points: event["points"].as_u64().unwrap_or(0) as u32,
        see: text("see"),
        why: text("why"),
        message: text("message"),
        evidence: evidence.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITE: &str = r#"{"event":"suite","suite":"s","checks":2}"#;
    const PASS: &str = r#"{"event":"check","suite":"s","check":"a","outcome":"pass","points":2,"micros":10,"evidence":["x"]}"#;
    const FAIL: &str = r#"{"event":"check","suite":"s","check":"b","outcome":"fail","points":3,"why":"no","message":"m"}"#;
    const NOT_RUN: &str = r#"{"event":"check","suite":"s","check":"c","outcome":"not-run","points":1,"why":"needs hosts"}"#;
    const END: &str = r#"{"event":"end","suite":"s","passed":1}"#;

    fn report(lines: &[&str]) -> Report {
        Report::parse(&(lines.join("\n") + "\n")).unwrap()
    }

    #[test]
    fn points_are_those_of_the_checks_that_passed() {
        let report = report(&[SUITE, PASS, FAIL, END]);
        assert_eq!(report.points(), (2, 5));
        assert!(report.ended && !report.passed());
        assert_eq!(report.checks[0].evidence, ["x"]);
    }

    #[test]
    fn not_run_neither_passes_nor_fails() {
        assert!(report(&[SUITE, PASS, NOT_RUN, END]).passed());
        assert!(!report(&[SUITE, NOT_RUN, END]).passed());
    }

    #[test]
    fn without_an_end_nothing_is_passed() {
        assert!(!report(&[SUITE, PASS]).passed());
    }

    #[test]
    fn half_a_last_line_is_what_a_dying_binary_leaves() {
        let report = Report::parse(&format!("{SUITE}\n{}", &PASS[..30])).unwrap();
        assert!(report.checks.is_empty() && !report.ended);
    }

    #[test]
    fn nonsense_is_named_by_its_line() {
        assert!(Report::parse("hello\n").unwrap_err().starts_with("line 1 "));
        let odd = PASS.replace("\"pass\"", "\"maybe\"");
        assert!(
            Report::parse(&format!("{SUITE}\n{odd}\n"))
                .unwrap_err()
                .starts_with("line 2: the outcome")
        );
    }
}
