//! What did a student hand in? Finds the answers in a folder, and takes of it only what an exercise allows to be edited.
//!
//! Nothing is followed: a symbolic link is named and left alone, wherever it leads.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use catalog::Exercise;

/// Bytes of one file.
const FILE: u64 = 1 << 20;
/// Bytes of all files of an answer.
const ALL: u64 = 4 << 20;
/// Files of an answer.
const FILES: usize = 200;
/// Folders within each other.
const DEPTH: usize = 8;
/// Entries of a student's folder that are looked at in search of answers.
const LOOKED_AT: usize = 20_000;

/// One student's answer to one exercise.
#[derive(Debug, Default, PartialEq)]
pub struct Answer {
    /// Below `src/`, with their contents, sorted.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// What was there and not taken, and why.
    pub ignored: Vec<(String, String)>,
    /// Why it cannot be graded as it is.
    pub refused: Option<String>,
}

/// Finds the answer to `exercise` in a student's folder. `alone` says that only this exercise is graded, so that a bare
/// `src/lib.rs` or `lib.rs` is meant for it. `pristine` is the untouched package.
pub fn find(folder: &Path, exercise: &Exercise, alone: bool, pristine: &Path) -> Option<Answer> {
    let mut answer = Answer::default();
    let at = match place(folder, exercise, alone) {
        Place::Nowhere => return None,
        Place::Package(at) => at,
        Place::Flat(at) => {
            take(&at, &mut answer, Path::new(""), 0, true);
            answer.finish();
            return Some(answer);
        }
        Place::Link(path) => {
            answer.refused = Some(format!("{path} is a symbolic link; links are not followed"));
            return Some(answer);
        }
        Place::Several(places) => {
            answer.refused = Some(format!(
                "there are several answers: {}; leave one",
                places.join(", ")
            ));
            return Some(answer);
        }
    };
    take(&at.join("src"), &mut answer, Path::new(""), 0, false);
    others(&at, pristine, &mut answer);
    answer.finish();
    Some(answer)
}

enum Place {
    Nowhere,
    /// A folder that has a `src/`.
    Package(PathBuf),
    /// A folder that has a `lib.rs`.
    Flat(PathBuf),
    /// A link on the way.
    Link(String),
    Several(Vec<String>),
}

fn place(folder: &Path, exercise: &Exercise, alone: bool) -> Place {
    // As in the course: a fork, or what GitHub Classroom collects.
    match walk(folder, &exercise.dir.join("src")) {
        Some(Ok(())) => return Place::Package(folder.join(&exercise.dir)),
        Some(Err(link)) => return Place::Link(link),
        None => {}
    }
    let found = search(folder, |at| {
        at.file_name()
            .is_some_and(|name| name == exercise.slug.as_str())
            && is_package(at)
    });
    match found.len() {
        0 if alone => {}
        0 => return Place::Nowhere,
        1 => return Place::Package(found[0].clone()),
        _ => return Place::Several(shown(folder, &found)),
    }
    for bare in ["src/lib.rs", "lib.rs"] {
        match walk(folder, Path::new(bare)) {
            Some(Ok(())) if bare == "lib.rs" => return Place::Flat(folder.to_owned()),
            Some(Ok(())) => return Place::Package(folder.to_owned()),
            Some(Err(link)) => return Place::Link(link),
            None => {}
        }
    }
    let found = search(folder, is_package);
    match found.len() {
        0 => {}
        1 => return Place::Package(found[0].clone()),
        _ => return Place::Several(shown(folder, &found)),
    }
    let found = search(folder, |at| is_file(&at.join("lib.rs")));
    match found.len() {
        0 => Place::Nowhere,
        1 => Place::Flat(found[0].clone()),
        _ => Place::Several(shown(folder, &found)),
    }
}

/// Whether `path` is below `folder`, without a link on the way; if there is one, its name.
fn walk(folder: &Path, path: &Path) -> Option<Result<(), String>> {
    let mut here = folder.to_owned();
    for part in path {
        here.push(part);
        let info = fs::symlink_metadata(&here).ok()?;
        if info.is_symlink() {
            let shown = here.strip_prefix(folder).unwrap_or(&here);
            return Some(Err(printable(shown)));
        }
    }
    Some(Ok(()))
}

fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|info| !info.is_dir())
}

fn is_package(at: &Path) -> bool {
    fs::symlink_metadata(at.join("src")).is_ok_and(|info| info.is_dir())
        && is_file(&at.join("src/lib.rs"))
}

/// Folders, nearest first, that are what is wanted. Within one that is, nothing more is looked for.
fn search(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = VecDeque::from([(folder.to_owned(), 0)]);
    let mut looked_at = 0;
    while let Some((here, depth)) = left.pop_front() {
        let Ok(entries) = fs::read_dir(&here) else {
            continue;
        };
        let mut below: Vec<PathBuf> = Vec::new();
        for entry in entries.flatten() {
            looked_at += 1;
            if looked_at > LOOKED_AT {
                return found;
            }
            let name = entry.file_name();
            let hidden = name.as_encoded_bytes().starts_with(b".") || name == "target";
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) && !hidden {
                below.push(entry.path());
            }
        }
        below.sort();
        for path in below {
            if wanted(&path) {
                found.push(path);
            } else if depth + 1 < DEPTH {
                left.push_back((path, depth + 1));
            }
        }
    }
    found
}

fn shown(folder: &Path, found: &[PathBuf]) -> Vec<String> {
    let below = |path: &PathBuf| printable(path.strip_prefix(folder).unwrap_or(path));
    found.iter().take(4).map(below).collect()
}

/// Takes the Rust files of a `src/`. What must not be there, but would be part of the answer, refuses it.
fn take(src: &Path, answer: &mut Answer, below: &Path, depth: usize, flat: bool) {
    let Ok(entries) = fs::read_dir(src.join(below)) else {
        return;
    };
    for entry in entries.flatten() {
        let path = below.join(entry.file_name());
        let shown = if flat {
            printable(&path)
        } else {
            format!("src/{}", printable(&path))
        };
        if answer.files.len() > FILES {
            answer.refuse(format!("more than {FILES} files"));
            return;
        }
        let Ok(info) = fs::symlink_metadata(entry.path()) else {
            continue;
        };
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if info.is_symlink() {
            answer.refuse(format!(
                "{shown} is a symbolic link; links are not followed"
            ));
        } else if path.to_str().is_none() {
            answer.refuse(format!("{shown}: the name is not UTF-8"));
        } else if info.is_dir() {
            if hidden || entry.file_name() == "target" || flat && depth == 0 {
                answer.ignore(shown, "not among the files that may be edited");
            } else if depth < DEPTH {
                take(src, answer, &path, depth + 1, flat);
            } else {
                answer.refuse(format!("{shown}: folders within more than {DEPTH} folders"));
            }
        } else if !info.is_file() {
            answer.refuse(format!("{shown} is neither a file nor a folder"));
        } else if hidden || path.extension().is_none_or(|extension| extension != "rs") {
            answer.ignore(shown, "not a Rust file");
        } else if flat && path.as_os_str() == "build.rs" {
            answer.ignore(shown, "not among the files that may be edited");
        } else if info.len() > FILE {
            answer.refuse(format!(
                "{shown} has {} bytes; at most {FILE} are taken",
                info.len()
            ));
        } else {
            match fs::read(entry.path()) {
                Ok(bytes) => answer.files.push((path, bytes)),
                Err(error) => answer.refuse(format!("{shown}: {error}")),
            }
        }
    }
}

/// Names what else was changed in a package: it is not used, and whoever changed it should know.
fn others(package: &Path, pristine: &Path, answer: &mut Answer) {
    let mut left = vec![PathBuf::new()];
    let mut looked_at = 0;
    while let Some(below) = left.pop() {
        for entry in fs::read_dir(package.join(&below))
            .into_iter()
            .flatten()
            .flatten()
        {
            let path = below.join(entry.file_name());
            looked_at += 1;
            if looked_at > 500
                || path == Path::new("src")
                || path == Path::new("target")
                || path == Path::new(".git")
            {
                continue;
            }
            let Ok(info) = fs::symlink_metadata(entry.path()) else {
                continue;
            };
            if info.is_symlink() {
                answer.ignore(printable(&path), "a symbolic link; links are not followed");
            } else if info.is_dir() {
                left.push(path);
            } else if info.is_file()
                && info.len() <= FILE
                && same(&entry.path(), &pristine.join(&path))
            {
            } else {
                answer.ignore(printable(&path), "not among the files that may be edited");
            }
        }
    }
}

fn same(one: &Path, other: &Path) -> bool {
    matches!((fs::read(one), fs::read(other)), (Ok(one), Ok(other)) if one == other)
}

impl Answer {
    fn refuse(&mut self, why: String) {
        // The least, so that the answer does not depend on the order of a folder's entries.
        if self.refused.as_ref().is_none_or(|before| why < *before) {
            self.refused = Some(why);
        }
    }

    fn ignore(&mut self, file: String, why: &str) {
        self.ignored.push((file, why.to_owned()));
    }

    fn finish(&mut self) {
        self.files.sort();
        self.ignored.sort();
        self.ignored.truncate(50);
        let all: usize = self.files.iter().map(|(_, bytes)| bytes.len()).sum();
        if all as u64 > ALL {
            self.refuse(format!(
                "its files have {all} bytes; at most {ALL} are taken"
            ));
        }
        if self.refused.is_none() && self.files.is_empty() {
            self.refused = Some("there is no Rust file in src/".to_owned());
        }
    }
}

/// A path as it can be shown anywhere.
pub fn printable(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
