//! How would the authors do it?

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result, bail};
use catalog::Exercise;

use crate::command::Asked;
use crate::course::Course;
use crate::paint::{self, dim};
use crate::sources::files_below;

/// Prints the reference answer, or where it is. Before the exercise has passed, only with `--peek`.
///
/// # Errors
///
/// When the exercise has not passed, or the file cannot be read.
pub fn solution(course: &Course, name: Option<&String>, asked: &Asked) -> Result<bool> {
    let exercise = course.one(name)?;
    if !asked.peek && !course.has_passed(exercise) {
        bail!(
            "{0} has not passed yet; to look all the same: cargo course solution {0} --peek",
            exercise.slug
        );
    }
    paint::say(if asked.path {
        paths(course, exercise)?
    } else {
        text(course, exercise)?
    });
    Ok(true)
}

/// The files of the reference answer, each with its name above.
///
/// # Errors
///
/// What `open(2)` reports, with the file's name.
pub fn text(course: &Course, exercise: &Exercise) -> Result<String> {
    let mut text = String::new();
    let src = exercise.solution.join("src");
    for file in files_below(&course.catalog.at(&src))? {
        let path = src.join(file);
        let _ = writeln!(text, "{}", dim(format_args!("// {}", path.display())));
        text += &fs::read_to_string(course.catalog.at(&path))
            .with_context(|| path.display().to_string())?;
    }
    Ok(text)
}

fn paths(course: &Course, exercise: &Exercise) -> Result<String> {
    let src = exercise.solution.join("src");
    let mut text = String::new();
    for file in files_below(&course.catalog.at(&src))? {
        let _ = writeln!(text, "{}", course.catalog.at(src.join(file)).display());
    }
    Ok(text)
}
