//! Is a grade ever luck? Solutions are graded again and again, while every processor has something else to do as well.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use catalog::Catalog;

use super::table::Row;
use super::workshop::{Built, Variant, Which};
use super::{Trial, in_parallel, try_one};
use crate::paint::Status;

/// What came of one solution's rounds.
#[derive(Debug, Default, PartialEq)]
pub struct Soaked {
    /// Rounds in which it passed everything.
    pub passed: usize,
    /// All rounds.
    pub rounds: usize,
    /// How long the slowest took.
    pub slowest: Duration,
    /// What was said when it failed, each once, with how often it was said. The most frequent is first.
    pub said: Vec<(usize, String)>,
}

impl Soaked {
    fn of<'a>(trials: impl Iterator<Item = &'a Trial>) -> Soaked {
        let mut soaked = Soaked::default();
        for trial in trials {
            soaked.rounds += 1;
            soaked.slowest = soaked.slowest.max(trial.took);
            if trial.judgement.wrong.is_empty() {
                soaked.passed += 1;
                continue;
            }
            let what = trial.judgement.wrong.join("; ");
            match soaked.said.iter_mut().find(|(_, said)| *said == what) {
                Some((times, _)) => *times += 1,
                None => soaked.said.push((1, what)),
            }
        }
        soaked
            .said
            .sort_by_key(|(times, _)| std::cmp::Reverse(*times));
        soaked
    }

    /// What is wrong, a sentence a message.
    fn wrong(&self, slug: &str) -> Vec<String> {
        let rounds = self.rounds;
        self.said
            .iter()
            .map(|(times, what)| {
                format!("{slug}: under load, {times} of {rounds} rounds failed: {what}")
            })
            .collect()
    }
}

/// Grades each solution `times` times more. As many graders run at a time as there are processors, and on each of these
/// a loop that never waits wants as much time as all graders together.
pub fn soak(
    catalog: &Catalog,
    variants: &[Variant],
    built: &HashMap<String, Built>,
    times: usize,
    rows: &mut [Row],
    status: &mut Status,
) {
    let solutions: Vec<&Variant> = variants
        .iter()
        .filter(|variant| variant.which == Which::Solution)
        .collect();
    let rounds = solutions.len() * times;
    let done = AtomicUsize::new(0);
    let status = Mutex::new(status);
    let trials = under_load(|| {
        in_parallel(rounds, |number| {
            let variant = solutions[number % solutions.len()];
            let trial = try_one(catalog, variant, built.get(&variant.package()));
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            if let Ok(mut status) = status.lock() {
                status.set(&format!("soaking: {done} of {rounds}"));
            }
            trial
        })
    });
    for (at, variant) in solutions.iter().enumerate() {
        let soaked = Soaked::of(trials.iter().skip(at).step_by(solutions.len()));
        if let Some(row) = rows
            .iter_mut()
            .find(|row| row.slug == variant.exercise.slug)
        {
            row.wrong.extend(soaked.wrong(&row.slug));
            row.soaked = Some(soaked);
        }
    }
}

/// Does `work` while a loop for each processor keeps it busy.
fn under_load<T>(work: impl FnOnce() -> T) -> T {
    /// The loops end with the work, also when it panics.
    struct Over<'a>(&'a AtomicBool);
    impl Drop for Over<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _over = Over(&over);
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        work()
    })
}

#[cfg(test)]
mod tests {
    use super::super::judge::Judgement;
    use super::*;

    fn trial(millis: u64, wrong: &[&str]) -> Trial {
        Trial {
            judgement: Judgement {
                wrong: wrong.iter().map(ToString::to_string).collect(),
                not_run: 0,
            },
            points: 1,
            took: Duration::from_millis(millis),
        }
    }

    #[test]
    fn each_message_is_told_once_with_how_often_it_came() {
        let trials = [
            trial(3, &[]),
            trial(9, &["a"]),
            trial(4, &["b", "c"]),
            trial(5, &["b", "c"]),
        ];
        let soaked = Soaked::of(trials.iter());
        assert_eq!((soaked.passed, soaked.rounds), (1, 4));
        assert_eq!(soaked.slowest, Duration::from_millis(9));
        assert_eq!(
            soaked.wrong("x"),
            [
                "x: under load, 2 of 4 rounds failed: b; c",
                "x: under load, 1 of 4 rounds failed: a",
            ]
        );
    }

    #[test]
    fn the_loops_end_when_the_work_panics() {
        let panicked = std::panic::catch_unwind(|| under_load(|| panic!("the work")));
        assert!(panicked.is_err());
    }
}
