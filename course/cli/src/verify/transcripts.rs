//! Do the terminals in the book show what the programs print? `weave-replay` plays them, a page at a time.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use catalog::Catalog;
use serde_json::Value;
use weave::Page;
use weave::transcript::{self, Block, Section};

use super::time_scale;
use crate::compile::{self, cargo};
use crate::grade;
use crate::paint::count;
use crate::process::{self, Cancel};
use crate::report::{Check, Outcome};

/// The player. It is a program of its own, with one thread.
const PLAYER: &str = "weave-replay";

/// Sections have deadlines of their own. Longer than this, and the player is stuck.
const LIMIT: Duration = Duration::from_mins(10);

/// What came of replaying a page.
#[derive(Debug, Default)]
pub struct Replay {
    /// Sections that were replayed and showed what the page says.
    pub replayed: usize,
    /// Sections that this machine cannot replay, and what it lacks.
    pub not_run: Vec<String>,
    /// Blocks that the author leaves out, and why.
    pub unverified: Vec<String>,
    /// Sentences about what is wrong.
    pub wrong: Vec<String>,
}

/// Replays a page. With `bless`, what is shown now takes the place of what the page says. `status` is told what cargo is
/// busy with.
///
/// # Errors
///
/// When the page cannot be read, or the player cannot be built or started.
pub fn replay(
    catalog: &Catalog,
    page: &Path,
    bless: bool,
    status: impl FnMut(&str),
) -> Result<Replay> {
    let text =
        std::fs::read_to_string(catalog.at(page)).with_context(|| page.display().to_string())?;
    let path = page.strip_prefix(weave::PAGES).unwrap_or(page).to_owned();
    let mut replay = Replay::default();
    let sections = match transcript::sections(&Page { path, text }) {
        Ok(sections) => sections,
        Err(problems) => {
            replay.wrong = problems.iter().map(ToString::to_string).collect();
            return Ok(replay);
        }
    };
    let blocks = || sections.iter().flat_map(|section| &section.blocks);
    replay.unverified = blocks()
        .filter_map(|block| {
            Some(format!(
                "{}:{}: {}",
                page.display(),
                block.line,
                block.unverified.as_ref()?
            ))
        })
        .collect();
    if !sections.iter().any(Section::is_replayed) {
        return Ok(replay);
    }
    let mut names: Vec<String> = blocks()
        .filter(|block| block.unverified.is_none())
        .flat_map(Block::commands)
        .flat_map(|(_, command)| command.programs())
        .collect();
    names.sort();
    names.dedup();
    let known = |name: &String| {
        let mut programs = catalog
            .chapters
            .iter()
            .flat_map(|chapter| &chapter.programs);
        programs.any(|program| program.name == *name)
    };
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        replay.wrong.push(format!(
            "{}: no chapter has a program `{unknown}`",
            page.display()
        ));
        return Ok(replay);
    }
    let programs = match build(catalog, &names, status)? {
        Ok(programs) => programs,
        Err(messages) => {
            replay.wrong.push(format!(
                "{}: its programs do not compile:\n{messages}",
                page.display()
            ));
            return Ok(replay);
        }
    };
    let player = programs.iter().find(|(name, _)| name == PLAYER);
    let player = player
        .map(|(_, path)| path)
        .context("cargo built no weave-replay")?;
    let places: Vec<String> = programs
        .iter()
        .map(|(name, path)| format!("{name}={path}"))
        .collect();
    let mut command = Command::new(player);
    command
        .env("REPLAY_ROOT", &catalog.root)
        .env("REPLAY_PAGE", page)
        .env("REPLAY_PROGRAMS", places.join("\n"));
    if bless {
        command.env("REPLAY_BLESS", "1");
    }
    let (report, died) = grade::run(&mut command, LIMIT * time_scale(), &Cancel::default())?;
    if let Some((how, output)) = died {
        replay.wrong.push(format!(
            "{}: the player died: {how}; {}",
            page.display(),
            output.trim()
        ));
    }
    for check in &report.checks {
        match check.outcome {
            Outcome::Pass => replay.replayed += 1,
            Outcome::NotRun => {
                replay
                    .not_run
                    .push(format!("{}#{}: {}", page.display(), check.name, check.why));
            }
            Outcome::Fail | Outcome::Fault => replay.wrong.push(failure(page, check)),
        }
    }
    Ok(replay)
}

/// What was expected, what came, and what stood on the terminals by then.
fn failure(page: &Path, check: &Check) -> String {
    let mut text = if check.why.starts_with(&page.display().to_string()) {
        check.why.clone()
    } else {
        format!("{}#{}: {}", page.display(), check.name, check.why)
    };
    for line in &check.evidence {
        text += &format!("\n      {line}");
    }
    text
}

/// The player and the programs, each with its path; or what the compiler says.
fn build(
    catalog: &Catalog,
    names: &[String],
    mut status: impl FnMut(&str),
) -> Result<Result<Vec<(String, String)>, String>> {
    let mut command = cargo(&catalog.root);
    command.args([
        "build",
        "--workspace",
        "--message-format",
        "json",
        "--bin",
        PLAYER,
    ]);
    for name in names {
        command.args(["--bin", name]);
    }
    let finished = process::run(&mut command, LIMIT * 2, &Cancel::default(), |line| {
        status(line.trim());
    })
    .context("cannot run cargo: is the Rust toolchain on your PATH?")?;
    let mut built = Vec::new();
    let mut errors = Vec::new();
    for line in finished.stdout.split(|byte| *byte == b'\n') {
        let Ok(event) = serde_json::from_slice::<Value>(line) else {
            continue;
        };
        if let (Some(path), Some(name)) = (
            event["executable"].as_str(),
            event["target"]["name"].as_str(),
        ) {
            built.push((name.to_owned(), path.to_owned()));
        }
        if let Some((rendered, true)) = compile::message(&event["message"]) {
            errors.push(rendered);
        }
    }
    if finished.success() {
        return Ok(Ok(built));
    }
    if errors.is_empty() {
        errors.push(
            String::from_utf8_lossy(&finished.stderr)
                .trim_end()
                .to_owned(),
        );
    }
    Ok(Err(errors.concat()))
}

/// What was replayed, in a line, and below it what was not.
pub fn summary(replay: &Replay) -> Option<(String, Vec<String>)> {
    let all = replay.replayed + replay.not_run.len() + replay.unverified.len();
    if all == 0 && replay.wrong.is_empty() {
        return None;
    }
    let mut line = format!(
        "{} of terminals replayed",
        count(replay.replayed, "section")
    );
    if !replay.not_run.is_empty() {
        line += &format!(", {} not run", replay.not_run.len());
    }
    line += &format!(", {} unverified", count(replay.unverified.len(), "block"));
    let more = replay
        .not_run
        .iter()
        .chain(&replay.unverified)
        .cloned()
        .collect();
    Some((line, more))
}
