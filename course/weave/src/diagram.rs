//! Which drawings does a page ask for, and what is drawn?
//!
//! A fenced block names data and nothing else; the data comes from the crates' tests and is never typed into a page:
//!
//! | block | its lines | what takes its place |
//! |---|---|---|
//! | `sequence` | `record: NAME` | what was on the wire, from `wire/NAME.wire`: step by step, with the state of both ends |
//! | `states` | `record: NAME` | the state machine of TCP, and the way that both ends took |
//! | `packet` | `record: NAME`, `frame: 6`, perhaps `header: tcp` | the headers of a frame, field by field |
//! | `packet` | `layout: NAME`, perhaps `of: sockaddr_in` | structures as the compiler lays them out, from `layout/NAME.layout` |
//! | `plot` | `waits: NAME, NAME` | how long TCP waited before it sent again, from records |
//! | `plot` | `data: NAME` | numbers that a test counted, from `plot/NAME.plot` |
//! | `plot` | `window: NAME` | what was sent, acknowledged and allowed at any time, from a record |
//! | `bytes` | `number: 8000`, `bits: 16` | the bytes of a number in both orders, and a box to try others |
//!
//! The files are those of the chapter. Each drawing is complete without a script, and has a table that says the same. With one, it can
//! be played: `book/theme/play.js` reads the table's rows as steps, and shows of the drawing what has happened by then (`data-f`).

mod bytes;
mod drawing;
mod fields;
mod packet;
mod plot;
mod sequence;
mod states;
mod structure;
mod svg;
mod trace;
mod window;

use std::fmt::Write;
use std::path::PathBuf;

use catalog::{Catalog, Chapter, Exercise, nearest};
use lab::wire::Wire;

use crate::markdown::escape;

/// A block on its page, as its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub kind: Kind,
    /// The line of its first fence, from 1.
    pub line: usize,
    entries: Vec<Entry>,
}

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sequence,
    States,
    Packet,
    Plot,
    Bytes,
}

const KINDS: [(&str, Kind, &[&str]); 5] = [
    ("sequence", Kind::Sequence, &["record"]),
    ("states", Kind::States, &["record"]),
    (
        "packet",
        Kind::Packet,
        &["record", "frame", "header", "layout", "of"],
    ),
    ("plot", Kind::Plot, &["waits", "window", "data"]),
    ("bytes", Kind::Bytes, &["number", "bits"]),
];

/// A line `key: value`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    key: String,
    value: String,
    line: usize,
}

/// What is wrong with a block, and on which line.
pub(crate) type Wrong = (usize, String);

/// Whether a fence with this info opens a drawing.
pub(crate) fn is_diagram(info: &str) -> bool {
    let word = info.trim().split([' ', ',']).next().unwrap_or("");
    KINDS.iter().any(|(name, ..)| *name == word)
}

impl Block {
    /// A block out of its fence's info, its content and the line of its fence.
    pub fn parse(info: &str, content: &str, line: usize) -> Result<Block, Wrong> {
        let info = info.trim();
        let Some((name, kind, keys)) = KINDS.iter().find(|(name, ..)| *name == info) else {
            let name = info.split([' ', ',']).next().unwrap_or("");
            return Err((
                line,
                format!("write ```{name} and nothing behind it: what is drawn stands in the block"),
            ));
        };
        let mut entries: Vec<Entry> = Vec::new();
        for (line, text) in (line + 1..).zip(content.lines()) {
            if text.trim().is_empty() {
                continue;
            }
            let Some((key, value)) = text.split_once(':') else {
                return Err((
                    line,
                    format!(
                        "`{}` is no line of a `{name}`: write `{}: …`",
                        text.trim(),
                        keys[0]
                    ),
                ));
            };
            let (key, value) = (key.trim(), value.trim());
            if !keys.contains(&key) {
                let hint = match nearest(key, keys.iter().copied()).first() {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it has {}", keys.join(", ")),
                };
                return Err((line, format!("a `{name}` has no `{key}`: {hint}")));
            }
            if value.is_empty() {
                return Err((line, format!("`{key}:` is empty")));
            }
            if entries.iter().any(|entry| entry.key == key) {
                return Err((line, format!("`{key}` stands twice in this block")));
            }
            entries.push(Entry {
                key: key.to_owned(),
                value: value.to_owned(),
                line,
            });
        }
        Ok(Block {
            kind: *kind,
            line,
            entries,
        })
    }

    fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    fn need(&self, key: &str) -> Result<&Entry, Wrong> {
        let missing = || (self.line, format!("the block has no `{key}:`"));
        self.get(key).ok_or_else(missing)
    }

    /// The id of its figure.
    pub fn id(&self) -> String {
        let value = |key| self.get(key).map_or("", |entry| &*entry.value);
        let words = match self.kind {
            Kind::Sequence => vec!["wire", value("record")],
            Kind::States => vec!["states", value("record")],
            Kind::Packet if self.get("layout").is_some() => {
                vec!["layout", value("layout"), value("of")]
            }
            Kind::Packet => vec!["packet", value("record"), value("frame"), value("header")],
            Kind::Plot => self
                .entries
                .first()
                .map_or(vec!["plot"], |entry| vec![&*entry.key, &*entry.value]),
            Kind::Bytes => vec!["bytes", value("number")],
        };
        let words = words.iter().flat_map(|word| word.split([' ', ',']));
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        words.join("-")
    }
}

/// Where a drawing's data is, and whose page it is on.
pub(crate) struct Context<'c> {
    pub catalog: &'c Catalog,
    pub chapter: &'c Chapter,
    /// Where files can be looked at.
    pub source: Option<&'c str>,
}

impl Context<'_> {
    /// A file of the chapter's, as a link if there is something to link to.
    fn place(&self, folder: &str, name: &str) -> String {
        let file = format!("{}/{folder}/{name}.{folder}", self.chapter.path.display());
        match self.source {
            Some(base) => format!("<a href=\"{0}{1}\">{1}</a>", escape(base), escape(&file)),
            None => escape(&file),
        }
    }

    /// Reads `chapters/NN-topic/FOLDER/NAME.FOLDER`, which a test keeps by `call`.
    fn read(&self, folder: &str, name: &str, call: &str) -> Result<(String, PathBuf), String> {
        let file = self
            .chapter
            .path
            .join(folder)
            .join(format!("{name}.{folder}"));
        match std::fs::read_to_string(self.catalog.at(&file)) {
            Ok(text) => Ok((text, file)),
            Err(_) => {
                let names = self.names(folder);
                let near = nearest(name, names.iter().map(String::as_str));
                let hint = match (near.first(), names.is_empty()) {
                    (Some(near), _) => format!("; did you mean `{near}`?"),
                    (None, true) => format!("; a test keeps it with `{call}` and LAB_BLESS=1"),
                    (None, false) => format!("; there are {}", names.join(", ")),
                };
                Err(format!("there is no {}{hint}", file.display()))
            }
        }
    }

    /// The names of the chapter's files of a kind, sorted.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.catalog.at(self.chapter.path.join(folder)));
        let names = entries.into_iter().flatten().flatten();
        let names = names.filter_map(|entry| entry.file_name().into_string().ok());
        let ending = format!(".{folder}");
        let mut names: Vec<String> = names
            .filter_map(|name| name.strip_suffix(&ending).map(str::to_owned))
            .collect();
        names.sort();
        names
    }

    /// Reads a record of what was on the wire.
    fn wire(&self, name: &str) -> Result<Wire, String> {
        let (text, file) = self.read("wire", name, "cx.golden(…)")?;
        let shown = file.display();
        let wire =
            Wire::from_record(&text).map_err(|(line, what)| format!("{shown}:{line}: {what}"))?;
        if wire.frames().is_empty() {
            return Err(format!("the record {shown} is empty: no frame is in it"));
        }
        Ok(wire)
    }

    /// Words of the book's own.
    fn say(&self, words: &str) -> String {
        self.catalog.words.say(words).to_owned()
    }

    /// Words of the book's own around what is not.
    fn fill(&self, words: &str, parts: &[&str]) -> String {
        self.catalog.words.fill(words, parts)
    }

    /// The head of a table, with the hosts of which each row has the state.
    fn head(&self, columns: &[&str], hosts: &[&str]) -> String {
        let columns = columns.iter().map(|column| escape(&self.say(column)));
        let hosts = hosts.iter().map(|host| escape(host));
        format!(
            "<table><thead><tr>{}{}</tr></thead>\n<tbody>\n",
            cells("<th>", "</th>", columns),
            cells("<th class=\"end\">", "</th>", hosts)
        )
    }
}

/// Cells of a table's row, each between its tags.
fn cells(
    open: &str,
    close: &str,
    texts: impl IntoIterator<Item = impl std::fmt::Display>,
) -> String {
    let mut html = String::new();
    for text in texts {
        _ = write!(html, "{open}{text}{close}");
    }
    html
}

/// The figure of a block.
///
/// # Errors
/// What is wrong, with the line of the block that says so.
pub(crate) fn figure(context: &Context, block: &Block) -> Result<String, Wrong> {
    let at = |key: &str| block.get(key).map_or(block.line, |entry| entry.line);
    match block.kind {
        Kind::Sequence => {
            let record = block.need("record")?;
            sequence::figure(context, &record.value).map_err(|what| (record.line, what))
        }
        Kind::States => {
            let record = block.need("record")?;
            states::figure(context, &record.value).map_err(|what| (record.line, what))
        }
        Kind::Packet if block.get("layout").is_some() => {
            for key in ["record", "frame", "header"] {
                if let Some(entry) = block.get(key) {
                    return Err((entry.line, format!("a block with `layout` has no `{key}`")));
                }
            }
            let layout = block.need("layout")?;
            let of = block.get("of").map(|entry| &*entry.value);
            structure::figure(context, &block.id(), &layout.value, of)
                .map_err(|(key, what)| (at(key), what))
        }
        Kind::Packet => {
            let record = block.need("record")?;
            if let Some(of) = block.get("of") {
                return Err((of.line, "`of` goes with `layout`".into()));
            }
            let wire = context
                .wire(&record.value)
                .map_err(|what| (record.line, what))?;
            let frame = block.need("frame")?;
            let number = frame.value.parse().map_err(|_| {
                (
                    frame.line,
                    format!("`{}` is no frame's number", frame.value),
                )
            })?;
            let header = block.get("header").map(|entry| &*entry.value);
            packet::figure(context, &record.value, &wire, number, header)
                .map_err(|(key, what)| (at(key), what))
        }
        Kind::Plot => {
            let [entry] = &block.entries[..] else {
                let what =
                    "a `plot` has one of `waits: NAME, NAME`, `window: NAME` and `data: NAME`";
                return Err((block.line, what.into()));
            };
            let drawn = match &*entry.key {
                "waits" => plot::waits(context, &block.id(), &entry.value),
                "window" => window::figure(context, &entry.value),
                _ => plot::numbers(context, &block.id(), &entry.value),
            };
            drawn.map_err(|what| (entry.line, what))
        }
        Kind::Bytes => {
            let number = block.need("number")?;
            let bits = block.get("bits").map_or("16", |entry| &*entry.value);
            let bits: u32 = bits.parse().unwrap_or_default();
            if ![16, 32, 64].contains(&bits) {
                return Err((at("bits"), "`bits` is 16, 32 or 64".into()));
            }
            let value = number.value.parse::<u64>().ok();
            let fits = value.filter(|value| bits == 64 || value >> bits == 0);
            let value = fits.ok_or_else(|| {
                (
                    number.line,
                    format!("`{}` is no number of {bits} bits", number.value),
                )
            })?;
            Ok(bytes::figure(context, &block.id(), value, bits))
        }
    }
}

/// The figure of what was on the wire of an exercise's check, from its record.
///
/// # Errors
/// What is wrong with the record.
pub(crate) fn of_check(
    catalog: &Catalog,
    exercise: &Exercise,
    check: &str,
    record: &str,
) -> Result<String, String> {
    let chapter = catalog
        .chapter(&exercise.chapter)
        .ok_or("the exercise has no chapter")?;
    let context = Context {
        catalog,
        chapter,
        source: None,
    };
    sequence::of_check(&context, check, record)
}

/// What a figure consists of.
struct Figure<'f> {
    /// Of the stylesheet.
    class: &'f str,
    id: &'f str,
    /// What the drawing is called where it is a box to scroll in.
    label: &'f str,
    svg: &'f str,
    table: &'f str,
    /// HTML.
    caption: &'f str,
    /// Whether it can be played: the table's rows are steps.
    plays: bool,
}

impl Figure<'_> {
    /// The HTML, without an empty line, which would end it in Markdown.
    fn html(&self, context: &Context) -> String {
        let (player, plays) = if self.plays {
            (player(context), " data-module=\"play\"")
        } else {
            (String::new(), "")
        };
        format!(
            "<figure class=\"diagram {}\" id=\"{}\"{plays}>\n<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"{}\">\n{}</div>\n{player}\
             <details><summary>{}</summary>\n<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"{}\">{}</div></details>\n\
             <figcaption>{}</figcaption>\n</figure>",
            self.class,
            escape(self.id),
            escape(self.label),
            self.svg,
            context.say("The same as a table"),
            escape(&context.say("Table")),
            self.table,
            self.caption,
        )
    }
}

/// The buttons of a drawing that plays, which only readers with scripts see.
fn player(context: &Context) -> String {
    let button = |what: &str, words: &str| {
        format!(
            "<button type=\"button\" data-do=\"{what}\">{}</button>",
            escape(&context.say(words))
        )
    };
    format!(
        "<div class=\"player\" role=\"group\" aria-label=\"{}\">{}<button type=\"button\" data-do=\"play\" data-pause=\"{}\">{}</button>{}{}\
         <span class=\"ends\"></span><p class=\"said\" role=\"status\"></p></div>\n",
        escape(&context.say("Step by step")),
        button("back", "Back"),
        escape(&context.say("Pause")),
        escape(&context.say("Play")),
        button("step", "Step"),
        button("all", "All"),
    )
}

#[cfg(test)]
mod tests;
