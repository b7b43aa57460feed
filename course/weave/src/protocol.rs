//! What do a stock mdBook 0.5 and its preprocessor say to each other?
//!
//! mdBook writes `[context, book]` as JSON to the preprocessor's input, and reads the book, with its pages changed, from
//! its output. Nothing else of the book is touched, so a later mdBook may add to it.

use std::fmt;
use std::path::{Path, PathBuf};

use catalog::{Catalog, ENGLISH, NoRoot, find_root};
use serde_json::Value;

use crate::{Options, Page, Problems, weave};

/// Why there is no woven book.
#[derive(Debug)]
pub enum Failure {
    /// What came in is not what mdBook 0.5 writes.
    Input(String),
    /// The book does not lie in the course.
    Root(NoRoot),
    /// What is wrong on the pages.
    Book(Problems),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Input(what) => {
                write!(
                    f,
                    "the input is not what mdBook 0.5 gives a preprocessor: {what}; build with `mdbook build book`"
                )
            }
            Failure::Root(error) => error.fmt(f),
            Failure::Book(problems) => problems.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

/// The book that mdBook wants back for its input.
///
/// # Errors
///
/// [`Failure`], whose text names everything that is wrong, one line each.
pub fn preprocess(input: &str) -> Result<String, Failure> {
    let mut input: Value =
        serde_json::from_str(input).map_err(|error| Failure::Input(error.to_string()))?;
    let root = input
        .pointer("/0/root")
        .and_then(Value::as_str)
        .ok_or_else(|| Failure::Input("it names no root".into()))?;
    let root = find_root(Path::new(root)).map_err(Failure::Root)?;
    let options = options(&input);
    let language = input
        .pointer("/0/config/book/language")
        .and_then(Value::as_str);
    let catalog = Catalog::load_in(&root, language.unwrap_or(ENGLISH));
    let book = input.get_mut(1).map_or(Value::Null, Value::take);
    woven(&catalog, &options, book)
}

fn woven(catalog: &Catalog, options: &Options, mut book: Value) -> Result<String, Failure> {
    let mut pages = Vec::new();
    let items = book
        .get_mut("items")
        .ok_or_else(|| Failure::Input("the book has no items".into()))?;
    each_page(items, &mut |path, content| {
        pages.push(Page {
            path,
            text: content.as_str().unwrap_or("").to_owned(),
        });
    });
    let mut woven = weave(catalog, options, &pages)
        .map_err(Failure::Book)?
        .into_iter();
    each_page(items, &mut |_, content| *content = woven.next().into());
    Ok(book.to_string())
}

/// Calls `with` for each page that is written, with its path in `src` and its text, in the order of the book.
fn each_page(items: &mut Value, with: &mut impl FnMut(PathBuf, &mut Value)) {
    for item in items.as_array_mut().into_iter().flatten() {
        let Some(chapter) = item.get_mut("Chapter") else {
            continue;
        };
        // A chapter that is announced and not yet written has no path.
        if let Some(path) = chapter
            .get("source_path")
            .and_then(Value::as_str)
            .map(PathBuf::from)
            && let Some(content) = chapter.get_mut("content")
        {
            with(path, content);
        }
        if let Some(below) = chapter.get_mut("sub_items") {
            each_page(below, with);
        }
    }
}

fn options(input: &Value) -> Options {
    let text = |pointer: &str| {
        input
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    Options::from_settings(
        text("/0/config/preprocessor/weave/source"),
        text("/0/config/output/html/git-repository-url"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_pages_are_found_and_announced_ones_are_not() {
        let chapter = |path: Option<&str>, below: Vec<Value>| serde_json::json!({"Chapter": {"content": "", "source_path": path, "sub_items": below}});
        let below = chapter(Some("b.md"), Vec::new());
        let mut items = Value::Array(vec![
            chapter(None, vec![below]),
            "Separator".into(),
            chapter(Some("a.md"), vec![]),
        ]);
        let mut paths = Vec::new();
        each_page(&mut items, &mut |path, _| paths.push(path));
        assert_eq!(paths, [Path::new("b.md"), Path::new("a.md")]);
    }

    /// Without that line mdBook asks `supports` first, and skips a preprocessor that does not compile.
    #[test]
    fn the_books_settings_let_mdbook_skip_nothing() {
        let settings = include_str!("../../../book/book.toml");
        let weave = settings
            .split("[preprocessor.weave]")
            .nth(1)
            .and_then(|rest| rest.split("\n[").next());
        assert!(
            weave
                .expect("a table")
                .lines()
                .any(|line| line == "renderers = [\"html\"]")
        );
    }

    #[test]
    fn input_that_is_not_mdbooks_is_said() {
        let message = preprocess("{}").expect_err("no root").to_string();
        assert!(message.contains("not what mdBook 0.5 gives"), "{message}");
        assert!(preprocess("").is_err());
    }
}
