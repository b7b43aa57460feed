//! What does the course consist of, and what is wrong with it?
//!
//! The course has no register. A chapter is a folder under `chapters/`, an exercise is a folder under
//! `exercises/NN-topic/`, a claim is an entry of a chapter's `claims.toml`. [`Catalog::load`] reads them all, straight
//! from the files and without asking cargo, in a few milliseconds.
//!
//! What is wrong is found in one go and said with file and line ([`Problem`]). One broken exercise does not take the
//! others down: the catalog holds whatever could be read, beside the list of problems. Who wants all or nothing calls
//! [`Catalog::load_strict`].
//!
//! All paths in the catalog are relative to the root, as they are shown to readers; [`Catalog::at`] makes one absolute.

mod chapter;
mod claim;
mod exercise;
mod fields;
mod language;
mod nearest;
mod page;
mod problem;
mod root;
mod select;

pub use chapter::{Chapter, Program};
pub use claim::{Claim, Decider, Verdict};
pub use exercise::{Exercise, Kind, Mistake, SectionRef, doc_of};
pub use language::{ENGLISH, Reasons, Told, Words, fingerprint, made_from};
pub use nearest::nearest;
pub use page::Heading;
pub use problem::{Problem, Problems};
pub use root::{NoRoot, find_root, find_root_from_here};
pub use select::Unknown;

use std::path::{Path, PathBuf};

/// Everything the course consists of, as far as it could be read.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// The folder that holds the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// In the order of their numbers.
    pub chapters: Vec<Chapter>,
    /// In the order in which to take them: by chapter, then level, then slug.
    ///
    /// An exercise whose metadata cannot be understood is missing here, and named in [`Catalog::problems`].
    pub exercises: Vec<Exercise>,
    /// What is wrong, in the order of the files' paths and lines. Empty when all is well.
    pub problems: Vec<Problem>,
    /// The language of its texts: [`ENGLISH`], or the one given to [`Catalog::load_in`].
    pub language: String,
    /// What programs write, in that language.
    pub words: Words,
    /// What graders say, in that language.
    pub reasons: Reasons,
    /// How the texts of claims and exercises stand in that language; empty for English.
    pub told: Vec<Told>,
}

impl Catalog {
    /// Reads the course at `root`, which [`find_root`] finds.
    ///
    /// Never fails: what cannot be read is a [`Problem`].
    pub fn load(root: &Path) -> Catalog {
        let mut problems = Vec::new();
        let chapters = chapter::read_all(root, &mut problems);
        let exercises = exercise::read_all(root, &chapters, &mut problems);
        problems.sort();
        problems.dedup();
        Catalog {
            root: root.to_owned(),
            chapters,
            exercises,
            problems,
            language: ENGLISH.to_owned(),
            words: Words::default(),
            reasons: Reasons::default(),
            told: Vec::new(),
        }
    }

    /// Reads the course at `root`, all or nothing.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, each with its file and line.
    pub fn load_strict(root: &Path) -> Result<Catalog, Problems> {
        let catalog = Catalog::load(root);
        if catalog.problems.is_empty() {
            Ok(catalog)
        } else {
            Err(Problems(catalog.problems))
        }
    }

    /// A path of the catalog, made absolute (if the root is).
    pub fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    /// All Rust files below a folder of the course, sorted; none when there is no such folder.
    pub fn rust_files(&self, dir: &Path) -> Vec<PathBuf> {
        problem::rust_files(&self.root, dir)
    }

    /// The chapter of this folder name (`03-sockets-introduction`), which is also its page's name.
    pub fn chapter(&self, dir: &str) -> Option<&Chapter> {
        self.chapters.iter().find(|chapter| chapter.dir == dir)
    }

    /// The exercises of a chapter's folder, easiest first.
    pub fn exercises_of(&self, dir: &str) -> impl Iterator<Item = &Exercise> {
        self.exercises
            .iter()
            .filter(move |exercise| exercise.chapter == dir)
    }

    /// All claims, chapter by chapter.
    pub fn claims(&self) -> impl Iterator<Item = &Claim> {
        self.chapters.iter().flat_map(|chapter| &chapter.claims)
    }

    /// The claim of this id (`03.16`).
    pub fn claim(&self, id: &str) -> Option<&Claim> {
        self.claims().find(|claim| claim.id == id)
    }

    /// What is wrong under a folder, such as an exercise's. For saying why an exercise is not in the catalog.
    pub fn problems_under(&self, dir: &Path) -> impl Iterator<Item = &Problem> {
        self.problems
            .iter()
            .filter(move |problem| problem.file.starts_with(dir))
    }
}

#[cfg(test)]
mod tests;
