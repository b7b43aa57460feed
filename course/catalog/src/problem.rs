//! How is something wrong in the course's files said?

use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that is wrong, where it is, and what to do about it.
///
/// Shown as `exercises/03-sockets-introduction/short-reads/Cargo.toml:31: level must be 1, 2 or 3, not 7`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Relative to the course's root.
    pub file: PathBuf,
    /// Counted from 1. None when the file as a whole is meant, or is missing.
    pub line: Option<usize>,
    /// One line: what is wrong and what to do.
    pub what: String,
}

impl Problem {
    /// A problem of a whole file or folder.
    pub fn of(file: impl Into<PathBuf>, what: impl Into<String>) -> Problem {
        Problem {
            file: file.into(),
            line: None,
            what: what.into(),
        }
    }

    /// A problem on a line, counted from 1.
    pub fn on(file: impl Into<PathBuf>, line: usize, what: impl Into<String>) -> Problem {
        Problem {
            file: file.into(),
            line: Some(line),
            what: what.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// All that is wrong, one problem a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// The number, from 1, of the line on which the byte at `offset` stands.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text[..text.floor_char_boundary(offset)]
        .matches('\n')
        .count()
        + 1
}

/// Reads a file of the course; a file that cannot be read becomes a problem.
pub(crate) fn read(root: &Path, file: &Path, problems: &mut Vec<Problem>) -> Option<String> {
    match std::fs::read_to_string(root.join(file)) {
        Ok(text) => Some(text),
        Err(error) => {
            problems.push(Problem::of(file, format!("cannot be read: {error}")));
            None
        }
    }
}

/// The names in a folder, sorted; without hidden ones. Empty when there is no such folder.
pub(crate) fn names_in(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// All files below `dir` that end in `.rs`, sorted, relative to `root` as `dir` is.
pub(crate) fn rust_files(root: &Path, dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for name in names_in(&root.join(dir)) {
        let path = dir.join(&name);
        if root.join(&path).is_dir() {
            files.extend(rust_files(root, &path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}
