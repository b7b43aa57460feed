//! Where does the reader stand? The catalog and the progress, seen together.

use std::fmt::Write;

use anyhow::Result;
use catalog::{Catalog, Chapter, Exercise, SectionRef, Unknown};

use crate::command::Usage;
use crate::language;
use crate::paint::{bar, bold, count, cyan, dim, green, red, width, yellow};
use crate::progress::{Entry, Store};
use crate::sources;

/// The course, and what the reader has done of it.
pub struct Course {
    /// What there is.
    pub catalog: Catalog,
    /// What was done.
    pub store: Store,
}

/// How the reader stands with one exercise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It passed, and is still the same.
    Done,
    /// It passed, and was changed since.
    Changed,
    /// It was graded and did not pass.
    Failing,
    /// It was never graded.
    New,
}

impl Standing {
    /// As it is shown and written.
    pub fn name(self) -> &'static str {
        match self {
            Standing::Done => "done",
            Standing::Changed => "changed",
            Standing::Failing => "failing",
            Standing::New => "new",
        }
    }

    /// A mark of one character, different without color too.
    pub fn mark(self) -> String {
        match self {
            Standing::Done => green("✓"),
            Standing::Changed => yellow("~"),
            Standing::Failing => red("✗"),
            Standing::New => dim("·"),
        }
    }

    fn of(entry: &Entry, sources: Option<u64>) -> Standing {
        match (&entry.passed, &entry.failed) {
            (Some(passed), _) if Some(passed.sources) == sources => Standing::Done,
            (Some(_), _) => Standing::Changed,
            (None, Some(_)) => Standing::Failing,
            (None, None) => Standing::New,
        }
    }
}

impl Course {
    /// Opens the course around the current directory, in the language that is asked for, else in that of the environment
    /// if the course has it.
    ///
    /// # Errors
    ///
    /// When there is no course, or not in this language.
    pub fn open(language: Option<&str>) -> Result<Course> {
        let root = catalog::find_root_from_here()?;
        let language = language::choose(language, &Catalog::languages(&root))?;
        Ok(Course {
            store: Store::open(&root),
            catalog: Catalog::load_in(&root, &language),
        })
    }

    /// How the reader stands with `exercise`.
    pub fn standing(&self, exercise: &Exercise) -> Standing {
        let sources = sources::fingerprint(&self.catalog.at(&exercise.dir)).ok();
        Standing::of(&self.store.progress().of(&exercise.slug), sources)
    }

    /// Whether nobody has edited the stub of `exercise`.
    pub fn is_untouched(&self, exercise: &Exercise) -> bool {
        let at = |path: &std::path::Path| self.catalog.at(path);
        sources::same(&at(&exercise.dir.join("src")), &at(&exercise.pristine)).unwrap_or(false)
    }

    /// Whether `exercise` has once passed.
    pub fn has_passed(&self, exercise: &Exercise) -> bool {
        self.store.progress().of(&exercise.slug).passed.is_some()
    }

    /// The exercise at hand: the one that was made current, else the first unsolved one, else the first.
    pub fn current(&self) -> Option<&Exercise> {
        let exercises = &self.catalog.exercises;
        let chosen = self.store.progress().current.as_deref();
        exercises
            .iter()
            .find(|exercise| Some(exercise.slug.as_str()) == chosen)
            .or_else(|| exercises.iter().find(|exercise| !self.has_passed(exercise)))
            .or_else(|| exercises.first())
    }

    /// The first unsolved exercise after the one called `slug`, going round; `None` when all others are solved.
    pub fn unsolved_after(&self, slug: &str) -> Option<&Exercise> {
        let exercises = &self.catalog.exercises;
        let here = exercises
            .iter()
            .position(|exercise| exercise.slug == slug)
            .map_or(0, |here| here + 1);
        let (before, after) = exercises.split_at(here);
        after
            .iter()
            .chain(before)
            .find(|exercise| exercise.slug != slug && !self.has_passed(exercise))
    }

    /// The exercise that was named, else the current one.
    ///
    /// # Errors
    ///
    /// [`Usage`], with the nearest names.
    pub fn one(&self, name: Option<&String>) -> Result<&Exercise> {
        match name {
            // `03-sockets-introduction/short-reads`, or its whole path, as a shell completes it.
            Some(name) => {
                let slug = name
                    .trim_end_matches('/')
                    .rsplit('/')
                    .next()
                    .unwrap_or(name);
                Ok(self
                    .catalog
                    .exercise(slug)
                    .map_err(|unknown| unknown_name(&unknown))?)
            }
            None => self.current().ok_or_else(|| Usage(self.nothing()).into()),
        }
    }

    /// The exercises that were named by slugs, chapters or `all`, in the course's order, each once.
    ///
    /// # Errors
    ///
    /// [`Usage`], with the nearest names.
    pub fn many(&self, names: &[String]) -> Result<Vec<&Exercise>> {
        let mut chosen: Vec<&str> = Vec::new();
        for name in names {
            let word = name
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap_or(name);
            let found = self
                .catalog
                .select(word)
                .map_err(|unknown| unknown_name(&unknown))?;
            chosen.extend(found.iter().map(|exercise| exercise.slug.as_str()));
        }
        Ok(self
            .catalog
            .exercises
            .iter()
            .filter(|exercise| chosen.contains(&exercise.slug.as_str()))
            .collect())
    }

    /// Why there is no exercise at all.
    fn nothing(&self) -> String {
        match self.catalog.problems.first() {
            Some(problem) => format!("no exercise can be read: {problem}"),
            None => "there are no exercises yet in exercises/".to_owned(),
        }
    }

    /// One line: the chapter at hand, and the whole course as far as there is more of it.
    pub fn standing_line(&self, chapter: &Chapter) -> String {
        let (done, of) = self.solved(|exercise| exercise.chapter == chapter.dir);
        let mut line = format!(
            "{} {}  {}  {done} of {of}",
            format_args!("{:02}", chapter.number),
            bold(&chapter.title),
            bar(done, of, 20)
        );
        if self.catalog.chapters.len() > 1 {
            let (done, of) = self.solved(|_| true);
            let _ = write!(line, "{}", dim(format_args!("  ·  {done} of {of} in all")));
        }
        line + "\n"
    }

    /// How many of the exercises that `which` picks have passed, and how many there are.
    pub fn solved(&self, which: impl Fn(&Exercise) -> bool) -> (usize, usize) {
        let of: Vec<&Exercise> = self
            .catalog
            .exercises
            .iter()
            .filter(|exercise| which(exercise))
            .collect();
        (
            of.iter()
                .filter(|exercise| self.has_passed(exercise))
                .count(),
            of.len(),
        )
    }

    /// What an exercise is, where its file is, and where the book prepares for it.
    pub fn introduce(&self, exercise: &Exercise) -> String {
        let (file, line) = sources::starting_point(&self.catalog.at(&exercise.dir));
        let file = exercise.dir.join(file);
        let mut text = format!(
            "{}  {}  {}\n",
            bold(&exercise.slug),
            exercise.title,
            dim(format_args!("{}, level {}", exercise.kind, exercise.level)),
        );
        let _ = writeln!(
            text,
            "  edit  {}",
            cyan(format_args!("{}:{line}", file.display()))
        );
        text + &self.place(&exercise.section)
    }

    /// Where a section of the book is: its page and line, and its title; in two lines where one is too narrow.
    fn place(&self, section: &SectionRef) -> String {
        let Some(chapter) = self.catalog.chapter(&section.chapter) else {
            return format!("  read  {section}\n");
        };
        let Some(heading) = chapter.heading(&section.anchor) else {
            return format!("  read  {}\n", cyan(chapter.page.display()));
        };
        let page = format!("{}:{}", chapter.page.display(), heading.line);
        let title = format!("“{}”, or `cargo book`", heading.title);
        let fits = page.chars().count() + title.chars().count() + 10 <= width();
        let between = if fits { "  " } else { "\n        " };
        format!("  read  {}{between}{}\n", cyan(page), dim(title))
    }

    /// [`place`](Self::place), for a reference as reports have it: `03-sockets-introduction#a-stream-has-no-edges`.
    pub fn place_of(&self, see: &str) -> Option<String> {
        let (chapter, anchor) = see.split_once('#')?;
        Some(self.place(&SectionRef {
            chapter: chapter.to_owned(),
            anchor: anchor.to_owned(),
        }))
    }

    /// What is wrong with the exercises' data, said on standard error: such an exercise cannot be offered.
    pub fn complain(&self) {
        let problems: Vec<_> = self.catalog.problems_under("exercises".as_ref()).collect();
        for problem in problems.iter().take(3) {
            eprintln!("note: {problem}");
        }
        if problems.len() > 3 {
            eprintln!(
                "note: {} like these: `cargo course verify` shows all",
                count(problems.len() - 3, "more problem")
            );
        }
    }
}

/// What catalog says of a name that it does not know, as a mistake of who typed it. Broken data is not theirs.
fn unknown_name(unknown: &Unknown) -> anyhow::Error {
    if unknown.problems.is_empty() {
        Usage(unknown.to_string()).into()
    } else {
        anyhow::anyhow!("{unknown}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Progress;

    #[test]
    fn standing_follows_what_was_graded() {
        let mut progress = Progress::default();
        assert_eq!(Standing::of(&progress.of("a"), Some(1)), Standing::New);
        progress.failed("a", 0, 1, 1);
        assert_eq!(Standing::of(&progress.of("a"), Some(1)), Standing::Failing);
        progress.passed("a", 1, 1, 2);
        assert_eq!(Standing::of(&progress.of("a"), Some(2)), Standing::Done);
        assert_eq!(Standing::of(&progress.of("a"), Some(3)), Standing::Changed);
        progress.failed("a", 0, 1, 3);
        assert_eq!(Standing::of(&progress.of("a"), Some(3)), Standing::Changed);
        assert_eq!(Standing::of(&progress.of("a"), None), Standing::Changed);
    }
}
