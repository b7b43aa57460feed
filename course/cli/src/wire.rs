//! What was on the wire? A record that the book draws, or what the checks of an exercise, a test or a program send now.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use catalog::{Catalog, Chapter};
use lab::wire::Wire;

use crate::command::{Asked, Usage};
use crate::compile::{self, Build};
use crate::course::Course;
use crate::grade;
use crate::paint::{self, Status, bold, dim};
use crate::process::Cancel;
use crate::report::Outcome;

/// Checks have deadlines of their own. Longer than this, and the test itself is stuck.
const LIMIT: Duration = Duration::from_mins(5);

/// Checks to run: a test binary of a package, and one check of it or all.
pub struct Target {
    package: String,
    test: String,
    check: Option<String>,
    /// Where cargo runs it.
    folder: PathBuf,
}

/// Shows what was on the wire.
///
/// # Errors
///
/// When nothing is called so, nothing was on a wire, or a file cannot be written.
pub fn wire(course: &Course, asked: &Asked) -> Result<bool> {
    let catalog = &course.catalog;
    let name = asked
        .names
        .first()
        .map_or("", |name| name.trim_end_matches('/'));
    if let Some(file) = record(catalog, name)? {
        let text =
            fs::read_to_string(catalog.at(&file)).with_context(|| file.display().to_string())?;
        let wire = Wire::from_record(&text)
            .map_err(|(line, what)| anyhow::anyhow!("{}:{line}: {what}", file.display()))?;
        paint::say(wire.ladder());
        if let Some(out) = &asked.out {
            let mut bytes = Vec::new();
            wire.pcapng(&mut bytes)?;
            save(out, &bytes)?;
        }
        return Ok(true);
    }
    let targets = targets(course, name)?;
    let folder = Folder::new()?;
    for target in &targets {
        run(catalog, target, &[("LAB_CAPTURES", &folder.0)])?;
    }
    // What was on the wire is the answer, also where a check fails: then all the more.
    show(name, &folder.0, asked.out.as_deref())?;
    Ok(true)
}

/// The file of a record: `start-to-end`, or `05-tcp-client-server/start-to-end` where two chapters have one.
fn record(catalog: &Catalog, name: &str) -> Result<Option<PathBuf>> {
    let (chapter, name) = match name.rsplit_once('/') {
        Some((chapter, name)) => (Some(chapter.rsplit('/').next().unwrap_or(chapter)), name),
        None => (None, name),
    };
    let chapters = catalog
        .chapters
        .iter()
        .filter(|known| chapter.is_none_or(|chapter| known.dir == chapter));
    let files = chapters.map(|chapter| {
        chapter
            .path
            .join("wire")
            .join(format!("{}.wire", name.trim_end_matches(".wire")))
    });
    let found: Vec<PathBuf> = files.filter(|file| catalog.at(file).is_file()).collect();
    if found.len() > 1 {
        let names: Vec<String> = found
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        return Err(Usage(format!(
            "there are {}: write the chapter before it, 05-tcp-client-server/{name}",
            names.join(" and ")
        ))
        .into());
    }
    Ok(found.into_iter().next())
}

/// The checks that are meant by a word: an exercise's, one of a chapter's test, or those that run a program.
///
/// # Errors
///
/// [`Usage`] when nothing is called so.
pub fn targets(course: &Course, name: &str) -> Result<Vec<Target>> {
    let catalog = &course.catalog;
    if let Ok(exercise) = catalog.exercise(name) {
        return Ok(vec![Target {
            package: exercise.slug.clone(),
            test: "grade".into(),
            check: None,
            folder: catalog.at(&exercise.dir),
        }]);
    }
    let check = name.replace('-', "_");
    let is_check = !check.is_empty()
        && check
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    for chapter in catalog.chapters.iter().filter(|_| is_check) {
        let tests = tests_with(
            catalog,
            chapter,
            &[&format!("fn {check}(cx"), &format!("fn {check}(_cx")],
        );
        if let Some(test) = tests.into_iter().next() {
            return Ok(vec![target(catalog, chapter, test, Some(check))]);
        }
    }
    for chapter in &catalog.chapters {
        if chapter.programs.iter().any(|program| program.name == name) {
            let tests = tests_with(catalog, chapter, &[&format!("CARGO_BIN_EXE_{name}\"")]);
            if tests.is_empty() {
                bail!("no test of {} runs `{name}`", chapter.path.display());
            }
            return Ok(tests
                .into_iter()
                .map(|test| target(catalog, chapter, test, None))
                .collect());
        }
    }
    let records = catalog
        .chapters
        .iter()
        .flat_map(|chapter| names_in(catalog, &chapter.path.join("wire"), "wire"));
    let programs = catalog
        .chapters
        .iter()
        .flat_map(|chapter| chapter.programs.iter().map(|program| program.name.clone()));
    let slugs = catalog
        .exercises
        .iter()
        .map(|exercise| exercise.slug.clone());
    let known: Vec<String> = records.chain(programs).chain(slugs).collect();
    let near = catalog::nearest(name, known.iter().map(String::as_str));
    let meant = near.first().map_or_else(
        || "`cargo course help wire` says what can be".to_owned(),
        |near| format!("did you mean {near}?"),
    );
    Err(Usage(format!(
        "no record, exercise, check or program is called `{name}`; {meant}"
    ))
    .into())
}

fn target(catalog: &Catalog, chapter: &Chapter, test: String, check: Option<String>) -> Target {
    Target {
        package: chapter.package.clone(),
        test,
        check,
        folder: catalog.at(&chapter.path),
    }
}

/// The test binaries of a chapter whose files have one of these words.
fn tests_with(catalog: &Catalog, chapter: &Chapter, words: &[&str]) -> Vec<String> {
    let folder = chapter.path.join("tests");
    let files = catalog.rust_files(&folder);
    let has = |file: &Path| {
        let text = fs::read_to_string(catalog.at(file)).unwrap_or_default();
        words.iter().any(|word| text.contains(word))
    };
    let first = |file: &Path| {
        let inside = file.strip_prefix(&folder).ok()?;
        let name = inside.components().next()?.as_os_str().to_str()?;
        Some(name.trim_end_matches(".rs").to_owned())
    };
    let all: Vec<String> = files
        .iter()
        .filter(|file| file.parent() == Some(&folder))
        .filter_map(|file| first(file))
        .collect();
    let mut found = Vec::new();
    for part in files
        .iter()
        .filter(|file| has(file))
        .filter_map(|file| first(file))
    {
        // A folder that is no binary is a module of several: of all that say so.
        let users = all.iter().filter(|test| {
            **test == part
                || !all.contains(&part)
                    && has_module(
                        &fs::read_to_string(catalog.at(folder.join(format!("{test}.rs"))))
                            .unwrap_or_default(),
                        &part,
                    )
        });
        found.extend(users.cloned());
    }
    found.sort();
    found.dedup();
    found
}

fn has_module(text: &str, name: &str) -> bool {
    text.contains(&format!("mod {name};"))
}

/// Runs checks, with these variables that name folders for what they save, and says which of them did not pass.
///
/// # Errors
///
/// When they do not compile, or do not come to an end.
pub fn run(catalog: &Catalog, target: &Target, folders: &[(&str, &Path)]) -> Result<()> {
    let mut status = Status::new();
    status.set(&format!("building {}", target.package));
    let cancel = Cancel::default();
    let built = compile::test_binary(
        &catalog.root,
        &target.package,
        &target.test,
        &cancel,
        |line| status.set(line),
    )?;
    let binary = match built {
        Build::Ready { binary, .. } => binary,
        Build::Rejected(messages) => bail!(
            "{} does not compile:\n{}",
            target.package,
            messages.trim_end()
        ),
        Build::Canceled => return Ok(()),
    };
    status.set(&format!(
        "running {} of {}",
        target.check.as_deref().unwrap_or("the checks"),
        target.package
    ));
    let mut command = Command::new(binary);
    command
        .current_dir(&target.folder)
        .envs(folders.iter().copied());
    if let Some(check) = &target.check {
        command.args(["--exact", check]);
    }
    let (report, died) = grade::run(&mut command, LIMIT, &cancel)?;
    status.clear();
    if let Some((how, _)) = died {
        bail!("{}: {how}", target.package);
    }
    let others = report
        .checks
        .iter()
        .filter(|check| check.outcome != Outcome::Pass);
    let others: Vec<String> = others
        .map(|check| match check.outcome {
            Outcome::NotRun => format!("{} ({})", check.name, check.why),
            _ => check.name.clone(),
        })
        .collect();
    if !others.is_empty() {
        eprintln!("note: not passed: {}", others.join(", "));
    }
    Ok(())
}

/// Shows the wires that were saved, each under the name of its check.
fn show(name: &str, captures: &Path, out: Option<&Path>) -> Result<()> {
    let mut shown = Vec::new();
    for check in names_below(captures, "wire") {
        let text = fs::read_to_string(captures.join(format!("{check}.wire")))?;
        let wire = Wire::from_record(&text)
            .map_err(|(line, what)| anyhow::anyhow!("{check}:{line}: {what}"))?;
        if !wire.without_upkeep().frames().is_empty() {
            shown.push((check, wire));
        }
    }
    if shown.is_empty() {
        bail!(
            "nothing was on a wire: the checks of `{name}` use no hosts, or this machine has none (see `cargo course doctor`)"
        );
    }
    for (number, (check, wire)) in shown.iter().enumerate() {
        if number > 0 {
            paint::line("");
        }
        paint::line(bold(check));
        paint::say(wire.without_upkeep().ladder());
    }
    for (check, _) in out.iter().flat_map(|_| &shown) {
        let out = out.unwrap_or(captures);
        let file = match shown.len() {
            1 => out.to_owned(),
            _ => {
                let stem = out.file_stem().unwrap_or_default().to_string_lossy();
                out.with_file_name(format!("{stem}-{check}.pcapng"))
            }
        };
        save(&file, &fs::read(captures.join(format!("{check}.pcapng")))?)?;
    }
    Ok(())
}

fn save(file: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
    paint::line(dim(format_args!("written: {}", file.display())));
    Ok(())
}

fn names_in(catalog: &Catalog, folder: &Path, ending: &str) -> Vec<String> {
    names_below(&catalog.at(folder), ending)
}

/// The names of the files in a folder that end so, without the ending, sorted.
pub fn names_below(folder: &Path, ending: &str) -> Vec<String> {
    let files = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let named = files.filter(|file| file.extension().is_some_and(|known| known == ending));
    let mut names: Vec<String> = named
        .filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

/// A folder for captures, gone when it is dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    /// Makes one.
    ///
    /// # Errors
    ///
    /// When that is not possible, with its path.
    pub fn new() -> Result<Folder> {
        let folder = std::env::temp_dir().join(format!("course-wire-{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Folder(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
