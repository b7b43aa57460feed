//! Grading for a program that listens: each check when it ends, then what was on the wires, then the grade.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use catalog::Exercise;
use lab::wire::Wire;
use serde_json::json;

use super::{LIMIT, Ran, remember, run_heard};
use crate::compile::{self, Build};
use crate::course::Course;
use crate::events;
use crate::process::Cancel;
use crate::sources;
use crate::wire::Folder;

/// A drawing of more frames than these is no help.
const FRAMES: usize = 40;

/// Grades the exercises and says how it goes, as [`events`] does. `true` when all passed.
///
/// # Errors
///
/// As [`super::grade`].
pub fn grade(course: &mut Course, chosen: &[Exercise]) -> Result<bool> {
    let mut all = true;
    for exercise in chosen {
        all &= one(course, exercise, chosen.len() == 1)?;
    }
    Ok(all)
}

fn one(course: &mut Course, exercise: &Exercise, alone: bool) -> Result<bool> {
    let (catalog, cancel) = (&course.catalog, Cancel::default());
    events::tell("begin", json!({ "exercise": exercise.slug }));
    // Taken before the build: a save in between makes it `changed`, which errs on the right side.
    let sources = sources::fingerprint(&catalog.at(&exercise.dir))?;
    let built = compile::test_binary(
        &catalog.root,
        &exercise.slug,
        "grade",
        &cancel,
        events::busy,
    )?;
    let (binary, warnings) = match built {
        Build::Ready { binary, warnings } => (binary, warnings),
        Build::Rejected(messages) => {
            events::tell("compiler", json!({ "text": messages }));
            events::tell("end", json!({ "exercise": exercise.slug, "passed": false }));
            return Ok(false);
        }
        Build::Canceled => return Ok(false),
    };
    let captures = Folder::new()?;
    let mut command = Command::new(&binary);
    command
        .current_dir(catalog.at(&exercise.dir))
        .env("LAB_CAPTURES", captures.path());
    let (report, died) = run_heard(&mut command, LIMIT, &cancel, |check| {
        events::check(exercise, check);
    })?;
    for check in &report.checks {
        for record in records(captures.path(), &check.name) {
            events::tell("wire", json!({ "check": check.name, "record": record }));
        }
    }
    let ran = Ran {
        report,
        warnings,
        died,
        sources,
    };
    remember(course, exercise, &ran, alone);
    let (points, of) = ran.report.points();
    let next = course.unsolved_after(&exercise.slug);
    events::tell(
        "end",
        json!({
            "exercise": exercise.slug,
            "passed": ran.passed(),
            "points": points,
            "of": of,
            "next": next.map(|next| json!({
                "slug": next.slug,
                "title": next.title,
                "place": format!("{}#{}", next.chapter, next.anchor()),
            })),
            "warnings": ran.warnings,
            "died": ran.died.as_ref().map(|(how, _)| how),
            "output": ran.died.as_ref().map(|(_, output)| output),
        }),
    );
    Ok(ran.passed())
}

/// What was on a check's wires, without what hosts send on their own; the last frames where there are many.
fn records(captures: &Path, check: &str) -> Vec<String> {
    let first = captures.join(format!("{check}.wire"));
    let more = (2..).map(|number| captures.join(format!("{check}-{number}.wire")));
    std::iter::once(first)
        .chain(more)
        .map_while(|file| fs::read_to_string(file).ok())
        .filter_map(|text| {
            let wire = Wire::from_record(&text).ok()?.without_upkeep();
            let frames = wire.frames();
            let first = frames.get(frames.len().saturating_sub(FRAMES))?.number;
            Some(wire.only(|frame| frame.number >= first).record())
        })
        .collect()
}
