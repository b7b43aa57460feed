//! Who is graded, in which order, and what is said meanwhile? All students of a folder, several at a time.
//!
//! A student's grades are written as soon as each is known. So nothing is lost when the run is interrupted: the next run
//! keeps every grade whose digest is the same.

use std::collections::HashMap;
use std::fs;
use std::io::IsTerminal;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use catalog::Exercise;
use serde_json::Value;

use super::judge::{Bench, Desk, Limits};
use super::outputs::{csv, gradescope, junit, store};
use super::pristine::Pristine;
use super::result::{Outcome, Result as Graded, Student};
use super::{sandbox, submission};
use crate::course::Course;
use crate::paint::{self, Status, bold, count, line};

/// What to grade.
pub struct Job<'a> {
    /// The folder of submissions.
    pub folder: &'a Path,
    /// Where the results go.
    pub out: &'a Path,
    /// The only exercise, or all.
    pub exercise: Option<&'a Exercise>,
    /// How many at a time.
    pub jobs: usize,
    /// With namespaces.
    pub sandboxed: bool,
}

/// Grades a class. Whether the machine did its part: a student's failure is not one of this program.
///
/// # Errors
///
/// When nothing can be graded, or results cannot be written.
pub fn run(course: &Course, job: &Job) -> Result<bool> {
    let began = Instant::now();
    let folders = folders(job)?;
    fs::create_dir_all(job.out).with_context(|| format!("cannot write {}", job.out.display()))?;
    if nix::unistd::geteuid().is_root() {
        // What compilers and graders must read is read by another user than root.
        nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
    }
    let mut status = Status::new();
    status.set("preparing");
    let pristine = Pristine::new(&course.catalog)?;
    let benches: Vec<Bench> = (0..job.jobs)
        .map(|number| bench(&pristine, number, job.sandboxed))
        .collect::<Result<_>>()?;
    if job.sandboxed {
        sandbox::probe(&benches[0].folder.join("root")).map_err(|why| {
            let why = format!("{why:#}").replace("the sandbox cannot be made: ", "");
            anyhow::anyhow!(
                "no sandbox can be made here ({why}); allow user namespaces (cargo course doctor), or trust the submissions and say --unsandboxed"
            )
        })?;
    }
    let wanted = wanted(course, job, &folders, &pristine);
    let recipes = pristine.build(&wanted, |said| status.set(said))?;
    let mut desks = Vec::new();
    for (exercise, recipe) in wanted.iter().zip(recipes) {
        status.set(&format!("looking at what {} checks", exercise.slug));
        desks.push(Desk::new(exercise, recipe, &benches[0])?);
    }
    drop(status);
    let told = Mutex::new(Told::new(folders.len()));
    let students = Mutex::new(HashMap::new());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for bench in &benches {
            scope.spawn(|| {
                while let Some(folder) = folders.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let (student, failed) = grade_student(job, folder, &desks, bench, &told);
                    let mut told = lock(&told);
                    told.done += 1;
                    if let Some(error) = failed {
                        told.not_written.get_or_insert(error);
                    }
                    lock(&students).insert(folder.name.clone(), student);
                }
            });
        }
    });
    let mut graded = students
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let students: Vec<Student> = folders
        .iter()
        .filter_map(|folder| graded.remove(&folder.name))
        .collect();
    let slugs: Vec<String> = wanted
        .iter()
        .map(|exercise| exercise.slug.clone())
        .collect();
    store(&job.out.join("scores.csv"), &csv(&students, &slugs)).context("scores.csv")?;
    store(&job.out.join("junit.xml"), &junit(&students)).context("junit.xml")?;
    let told = told.into_inner().unwrap_or_else(PoisonError::into_inner);
    summary(&students, &told, began, &pristine, job);
    if let Some(error) = told.not_written {
        bail!("{error}");
    }
    Ok(students
        .iter()
        .flat_map(|student| &student.results)
        .all(|result| result.outcome != Outcome::Fault))
}

/// A student's folder.
struct Folder {
    path: PathBuf,
    /// For the results' folder, and to be shown.
    name: String,
    /// Why nothing in it is looked at.
    barred: Option<&'static str>,
}

fn folders(job: &Job) -> Result<Vec<Folder>> {
    let shown = job.folder.display();
    let entries = match fs::read_dir(job.folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            bail!("{shown} is a file; name a folder that has a folder for each student")
        }
        Err(error) => bail!("{shown}: {error}; name a folder that has a folder for each student"),
    };
    let out = fs::canonicalize(job.out).ok();
    let mut folders: Vec<Folder> = Vec::new();
    let mut entries: Vec<_> = entries
        .collect::<std::io::Result<_>>()
        .with_context(|| shown.to_string())?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type()?;
        if entry.file_name().as_encoded_bytes().starts_with(b".")
            || out.is_some() && fs::canonicalize(&path).ok() == out
        {
            continue;
        }
        let plain = submission::printable(Path::new(&entry.file_name()));
        if !kind.is_dir() && !kind.is_symlink() {
            eprintln!("note: {plain} is not a student's folder; it is left out");
            continue;
        }
        let mut name = plain.clone();
        let mut number = 1;
        let taken = |name: &String| {
            ["scores.csv", "junit.xml"].contains(&name.as_str())
                || folders.iter().any(|folder| folder.name == *name)
        };
        while taken(&name) {
            number += 1;
            name = format!("{plain}-{number}");
        }
        let barred = kind
            .is_symlink()
            .then_some("the folder is a symbolic link; links are not followed");
        folders.push(Folder { path, name, barred });
    }
    if folders.is_empty() {
        bail!("{shown} has no folders; it must have a folder for each student");
    }
    Ok(folders)
}

/// The exercises that somebody handed in.
fn wanted<'a>(
    course: &'a Course,
    job: &Job<'a>,
    folders: &[Folder],
    pristine: &Pristine,
) -> Vec<&'a Exercise> {
    if let Some(exercise) = job.exercise {
        return vec![exercise];
    }
    let exercises = course.catalog.exercises.iter();
    let handed_in = |exercise: &&Exercise| {
        let package = pristine.tree.join(&exercise.dir);
        package.is_dir()
            && folders.iter().any(|folder| {
                folder.barred.is_none()
                    && submission::find(&folder.path, exercise, false, &package).is_some()
            })
    };
    exercises.filter(handed_in).collect()
}

fn bench(pristine: &Pristine, number: usize, sandboxed: bool) -> Result<Bench<'_>> {
    let folder = pristine.home.join(format!("bench-{number}"));
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(folder.join("root"))?;
    Ok(Bench {
        pristine,
        folder,
        sandboxed,
        limits: Limits::from_environment(),
    })
}

/// Grades what a student handed in; beside it, why it could not be written.
fn grade_student(
    job: &Job,
    folder: &Folder,
    desks: &[Desk],
    bench: &Bench,
    told: &Mutex<Told>,
) -> (Student, Option<String>) {
    let mut student = Student {
        name: folder.name.clone(),
        results: Vec::new(),
        notes: Vec::new(),
    };
    if folder.name.contains('\u{fffd}') {
        student
            .notes
            .push("the folder's name has characters that cannot be shown".to_owned());
    }
    let out = job.out.join(&folder.name);
    let before = earlier(&out);
    let mut failed = None;
    for desk in desks {
        let package = bench.pristine.tree.join(&desk.exercise.dir);
        let answer = match folder.barred {
            Some(why) => Some(submission::Answer {
                refused: Some(why.to_owned()),
                ..Default::default()
            }),
            None => submission::find(
                &folder.path,
                desk.exercise,
                job.exercise.is_some(),
                &package,
            ),
        };
        let result = match answer {
            None => {
                let mut missing = Graded::new(desk.exercise, desk.of(), String::new());
                missing.end(Outcome::Missing, "there is no answer to it".to_owned());
                missing
            }
            Some(answer) => {
                let digest = desk.digest(bench.pristine, &answer);
                let kept = before
                    .get(&desk.exercise.slug)
                    .filter(|kept| kept.digest == digest && kept.outcome != Outcome::Fault);
                let mut result = kept.cloned().unwrap_or_else(|| {
                    catch_unwind(AssertUnwindSafe(|| bench.grade(desk, &answer))).unwrap_or_else(
                        |_| {
                            let mut broken = Graded::new(desk.exercise, desk.of(), digest);
                            broken.end(
                                Outcome::Fault,
                                "this program failed over it; please report it".to_owned(),
                            );
                            broken
                        },
                    )
                });
                result.ignored.clone_from(&answer.ignored);
                result
            }
        };
        student.results.push(result.clone());
        if let Err(error) = write(&student, &out, bench.pristine) {
            failed = Some(format!("{}: {error}", out.display()));
        }
        // What was said is also kept.
        lock(told).tell(&student.name, &result);
    }
    if let Err(error) = write(&student, &out, bench.pristine) {
        failed = Some(format!("{}: {error}", out.display()));
    }
    (student, failed)
}

fn write(student: &Student, out: &Path, pristine: &Pristine) -> std::io::Result<()> {
    fs::create_dir_all(out)?;
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default() + "\n";
    store(
        &out.join("grade.json"),
        &pretty(&student.json(&pristine.origin)),
    )?;
    // Where the machine failed there is no score, rather than none of the points.
    if student
        .results
        .iter()
        .all(|result| result.outcome != Outcome::Fault)
    {
        store(&out.join("results.json"), &pretty(&gradescope(student)))?;
    }
    Ok(())
}

/// The grades of an earlier run, by exercise.
fn earlier(out: &Path) -> HashMap<String, Graded> {
    let text = fs::read_to_string(out.join("grade.json")).unwrap_or_default();
    let value: Value = serde_json::from_str(&text).unwrap_or_default();
    if value["schema"] != super::result::SCHEMA {
        return HashMap::new();
    }
    let results = value["exercises"].as_array().cloned().unwrap_or_default();
    results
        .iter()
        .filter_map(Graded::read)
        .map(|result| (result.exercise.clone(), result))
        .collect()
}

/// What was said so far.
struct Told {
    done: usize,
    of: usize,
    began: Instant,
    /// Results that were not taken over.
    fresh: usize,
    kept: usize,
    cpu: [std::time::Duration; 2],
    status: Status,
    not_written: Option<String>,
}

impl Told {
    fn new(of: usize) -> Told {
        Told {
            done: 0,
            of,
            began: Instant::now(),
            fresh: 0,
            kept: 0,
            cpu: Default::default(),
            status: Status::new(),
            not_written: None,
        }
    }

    fn tell(&mut self, student: &str, result: &Graded) {
        if result.kept {
            self.kept += 1;
        } else {
            self.fresh += 1;
            self.cpu[0] += result.cpu[0];
            self.cpu[1] += result.cpu[1];
        }
        let what = format!("{student}: {}: {}", result.exercise, shown(result));
        if std::io::stderr().is_terminal() {
            let left = if self.done > 1 {
                let each = self.began.elapsed() / self.done as u32;
                format!(
                    ", {} s left",
                    (each * (self.of - self.done) as u32).as_secs()
                )
            } else {
                String::new()
            };
            self.status
                .set(&format!("{} of {}{left} · {what}", self.done, self.of));
        } else {
            line(format_args!(
                "{what}{}",
                if result.kept { ", kept" } else { "" }
            ));
        }
    }
}

fn shown(result: &Graded) -> String {
    format!(
        "{}, {} of {}",
        result.outcome.name(),
        result.points,
        result.of
    )
}

fn summary(students: &[Student], told: &Told, began: Instant, pristine: &Pristine, job: &Job) {
    let results = || {
        students
            .iter()
            .flat_map(|student| student.results.iter().map(move |result| (student, result)))
    };
    for (student, result) in
        results().filter(|(_, result)| matches!(result.outcome, Outcome::Refused | Outcome::Fault))
    {
        line(format_args!(
            "{} {}: {}: {}",
            bold(result.outcome.name()),
            student.name,
            result.exercise,
            result.why
        ));
    }
    for student in students.iter().filter(|student| student.results.is_empty()) {
        line(format_args!(
            "{}: no exercise was found; for a bare src/lib.rs say which with --exercise SLUG",
            student.name
        ));
    }
    let mut counts = Vec::new();
    for outcome in super::result::Outcome::ALL {
        let n = results()
            .filter(|(_, result)| result.outcome == outcome)
            .count();
        if n > 0 {
            counts.push(format!("{n} {}", outcome.name()));
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    line(format_args!(
        "{}: {}",
        paint::count(students.len(), "student"),
        counts.join(", ")
    ));
    line(format_args!(
        "{} in {seconds:.1} s, {} kept; {:.1} s of processor time for compilers, {:.1} s for checks",
        count(told.fresh, "answer"),
        told.kept,
        told.cpu[0].as_secs_f64(),
        told.cpu[1].as_secs_f64(),
    ));
    line(format_args!(
        "against {}; results in {}",
        pristine.origin,
        job.out.display()
    ));
}

fn lock<T>(what: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
