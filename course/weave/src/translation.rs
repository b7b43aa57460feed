//! How is a page in another language made, and how much of it is up to date?
//!
//! A translated page lies at `book/LANGUAGE/src/`, under the name of the English one, and has the same sections: headings
//! with the same ids. Under each heading a comment says which English text it was made from:
//!
//! ```text
//! ## 客户程序 {#the-client}
//! <!-- from 1a2b3c4d -->
//! ```
//!
//! A section whose English text has changed since is shown with a note, and one that is not translated in English. What
//! is not prose is shared: directives stand in the translation as they are, and `{{#block}}` stands for the next block of
//! code of the English section. A block that holds prose may be written anew in its place, but not a terminal.

mod section;

use std::io;
use std::path::{Path, PathBuf};

use catalog::{Catalog, Problem};

use crate::markdown::escape;
use crate::{PAGES, Page};
use section::{Section, is_block, split};

/// How a section of a page stands in another language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Made from what the English section says now.
    Current,
    /// Made from what it said once.
    Stale,
    /// Not there.
    Missing,
}

/// A section of the English book, seen from another language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// From `book/src`: `03-sockets-introduction.md`.
    pub page: PathBuf,
    /// The id of its heading.
    pub id: String,
    /// How it stands.
    pub state: State,
    /// The words of the English section.
    pub words: usize,
}

/// A page that was put together.
pub(crate) struct Merged {
    pub text: String,
    /// For each line, whether it is from the translation, and its number there or in the English page.
    pub origin: Vec<(bool, usize)>,
    pub standings: Vec<Standing>,
    /// What is wrong in the translation, with its lines.
    pub problems: Vec<(usize, String)>,
}

/// The folder of a language's pages, from the course's root.
pub(crate) fn pages_of(language: &str) -> PathBuf {
    Path::new("book").join(language).join("src")
}

/// How each section of the book stands in the language of `catalog`, page by page; and what is wrong with the
/// translations themselves.
///
/// # Errors
///
/// The first page that cannot be read.
pub fn standings(catalog: &Catalog) -> io::Result<(Vec<Standing>, Vec<Problem>)> {
    let mut standings = Vec::new();
    let mut problems = Vec::new();
    for english in crate::pages_on_disk(&catalog.root)? {
        let file = pages_of(&catalog.language).join(&english.path);
        let ours = match std::fs::read_to_string(catalog.at(&file)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let merged = merge(catalog, &english, &ours);
        standings.extend(merged.standings);
        let wrong = merged.problems.into_iter();
        problems.extend(wrong.map(|(line, what)| Problem::on(&file, line, what)));
    }
    Ok((standings, problems))
}

/// Notes in a translated page that it was made from the English text as it is now: all of it, or one section.
///
/// Returns how many sections were noted.
///
/// # Errors
///
/// A page that cannot be read or written; a section that is not there.
pub fn stamp(catalog: &Catalog, page: &Path, id: Option<&str>) -> io::Result<usize> {
    let naming = |file: &Path, error: io::Error| {
        io::Error::new(error.kind(), format!("{}: {error}", file.display()))
    };
    let file = pages_of(&catalog.language).join(page);
    let english_file = Path::new(PAGES).join(page);
    let ours = std::fs::read_to_string(catalog.at(&file)).map_err(|error| naming(&file, error))?;
    let english = std::fs::read_to_string(catalog.at(&english_file))
        .map_err(|error| naming(&english_file, error))?;
    let (_, english) = split(&english);
    let (_, sections) = split(&ours);
    let mut lines: Vec<String> = ours.lines().map(str::to_owned).collect();
    let mut stamped = 0;
    for section in sections.iter().rev() {
        let chosen = id.is_none_or(|id| section.id == id);
        let Some(original) = english
            .iter()
            .find(|other| chosen && other.id == section.id)
        else {
            continue;
        };
        let note = format!("<!-- from {} -->", original.fingerprint());
        match section.from {
            Some(_) => lines[section.line] = note,
            None => lines.insert(section.line, note),
        }
        stamped += 1;
    }
    if stamped == 0 {
        let what = id.map_or_else(
            || "no section".to_owned(),
            |id| format!("no section `{id}`"),
        );
        let what = format!("{what} of the English page is in {}", file.display());
        return Err(io::Error::other(what));
    }
    std::fs::write(catalog.at(&file), lines.join("\n") + "\n")
        .map_err(|error| naming(&file, error))?;
    Ok(stamped)
}

/// Chinese text with its lines joined: a browser would show a space where a line breaks between two characters.
pub(crate) fn joined(text: &str) -> String {
    let is_mark = |c: char| {
        matches!(
            c,
            '，' | '。'
                | '；'
                | '：'
                | '、'
                | '？'
                | '！'
                | '（'
                | '）'
                | '《'
                | '》'
                | '“'
                | '”'
        )
    };
    let is_wide = |c: char| is_mark(c) || ('\u{2e80}'..'\u{a000}').contains(&c);
    let mut joined = String::with_capacity(text.len());
    let mut fence = "";
    for line in text.split_inclusive('\n') {
        let ticks = section::fence_of(line);
        if fence.is_empty() {
            fence = ticks;
        } else if ticks.starts_with(fence) {
            fence = "";
        }
        let first = line.trim_start().chars().next();
        let last = joined
            .strip_suffix('\n')
            .and_then(|text: &str| text.chars().next_back());
        let fits = |last: char, first: char| {
            is_wide(last) && is_wide(first) || (is_mark(last) && first.is_alphanumeric())
        };
        if fence.is_empty()
            && ticks.is_empty()
            && let (Some(last), Some(first)) = (last, first)
            && fits(last, first)
        {
            joined.pop();
            joined.push_str(line.trim_start());
        } else {
            joined.push_str(line);
        }
    }
    joined
}

/// The page in the language of `catalog`, still with its directives: our sections, in the order of the English ones.
pub(crate) fn merge(catalog: &Catalog, english: &Page, ours: &str) -> Merged {
    let (before, ours) = split(ours);
    let (_, sections) = split(&english.text);
    let mut merging = Merging {
        catalog,
        page: &english.path,
        lines: Vec::new(),
        problems: before
            .map(|line| (line, "a translated page begins with its heading".to_owned()))
            .into_iter()
            .collect(),
    };
    for (at, section) in ours.iter().enumerate() {
        if let Some(what) = merging.misplaced(section, &ours[..at], &sections) {
            merging.problems.push((section.line, what));
        }
    }
    let mut standings = Vec::new();
    // Neighbors that are not translated are shown together, behind one note.
    let mut in_english = false;
    for section in &sections {
        let own = ours.iter().find(|own| own.id == section.id);
        let (state, shown) = match own {
            None => (State::Missing, None),
            Some(own) if own.from.as_deref() == Some(&section.fingerprint()) => {
                merging.compare(own, section);
                (State::Current, Some(own))
            }
            // Its blocks would stand in the wrong places.
            Some(own) if own.blocks().count() != section.fences.len() => (State::Stale, None),
            Some(own) => (State::Stale, Some(own)),
        };
        if in_english && shown.is_some() {
            merging.ends_english();
        }
        match shown {
            Some(own) => {
                merging.ours(own, section, state == State::Stale);
                merging.turns(own, section);
            }
            None => merging.theirs(section, !in_english),
        }
        in_english = shown.is_none();
        standings.push(Standing {
            page: english.path.clone(),
            id: section.id.clone(),
            state,
            words: section.words(),
        });
    }
    if in_english {
        merging.ends_english();
    }
    let (origin, lines): (Vec<_>, Vec<_>) = merging.lines.into_iter().unzip();
    Merged {
        text: lines.join("\n") + "\n",
        origin,
        standings,
        problems: merging.problems,
    }
}

struct Merging<'a> {
    catalog: &'a Catalog,
    page: &'a Path,
    lines: Vec<((bool, usize), String)>,
    problems: Vec<(usize, String)>,
}

impl Merging<'_> {
    fn ours(&mut self, own: &Section<'_>, english: &Section<'_>, stale: bool) {
        let mut blocks = english.fences.iter();
        let mut fence_ends = 0;
        for (at, line) in own.lines.iter().enumerate() {
            let origin = (true, own.line + at);
            if at == 1 && own.from.is_some() {
                self.add(origin, "");
                if stale {
                    let note = self.note(
                        "stale",
                        "This section is translated from an earlier version. [The English section] may have changed.",
                        Some(&own.id),
                    );
                    self.add(origin, &format!("{note}\n"));
                }
            } else if own.fences.iter().any(|fence| fence.start == at) {
                blocks.next();
                self.add(origin, line);
                fence_ends = own
                    .fences
                    .iter()
                    .find(|fence| fence.start == at)
                    .map_or(0, |fence| fence.end);
            } else if at >= fence_ends && is_block(line) {
                for inside in blocks.next().cloned().unwrap_or(0..0) {
                    self.add((false, english.line + inside), english.lines[inside]);
                }
            } else {
                self.add(origin, line);
            }
        }
    }

    /// Where the English page goes on on another one, ours does too.
    fn turns(&mut self, own: &Section<'_>, english: &Section<'_>) {
        let is_mark = |line: &&&str| section::is_turn(line);
        if own.lines.iter().find(is_mark).is_none()
            && let Some(mark) = english.lines.iter().find(is_mark)
        {
            self.add((false, english.line), &format!("\n{mark}\n"));
        }
    }

    fn theirs(&mut self, english: &Section<'_>, begins: bool) {
        let origin = (false, english.line);
        if begins {
            let note = self.note("missing", "This is not translated yet.", None);
            self.add(origin, &format!("{note}\n\n<div lang=\"en\">\n"));
        }
        for (at, line) in english.lines.iter().enumerate() {
            self.add((false, english.line + at), line);
        }
    }

    fn ends_english(&mut self) {
        let origin = self.lines.last().map_or((false, 1), |(origin, _)| *origin);
        self.add(origin, "\n</div>\n");
    }

    /// Text of one line or more, all with the same origin.
    fn add(&mut self, origin: (bool, usize), text: &str) {
        self.lines
            .extend(text.split('\n').map(|line| (origin, line.to_owned())));
    }

    /// A note to the reader; what stands in brackets leads to the English section.
    fn note(&self, class: &str, words: &str, id: Option<&str>) -> String {
        let words = escape(self.catalog.words.say(words));
        let up = "../".repeat(self.page.iter().count());
        let page = self.page.with_extension("html").display().to_string();
        let words = match id {
            Some(id) => words
                .replace(
                    '[',
                    &format!("<a href=\"{up}{page}#{id}\" hreflang=\"en\">"),
                )
                .replace(']', "</a>"),
            None => words,
        };
        format!("<p class=\"translation {class}\">{words}</p>")
    }

    /// Why a section of ours has no place in the page.
    fn misplaced(
        &self,
        own: &Section<'_>,
        earlier: &[Section<'_>],
        english: &[Section<'_>],
    ) -> Option<String> {
        let original = english.iter().find(|section| section.id == own.id);
        let file = Path::new(PAGES).join(self.page);
        if own.id.is_empty() {
            return Some("a translated heading has no id: give it that of the English one, as in `{#the-client}`".into());
        }
        if earlier.iter().any(|other| other.id == own.id) {
            return Some(format!("the section `{}` stands twice", own.id));
        }
        match original {
            None => {
                let near =
                    catalog::nearest(&own.id, english.iter().map(|section| section.id.as_str()));
                let hint = near
                    .first()
                    .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                Some(format!(
                    "{} has no section `{}`{hint}",
                    file.display(),
                    own.id
                ))
            }
            Some(original) if original.level != own.level => Some(format!(
                "the heading `{}` has level {} in the English page, not {}",
                own.id, original.level, own.level
            )),
            Some(_) if own.from.is_none() => Some(format!(
                "the section `{0}` does not say what it was made from: when it is right, `cargo course translate {1}#{0} --stamp`",
                own.id,
                self.page.with_extension("").display(),
            )),
            Some(_) => None,
        }
    }

    /// Notes what a section of ours shares with the English one, and does not.
    fn compare(&mut self, own: &Section<'_>, english: &Section<'_>) {
        let (here, there) = (own.blocks().count(), english.fences.len());
        if here != there {
            self.problems.push((own.line, format!(
                "the section `{}` has {here} blocks of code, and the English one {there}: `{{{{#block}}}}` stands for the next one",
                own.id
            )));
        }
        if let Some(line) = own.own_console() {
            let what =
                "a terminal is shared with the English page: write `{{#block}}` in its place";
            self.problems.push((line, what.to_owned()));
        }
        let (here, there) = (own.directives(), english.directives());
        let extra = here.iter().filter(|directive| !there.contains(directive));
        let lost = there.iter().filter(|directive| !here.contains(directive));
        let extra = extra.map(|directive| (directive, "the English section has not"));
        for (directive, what) in extra.chain(
            lost.map(|directive| (directive, "the English section has, and this one has not")),
        ) {
            let what = format!("the section `{}`: `{directive}` is what {what}", own.id);
            self.problems.push((own.line, what));
        }
    }
}

#[cfg(test)]
mod tests;
