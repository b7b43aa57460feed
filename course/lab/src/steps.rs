//! What happened, in order?
//!
//! Each thing that a check does or demands is a step. A failed check prints its steps, so that a
//! learner sees from one screen what led to the failure.

use std::time::{Duration, Instant};

/// One step: what was done, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Since the check began.
    pub at: Duration,
    /// In the words of the check: `peer sends b"hel"`.
    pub what: String,
}

/// The steps so far.
#[derive(Debug)]
pub struct StepLog {
    began: Instant,
    steps: Vec<Step>,
    dropped: usize,
}

/// A loop in a check must not bury its failure under ten thousand steps.
const KEPT: usize = 40;

impl StepLog {
    /// An empty log whose clock starts now.
    pub fn new() -> StepLog {
        StepLog {
            began: Instant::now(),
            steps: Vec::new(),
            dropped: 0,
        }
    }

    /// The time since the check began.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Notes a step.
    pub fn add(&mut self, what: impl Into<String>) {
        if self.steps.len() == KEPT {
            self.steps.remove(0);
            self.dropped += 1;
        }
        self.steps.push(Step {
            at: self.began.elapsed(),
            what: what.into(),
        });
    }

    /// All that are kept.
    pub fn all(&self) -> impl Iterator<Item = (Duration, &str)> {
        self.steps.iter().map(|step| (step.at, step.what.as_str()))
    }

    /// Forgets what was done so far: a new attempt of the same thing begins.
    pub fn clear(&mut self) {
        self.steps.clear();
        self.dropped = 0;
    }

    /// The steps as lines, numbered, with their times at the right.
    pub fn lines(&self) -> Vec<String> {
        let width = self.steps.iter().map(|s| s.what.chars().count()).max();
        let width = width.unwrap_or(0).clamp(32, 64);
        let mut lines = Vec::new();
        if self.dropped > 0 {
            lines.push(format!("     … {} earlier steps", self.dropped));
        }
        for (i, step) in self.steps.iter().enumerate() {
            let number = i + 1 + self.dropped;
            let ms = step.at.as_secs_f64() * 1e3;
            lines.push(format!("{number:>3}. {:<width$}  {ms:>7.1} ms", step.what));
        }
        lines
    }
}
