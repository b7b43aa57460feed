//! Which files are graded, and are they still what they were?

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Every file below `dir`, in order, as paths relative to it. Hidden files and editors' backups (`lib.rs~`) are left out.
///
/// # Errors
///
/// What `opendir(3)` reports, with the directory's name.
pub fn files_below(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut left = vec![dir.to_owned()];
    while let Some(here) = left.pop() {
        for entry in fs::read_dir(&here).map_err(|error| named(&here, &error))? {
            let entry = entry?;
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(b".") || name.as_encoded_bytes().ends_with(b"~")
            {
                continue;
            }
            if entry.file_type()?.is_dir() {
                left.push(entry.path());
            } else {
                found.push(
                    entry
                        .path()
                        .strip_prefix(dir)
                        .expect("it is below")
                        .to_owned(),
                );
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A number that changes when an exercise's answer or its grader does: 64-bit FNV-1a over the names and contents.
///
/// # Errors
///
/// What `open(2)` and `read(2)` report, with the file's name.
pub fn fingerprint(exercise: &Path) -> io::Result<u64> {
    let mut hash = Fnv::new();
    for part in ["src", "tests"] {
        let dir = exercise.join(part);
        for file in files_below(&dir)? {
            let path = dir.join(&file);
            hash.add(part.as_bytes());
            hash.add(file.as_os_str().as_encoded_bytes());
            hash.add(&fs::read(&path).map_err(|error| named(&path, &error))?);
        }
    }
    Ok(hash.0)
}

/// Whether two directories hold the same files with the same contents.
///
/// # Errors
///
/// What `open(2)` and `read(2)` report, with the file's name.
pub fn same(one: &Path, other: &Path) -> io::Result<bool> {
    let files = files_below(one)?;
    if files != files_below(other)? {
        return Ok(false);
    }
    for file in files {
        if fs::read(one.join(&file))? != fs::read(other.join(&file))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Where to start reading: the first `todo!`, else the first doc comment, else the top. The path is below `exercise`.
pub fn starting_point(exercise: &Path) -> (PathBuf, usize) {
    let src = exercise.join("src");
    let files = files_below(&src).unwrap_or_default();
    let line_with = |wanted: fn(&str) -> bool| {
        files.iter().find_map(|file| {
            let text = fs::read_to_string(src.join(file)).ok()?;
            let line = text.lines().position(wanted)?;
            Some((Path::new("src").join(file), line + 1))
        })
    };
    line_with(|line| line.contains("todo!") && !line.trim_start().starts_with("//"))
        .or_else(|| {
            line_with(|line| {
                line.trim_start().starts_with("//!") || line.trim_start().starts_with("///")
            })
        })
        .unwrap_or_else(|| ("src/lib.rs".into(), 1))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        // The length first, so that moving a byte from one file to the next changes the number.
        for byte in (bytes.len() as u64).to_le_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn exercise(lib: &str) -> Scratch {
        let dir = Scratch::new();
        dir.write("src/lib.rs", lib);
        dir.write("tests/grade.rs", "fn main() {}");
        dir
    }

    #[test]
    fn the_fingerprint_follows_contents_and_names() {
        let dir = exercise("one");
        let first = fingerprint(dir.path()).unwrap();
        dir.write("src/lib.rs", "two");
        let second = fingerprint(dir.path()).unwrap();
        dir.write("src/lib.rs", "one");
        assert_ne!(first, second);
        assert_eq!(first, fingerprint(dir.path()).unwrap());
        dir.write("src/more.rs", "");
        assert_ne!(first, fingerprint(dir.path()).unwrap());
    }

    #[test]
    fn what_editors_leave_does_not_count() {
        let dir = exercise("one");
        let first = fingerprint(dir.path()).unwrap();
        dir.write("src/.lib.rs.swp", "x");
        dir.write("src/lib.rs~", "x");
        assert_eq!(first, fingerprint(dir.path()).unwrap());
    }

    #[test]
    fn reading_starts_at_the_first_todo() {
        let dir = exercise("//! Task\n// todo! in a comment is not it\nfn f() {\n    todo!()\n}\n");
        assert_eq!(starting_point(dir.path()), ("src/lib.rs".into(), 4));
        dir.write("src/lib.rs", "use std::io;\n\n/// Fix it\nfn f() {}\n");
        assert_eq!(starting_point(dir.path()), ("src/lib.rs".into(), 3));
        dir.write("src/lib.rs", "fn f() {}\n");
        assert_eq!(starting_point(dir.path()), ("src/lib.rs".into(), 1));
    }

    #[test]
    fn same_compares_files_and_contents() {
        let (one, other) = (exercise("one"), exercise("one"));
        assert!(same(one.path(), other.path()).unwrap());
        other.write("src/lib.rs", "other");
        assert!(!same(one.path(), other.path()).unwrap());
        other.write("src/lib.rs", "one");
        other.write("src/more.rs", "");
        assert!(!same(one.path(), other.path()).unwrap());
    }
}
