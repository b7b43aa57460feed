//! Which exercise is next?

use anyhow::Result;

use crate::course::Course;
use crate::paint;

/// Makes the exercise that is named the current one, else the next unsolved one.
///
/// # Errors
///
/// When there is no such exercise.
pub fn next(course: &mut Course, name: Option<&String>) -> Result<bool> {
    let chosen = match name {
        Some(_) => Some(course.one(name)?),
        None => course.unsolved_after(&course.one(None)?.slug),
    };
    let Some(exercise) = chosen.cloned() else {
        paint::line("There is no other exercise that you have not solved.");
        return Ok(true);
    };
    course
        .store
        .change(|progress| progress.current = Some(exercise.slug.clone()));
    paint::say(course.introduce(&exercise));
    Ok(true)
}
