//! Is the course sound? Proves it: stubs fail, solutions pass, mistakes are caught, and the book says what is so.

mod chapters;
mod judge;
mod mutants;
mod soak;
mod table;
mod transcripts;
pub mod workshop;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use catalog::{Catalog, Chapter, Exercise};

use crate::clock;
use crate::command::{Asked, Usage};
use crate::course::Course;
use crate::grade;
use crate::paint::{self, Status, count};
use crate::process::Cancel;
use crate::sources;
use judge::{Judgement, Run};
use table::Row;
use workshop::{Built, Variant, Which};

/// A grader has deadlines of its own, and knows a hang when it sees one. Longer than this, and it does not.
const LIMIT: Duration = Duration::from_secs(30);

/// A mistake that hangs is to be rejected quickly: a learner waits for the verdict.
const QUICK: Duration = Duration::from_secs(5);

/// Proves what was asked for; everything, if nothing was.
///
/// # Errors
///
/// When something keeps the proof from being made. What it finds wrong is no error, but the answer `false`.
pub fn verify(course: &Course, asked: &Asked) -> Result<bool> {
    let catalog = &course.catalog;
    if asked.bless {
        return bless(catalog, &asked.names);
    }
    let everything = asked.names.is_empty() || asked.names.iter().any(|name| name == "all");
    let names = if everything {
        vec!["all".to_owned()]
    } else {
        asked.names.clone()
    };
    let exercises = course.many(&names)?;
    if asked.mutants {
        return mutants::prove(catalog, &exercises);
    }
    let chapters: Vec<&Chapter> = if everything {
        catalog.chapters.iter().collect()
    } else {
        names
            .iter()
            .filter_map(|name| catalog.chapter_named(name))
            .collect()
    };
    let mut wrong: Vec<String> = broken_data(catalog, &exercises, everything);
    let mut status = Status::new();

    let variants: Vec<Variant> = exercises
        .iter()
        .flat_map(|exercise| variants_of(exercise))
        .collect();
    let built = if variants.is_empty() {
        HashMap::new()
    } else {
        workshop::build(catalog, &variants, |line| {
            status.set(&format!(
                "building {}: {line}",
                count(variants.len(), "grader")
            ));
        })?
    };
    let trials = run_all(catalog, &variants, &built, &mut status);
    let mut rows: Vec<Row> = exercises
        .iter()
        .map(|exercise| row(course, exercise, &variants, &trials, asked.pristine))
        .collect();

    if asked.soak > 0 {
        soak::soak(
            catalog,
            &variants,
            &built,
            asked.soak,
            &mut rows,
            &mut status,
        );
    }
    let mut told = Vec::new();
    for chapter in chapters {
        status.set(&format!(
            "chapter {}: lines told, claims, links",
            chapter.dir
        ));
        told.push(chapters::proof(catalog, chapter, |line| status.set(line))?);
    }
    let pages: Vec<PathBuf> = if everything {
        let pages = weave::pages_on_disk(&catalog.root).unwrap_or_default();
        pages
            .into_iter()
            .map(|page| Path::new(weave::PAGES).join(page.path))
            .collect()
    } else {
        told.iter().map(|proof| proof.page.clone()).collect()
    };
    let mut replays = Vec::new();
    for page in pages.into_iter().filter(|page| catalog.at(page).is_file()) {
        status.set(&format!("replaying {}", page.display()));
        let replay = transcripts::replay(catalog, &page, false, |line| status.set(line))?;
        replays.push((page, replay));
    }
    if everything {
        wrong.extend(chapters::book(catalog));
    }
    status.clear();
    drop(status);

    paint::say(table::exercises(&rows));
    paint::say(table::chapters(&told));
    paint::say(table::replays(&replays));
    wrong.extend(rows.iter().flat_map(|row| row.wrong.iter().cloned()));
    wrong.extend(told.iter().flat_map(|proof| proof.wrong.iter().cloned()));
    // The book's own problems are among them when it is proven whole.
    wrong.extend(
        replays
            .iter()
            .flat_map(|(_, replay)| replay.wrong.iter().cloned()),
    );
    let mut seen = std::collections::HashSet::new();
    wrong.retain(|what| seen.insert(what.clone()));
    let not_run: usize = rows
        .iter()
        .map(|row| row.not_run + row.mistakes_not_run)
        .sum();
    let not_replayed: usize = replays.iter().map(|(_, replay)| replay.not_run.len()).sum();
    paint::say(table::findings(&wrong, not_run + not_replayed));
    Ok(wrong.is_empty())
}

/// Puts what the terminals of these chapters show now into their pages. The pages as they were are kept.
fn bless(catalog: &Catalog, names: &[String]) -> Result<bool> {
    if names.is_empty() {
        return Err(Usage("which chapter? cargo course verify --bless 3".into()).into());
    }
    let mut well = true;
    for name in names {
        let Some(chapter) = catalog.chapter_named(name) else {
            return Err(Usage(format!(
                "there is no chapter `{name}`: --bless takes chapters, such as 3"
            ))
            .into());
        };
        let (page, mut status) = (&chapter.page, Status::new());
        let before = std::fs::read_to_string(catalog.at(page))?;
        let backup = Path::new(".course/backup/pages").join(clock::now());
        std::fs::create_dir_all(catalog.at(&backup))?;
        let backup = backup.join(page.file_name().unwrap_or_default());
        std::fs::write(catalog.at(&backup), &before)?;
        let replay = transcripts::replay(catalog, page, true, |line| status.set(line))?;
        status.clear();
        if std::fs::read_to_string(catalog.at(page))? == before {
            std::fs::remove_file(catalog.at(&backup))?;
            paint::line(format_args!("{} stays as it is", page.display()));
        } else {
            paint::line(format_args!(
                "{} is rewritten; look at it with `git diff`",
                page.display()
            ));
            paint::line(format_args!("As it was, it is in {}", backup.display()));
        }
        well &= replay.wrong.is_empty();
        paint::say(table::findings(&replay.wrong, replay.not_run.len()));
    }
    Ok(well)
}

/// What the catalog found wrong with what is verified.
fn broken_data(catalog: &Catalog, exercises: &[&Exercise], everything: bool) -> Vec<String> {
    let concerns = |file: &std::path::Path| {
        everything
            || exercises.iter().any(|exercise| {
                file.starts_with(&exercise.dir) || file.starts_with(&exercise.solution)
            })
    };
    catalog
        .problems
        .iter()
        .filter(|problem| concerns(&problem.file))
        .map(ToString::to_string)
        .collect()
}

fn variants_of(exercise: &Exercise) -> Vec<Variant<'_>> {
    let mistakes = (0..exercise.mistakes.len()).map(Which::Mistake);
    [Which::Stub, Which::Solution]
        .into_iter()
        .chain(mistakes)
        .map(|which| Variant { exercise, which })
        .collect()
}

/// A variant on trial: how it was judged, and its report.
struct Trial {
    judgement: Judgement,
    points: u32,
    took: Duration,
}

/// Runs every grader, as many at a time as there are processors.
fn run_all(
    catalog: &Catalog,
    variants: &[Variant],
    built: &HashMap<String, Built>,
    status: &mut Status,
) -> Vec<Trial> {
    let done = AtomicUsize::new(0);
    let status = Mutex::new(status);
    in_parallel(variants.len(), |number| {
        let variant = &variants[number];
        let trial = try_one(catalog, variant, built.get(&variant.package()));
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Ok(mut status) = status.lock() {
            status.set(&format!(
                "grading {done} of {}: {}",
                variants.len(),
                variant.package()
            ));
        }
        trial
    })
}

/// Does `work` for each number below `of`, in as many threads as there are processors; the answers are in order.
fn in_parallel<T: Send>(of: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let answers: Mutex<Vec<(usize, T)>> = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism()
            .map_or(2, usize::from)
            .min(of)
        {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= of {
                        return;
                    }
                    let answer = work(number);
                    answers
                        .lock()
                        .expect("no work panics while it holds the lock")
                        .push((number, answer));
                }
            });
        }
    });
    let mut answers = answers
        .into_inner()
        .expect("no work panics while it holds the lock");
    answers.sort_by_key(|(number, _)| *number);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

fn try_one(catalog: &Catalog, variant: &Variant, built: Option<&Built>) -> Trial {
    let started = Instant::now();
    let messages = built.map_or(&[][..], |built| &built.messages);
    let Some(binary) = built.and_then(|built| built.binary.as_ref()) else {
        let first = messages
            .iter()
            .find(|message| message.contains("error"))
            .map_or("", |message| message.trim());
        let wrong = vec![format!(
            "{} does not compile:\n{first}",
            variant.file().display()
        )];
        return Trial {
            judgement: Judgement { wrong, not_run: 0 },
            points: 0,
            took: Duration::ZERO,
        };
    };
    let mut command = Command::new(binary);
    command.current_dir(catalog.at(&variant.exercise.dir));
    let (report, died) = match grade::run(&mut command, LIMIT * time_scale(), &Cancel::default()) {
        Ok((report, died)) => (report, died.map(|(how, output)| with_output(how, &output))),
        Err(error) => (crate::report::Report::default(), Some(format!("{error:#}"))),
    };
    let points = report.points().1;
    let run = Run { report, died };
    let mut judgement = match variant.which {
        Which::Stub => judge::stub(&run, messages),
        Which::Solution => judge::solution(&run),
        Which::Mistake(number) => judge::mistake(&variant.exercise.mistakes[number], &run),
    };
    let took = started.elapsed();
    if matches!(variant.which, Which::Mistake(_)) && took > QUICK * time_scale() {
        let name = variant.file();
        judgement.wrong.push(format!(
            "{}: rejected only after {} s",
            name.display(),
            took.as_secs()
        ));
    }
    Trial {
        judgement,
        points,
        took,
    }
}

/// Slow machines give graders more time; see the lab.
fn time_scale() -> u32 {
    std::env::var("LAB_TIME_SCALE")
        .ok()
        .and_then(|scale| scale.parse::<f64>().ok())
        .map_or(1, |scale| scale.ceil() as u32)
}

fn with_output(how: String, output: &str) -> String {
    match output.trim().lines().last() {
        Some(last) => format!("{how}; its last words: {last}"),
        None => how,
    }
}

fn row(
    course: &Course,
    exercise: &Exercise,
    variants: &[Variant],
    trials: &[Trial],
    pristine: bool,
) -> Row {
    let mut row = Row {
        slug: exercise.slug.clone(),
        mistakes: (0, exercise.mistakes.len()),
        ..Row::default()
    };
    for (variant, trial) in variants
        .iter()
        .zip(trials)
        .filter(|(variant, _)| variant.exercise.slug == exercise.slug)
    {
        let good = trial.judgement.wrong.is_empty();
        let proven = good && trial.judgement.not_run == 0;
        match variant.which {
            Which::Stub => row.stub = good,
            Which::Solution => {
                row.solution = good;
                row.points = trial.points;
                row.not_run = trial.judgement.not_run;
            }
            Which::Mistake(_) => {
                row.mistakes.0 += usize::from(proven || (good && trial.judgement.not_run == 0));
                row.mistakes_not_run += usize::from(good && trial.judgement.not_run > 0);
            }
        }
        row.took += trial.took;
        row.wrong.extend(
            trial
                .judgement
                .wrong
                .iter()
                .map(|what| format!("{}: {what}", exercise.slug)),
        );
    }
    let at = |path: &std::path::Path| course.catalog.at(path);
    match sources::same(&at(&exercise.dir.join("src")), &at(&exercise.pristine)) {
        Ok(true) => {}
        Ok(false) if pristine => row.wrong.push(format!(
            "{}/src differs from {}: `cargo course reset {}`, or copy it there if the new stub is meant",
            exercise.dir.display(),
            exercise.pristine.display(),
            exercise.slug,
        )),
        Ok(false) => row.edited = true,
        Err(error) => row.wrong.push(error.to_string()),
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parallel_answers_come_in_order() {
        assert_eq!(
            in_parallel(100, |number| number * 2),
            (0..100).map(|number| number * 2).collect::<Vec<_>>()
        );
        assert!(in_parallel(0, |number| number).is_empty());
    }
}
