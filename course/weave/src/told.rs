//! Which lines of the chapters' programs does the book tell?

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use catalog::Catalog;

use crate::directive::Ask;
use crate::listing::{cut, mark};
use crate::page::Read;
use crate::{Page, Problem};

/// How much of a file under `chapters/*/src` stands in some listing of the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldFile {
    /// From the course's root.
    pub file: PathBuf,
    /// The folder of its chapter: `03-sockets-introduction`.
    pub chapter: String,
    /// How many of its lines are told.
    pub told: usize,
    /// How many of its lines are to be told: all but blank ones and those that mark anchors.
    pub lines: usize,
    /// The lines that are not told, in one range where nothing told lies between.
    pub untold: Vec<RangeInclusive<usize>>,
}

/// Every file under `chapters/*/src`, with the lines that no listing on `pages` shows.
///
/// Listings that cannot be cut count for nothing here; [`weave`](crate::weave) says what is wrong with them. A file
/// that cannot be read is a problem.
///
/// # Errors
///
/// The files that cannot be read.
pub fn told(catalog: &Catalog, pages: &[Page]) -> Result<Vec<ToldFile>, Vec<Problem>> {
    let mut shown: BTreeSet<(String, usize)> = BTreeSet::new();
    for page in pages {
        for directive in Read::new(page).directives {
            let Ask::Listing { path, anchor } = directive.ask else {
                continue;
            };
            if let Ok(listing) = cut(catalog, &path, anchor.as_deref()) {
                shown.extend(listing.shown.into_iter().map(|line| (path.clone(), line)));
            }
        }
    }
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for chapter in &catalog.chapters {
        for file in catalog.rust_files(&chapter.path.join("src")) {
            let path = file.display().to_string();
            match std::fs::read_to_string(catalog.at(&file)) {
                Ok(text) => files.push(count(&text, file, &chapter.dir, |line| {
                    shown.contains(&(path.clone(), line))
                })),
                Err(error) => problems.push(Problem::of(file, format!("cannot be read: {error}"))),
            }
        }
    }
    if problems.is_empty() {
        Ok(files)
    } else {
        Err(problems)
    }
}

fn count(text: &str, file: PathBuf, chapter: &str, is_shown: impl Fn(usize) -> bool) -> ToldFile {
    let mut result = ToldFile {
        file,
        chapter: chapter.to_owned(),
        told: 0,
        lines: 0,
        untold: Vec::new(),
    };
    let mut last_told = true;
    for (line, code) in text.lines().enumerate().map(|(at, code)| (at + 1, code)) {
        if code.trim().is_empty() || mark(code).is_some() {
            continue;
        }
        result.lines += 1;
        let is_told = is_shown(line);
        if is_told {
            result.told += 1;
        } else if let (false, Some(range)) = (last_told, result.untold.last_mut()) {
            *range = *range.start()..=line;
        } else {
            result.untold.push(line..=line);
        }
        last_told = is_told;
    }
    result
}
