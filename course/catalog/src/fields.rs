//! How is a TOML table read so that every mistake in it is found at once, with its line?
//!
//! Deriving a deserializer would stop at the first mistake. Here each key is asked for by name; what is missing, of the
//! wrong kind or unknown is noted, and reading goes on.

use std::cell::RefCell;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::nearest::nearest;
use crate::problem::{Problem, line_of};

/// A TOML file and what was found wrong in it so far.
pub(crate) struct Source<'t> {
    pub file: PathBuf,
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Source<'t> {
    pub fn new(file: &Path, text: &'t str) -> Self {
        Source {
            file: file.to_owned(),
            text,
            problems: RefCell::default(),
        }
    }

    /// The whole document, or a problem when it is not TOML.
    pub fn parse(&self) -> Option<Spanned<DeTable<'t>>> {
        match DeTable::parse(self.text) {
            Ok(table) => Some(table),
            Err(error) => {
                let what = format!(
                    "this is not valid TOML: {}",
                    error.message().lines().next().unwrap_or("?")
                );
                self.wrong(error.span().unwrap_or(0..0), what);
                None
            }
        }
    }

    pub fn line(&self, span: &Range<usize>) -> usize {
        line_of(self.text, span.start)
    }

    pub fn wrong(&self, span: Range<usize>, what: impl Into<String>) {
        self.problems
            .borrow_mut()
            .push(Problem::on(&self.file, self.line(&span), what));
    }

    pub fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}

/// One table of a [`Source`], read key by key. Call [`Fields::finish`] at the end, for the unknown ones.
pub(crate) struct Fields<'a, 't> {
    source: &'a Source<'t>,
    table: &'a DeTable<'t>,
    /// Where the table begins, for what is missing from it.
    pub span: Range<usize>,
    /// What the table is, in a message: `the exercise`, `this claim`.
    what: &'a str,
    asked: Vec<&'static str>,
}

impl<'a, 't> Fields<'a, 't> {
    pub fn new(
        source: &'a Source<'t>,
        table: &'a DeTable<'t>,
        span: Range<usize>,
        what: &'a str,
    ) -> Self {
        Fields {
            source,
            table,
            span,
            what,
            asked: Vec::new(),
        }
    }

    fn value(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'t>>> {
        self.asked.push(key);
        self.table.get(key)
    }

    fn missing(&self, key: &str, example: &str) {
        self.source.wrong(
            self.span.clone(),
            format!("{} has no `{key}`: add {example}", self.what),
        );
    }

    /// A text that must be there, with its place.
    pub fn text(&mut self, key: &'static str) -> Option<Spanned<String>> {
        if !self.table.contains_key(key) {
            self.asked.push(key);
            self.missing(key, &format!("`{key} = \"…\"`"));
            return None;
        }
        self.maybe_text(key)
    }

    /// A text that may be there, and then not be empty.
    pub fn maybe_text(&mut self, key: &'static str) -> Option<Spanned<String>> {
        let value = self.value(key)?;
        let text = value.get_ref().as_str().map(str::trim);
        match text {
            Some("") => self.source.wrong(
                value.span(),
                format!("`{key}` is empty: fill it in, or take it out"),
            ),
            Some(text) => return Some(Spanned::new(value.span(), text.to_owned())),
            None => self.source.wrong(
                value.span(),
                format!("`{key}` must be a text in quotes, not {}", kind(value)),
            ),
        }
        None
    }

    /// A whole number that must be there and in a range.
    pub fn number(&mut self, key: &'static str, range: RangeInclusive<u8>) -> Option<u8> {
        let Some(value) = self.value(key) else {
            self.missing(key, &format!("`{key} = {}`", range.start()));
            return None;
        };
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
        if let Some(number) = number
            .and_then(|n| u8::try_from(n).ok())
            .filter(|n| range.contains(n))
        {
            return Some(number);
        }
        let choices: Vec<String> = range.map(|n| n.to_string()).collect();
        let not = number.map_or_else(|| kind(value).to_owned(), |number| number.to_string());
        self.source.wrong(
            value.span(),
            format!("{key} must be {}, not {not}", one_of(&choices)),
        );
        None
    }

    /// A list of texts. When it is missing, `needed` says whether that is wrong.
    pub fn texts(&mut self, key: &'static str, needed: bool) -> Vec<Spanned<String>> {
        let Some(value) = self.value(key) else {
            if needed {
                self.missing(key, &format!("`{key} = [\"…\"]`"));
            }
            return Vec::new();
        };
        let Some(items) = value.get_ref().as_array() else {
            self.source.wrong(
                value.span(),
                format!("`{key}` must be a list of texts, not {}", kind(value)),
            );
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref().as_str().map(str::trim) {
                Some("") => self.source.wrong(
                    item.span(),
                    format!("a text in `{key}` is empty: fill it in"),
                ),
                Some(text) => texts.push(Spanned::new(item.span(), text.to_owned())),
                None => self.source.wrong(
                    item.span(),
                    format!("`{key}` must hold texts, not {}", kind(item)),
                ),
            }
        }
        texts
    }

    /// The tables of an array of tables (`[[key]]`), each with its place.
    pub fn tables(&mut self, key: &'static str) -> Vec<(&'a DeTable<'t>, Range<usize>)> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let tables = value.get_ref().as_array().map(|items| {
            items
                .iter()
                .map(|item| Some((item.get_ref().as_table()?, item.span())))
                .collect::<Option<Vec<_>>>()
        });
        if let Some(Some(tables)) = tables {
            return tables;
        }
        self.source.wrong(
            value.span(),
            format!("`{key}` must be a list of tables, written `[[…{key}]]`"),
        );
        Vec::new()
    }

    /// A table that may be there.
    pub fn table(&mut self, key: &'static str) -> Option<(&'a DeTable<'t>, Range<usize>)> {
        let value = self.value(key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            let what = format!("`{key}` must be a table, not {}", kind(value));
            self.source.wrong(value.span(), what);
        }
        Some((table?, value.span()))
    }

    /// Notes every key that nobody asked for.
    pub fn finish(self) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if !self.asked.contains(&name) {
                let hint = match nearest(name, self.asked.iter().copied()).first() {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it may have {}", one_of(&self.asked)),
                };
                self.source.wrong(
                    key.span(),
                    format!("{} has an unknown key `{name}`: {hint}", self.what),
                );
            }
        }
    }
}

/// Follows keys through nested tables: `["package", "metadata", "course"]`.
pub(crate) fn table_at<'a, 't>(
    document: &'a Spanned<DeTable<'t>>,
    path: &[&str],
) -> Option<(&'a DeTable<'t>, Range<usize>)> {
    let mut here = (document.get_ref(), document.span());
    for key in path {
        let value = here.0.get(*key)?;
        here = (value.get_ref().as_table()?, value.span());
    }
    Some(here)
}

/// `a, b or c`.
pub(crate) fn one_of(choices: &[impl AsRef<str>]) -> String {
    match choices {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} or {}", first.join(", "), last.as_ref())
        }
    }
}

fn kind(value: &Spanned<DeValue<'_>>) -> &'static str {
    match value.get_ref() {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
