//! What does a section of a page consist of: its heading, its lines, its blocks of code?

use std::ops::Range;

use catalog::fingerprint;
use pulldown_cmark::{Event, Parser, Tag};

use crate::markdown;

/// A heading and what stands under it, until the next heading of any level.
pub struct Section<'t> {
    /// The heading's id; empty when it has none.
    pub id: String,
    /// 1 to 6.
    pub level: usize,
    /// The heading's line on the page, counted from 1.
    pub line: usize,
    /// The heading, and all lines under it.
    pub lines: Vec<&'t str>,
    /// What a translation says it was made from, in the line under the heading.
    pub from: Option<String>,
    /// The blocks of code, from fence to fence, as places in `lines`.
    pub fences: Vec<Range<usize>>,
}

/// The sections of a page; and the first line before them that is not empty, if there is one.
pub fn split(text: &str) -> (Option<usize>, Vec<Section<'_>>) {
    let mut sections: Vec<Section<'_>> = Vec::new();
    let mut before = None;
    let mut fence: Option<(&str, usize)> = None;
    for (index, line) in text.lines().enumerate() {
        let heading = heading(line).filter(|_| fence.is_none());
        if let Some((level, id)) = heading {
            sections.push(Section {
                id,
                level,
                line: index + 1,
                lines: vec![line],
                from: None,
                fences: Vec::new(),
            });
            continue;
        }
        let Some(section) = sections.last_mut() else {
            if !line.trim().is_empty() {
                before.get_or_insert(index + 1);
            }
            continue;
        };
        let at = section.lines.len();
        section.lines.push(line);
        if at == 1 {
            section.from = from(line);
        }
        let ticks = fence_of(line);
        match fence {
            None if !ticks.is_empty() => fence = Some((ticks, at)),
            // The closing fence is as long at least, and has nothing behind it.
            Some((open, start)) if ticks.starts_with(open) && line.trim() == ticks => {
                section.fences.push(start..at + 1);
                fence = None;
            }
            _ => {}
        }
    }
    (before, sections)
}

/// The level and the id of a heading.
fn heading(line: &str) -> Option<(usize, String)> {
    let level = line.bytes().take_while(|&byte| byte == b'#').count();
    if !(1..=6).contains(&level) || !line[level..].starts_with(' ') {
        return None;
    }
    let id = line
        .trim_end()
        .strip_suffix('}')
        .and_then(|line| line.rsplit_once("{#"))
        .map_or("", |(_, id)| id);
    Some((level, id.split_whitespace().next().unwrap_or("").to_owned()))
}

/// The backquotes or tildes that open or close a block of code.
pub fn fence_of(line: &str) -> &str {
    let line = line.trim_start();
    let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'));
    let end = mark.map_or(0, |mark| line.len() - line.trim_start_matches(mark).len());
    if end < 3 { "" } else { &line[..end] }
}

fn from(line: &str) -> Option<String> {
    let inside = line.trim().strip_prefix("<!--")?.strip_suffix("-->")?;
    Some(inside.trim().strip_prefix("from ")?.trim().to_owned())
}

/// Whether a line stands for the next block of the English section.
pub fn is_block(line: &str) -> bool {
    line.trim() == "{{#block}}"
}

/// Whether a line says that what follows is on a further page.
pub fn is_turn(line: &str) -> bool {
    line.trim_start().starts_with("<!-- page: ")
}

fn is_console(fence: &str) -> bool {
    let info = fence
        .trim_start()
        .trim_start_matches(['`', '~'])
        .trim_start();
    info.strip_prefix("console")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ',']))
}

impl Section<'_> {
    /// What a translation of this section was made from, in eight hex digits.
    ///
    /// How lines are broken does not count, and neither what terminals show: translations share that.
    pub fn fingerprint(&self) -> String {
        let shared = |at: usize| {
            let inside = |fence: &&Range<usize>| fence.start < at && at + 1 < fence.end;
            self.fences
                .iter()
                .find(inside)
                .is_some_and(|fence| is_console(self.lines[fence.start]))
        };
        let text: Vec<&str> = (0..self.lines.len())
            .filter(|&at| !shared(at) && !is_turn(self.lines[at]))
            .map(|at| self.lines[at])
            .collect();
        fingerprint(&text.join("\n"))
    }

    /// The places of the blocks of code, written or shared, in a translation.
    pub fn blocks(&self) -> impl Iterator<Item = usize> {
        (0..self.lines.len()).filter(|&at| {
            self.fences.iter().any(|fence| fence.start == at)
                || is_block(self.lines[at]) && !self.in_code(at)
        })
    }

    /// The page's line of a terminal that was written and not shared.
    pub fn own_console(&self) -> Option<usize> {
        let fence = self
            .fences
            .iter()
            .find(|fence| is_console(self.lines[fence.start]))?;
        Some(self.line + fence.start)
    }

    /// The directives, as they are written, without those for blocks and those in code.
    pub fn directives(&self) -> Vec<String> {
        let text = self.lines.join("\n");
        let code: Vec<Range<usize>> = Parser::new_ext(&text, markdown::options())
            .into_offset_iter()
            .filter(|(event, _)| matches!(event, Event::Code(_) | Event::Start(Tag::CodeBlock(_))))
            .map(|(_, span)| span)
            .collect();
        let starts = text.match_indices("{{#").map(|(at, _)| at);
        starts
            .filter(|at| !code.iter().any(|code| code.contains(at)))
            .filter_map(|at| Some(text[at..at + text[at..].find("}}")? + 2].to_owned()))
            .filter(|directive| !is_block(directive))
            .collect()
    }

    fn in_code(&self, at: usize) -> bool {
        self.fences.iter().any(|fence| fence.contains(&at))
    }

    /// The words of the prose.
    pub fn words(&self) -> usize {
        let prose = (0..self.lines.len()).filter(|&at| !self.in_code(at));
        prose
            .map(|at| self.lines[at].split_whitespace().count())
            .sum()
    }
}
