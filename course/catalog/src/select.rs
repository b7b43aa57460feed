//! Which exercises does a reader mean by a word on the command line?

use std::fmt;
use std::path::Path;

use crate::nearest::nearest;
use crate::{Catalog, Chapter, Exercise};

/// A word that names no exercise and no chapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The word.
    pub word: String,
    /// What it may have meant, best first.
    pub near: Vec<String>,
    /// What is wrong with the exercise of that name, when there is one and its data cannot be read.
    pub problems: Vec<crate::Problem>,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(problem) = self.problems.first() {
            return write!(f, "the exercise `{}` cannot be read: {problem}", self.word);
        }
        write!(f, "no exercise or chapter is called `{}`", self.word)?;
        match &self.near[..] {
            [] => f.write_str("; `cargo course list` shows them all"),
            near => write!(f, "; did you mean {}?", crate::fields::one_of(near)),
        }
    }
}

impl std::error::Error for Unknown {}

impl Catalog {
    /// The exercise of this slug.
    ///
    /// # Errors
    ///
    /// [`Unknown`], with the nearest slugs.
    pub fn exercise(&self, slug: &str) -> Result<&Exercise, Unknown> {
        self.exercises
            .iter()
            .find(|exercise| exercise.slug == slug)
            .ok_or_else(|| self.unknown(slug))
    }

    /// The exercise that a saved file belongs to, when it is one of the files that are graded or its `Cargo.toml`. What
    /// editors leave beside them does not count.
    ///
    /// `path` is relative to the root.
    pub fn exercise_of(&self, path: &Path) -> Option<&Exercise> {
        let exercise = self
            .exercises
            .iter()
            .find(|exercise| path.starts_with(&exercise.dir))?;
        let inside = path.strip_prefix(&exercise.dir).ok()?;
        let graded = inside.starts_with("src")
            || inside.starts_with("tests")
            || inside == Path::new("Cargo.toml");
        let name = inside.file_name()?.as_encoded_bytes();
        (graded && !name.starts_with(b".") && !name.ends_with(b"~") && name != b"4913")
            .then_some(exercise)
    }

    /// The exercises that a word names: a slug, a chapter (`3`, `03`, its folder or its package), or `all`.
    ///
    /// # Errors
    ///
    /// [`Unknown`], with the nearest names.
    pub fn select(&self, word: &str) -> Result<Vec<&Exercise>, Unknown> {
        if word == "all" {
            return Ok(self.exercises.iter().collect());
        }
        if let Some(chapter) = self.chapter_named(word) {
            return Ok(self.exercises_of(&chapter.dir).collect());
        }
        self.exercise(word).map(|exercise| vec![exercise])
    }

    /// The chapter that a word names: its number, folder or package.
    pub fn chapter_named(&self, word: &str) -> Option<&Chapter> {
        self.chapters.iter().find(|chapter| {
            word == chapter.dir
                || word == chapter.package
                || word.parse().is_ok_and(|n: u32| n == chapter.number)
        })
    }

    fn unknown(&self, word: &str) -> Unknown {
        let names = self.exercises.iter().map(|exercise| exercise.slug.as_str());
        let names = names.chain(self.chapters.iter().map(|chapter| chapter.dir.as_str()));
        let near = nearest(word, names)
            .into_iter()
            .map(str::to_owned)
            .collect();
        let problems = self
            .problems
            .iter()
            .filter(|problem| problem.file.iter().nth(2).is_some_and(|dir| dir == word));
        Unknown {
            word: word.to_owned(),
            near,
            problems: problems.cloned().collect(),
        }
    }
}
