//! The main job: grade on each save, explain, and move on when it passes.
//!
//! Four things can happen, and each arrives as an [`Event`] on one channel: a key, a save, a word from cargo, a grade.
//! One `match` answers them. Grading runs in a thread of its own, which a newer save cancels.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use catalog::{Catalog, Exercise};
use notify::event::{AccessKind, AccessMode};
use notify::{Config, EventKind, PollWatcher, RecommendedWatcher, RecursiveMode, Watcher};

use crate::course::Course;
use crate::grade::{self, Outcome};
use crate::paint::{self, Status, bold, cyan, dim};
use crate::process::Cancel;
use crate::terminal::{self, Keys};
use crate::{hint, list, solution, sources, verdict};

/// Editors save in several steps: truncate and write, or write beside and rename. This long after the last, it is over.
const QUIET: Duration = Duration::from_millis(30);

enum Event {
    Key(u8),
    Saved(Vec<PathBuf>),
    Busy(usize, String),
    Graded(usize, Result<Outcome>),
}

/// Shows where the reader stands; in a terminal, goes on grading each save until `q`.
///
/// # Errors
///
/// When there is no exercise, or the files cannot be watched.
pub fn watch(course: Course) -> Result<bool> {
    course.complain();
    let exercise = course.one(None)?.clone();
    paint::say(greeting(&course, &exercise));
    if !io::stdout().is_terminal() {
        return Ok(true);
    }
    let (tell, events) = mpsc::channel();
    let _watcher = watch_files(&course.catalog.at("exercises"), tell.clone())?;
    let keys = Keys::take();
    if keys.is_some() {
        let tell = tell.clone();
        thread::spawn(move || terminal::listen(|key| tell.send(Event::Key(key)).is_ok()));
    }
    let mut session = Session {
        solved: None,
        has_keys: keys.is_some(),
        status: Status::new(),
        saved: BTreeSet::new(),
        last_save: None,
        job: None,
        jobs: 0,
        course,
        exercise,
        tell,
    };
    session.footer();
    session.begin_quietly();
    session.run(&events);
    Ok(true)
}

/// Where the reader stands, and what is next.
fn greeting(course: &Course, exercise: &Exercise) -> String {
    let mut text = String::new();
    if let Some(chapter) = course.catalog.chapter(&exercise.chapter) {
        text += &format!("{}\n", course.standing_line(chapter));
    }
    let (done, of) = course.solved(|_| true);
    if done == of {
        return text + &format!("All {} pass.\n", paint::count(of, "exercise"));
    }
    text + &course.introduce(exercise)
}

/// Watches everything below `dir`; where the kernel has no watches left, looks twice a second.
fn watch_files(dir: &Path, tell: Sender<Event>) -> Result<Box<dyn Watcher>> {
    let handler = move |event: notify::Result<notify::Event>| {
        if let Ok(event) = event
            && is_save(event.kind)
        {
            // Nobody listens any more at the very end.
            let _ = tell.send(Event::Saved(event.paths));
        }
    };
    if let Ok(mut watcher) = RecommendedWatcher::new(handler.clone(), Config::default())
        && watcher.watch(dir, RecursiveMode::Recursive).is_ok()
    {
        return Ok(Box::new(watcher));
    }
    let twice_a_second = Config::default().with_poll_interval(Duration::from_millis(500));
    let mut watcher = PollWatcher::new(handler, twice_a_second)?;
    watcher
        .watch(dir, RecursiveMode::Recursive)
        .with_context(|| format!("cannot watch {}", dir.display()))?;
    Ok(Box::new(watcher))
}

/// Whether an event can mean that a file has new contents. Reading it is not a save.
fn is_save(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

struct Job {
    number: usize,
    cancel: Cancel,
    sources: Option<u64>,
    /// Only to have everything built by the first save: an untouched stub needs no verdict.
    quiet: bool,
}

struct Session {
    course: Course,
    exercise: Exercise,
    /// The one that passed last, for `s`.
    solved: Option<Exercise>,
    has_keys: bool,
    status: Status,
    saved: BTreeSet<String>,
    last_save: Option<Instant>,
    job: Option<Job>,
    jobs: usize,
    tell: Sender<Event>,
}

impl Session {
    fn run(&mut self, events: &Receiver<Event>) {
        loop {
            let event = match self.last_save {
                None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(last) => events.recv_timeout(QUIET.saturating_sub(last.elapsed())),
            };
            match event {
                Ok(Event::Key(b'q')) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(Event::Key(key)) => self.key(key),
                Ok(Event::Saved(paths)) => self.note(&paths),
                Ok(Event::Busy(number, with)) if self.is_at(number) => self.status.set(&with),
                Ok(Event::Graded(number, outcome)) if self.is_at(number) => self.show(outcome),
                Ok(Event::Busy(..) | Event::Graded(..)) => {}
                Err(RecvTimeoutError::Timeout) => self.grade_what_was_saved(),
            }
        }
        if let Some(job) = self.job.take() {
            job.cancel.now();
        }
        self.status.clear();
    }

    fn is_at(&self, number: usize) -> bool {
        self.job.as_ref().is_some_and(|job| job.number == number)
    }

    fn note(&mut self, paths: &[PathBuf]) {
        for path in paths {
            let catalog = &self.course.catalog;
            let inside = path.strip_prefix(&catalog.root).unwrap_or(path);
            if let Some(exercise) = catalog.exercise_of(inside) {
                self.saved.insert(exercise.slug.clone());
                self.last_save = Some(Instant::now());
            }
        }
    }

    fn grade_what_was_saved(&mut self) {
        self.last_save = None;
        let saved = std::mem::take(&mut self.saved);
        // Its Cargo.toml may be what was saved: a title, a hint.
        let catalog = Catalog::load(&self.course.catalog.root);
        if !catalog.exercises.is_empty() {
            self.course.catalog = catalog;
        }
        // One that is saved alone is the one at hand. Many at once is a checkout, not an editor.
        let slug = match saved.first() {
            Some(slug) if saved.len() == 1 => slug.clone(),
            _ => self.exercise.slug.clone(),
        };
        match self.course.catalog.exercise(&slug).cloned() {
            Ok(exercise) => self.exercise = exercise,
            Err(unknown) => return self.say(&format!("{unknown}\n")),
        }
        let sources = self.fingerprint();
        let same_as_running = self
            .job
            .as_ref()
            .is_some_and(|job| !job.quiet && job.sources == sources);
        if !same_as_running {
            self.begin(false);
        }
    }

    fn fingerprint(&self) -> Option<u64> {
        sources::fingerprint(&self.course.catalog.at(&self.exercise.dir)).ok()
    }

    /// Grades at the start. What was never touched is only built, so that the first save has its verdict at once.
    fn begin_quietly(&mut self) {
        let untouched = self.course.is_untouched(&self.exercise);
        self.begin(untouched);
    }

    fn begin(&mut self, quiet: bool) {
        if let Some(job) = self.job.take() {
            job.cancel.now();
        }
        self.jobs += 1;
        let number = self.jobs;
        let cancel = Cancel::default();
        self.job = Some(Job {
            number,
            cancel: cancel.clone(),
            sources: self.fingerprint(),
            quiet,
        });
        if !quiet {
            self.status.set(&format!("grading {}", self.exercise.slug));
        }
        let (tell, catalog, exercise) = (
            self.tell.clone(),
            self.course.catalog.clone(),
            self.exercise.clone(),
        );
        thread::spawn(move || {
            let busy = |line: &str| {
                let _ = tell.send(Event::Busy(number, line.to_owned()));
            };
            let outcome = grade::grade(&catalog, &exercise, &cancel, busy);
            let _ = tell.send(Event::Graded(number, outcome));
        });
    }

    fn show(&mut self, outcome: Result<Outcome>) {
        let quiet = self.job.take().is_some_and(|job| job.quiet);
        self.status.clear();
        let text = match outcome {
            Ok(Outcome::Canceled) => return,
            Ok(Outcome::Rejected(messages)) => messages,
            Ok(Outcome::Ran(_)) if quiet => return,
            Ok(Outcome::Ran(ran)) => {
                let exercise = self.exercise.clone();
                grade::remember(&mut self.course, &exercise, &ran, true);
                let mut text = verdict::verdict(&self.course, &exercise, &ran, false);
                if ran.passed() {
                    text += &verdict::what_now(&self.course, &exercise, &ran);
                    if let Some(next) = self.course.unsolved_after(&exercise.slug) {
                        self.exercise = next.clone();
                    }
                    self.solved = Some(exercise);
                }
                text
            }
            Err(error) => format!("error: {error:#}\n"),
        };
        terminal::new_page();
        self.say(&text);
    }

    fn key(&mut self, key: u8) {
        let text = match key {
            b'h' => hint::one_more(&mut self.course, &self.exercise),
            b'l' => list::for_people(&self.course),
            b'n' => match self.course.unsolved_after(&self.exercise.slug).cloned() {
                Some(next) => {
                    self.course
                        .store
                        .change(|progress| progress.current = Some(next.slug.clone()));
                    self.exercise = next;
                    self.course.introduce(&self.exercise)
                }
                None => "There is no other exercise that you have not solved.\n".to_owned(),
            },
            b's' => self.solution(),
            b'\r' | b'\n' => return self.begin(false),
            _ => return,
        };
        self.status.clear();
        self.say(&format!("\n{text}"));
    }

    fn solution(&self) -> String {
        let exercise = match &self.solved {
            _ if self.course.has_passed(&self.exercise) => &self.exercise,
            Some(solved) => solved,
            None => {
                let command = cyan(format_args!(
                    "cargo course solution {} --peek",
                    self.exercise.slug
                ));
                return format!(
                    "{} has not passed yet. To look all the same: {command}\n",
                    self.exercise.slug
                );
            }
        };
        solution::text(&self.course, exercise).unwrap_or_else(|error| format!("{error:#}\n"))
    }

    fn say(&self, text: &str) {
        paint::say(text);
        self.footer();
    }

    fn footer(&self) {
        let keys = [
            ("h", "hint"),
            ("n", "next"),
            ("l", "list"),
            ("s", "solution"),
            ("⏎", "grade"),
            ("q", "quit"),
        ];
        let keys = keys
            .map(|(key, what)| format!("{} {}", bold(key), dim(what)))
            .join("  ");
        let saving = dim(format_args!("Grading {} on each save.", self.exercise.slug));
        let ending = if self.has_keys {
            keys
        } else {
            dim("Ctrl-C ends this.")
        };
        paint::say(format_args!("\n{saving}\n{ending}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{DataChange, ModifyKind};

    #[test]
    fn reading_a_file_is_no_save() {
        assert!(!is_save(EventKind::Access(AccessKind::Open(
            AccessMode::Any
        ))));
        assert!(!is_save(EventKind::Access(AccessKind::Close(
            AccessMode::Read
        ))));
        assert!(is_save(EventKind::Access(AccessKind::Close(
            AccessMode::Write
        ))));
        assert!(is_save(EventKind::Modify(ModifyKind::Data(
            DataChange::Any
        ))));
    }
}
