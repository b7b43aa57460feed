//! What of a built page belongs into a book, and where do its links lead there?

use crate::html::{Piece, Tag, pieces};
use crate::links::{is_outside, resolve};
use crate::markdown::escape;
use crate::search::unescape;
use std::path::Path;

/// What the pages become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// One long page: ids carry the name of the page they come from.
    Sheet,
    /// A file of XHTML for each page.
    Files,
}

/// A page as XML.
pub struct Flow {
    pub name: String,
    pub xml: String,
    /// Level, id as it is in the target, text.
    pub headings: Vec<(usize, String, String)>,
    /// Every id of the page, as [`key`] writes it.
    pub ids: Vec<String>,
    /// Links into the book as they stood, and the [`key`]s that they need.
    pub links: Vec<(String, String)>,
}

/// Elements that have no end.
const EMPTY: [&str; 7] = ["br", "hr", "img", "wbr", "col", "input", "meta"];
/// What is only for a screen.
const LEFT_OUT: [&str; 8] = [
    "nav", "script", "template", "button", "input", "output", "select", "label",
];
/// Attributes that name ids of the same page.
const REFERENCES: [&str; 4] = [
    "aria-labelledby",
    "aria-describedby",
    "aria-controls",
    "headers",
];

/// The contents of a page's `main`.
///
/// # Errors
///
/// One line: which tag does not fit.
pub fn flow(name: &str, html: &str, pages: &[&str], target: Target) -> Result<Flow, String> {
    let start = html.find("<main").ok_or("it has no <main>")?;
    let start = start + html[start..].find('>').ok_or("its <main> does not end")? + 1;
    let end = html.rfind("</main>").ok_or("its <main> is not closed")?;
    let mut writer = Writer {
        flow: Flow {
            name: name.to_owned(),
            xml: String::new(),
            headings: Vec::new(),
            ids: vec![key(name, "")],
            links: Vec::new(),
        },
        pages,
        target,
        open: Vec::new(),
        skipping: None,
        heading: false,
    };
    if target == Target::Sheet {
        writer.flow.xml = format!("<a id=\"{name}--\"></a>");
    }
    for piece in pieces(&html[start..end]) {
        writer.piece(&piece)?;
    }
    match writer.open.last() {
        Some((open, _)) => Err(format!("<{open}> is not closed")),
        None => Ok(writer.flow),
    }
}

/// A place of the book.
fn key(page: &str, id: &str) -> String {
    format!("{page}#{id}")
}

struct Writer<'a> {
    flow: Flow,
    pages: &'a [&'a str],
    target: Target,
    /// Open elements, and whether their tags were written.
    open: Vec<(String, bool)>,
    skipping: Option<(String, usize)>,
    heading: bool,
}

impl Writer<'_> {
    fn piece(&mut self, piece: &Piece<'_>) -> Result<(), String> {
        if let Some((name, depth)) = &mut self.skipping {
            match piece {
                Piece::Open(tag) if tag.name == name && !tag.is_closed() => *depth += 1,
                Piece::Close(closed) if closed == name => *depth -= 1,
                _ => {}
            }
            if *depth == 0 {
                self.skipping = None;
            }
            return Ok(());
        }
        match piece {
            Piece::Open(tag) => self.open(tag),
            Piece::Close(name) => self.close(name)?,
            Piece::Text(text) => {
                let text = unescape(text);
                if self.heading
                    && let Some((_, _, title)) = self.flow.headings.last_mut()
                {
                    title.push_str(&text);
                }
                // Line ends are of value in listings.
                let lines: Vec<String> = text.split('\n').map(escape).collect();
                self.flow.xml.push_str(&lines.join("\n"));
            }
        }
        Ok(())
    }

    fn open(&mut self, tag: &Tag<'_>) {
        let class = tag.attribute("class").unwrap_or("");
        let has = |name| class.split_whitespace().any(|class| class == name);
        let empty = EMPTY.contains(&tag.name) || tag.is_closed();
        // A system call that explains itself on a screen is its name here, and headings need no links to themselves.
        let is_bare = tag.name == "button" && has("call") || tag.name == "a" && has("header");
        if !is_bare && (LEFT_OUT.contains(&tag.name) || tag.attribute("popover").is_some())
            || has("slot")
        {
            if !empty {
                self.skipping = Some((tag.name.to_owned(), 1));
            }
            return;
        }
        if let Some(level) = heading(tag.name) {
            self.heading = true;
            let id = self.id(tag.attribute("id").unwrap_or(""));
            self.flow.headings.push((level, id, String::new()));
        }
        if !is_bare {
            self.write(tag, empty);
        }
        if !empty {
            self.open.push((tag.name.to_owned(), !is_bare));
        }
    }

    fn write(&mut self, tag: &Tag<'_>, empty: bool) {
        let mut xml = format!("<{}", tag.name);
        if tag.name == "svg" && tag.attribute("xmlns").is_none() {
            xml.push_str(" xmlns=\"http://www.w3.org/2000/svg\"");
        }
        for (name, value) in tag.attributes() {
            let value = unescape(value.unwrap_or(name));
            let value = match name {
                "id" => {
                    self.flow.ids.push(key(&self.flow.name, &value));
                    self.id(&value)
                }
                "href" => match self.link(&value) {
                    nowhere if nowhere.is_empty() => continue,
                    link => link,
                },
                name if REFERENCES.contains(&name) => {
                    let ids: Vec<String> = value.split_whitespace().map(|id| self.id(id)).collect();
                    ids.join(" ")
                }
                name if name.starts_with("data-")
                    || name.starts_with("popover")
                    || name == "tabindex" =>
                {
                    continue;
                }
                _ => value.replace("url(#", &format!("url(#{}", self.id(""))),
            };
            xml.push_str(&format!(" {name}=\"{}\"", escape(&value)));
        }
        xml.push_str(if empty { "/>" } else { ">" });
        self.flow.xml.push_str(&xml);
    }

    fn close(&mut self, name: &str) -> Result<(), String> {
        if EMPTY.contains(&name) {
            return Ok(());
        }
        match self.open.pop() {
            Some((open, written)) if open == name => {
                self.heading &= heading(name).is_none();
                if written {
                    self.flow.xml.push_str(&format!("</{name}>"));
                }
                Ok(())
            }
            Some((open, _)) => Err(format!("</{name}> closes <{open}>")),
            None => Err(format!("</{name}> closes nothing")),
        }
    }

    /// An id of this page in the target.
    fn id(&self, id: &str) -> String {
        match self.target {
            Target::Sheet => format!("{}--{id}", self.flow.name),
            Target::Files => id.to_owned(),
        }
    }

    /// A link of this page in the target.
    fn link(&mut self, link: &str) -> String {
        if is_outside(link) {
            return link.to_owned();
        }
        let (path, id) = link.split_once('#').unwrap_or((link, ""));
        // A note that leads to the English page: this book is in one language.
        if link.starts_with("../") {
            return String::new();
        }
        let target = resolve(Path::new(&format!("{}.html", self.flow.name)), path);
        let name = target.map(|path| path.with_extension("").display().to_string());
        let name = match name.as_deref() {
            Some("index") => self.pages.first().map(|first| (*first).to_owned()),
            _ => name.filter(|name| self.pages.contains(&name.as_str())),
        };
        let Some(name) = name else {
            self.flow
                .links
                .push((link.to_owned(), "that page".to_owned()));
            return link.to_owned();
        };
        self.flow.links.push((link.to_owned(), key(&name, id)));
        match (self.target, id) {
            (Target::Sheet, _) => format!("#{name}--{id}"),
            (Target::Files, "") => format!("{name}.xhtml"),
            (Target::Files, id) => format!("{name}.xhtml#{id}"),
        }
    }
}

fn heading(name: &str) -> Option<usize> {
    let level = name.strip_prefix('h')?.parse().ok()?;
    (1..=6).contains(&level).then_some(level)
}
