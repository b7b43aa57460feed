//! What stands on a page: directives, ids, links, and what is wrong before anything is looked up?

use std::path::{Path, PathBuf};

use pulldown_cmark::{BrokenLink, Event, Parser, Tag};

use crate::directive::{self, Directive};
use crate::html::{Piece, is_element, pieces};
use crate::{PAGES, Page, Problem, markdown};

/// A page, read once.
pub(crate) struct Read<'p> {
    pub page: &'p Page,
    /// `book/src/…`, for messages.
    pub file: PathBuf,
    pub directives: Vec<Directive>,
    /// The ids that the author gave, to headings and in HTML, with their lines.
    pub ids: Vec<(String, usize)>,
    /// Where links lead, with their lines.
    pub links: Vec<(String, usize)>,
    /// What is wrong already.
    pub problems: Vec<Problem>,
}

impl<'p> Read<'p> {
    pub fn new(page: &'p Page) -> Read<'p> {
        let text = page.text.as_str();
        let mut read = Read {
            page,
            file: Path::new(PAGES).join(&page.path),
            directives: Vec::new(),
            ids: Vec::new(),
            links: Vec::new(),
            problems: Vec::new(),
        };
        let lines = Lines::new(text);
        let mut code = Vec::new();
        let mut broken = Vec::new();
        let mut note = |link: BrokenLink<'_>| {
            if markdown::was_meant(&link) {
                broken.push((link.span.start, link.reference.to_string()));
            }
            None
        };
        let parser =
            Parser::new_with_broken_link_callback(text, markdown::options(), Some(&mut note));
        for (event, span) in parser.into_offset_iter() {
            let line = lines.of(span.start);
            match event {
                Event::Code(_) | Event::Start(Tag::CodeBlock(_)) => code.push(span),
                Event::Start(Tag::Heading { id: Some(id), .. }) => {
                    read.ids.push((id.to_string(), line));
                }
                Event::Start(Tag::Heading { id: None, .. }) => {
                    let heading = text[span].lines().next().unwrap_or("").trim();
                    let what = format!(
                        "the heading `{heading}` has no id: end it with `{{#{}}}`",
                        slug(heading)
                    );
                    read.problem(line, what);
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    read.links.push((dest_url.to_string(), line));
                }
                Event::Html(html) | Event::InlineHtml(html) => read.html(&html, line),
                _ => {}
            }
        }
        for (at, label) in broken {
            read.problem(
                lines.of(at),
                format!("the link's label `[{label}]` is not defined on this page"),
            );
        }
        let (directives, wrong) = directive::find(text, &code);
        read.directives = directives;
        for (line, what) in wrong {
            read.problem(line, what);
        }
        read
    }

    pub fn problem(&mut self, line: usize, what: impl Into<String>) {
        self.problems.push(Problem::on(&self.file, line, what));
    }

    fn html(&mut self, html: &str, line: usize) {
        for piece in pieces(html) {
            if let Piece::Open(tag) = piece {
                if !is_element(tag.name) {
                    self.problem(
                        line,
                        format!(
                            "`<{}>` is taken for a tag of HTML: put it in `code`",
                            tag.name
                        ),
                    );
                }
                self.ids
                    .extend(tag.attribute("id").map(|id| (id.to_owned(), line)));
                let target = tag.attribute("href").or_else(|| tag.attribute("src"));
                self.links
                    .extend(target.map(|target| (target.to_owned(), line)));
            }
        }
    }
}

/// Where the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Lines {
        Lines(text.match_indices('\n').map(|(at, _)| at + 1).collect())
    }

    /// The number, from 1, of the line on which the byte at `offset` stands.
    fn of(&self, offset: usize) -> usize {
        self.0.partition_point(|&start| start <= offset) + 1
    }
}

/// An id to propose for a heading.
fn slug(heading: &str) -> String {
    let words: Vec<String> = heading
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("-")
}
