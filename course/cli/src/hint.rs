//! What could help? The hints of an exercise, one more each time.

use std::fmt::Write;

use anyhow::Result;
use catalog::Exercise;

use crate::course::Course;
use crate::paint::{self, bold, cyan, dim};

/// Shows the next hint of the exercise that is named or current, or all of them.
///
/// # Errors
///
/// When there is no such exercise.
pub fn hint(course: &mut Course, name: Option<&String>, all: bool) -> Result<bool> {
    let exercise = course.one(name)?.clone();
    paint::say(if all {
        every(&exercise)
    } else {
        one_more(course, &exercise)
    });
    Ok(true)
}

/// The first hint that was not shown yet, which counts as shown from now on. When all were, the last.
pub fn one_more(course: &mut Course, exercise: &Exercise) -> String {
    let of = exercise.hints.len();
    let shown = (course.store.progress().of(&exercise.slug).hints + 1).min(of);
    course
        .store
        .change(|progress| progress.hinted(&exercise.slug, shown));
    let Some(hint) = exercise.hints.get(shown.saturating_sub(1)) else {
        return format!("{} has no hints.\n", exercise.slug);
    };
    let mut text = format!(
        "{}  {}\n",
        bold(&exercise.slug),
        dim(format_args!("hint {shown} of {of}"))
    );
    text += &paint::paragraph(hint, 2);
    if shown < of {
        let _ = writeln!(
            text,
            "\n  One more: {}",
            cyan(format_args!("cargo course hint {}", exercise.slug))
        );
    } else {
        let command = cyan(format_args!(
            "cargo course solution {} --peek",
            exercise.slug
        ));
        let _ = writeln!(
            text,
            "\n  That was the last. The reference answer: {command}"
        );
    }
    text
}

fn every(exercise: &Exercise) -> String {
    let mut text = format!("{}\n", bold(&exercise.slug));
    for (number, hint) in exercise.hints.iter().enumerate() {
        let _ = write!(
            text,
            "\n  {}\n{}",
            dim(format_args!("hint {}", number + 1)),
            paint::paragraph(hint, 2)
        );
    }
    text
}
