//! What do the sections of a built page say, and in which part of the page?

use crate::html::{Piece, pieces};

/// A section of a page, as its reader sees it.
pub struct Section {
    pub id: String,
    pub title: String,
    /// Whether it explains. Tables of claims, exercises and lists of books mention everything, and explain nothing.
    pub teaches: bool,
    pub parts: Vec<Part>,
}

/// A piece of text.
pub struct Part {
    pub place: Place,
    pub text: String,
}

/// Where a piece of text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Heading,
    Bold,
    /// A name in prose.
    Code,
    Prose,
    /// A listing, a terminal, a drawing's table.
    Listing,
}

/// Sections that explain nothing, by their ids.
const OTHERS: [&str; 4] = [
    "exercises",
    "on-trial",
    "further-reading",
    "in-c-and-in-rust",
];
/// What is no text of a section.
const SKIPPED: [&str; 5] = ["nav", "svg", "button", "script", "template"];

/// The names of the pages, without `.html`, in the order of the contents.
pub fn order(html: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut inside = false;
    for piece in pieces(html) {
        match piece {
            Piece::Open(tag) if tag.name == "nav" => {
                inside = tag.attribute("id") == Some("contents");
            }
            Piece::Close("nav") => inside = false,
            Piece::Open(tag) if inside && tag.name == "a" => {
                let address = tag.attribute("href").unwrap_or("");
                let name = address
                    .split('#')
                    .next()
                    .unwrap_or("")
                    .strip_suffix(".html");
                names.extend(
                    name.filter(|name| !names.iter().any(|other| other == name))
                        .map(str::to_owned),
                );
            }
            _ => {}
        }
    }
    names
}

/// The sections of a page.
pub fn read(html: &str) -> Vec<Section> {
    let start = html.find("<main").unwrap_or(0);
    let end = html.find("</main>").unwrap_or(html.len());
    let mut reader = Reader::default();
    for piece in pieces(&html[start..end]) {
        reader.piece(&piece);
    }
    reader.sections
}

#[derive(Default)]
struct Reader {
    sections: Vec<Section>,
    /// The element whose contents are left out, and how often it stands in itself.
    skipping: Option<(String, usize)>,
    heading: bool,
    bold: usize,
    code: usize,
    pre: usize,
}

impl Reader {
    fn piece(&mut self, piece: &Piece<'_>) {
        match piece {
            Piece::Open(tag) => {
                let hidden = tag.attribute("aria-hidden") == Some("true");
                match &mut self.skipping {
                    Some((name, depth)) => {
                        *depth += usize::from(name == tag.name);
                        return;
                    }
                    None if SKIPPED.contains(&tag.name)
                        || hidden
                        || tag.attribute("popover").is_some() =>
                    {
                        self.skipping = Some((tag.name.to_owned(), 1));
                        return;
                    }
                    None => {}
                }
                self.open(tag.name, tag.attribute("id"));
            }
            Piece::Close(name) => match &mut self.skipping {
                Some((skipped, depth)) => {
                    *depth -= usize::from(skipped == name);
                    if *depth == 0 {
                        self.skipping = None;
                    }
                }
                None => self.close(name),
            },
            Piece::Text(text) if self.skipping.is_none() => self.text(text),
            Piece::Text(_) => {}
        }
    }

    fn open(&mut self, name: &str, id: Option<&str>) {
        match (name, id) {
            ("h1" | "h2" | "h3" | "h4", Some(id)) => {
                let teaches = !OTHERS.contains(&id)
                    && !id.starts_with("exercise-")
                    && !id.starts_with("trial-");
                self.heading = true;
                self.sections.push(Section {
                    id: id.to_owned(),
                    title: String::new(),
                    teaches,
                    parts: Vec::new(),
                });
            }
            // A claim is a place of its own.
            ("tr", Some(id)) if id.starts_with("claim-") => self.sections.push(Section {
                title: id["claim-".len()..].replace('-', "."),
                id: id.to_owned(),
                teaches: false,
                parts: Vec::new(),
            }),
            ("strong" | "dfn" | "dt", _) => self.bold += 1,
            ("code", _) => self.code += 1,
            ("pre", _) => self.pre += 1,
            ("p" | "li" | "td" | "th" | "div" | "figure" | "br" | "summary" | "tr", _) => {
                self.text(" ");
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "h1" | "h2" | "h3" | "h4" => {
                self.text(" ");
                self.heading = false;
            }
            "strong" | "dfn" | "dt" => self.bold = self.bold.saturating_sub(1),
            "code" => self.code = self.code.saturating_sub(1),
            "pre" => self.pre = self.pre.saturating_sub(1),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        let place = match self {
            Reader { heading: true, .. } => Place::Heading,
            Reader { pre: 1.., .. } => Place::Listing,
            Reader { code: 1.., .. } => Place::Code,
            Reader { bold: 1.., .. } => Place::Bold,
            _ => Place::Prose,
        };
        let Some(section) = self.sections.last_mut() else {
            return;
        };
        let text = unescape(text);
        if place == Place::Heading {
            section.title.push_str(&text);
        }
        match section.parts.last_mut() {
            // A word may change its color in the middle.
            Some(part) if part.place == place => part.text.push_str(&text),
            _ => section.parts.push(Part { place, text }),
        }
    }
}

/// Text without the names that HTML has for some characters.
pub fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let name = after.split(';').next().unwrap_or("");
        let number = |name: &str| match name.strip_prefix('x') {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => name.parse().ok(),
        };
        let c = match name {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "nbsp" => Some('\u{a0}'),
            name => name
                .strip_prefix('#')
                .and_then(number)
                .and_then(char::from_u32),
        };
        if let Some(c) = c.filter(|_| after.len() > name.len()) {
            plain.push(c);
            rest = &after[name.len() + 1..];
        } else {
            plain.push('&');
            rest = after;
        }
    }
    plain + rest
}
