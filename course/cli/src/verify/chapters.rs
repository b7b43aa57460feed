//! Does the book say what is so? Its lines are told, its claims have their experiments, its links lead somewhere.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use catalog::{Catalog, Chapter};
use weave::Options;

use crate::compile::{self, Build};
use crate::process::{self, Cancel};

/// At least so many of a chapter's lines stand in some listing, in percent.
const TOLD: usize = 95;

/// What was proven of one chapter.
pub struct Proof {
    /// Its folder.
    pub chapter: String,
    /// Its page, from the course's root.
    pub page: PathBuf,
    /// Lines that stand in some listing, and all of them.
    pub told: (usize, usize),
    /// How many claims it makes.
    pub claims: usize,
    /// How many of them an experiment decides.
    pub experiments: usize,
    /// Sentences about what is wrong.
    pub wrong: Vec<String>,
}

/// Proves one chapter. `status` is told what cargo is busy with.
///
/// # Errors
///
/// When its experiments cannot be built for a reason that no compiler gave.
pub fn proof(catalog: &Catalog, chapter: &Chapter, status: impl FnMut(&str)) -> Result<Proof> {
    let mut wrong = Vec::new();
    let told = lines_told(catalog, chapter, &mut wrong);
    let decided: BTreeSet<&str> = chapter
        .claims
        .iter()
        .filter_map(|claim| claim.experiment())
        .collect();
    if !decided.is_empty() {
        match experiments(catalog, chapter, status)? {
            Ok(found) => wrong.extend(one_to_one(chapter, &found)),
            Err(messages) => wrong.push(format!(
                "{}/tests/claims.rs does not compile:\n{messages}",
                chapter.path.display()
            )),
        }
    }
    wrong.extend(kept_by_no_test(catalog, chapter));
    Ok(Proof {
        chapter: chapter.dir.clone(),
        page: chapter.page.clone(),
        told,
        claims: chapter.claims.len(),
        experiments: decided.len(),
        wrong,
    })
}

/// The chapter's records of the wire that no test compares: nobody would notice that they are no longer so.
fn kept_by_no_test(catalog: &Catalog, chapter: &Chapter) -> Vec<String> {
    let folder = chapter.path.join("wire");
    let files = std::fs::read_dir(catalog.at(&folder))
        .into_iter()
        .flatten()
        .flatten();
    let mut names: Vec<String> = files
        .filter_map(|file| {
            file.file_name()
                .into_string()
                .ok()?
                .strip_suffix(".wire")
                .map(str::to_owned)
        })
        .collect();
    names.sort();
    let tests: String = catalog
        .rust_files(&chapter.path.join("tests"))
        .iter()
        .filter_map(|file| std::fs::read_to_string(catalog.at(file)).ok())
        .collect();
    names.retain(|name| {
        ![format!("\"{name}\""), format!("{name}.wire")]
            .iter()
            .any(|word| tests.contains(word.as_str()))
    });
    let wrong = names.iter().map(|name| {
        format!(
            "{}/{name}.wire: no test of the chapter compares it",
            folder.display()
        )
    });
    wrong.collect()
}

/// What is wrong with the book as a whole: directives and links that lead nowhere.
pub fn book(catalog: &Catalog) -> Vec<String> {
    let pages = match weave::pages_on_disk(&catalog.root) {
        Ok(pages) => pages,
        Err(error) => return vec![format!("{}: {error}", weave::PAGES)],
    };
    match weave::weave(catalog, &Options::default(), &pages) {
        Ok(_) => Vec::new(),
        // What the catalog found is said already.
        Err(problems) => problems
            .0
            .iter()
            .filter(|problem| !catalog.problems.contains(problem))
            .map(ToString::to_string)
            .collect(),
    }
}

fn lines_told(catalog: &Catalog, chapter: &Chapter, wrong: &mut Vec<String>) -> (usize, usize) {
    let files = weave::pages_on_disk(&catalog.root)
        .map_err(|error| vec![format!("{}: {error}", weave::PAGES)])
        .and_then(|pages| {
            weave::told(catalog, &pages)
                .map_err(|problems| problems.iter().map(ToString::to_string).collect())
        });
    let files = match files {
        Ok(files) => files,
        Err(problems) => {
            wrong.extend(problems);
            return (0, 0);
        }
    };
    let files: Vec<_> = files
        .into_iter()
        .filter(|file| file.chapter == chapter.dir)
        .collect();
    let told = files.iter().map(|file| file.told).sum();
    let lines = files.iter().map(|file| file.lines).sum();
    if told * 100 < lines * TOLD {
        wrong.push(format!(
            "{}: {told} of {lines} lines are told, {TOLD} % are wanted; these are not:",
            chapter.path.display()
        ));
        for file in files {
            wrong.extend(
                file.untold
                    .iter()
                    .map(|range| match (range.start(), range.end()) {
                        (start, end) if start == end => {
                            format!("  {}:{start}", file.file.display())
                        }
                        (start, end) => format!("  {}:{start}-{end}", file.file.display()),
                    }),
            );
        }
    }
    (told, lines)
}

/// The names of the chapter's experiments, or the compiler's errors.
fn experiments(
    catalog: &Catalog,
    chapter: &Chapter,
    status: impl FnMut(&str),
) -> Result<Result<Vec<String>, String>> {
    let cancel = Cancel::default();
    let binary =
        match compile::test_binary(&catalog.root, &chapter.package, "claims", &cancel, status)? {
            Build::Ready { binary, .. } => binary,
            Build::Rejected(messages) => return Ok(Err(messages)),
            Build::Canceled => return Ok(Ok(Vec::new())),
        };
    let listed = process::run(
        Command::new(&binary).arg("--list"),
        Duration::from_secs(30),
        &cancel,
        |_| {},
    )
    .with_context(|| format!("cannot run {}", binary.display()))?;
    let text = String::from_utf8_lossy(&listed.stdout);
    Ok(Ok(text
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .map(str::to_owned)
        .collect()))
}

/// Each claim that an experiment decides has one, and each experiment decides a claim, and only one.
fn one_to_one(chapter: &Chapter, found: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut decided = BTreeSet::new();
    for claim in &chapter.claims {
        let Some(name) = claim.experiment() else {
            continue;
        };
        let place = format!("{}:{}", claim.file.display(), claim.line);
        if !found.iter().any(|found| found == name) {
            let near = catalog::nearest(name, found.iter().map(String::as_str));
            let near = near
                .first()
                .map_or(String::new(), |near| format!("; is it `{near}`?"));
            wrong.push(format!(
                "{place}: claim {} has no experiment `{name}`{near}",
                claim.id
            ));
        }
        if !decided.insert(name) {
            wrong.push(format!(
                "{place}: the experiment `{name}` decides another claim already"
            ));
        }
    }
    for name in found.iter().filter(|name| !decided.contains(name.as_str())) {
        wrong.push(format!(
            "{}/tests/claims.rs: `{name}` decides no claim",
            chapter.path.display()
        ));
    }
    wrong
}
