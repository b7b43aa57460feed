//! What belongs to an exercise?

use std::fmt;
use std::path::{Path, PathBuf};

mod read;

pub use read::doc_of;
pub(crate) use read::{doc, read_all};

/// An exercise: a package under `exercises/`, and its counterpart under `solutions/`.
#[derive(Debug, Clone)]
pub struct Exercise {
    /// `short-reads`: the stable id, the package's name and its folder's.
    pub slug: String,
    /// The folder of its chapter: `03-sockets-introduction`.
    pub chapter: String,
    /// The number of its chapter.
    pub number: u32,
    /// `Read it all`.
    pub title: String,
    /// What the learner does.
    pub kind: Kind,
    /// 1 to 3.
    pub level: u8,
    /// The section of the book that prepares for it.
    pub section: SectionRef,
    /// What the machine must have, as the lab names it: `hosts`.
    pub needs: Vec<String>,
    /// The task in another language than English, which has it in the stub's documentation.
    pub task: Option<String>,
    /// From a nudge to nearly the answer; two at least.
    pub hints: Vec<String>,
    /// The wrong answers that people really give; three at least.
    pub mistakes: Vec<Mistake>,
    /// `exercises/03-sockets-introduction/short-reads`.
    pub dir: PathBuf,
    /// What the learner edits: every Rust file of `src/`, `lib.rs` first.
    pub stubs: Vec<PathBuf>,
    /// `…/tests/grade.rs`.
    pub grader: PathBuf,
    /// `solutions/03-sockets-introduction/short-reads`; the reference answer is in its `src/`.
    pub solution: PathBuf,
    /// `…/wrong` in the solution's folder.
    pub wrong: PathBuf,
    /// `…/stub` in the solution's folder: what `src/` was before anyone edited it.
    pub pristine: PathBuf,
}

impl Exercise {
    /// The file to edit first: `…/src/lib.rs`.
    pub fn main_file(&self) -> &Path {
        &self.stubs[0]
    }

    /// The task: the documentation of the stub as it was at first, because the learner may rewrite the other. None when
    /// there is none.
    pub fn task(&self, root: &Path) -> Option<String> {
        self.task.clone().or_else(|| doc(root, self))
    }

    /// The id of the exercise's card on its chapter's page: `exercise-short-reads`.
    pub fn anchor(&self) -> String {
        format!("exercise-{}", self.slug)
    }
}

/// What the learner does in an exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Write it.
    Write,
    /// Find what is wrong and mend it.
    Fix,
    /// Say what the kernel will do.
    Predict,
    /// Read bytes off the wire.
    Read,
}

impl Kind {
    /// All of them, in the order of their declaration.
    pub const ALL: [Kind; 4] = [Kind::Write, Kind::Fix, Kind::Predict, Kind::Read];

    /// As it is written in `Cargo.toml`: `write`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Write => "write",
            Kind::Fix => "fix",
            Kind::Predict => "predict",
            Kind::Read => "read",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A place in the book: `03-sockets-introduction#a-stream-has-no-edges`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionRef {
    /// The chapter's folder, and its page's name.
    pub chapter: String,
    /// The id of a heading on that page.
    pub anchor: String,
}

impl fmt::Display for SectionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.chapter, self.anchor)
    }
}

/// A wrong answer that people really give, and how the grader must reject it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file's name without `.rs`: `one_read`.
    pub name: String,
    /// The wrong answer, which takes the place of the solution's `src/lib.rs`.
    pub file: PathBuf,
    /// What those who make it believe.
    pub says: String,
    /// The check that must reject it.
    pub check: String,
    /// A phrase that the rejection's message must contain.
    pub expect: String,
    /// Where it was really made: an address or an issue's id.
    pub source: Option<String>,
    /// Where it is declared in the exercise's `Cargo.toml`, counted from 1.
    pub line: usize,
}
