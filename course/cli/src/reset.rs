//! How does one start over, and lose nothing?
//!
//! The learner's files are copied to `.course/backup/<slug>/<time>/` first. Only when all of them are there is anything
//! changed. Each file is put in place whole, so that a full disk or a Ctrl-C leaves the old file or the new one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::clock;
use crate::course::Course;
use crate::paint::{self, cyan};
use crate::progress::write_atomically;
use crate::sources::{files_below, same};

/// Makes an exercise what it was at first.
///
/// # Errors
///
/// When there is no such exercise, its first state is not kept, or the backup cannot be made; then nothing is changed.
pub fn reset(course: &mut Course, name: Option<&String>) -> Result<bool> {
    let exercise = course.one(name)?.clone();
    let (src, pristine) = (
        course.catalog.at(exercise.dir.join("src")),
        course.catalog.at(&exercise.pristine),
    );
    if !pristine.is_dir() {
        bail!(
            "{}: its first state is missing; nothing was changed",
            exercise.pristine.display()
        );
    }
    if src.is_dir() && same(&src, &pristine)? {
        paint::line(format_args!(
            "{} is as it was at first; there is nothing to reset.",
            exercise.slug
        ));
        return Ok(true);
    }
    let backups = Path::new(".course/backup").join(&exercise.slug);
    let backup = back_up(&src, &course.catalog.at(&backups), &clock::now()).with_context(|| {
        format!(
            "cannot back up your files in {}; nothing was changed",
            backups.display()
        )
    })?;
    restore(&pristine, &src).with_context(|| format!("your files are in {}", backup.display()))?;
    course
        .store
        .change(|progress| progress.forget(&exercise.slug));
    let shown = backup.strip_prefix(&course.catalog.root).unwrap_or(&backup);
    paint::line(format_args!("{} is as it was at first.", exercise.slug));
    paint::line(format_args!("Your files are in {}", cyan(shown.display())));
    Ok(true)
}

/// Copies all files below `src` to a new directory `backups/<time>`, and returns its name. It exists under that name
/// only when the copy is complete, and no older backup is touched.
fn back_up(src: &Path, backups: &Path, time: &str) -> io::Result<PathBuf> {
    fs::create_dir_all(backups)?;
    let unfinished = claim(backups, &format!(".{time}"))?;
    let copied = copy(src, &unfinished);
    if let Err(error) = copied {
        let _ = fs::remove_dir_all(&unfinished);
        return Err(error);
    }
    // The empty directory takes the name, so that two resets in one second get two names; rename(2) then replaces it.
    let finished = claim(backups, time)?;
    fs::rename(&unfinished, &finished)?;
    Ok(finished)
}

/// Makes a directory that did not exist: `name`, or `name-2`, `name-3`…
fn claim(dir: &Path, name: &str) -> io::Result<PathBuf> {
    let mut number = 1;
    loop {
        let path = dir.join(if number == 1 {
            name.to_owned()
        } else {
            format!("{name}-{number}")
        });
        match fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
            Ok(()) => return Ok(path),
        }
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return Ok(());
    }
    for file in files_below(from)? {
        let target = to.join(&file);
        fs::create_dir_all(target.parent().unwrap_or(to))?;
        fs::copy(from.join(&file), target)?;
    }
    Ok(())
}

/// Makes `src` equal to `pristine`.
fn restore(pristine: &Path, src: &Path) -> Result<()> {
    let wanted = files_below(pristine)?;
    for file in &wanted {
        let target = src.join(file);
        fs::create_dir_all(target.parent().unwrap_or(src))?;
        write_atomically(&target, &fs::read(pristine.join(file))?)
            .with_context(|| format!("cannot write {}", target.display()))?;
    }
    for file in files_below(src)? {
        if !wanted.contains(&file) {
            fs::remove_file(src.join(&file))
                .with_context(|| format!("cannot remove {}", file.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn backups_of_one_second_do_not_collide() {
        let dir = Scratch::new();
        dir.write("src/lib.rs", "one");
        let (src, backups) = (dir.path().join("src"), dir.path().join("backup"));
        let first = back_up(&src, &backups, "now").unwrap();
        dir.write("src/lib.rs", "two");
        let second = back_up(&src, &backups, "now").unwrap();
        assert_eq!(fs::read_to_string(first.join("lib.rs")).unwrap(), "one");
        assert_eq!(fs::read_to_string(second.join("lib.rs")).unwrap(), "two");
    }

    #[test]
    fn what_cannot_be_copied_whole_leaves_no_backup() {
        let dir = Scratch::new();
        dir.write("src/lib.rs", "one");
        // A link to nowhere cannot be copied, by root neither.
        std::os::unix::fs::symlink("nowhere", dir.path().join("src/zzz.rs")).unwrap();
        let backups = dir.path().join("backup");
        assert!(back_up(&dir.path().join("src"), &backups, "now").is_err());
        assert_eq!(fs::read_dir(&backups).unwrap().count(), 0);
    }

    #[test]
    fn restoring_adds_replaces_and_removes() {
        let dir = Scratch::new();
        dir.write("stub/lib.rs", "stub");
        dir.write("stub/part/mod.rs", "part");
        dir.write("src/lib.rs", "mine");
        dir.write("src/extra.rs", "mine");
        restore(&dir.path().join("stub"), &dir.path().join("src")).unwrap();
        assert!(same(&dir.path().join("stub"), &dir.path().join("src")).unwrap());
        assert_eq!(dir.read("src/part/mod.rs"), "part");
    }
}
