//! What is there, and what is done?

use std::fmt::Write;

use serde_json::json;

use crate::course::{Course, Standing};
use crate::paint::{self, bold, count, cyan, dim, width};

/// Lists all exercises by chapter, for people or for programs. Broken data is said on standard error.
pub fn list(course: &Course, json: bool) {
    course.complain();
    paint::say(if json {
        for_programs(course)
    } else {
        for_people(course)
    });
}

/// The list, for people.
pub fn for_people(course: &Course) -> String {
    let current = course.current().map(|exercise| exercise.slug.as_str());
    let exercises = &course.catalog.exercises;
    let widest = exercises
        .iter()
        .map(|exercise| exercise.slug.len())
        .max()
        .unwrap_or(0);
    let room = width().saturating_sub(widest + 6 + 18);
    let mut text = String::new();
    for chapter in &course.catalog.chapters {
        let mut of_chapter = course.catalog.exercises_of(&chapter.dir).peekable();
        if of_chapter.peek().is_none() {
            continue;
        }
        text += &course.standing_line(chapter);
        for exercise in of_chapter {
            let standing = course.standing(exercise);
            let here = if current == Some(&exercise.slug) {
                cyan("›")
            } else {
                " ".to_owned()
            };
            let slug = format!("{:widest$}", exercise.slug);
            let slug = if current == Some(&exercise.slug) {
                bold(slug)
            } else {
                slug
            };
            let kind = format!("{:7} {}", exercise.kind, "▪".repeat(exercise.level.into()));
            let _ = write!(
                text,
                "{here} {} {slug}  {}",
                standing.mark(),
                dim(format_args!("{kind:11}"))
            );
            let said = match standing {
                Standing::New => exercise.title.clone(),
                Standing::Done => points(course, &exercise.slug),
                Standing::Changed => "changed since it passed".to_owned(),
                Standing::Failing => "failing".to_owned(),
            };
            let _ = write!(text, "  {}", paint::shortened(&said, room));
            text.push('\n');
        }
        text.push('\n');
    }
    match course.current() {
        None => text + "There are no exercises yet.\n",
        Some(_) if course.solved(|_| true).0 == exercises.len() => {
            text + &format!("All {} passed.\n", count(exercises.len(), "exercise"))
        }
        Some(current) => {
            text + &format!(
                "{} grades {} on each save.\n",
                cyan("cargo course"),
                current.slug
            )
        }
    }
}

/// `done`, with the points when some are missing because this machine could not run a check.
fn points(course: &Course, slug: &str) -> String {
    match course.store.progress().of(slug).passed {
        Some(passed) if passed.points < passed.of => {
            format!("done, {} of {} points run here", passed.points, passed.of)
        }
        _ => "done".to_owned(),
    }
}

/// The list, for programs.
fn for_programs(course: &Course) -> String {
    let current = course.current().map(|exercise| exercise.slug.clone());
    let exercises = course.catalog.exercises.iter().map(|exercise| {
        let entry = course.store.progress().of(&exercise.slug);
        json!({
            "slug": exercise.slug,
            "title": exercise.title,
            "chapter": exercise.chapter,
            "kind": exercise.kind.name(),
            "level": exercise.level,
            "file": exercise.main_file(),
            "section": exercise.section.to_string(),
            "standing": course.standing(exercise).name(),
            "current": current.as_ref() == Some(&exercise.slug),
            "points": entry.passed.as_ref().map(|passed| passed.points),
            "of": entry.passed.as_ref().map(|passed| passed.of),
        })
    });
    let list: Vec<_> = exercises.collect();
    serde_json::to_string_pretty(&list).expect("it has only strings for keys") + "\n"
}
