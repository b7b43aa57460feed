//! How do the prose, the crates, the claims and the exercises become one book?
//!
//! The pages of `book/src` hold prose and *directives*. [`weave`] replaces each directive by what it names:
//!
//! | directive | what takes its place |
//! |---|---|
//! | `{{#listing chapters/NN-topic/src/file.rs:anchor}}` | lines of a crate, with their place and how to run them |
//! | `{{#claim 03.16}}` | a mark that leads to the claim's row |
//! | `{{#claims}}` | the table of the chapter's claims |
//! | `{{#on-trial}}` | the claims of all chapters |
//! | `{{#exercise slug}}`, `{{#exercises}}` | the card of an exercise, of all of the chapter's |
//!
//! A page in another language is put together first, from its translation and the English page: see [`translation`].
//!
//! A block of code that is called `console` becomes a terminal; [`transcript`] says what can stand in it. Blocks called `sequence`,
//! `states`, `packet`, `plot` and `bytes` become drawings; `diagram` says of what.
//!
//! Nothing is ever left out in silence: a directive that names nothing, a link that leads nowhere, a heading without an
//! id is a [`Problem`] with file and line, and there is no book until it is mended. Directives in code stay as they
//! are, so that a page can show them.
//!
//! [`told`] says which lines of the chapters' crates stand in some listing, [`site`] checks the HTML that was built.

mod calls;
mod card;
mod claims;
mod console;
mod diagram;
mod directive;
pub mod editions;
pub mod finish;
mod highlight;
mod html;
mod links;
mod listing;
mod markdown;
mod page;
pub mod print;
pub mod protocol;
pub mod request;
pub mod search;
pub mod site;
mod told;
pub mod transcript;
pub mod translation;
mod weaver;

use std::io;
use std::path::{Path, PathBuf};

pub use catalog::{Problem, Problems};
pub use told::{ToldFile, told};

use catalog::{Catalog, Exercise};

/// The folder of the pages, from the course's root.
pub const PAGES: &str = "book/src";

/// A page of the book as its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// From `book/src`: `03-sockets-introduction.md`.
    pub path: PathBuf,
    /// The Markdown.
    pub text: String,
}

/// What a publisher of the book may choose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Where the repository's files can be looked at: `https://host/owner/name/blob/main/`. Without it, paths are shown
    /// and lead nowhere.
    pub source: Option<String>,
}

impl Options {
    /// The options out of `book.toml`: `source` of `[preprocessor.weave]`, else the main branch of
    /// `git-repository-url` of `[output.html]`, as the large hosts show it.
    pub fn from_settings(source: Option<String>, repository: Option<String>) -> Options {
        let slash = |address: String| format!("{}/", address.trim_end_matches('/'));
        let of_repository =
            |address: String| format!("{}/blob/main/", address.trim_end_matches('/'));
        Options {
            source: source.map(slash).or_else(|| repository.map(of_repository)),
        }
    }
}

/// Weaves a whole book: the Markdown of each page, in the order of `pages`.
///
/// # Errors
///
/// Everything that is wrong on any page, each with its file and line.
pub fn weave(
    catalog: &Catalog,
    options: &Options,
    pages: &[Page],
) -> Result<Vec<String>, Problems> {
    weaver::weave(catalog, options, pages)
}

/// A drawing of what was on the wire of an exercise's check, from its record, as HTML.
///
/// # Errors
///
/// What is wrong with the record.
pub fn drawn(
    catalog: &Catalog,
    exercise: &Exercise,
    check: &str,
    record: &str,
) -> Result<String, String> {
    diagram::of_check(catalog, exercise, check, record)
}

/// All pages that lie in `book/src`, but for `SUMMARY.md`, sorted by path.
///
/// # Errors
///
/// The first file or folder that cannot be read.
pub fn pages_on_disk(root: &Path) -> io::Result<Vec<Page>> {
    let mut pages = Vec::new();
    collect(&root.join(PAGES), Path::new(""), &mut pages)?;
    pages.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(pages)
}

fn collect(base: &Path, below: &Path, pages: &mut Vec<Page>) -> io::Result<()> {
    let naming = |dir: &Path, error: io::Error| {
        io::Error::new(error.kind(), format!("{}: {error}", dir.display()))
    };
    let dir = base.join(below);
    for entry in std::fs::read_dir(&dir).map_err(|error| naming(&dir, error))? {
        let path = below.join(entry?.file_name());
        if base.join(&path).is_dir() {
            collect(base, &path, pages)?;
        } else if path.extension().is_some_and(|ending| ending == "md")
            && path != Path::new("SUMMARY.md")
        {
            let text =
                std::fs::read_to_string(base.join(&path)).map_err(|error| naming(&path, error))?;
            pages.push(Page { path, text });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
