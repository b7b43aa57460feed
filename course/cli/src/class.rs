//! How does a whole class stand? Grades a folder of submissions, for teachers.
//!
//! A learner's own machine has nobody to cheat, and its grader trusts what is in the folder. Here the answer is what
//! somebody handed in, and may do anything. So only the files that an exercise lets its learner edit are taken
//! ([`submission`]), laid over the course as it was committed ([`pristine`]), compiled and run in sandboxes ([`sandbox`],
//! [`jail`], [`cell`]), and looked at in between for whatever reaches for the grader ([`inspect`]).

mod cell;
mod engines;
mod inspect;
mod jail;
mod judge;
mod outputs;
mod place;
mod pristine;
mod result;
mod run;
mod sandbox;
mod submission;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::command::{Asked, Usage};
use crate::course::Course;

/// What this program does when it was started as a jail, or in a compiler's place.
pub fn serve() -> Option<ExitCode> {
    sandbox::serve().or_else(pristine::serve)
}

/// `class grade FOLDER` and `class files ENGINE`.
///
/// # Errors
///
/// [`Usage`] for words that mean nothing here; else what keeps the class from being graded.
pub fn class(course: &Course, asked: &Asked) -> Result<bool> {
    let [word, what] = &asked.names[..] else {
        return Err(
            Usage("which folder? cargo course class grade FOLDER --out results".into()).into(),
        );
    };
    match word.as_str() {
        "files" => engines::write(what, asked.out.as_deref()),
        "grade" => {
            let exercise = asked
                .exercise
                .as_ref()
                .map(|slug| course.one(Some(slug)))
                .transpose()?;
            let usual = std::thread::available_parallelism().map_or(1, usize::from);
            run::run(
                course,
                &run::Job {
                    folder: Path::new(what),
                    out: asked.out.as_deref().unwrap_or(Path::new("results")),
                    exercise,
                    jobs: asked.jobs.unwrap_or(usual),
                    sandboxed: !asked.unsandboxed,
                },
            )
        }
        other => Err(Usage(format!(
            "`class {other}` means nothing; it is `class grade FOLDER` or `class files ENGINE`"
        ))
        .into()),
    }
}
