//! `cargo course`: shows where you stand, grades what you save, and proves that the course is sound.
//!
//! One file a command, each a function that is called from [`run`]. What they share: [`course`] knows the exercises and
//! the progress, [`grade`] builds and runs a grader, [`verdict`] shows what it said.

mod claims;
mod class;
mod clock;
mod command;
mod compile;
mod course;
mod doctor;
mod grade;
mod hint;
mod list;
mod next;
mod paint;
mod process;
mod progress;
mod report;
mod reset;
#[cfg(test)]
mod scratch;
mod solution;
mod sources;
mod terminal;
mod trace;
mod verdict;
mod verify;
mod watch;
mod wire;

use std::process::ExitCode;

use anyhow::Result;

use command::{Asked, Usage, Verb};
use course::Course;

fn main() -> ExitCode {
    if let Some(end) = class::serve().or_else(trace::serve) {
        return end;
    }
    process::end_children_on_signals();
    terminal::restore_on_panic();
    match command::understand(std::env::args_os().skip(1)).and_then(|asked| run(&asked)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
        }
    }
}

/// Does what was asked. `false` is an answer that did not pass; an error is a question that could not be answered.
fn run(asked: &Asked) -> Result<bool> {
    let name = asked.names.first();
    if asked.verb == Verb::Help {
        paint::say(match name.map(String::as_str) {
            Some("--version") => format!("cargo-course {}\n", env!("CARGO_PKG_VERSION")),
            Some(name) => command::details(name)?,
            None => command::overview(),
        });
        return Ok(true);
    }
    let mut course = Course::open()?;
    match asked.verb {
        Verb::Watch => watch::watch(course),
        Verb::List => {
            list::list(&course, asked.json);
            Ok(true)
        }
        Verb::Grade => grade::command(&mut course, asked),
        Verb::Hint => hint::hint(&mut course, name, asked.all),
        Verb::Next => next::next(&mut course, name),
        Verb::Reset => reset::reset(&mut course, name),
        Verb::Solution => solution::solution(&course, name, asked),
        Verb::Claims => claims::claims(&course, name),
        Verb::Wire => wire::wire(&course, asked),
        Verb::Trace => trace::trace(&course, asked),
        Verb::Class => class::class(&course, asked),
        Verb::Verify => verify::verify(&course, asked),
        Verb::Doctor => Ok(doctor::doctor(&course)),
        Verb::Help => unreachable!("it needs no course, and was answered above"),
    }
}
