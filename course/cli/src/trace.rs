//! What did it call, and what did that put on the wire? Calls, frames and hosts on one time line.

mod svg;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use lab::timeline::Timeline;

use crate::command::{Asked, Usage};
use crate::compile;
use crate::course::Course;
use crate::paint::{self, Status, bold, dim};
use crate::process::Cancel;
use crate::wire::{self, Folder};

/// By this variable the program knows that it is to trace another one, in a process without threads.
const TRACES: &str = "COURSE_TRACES";

/// What this program does when it was started to trace another one.
pub fn serve() -> Option<ExitCode> {
    std::env::var_os(TRACES)?;
    // SAFETY: nothing else runs in this process yet.
    unsafe { std::env::remove_var(TRACES) };
    let words: Vec<String> = std::env::args().skip(1).collect();
    let told = |at: std::time::Duration, call: &str| {
        eprintln!("{:>9.2} ms  {call}", at.as_secs_f64() * 1e3);
    };
    Some(match lab::timeline::trace_program(&words, told) {
        Ok(status) => ExitCode::from(u8::try_from(status).unwrap_or(1)),
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    })
}

/// Shows calls, frames and steps of the checks that a word stands for; with words after `--`, or for a program that no test
/// runs, of one run of the program here.
///
/// # Errors
///
/// When nothing is called so, nothing was called, or a file cannot be written.
pub fn trace(course: &Course, asked: &Asked) -> Result<bool> {
    let name = asked
        .names
        .first()
        .map_or("", |name| name.trim_end_matches('/'));
    if asked.words.is_some() || is_file(name) {
        return here(course, name, asked);
    }
    let targets = wire::targets(course, name)?;
    let folder = Folder::new()?;
    for target in &targets {
        wire::run(&course.catalog, target, &[("LAB_CALLS", &folder.0)])?;
    }
    show(name, &folder.0, asked.svg.as_deref())?;
    Ok(true)
}

fn is_file(name: &str) -> bool {
    name.contains('/') && Path::new(name).is_file()
}

/// Runs a program of the course, or any other that is named by its path, on this terminal.
fn here(course: &Course, name: &str, asked: &Asked) -> Result<bool> {
    if asked.svg.is_some() {
        return Err(Usage(
            "--svg draws what checks do; a program that runs here is shown as text".into(),
        )
        .into());
    }
    let program = if is_file(name) {
        PathBuf::from(name)
    } else {
        build(course, name)?
    };
    let status = Command::new(std::env::current_exe()?)
        .arg(&program)
        .args(asked.words.iter().flatten())
        .env(TRACES, "1")
        .status()
        .with_context(|| format!("cannot start {}", program.display()))?;
    Ok(status.success())
}

/// Builds a program of a chapter.
fn build(course: &Course, name: &str) -> Result<PathBuf> {
    let catalog = &course.catalog;
    let of = catalog
        .chapters
        .iter()
        .find(|chapter| chapter.programs.iter().any(|program| program.name == name));
    let Some(chapter) = of else {
        let names = catalog
            .chapters
            .iter()
            .flat_map(|chapter| chapter.programs.iter().map(|program| program.name.as_str()));
        let near = catalog::nearest(name, names);
        let meant = near.first().map_or_else(
            || "words after `--` are for a program".to_owned(),
            |near| format!("did you mean {near}?"),
        );
        return Err(Usage(format!("no program is called `{name}`; {meant}")).into());
    };
    let mut status = Status::new();
    status.set(&format!("building {name}"));
    let built = compile::program(
        &catalog.root,
        &chapter.package,
        name,
        &Cancel::default(),
        |line| status.set(line),
    )?;
    status.clear();
    match built {
        compile::Build::Ready { binary, .. } => Ok(binary),
        compile::Build::Rejected(messages) => {
            bail!(
                "{} does not compile:\n{}",
                chapter.package,
                messages.trim_end()
            )
        }
        compile::Build::Canceled => bail!("canceled"),
    }
}

/// Shows the time lines that were saved, each under the name of its check.
fn show(name: &str, folder: &Path, out: Option<&Path>) -> Result<()> {
    let mut shown = Vec::new();
    for check in wire::names_below(folder, "calls") {
        let text = fs::read_to_string(folder.join(format!("{check}.calls")))?;
        let line = Timeline::from_record(&text)
            .map_err(|(number, what)| anyhow::anyhow!("{check}:{number}: {what}"))?;
        if !line.is_empty() {
            shown.push((check, line));
        }
    }
    if shown.is_empty() {
        bail!(
            "nothing was called: the checks of `{name}` start nobody, or this machine does not trace (see `cargo course doctor`)"
        );
    }
    for (number, (check, line)) in shown.iter().enumerate() {
        if number > 0 {
            paint::line("");
        }
        paint::line(bold(check));
        paint::say(line.to_string());
    }
    for (check, line) in out.iter().flat_map(|_| &shown) {
        let out = out.unwrap_or(folder);
        let file = match shown.len() {
            1 => out.to_owned(),
            _ => {
                let stem = out.file_stem().unwrap_or_default().to_string_lossy();
                out.with_file_name(format!("{stem}-{check}.svg"))
            }
        };
        fs::write(&file, svg::drawing(check, line))
            .with_context(|| format!("cannot write {}", file.display()))?;
        paint::line(dim(format_args!("written: {}", file.display())));
    }
    Ok(())
}
