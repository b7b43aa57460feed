//! What stands on a page: directives, ids, links, and what is wrong before anything is looked up?

use std::ops::Range;
use std::path::{Path, PathBuf};

use pulldown_cmark::{BrokenLink, CodeBlockKind, Event, HeadingLevel, Parser, Tag, TagEnd};

use crate::directive::{self, Directive};
use crate::html::{Piece, is_element, pieces};
use crate::transcript::{self, Block, Section};
use crate::{PAGES, Page, Problem, diagram, markdown};

/// A `console` block on its page.
pub(crate) struct Console {
    pub block: Block,
    /// From the first to the last fence, without the line's end.
    pub span: Range<usize>,
    /// The heading of level 1 to 3 that it stands under.
    section: String,
}

/// A drawing on its page.
pub(crate) struct Drawing {
    pub block: diagram::Block,
    /// From the first to the last fence, without the line's end.
    pub span: Range<usize>,
}

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
    /// The terminals, in order.
    pub consoles: Vec<Console>,
    /// The drawings, in order.
    pub drawings: Vec<Drawing>,
    /// What cannot be replayed, with its line; among the problems too.
    pub wrong_consoles: Vec<(usize, String)>,
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
            consoles: Vec::new(),
            drawings: Vec::new(),
            wrong_consoles: Vec::new(),
            problems: Vec::new(),
        };
        let mut section = String::new();
        let mut console: Option<(String, Range<usize>, String)> = None;
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
                Event::Code(_) => code.push(span),
                Event::Start(Tag::CodeBlock(kind)) => {
                    code.push(span.clone());
                    console = info_of_block(&kind).map(|info| (info, span, String::new()));
                }
                Event::Text(piece) if console.is_some() => {
                    console
                        .iter_mut()
                        .for_each(|(_, _, text)| text.push_str(&piece));
                }
                Event::End(TagEnd::CodeBlock) => {
                    if let Some((info, span, content)) = console.take() {
                        read.block(&info, &content, span, line, &section);
                    }
                }
                Event::Start(Tag::Heading {
                    id: Some(id),
                    level,
                    ..
                }) => {
                    if level <= HeadingLevel::H3 {
                        section = id.to_string();
                    }
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
        read.wrong_consoles
            .extend(read.sections().iter().flat_map(transcript::check));
        for (line, what) in read.wrong_consoles.clone() {
            read.problem(line, what);
        }
        let (directives, wrong) = directive::find(text, &code);
        read.directives = directives;
        for (line, what) in wrong {
            read.problem(line, what);
        }
        read
    }

    /// The consoles, under their headings. What a heading holds before and after a subsection is one section.
    pub fn sections(&self) -> Vec<Section> {
        let mut sections: Vec<Section> = Vec::new();
        for console in &self.consoles {
            let block = console.block.clone();
            match sections
                .iter_mut()
                .find(|section| section.id == console.section)
            {
                Some(section) => section.blocks.push(block),
                None => sections.push(Section {
                    id: console.section.clone(),
                    blocks: vec![block],
                }),
            }
        }
        sections
    }

    fn block(&mut self, info: &str, content: &str, span: Range<usize>, line: usize, section: &str) {
        let text = &self.page.text;
        let span = span.start..span.start + text[span.clone()].trim_end().len();
        if diagram::is_diagram(info) {
            match diagram::Block::parse(info, content, line) {
                Ok(block) => self.drawings.push(Drawing { block, span }),
                Err((line, what)) => self.problem(line, what),
            }
            return;
        }
        match Block::parse(info, content, line) {
            Ok(block) => self.consoles.push(Console {
                block,
                span,
                section: section.to_owned(),
            }),
            Err(wrong) => self.wrong_consoles.push(wrong),
        }
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

/// What stands behind the fence of a `console` block or of a drawing, if it is one.
fn info_of_block(kind: &CodeBlockKind<'_>) -> Option<String> {
    let CodeBlockKind::Fenced(info) = kind else {
        return None;
    };
    if diagram::is_diagram(info) {
        return Some(info.to_string());
    }
    let rest = info.trim().strip_prefix("console")?;
    (rest.is_empty() || rest.starts_with([' ', ','])).then(|| info.to_string())
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
