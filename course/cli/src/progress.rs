//! What has been solved? A readable file, `.course/progress.txt`, that is never lost.
//!
//! Lines that cannot be read are kept as they are. A file that is no text is moved aside, not overwritten. Where nothing can be
//! written, the course goes on and says so once. Two programs may change it at the same time: each takes a lock, reads
//! again, changes its line, and puts the new file in place with `rename(2)`.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::clock;

const HEAD: &str = "# What you have solved. `cargo course` writes this file. Delete a line to forget what it says.\n";

/// All that is remembered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// The exercise at hand.
    pub current: Option<String>,
    entries: BTreeMap<String, Entry>,
    /// Lines that mean nothing to us.
    strange: Vec<String>,
}

/// What is remembered of one exercise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// When it last passed.
    pub passed: Option<Result>,
    /// When it last failed, if that was later.
    pub failed: Option<Result>,
    /// How many hints were shown.
    pub hints: usize,
}

/// The outcome of one grading.
#[derive(Clone, Debug, PartialEq)]
pub struct Result {
    /// Points won.
    pub points: u32,
    /// Points there were to win.
    pub of: u32,
    /// When, in UTC.
    pub when: String,
    /// The fingerprint of what was graded.
    pub sources: u64,
}

impl Progress {
    /// What is remembered of `slug`.
    pub fn of(&self, slug: &str) -> Entry {
        self.entries.get(slug).cloned().unwrap_or_default()
    }

    /// Remembers that `slug` passed.
    pub fn passed(&mut self, slug: &str, points: u32, of: u32, sources: u64) {
        let entry = self.entries.entry(slug.to_owned()).or_default();
        entry.passed = Some(Result {
            points,
            of,
            when: clock::now(),
            sources,
        });
        entry.failed = None;
    }

    /// Remembers that `slug` failed. That it once passed is not forgotten.
    pub fn failed(&mut self, slug: &str, points: u32, of: u32, sources: u64) {
        let entry = self.entries.entry(slug.to_owned()).or_default();
        entry.failed = Some(Result {
            points,
            of,
            when: clock::now(),
            sources,
        });
    }

    /// Remembers how many hints of `slug` were shown.
    pub fn hinted(&mut self, slug: &str, hints: usize) {
        self.entries.entry(slug.to_owned()).or_default().hints = hints;
    }

    /// Forgets the grades and hints of `slug`.
    pub fn forget(&mut self, slug: &str) {
        self.entries.remove(slug);
    }

    fn parse(text: &str) -> (Progress, Option<String>) {
        let mut progress = Progress::default();
        let mut warning = None;
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') || progress.take(line).is_some() {
                continue;
            }
            warning.get_or_insert(format!(
                ".course/progress.txt:{}: cannot read `{line}`; the line is kept",
                number + 1
            ));
            progress.strange.push(line.to_owned());
        }
        (progress, warning)
    }

    fn take(&mut self, line: &str) -> Option<()> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match *words.as_slice() {
            ["current", slug] => self.current = Some(slug.to_owned()),
            ["hints", slug, count] => {
                self.entries.entry(slug.to_owned()).or_default().hints = count.parse().ok()?;
            }
            [
                word @ ("passed" | "failed"),
                slug,
                points,
                "of",
                of,
                "points",
                when,
                "sources",
                sources,
            ] => {
                let result = Result {
                    points: points.parse().ok()?,
                    of: of.parse().ok()?,
                    when: when.to_owned(),
                    sources: u64::from_str_radix(sources, 16).ok()?,
                };
                let entry = self.entries.entry(slug.to_owned()).or_default();
                *(if word == "passed" {
                    &mut entry.passed
                } else {
                    &mut entry.failed
                }) = Some(result);
            }
            _ => return None,
        }
        Some(())
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        if let Some(current) = &self.current {
            writeln!(f, "current {current}")?;
        }
        for (slug, entry) in &self.entries {
            for (word, result) in [("passed", &entry.passed), ("failed", &entry.failed)] {
                if let Some(Result {
                    points,
                    of,
                    when,
                    sources,
                }) = result
                {
                    writeln!(
                        f,
                        "{word}  {slug}  {points} of {of} points  {when}  sources {sources:016x}"
                    )?;
                }
            }
            if entry.hints > 0 {
                writeln!(f, "hints   {slug}  {}", entry.hints)?;
            }
        }
        self.strange
            .iter()
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// The progress, and where it is kept.
pub struct Store {
    dir: PathBuf,
    progress: Progress,
    /// Nothing can be written; what is in memory counts until the end.
    detached: bool,
    warned: bool,
}

impl Store {
    /// Reads `.course/progress.txt` below `root`. Nothing there is no progress. What is wrong is said in a line on standard error.
    pub fn open(root: &Path) -> Store {
        let mut store = Store {
            dir: root.join(".course"),
            progress: Progress::default(),
            detached: false,
            warned: false,
        };
        store.reload();
        store
    }

    /// What is remembered.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Changes what is remembered, in memory and on disk.
    pub fn change(&mut self, change: impl Fn(&mut Progress)) {
        let _lock = self.lock();
        self.reload();
        change(&mut self.progress);
        if let Err(error) = self.write() {
            self.detached = true;
            self.warn(&format!(
                "cannot keep your progress in .course: {error}; going on without"
            ));
        }
    }

    fn file(&self) -> PathBuf {
        self.dir.join("progress.txt")
    }

    fn reload(&mut self) {
        if self.detached {
            return;
        }
        match fs::read_to_string(self.file()) {
            Ok(text) => {
                let (progress, warning) = Progress::parse(&text);
                self.progress = progress;
                if let Some(warning) = warning {
                    self.warn(&warning);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.progress = Progress::default();
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => self.set_aside(),
            Err(error) => {
                self.detached = true;
                self.warn(&format!(
                    "cannot read .course/progress.txt: {error}; going on without"
                ));
            }
        }
    }

    fn set_aside(&mut self) {
        let name = format!("progress-unreadable-{}.txt", clock::now());
        match fs::rename(self.file(), self.dir.join(&name)) {
            Ok(()) => self.warn(&format!(
                ".course/progress.txt is no text; it is now .course/{name}"
            )),
            Err(error) => {
                self.detached = true;
                self.warn(&format!(
                    ".course/progress.txt is no text, and cannot be moved aside: {error}"
                ));
            }
        }
    }

    fn lock(&self) -> Option<File> {
        let file = File::create(self.dir.join("lock")).ok()?;
        file.lock().ok()?;
        Some(file)
    }

    fn write(&self) -> io::Result<()> {
        if self.detached {
            return Ok(());
        }
        fs::create_dir_all(&self.dir)?;
        write_atomically(&self.file(), self.progress.to_string().as_bytes())
    }

    fn warn(&mut self, warning: &str) {
        if !std::mem::replace(&mut self.warned, true) {
            eprintln!("note: {warning}");
        }
    }
}

/// Replaces `path` by a file with `contents`. A reader sees the old one or the new one, whole; on an error, the old one stays.
///
/// # Errors
///
/// What `open(2)`, `write(2)` and `rename(2)` report: `ENOSPC`, `EROFS`, `EACCES`.
pub fn write_atomically(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    let mut hidden = std::ffi::OsString::from(".");
    let _ = write!(name, ".{}.new", std::process::id());
    hidden.push(name);
    let new = path.with_file_name(hidden);
    let result = fs::write(&new, contents).and_then(|()| fs::rename(&new, path));
    if result.is_err() {
        let _ = fs::remove_file(&new);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn what_is_written_is_read_again() {
        let dir = Scratch::new();
        let mut store = Store::open(dir.path());
        store.change(|progress| {
            progress.current = Some("value-result".into());
            progress.passed("network-order", 8, 8, 0xabc);
            progress.failed("value-result", 2, 8, 1);
            progress.hinted("value-result", 2);
        });
        let again = Store::open(dir.path());
        assert_eq!(again.progress(), store.progress());
        assert_eq!(
            again.progress().of("network-order").passed.unwrap().sources,
            0xabc
        );
        assert_eq!(again.progress().of("value-result").hints, 2);
    }

    #[test]
    fn failing_later_does_not_undo_that_it_passed() {
        let mut progress = Progress::default();
        progress.passed("a", 8, 8, 1);
        progress.failed("a", 1, 8, 2);
        assert!(progress.of("a").passed.is_some() && progress.of("a").failed.is_some());
        progress.passed("a", 8, 8, 3);
        assert!(progress.of("a").failed.is_none());
    }

    #[test]
    fn a_strange_line_is_named_and_kept() {
        let text = "current a\npassed b many of 8 points now sources 1\nhints a 1\n";
        let (progress, warning) = Progress::parse(text);
        assert!(warning.unwrap().starts_with(".course/progress.txt:2: "));
        assert_eq!(progress.of("a").hints, 1);
        assert!(
            progress
                .to_string()
                .contains("passed b many of 8 points now sources 1\n")
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_moved_aside() {
        let dir = Scratch::new();
        fs::create_dir(dir.path().join(".course")).unwrap();
        fs::write(dir.path().join(".course/progress.txt"), b"passed \xff\xfe").unwrap();
        let mut store = Store::open(dir.path());
        store.change(|progress| progress.hinted("a", 1));
        let files = crate::sources::files_below(&dir.path().join(".course")).unwrap();
        let aside = files
            .iter()
            .find(|file| file.to_string_lossy().starts_with("progress-unreadable"))
            .unwrap();
        assert_eq!(
            fs::read(dir.path().join(".course").join(aside)).unwrap(),
            b"passed \xff\xfe"
        );
    }

    #[test]
    fn what_another_program_wrote_meanwhile_is_kept() {
        let dir = Scratch::new();
        let (mut one, mut other) = (Store::open(dir.path()), Store::open(dir.path()));
        one.change(|progress| progress.passed("a", 1, 1, 1));
        other.change(|progress| progress.passed("b", 1, 1, 1));
        let both = Store::open(dir.path());
        assert!(
            both.progress().of("a").passed.is_some() && both.progress().of("b").passed.is_some()
        );
    }

    #[test]
    fn where_nothing_can_be_written_memory_counts() {
        let dir = Scratch::new();
        // A file where the directory should be: this fails for root too.
        dir.write(".course", "in the way");
        let mut store = Store::open(dir.path());
        store.change(|progress| progress.passed("a", 1, 1, 1));
        store.change(|progress| progress.passed("b", 1, 1, 1));
        assert!(
            store.progress().of("a").passed.is_some() && store.progress().of("b").passed.is_some()
        );
        assert_eq!(dir.read(".course"), "in the way");
    }
}
