//! What do the terminals of a page show, and in which order is it played?
//!
//! A `console` block is a piece of a session at a terminal. Its lines are
//!
//! | line | what it is |
//! |---|---|
//! | `$ cargo run --bin echo -- [PORT]` | a command; one that ends in `\` goes on in the next line |
//! | `> hello` | what the reader types into the running program |
//! | `> ^D`, `> ^C` | end of input; the interrupt key |
//! | `...` | any lines, also none |
//! | anything else | a line of output, with [patterns](Pattern) for what varies |
//!
//! After the word `console` may stand `terminal=NAME`, `host=NAME` and `unverified="why"`. The blocks of a section, which
//! is what stands under one heading of level 1 to 3, are played in the order of the page. A block without a command goes on with
//! the program that runs in its terminal. An output line that begins like something else has a backslash in front: `\> GET /`.

mod command;
mod pattern;

use std::collections::{BTreeMap, BTreeSet};

pub use command::{Command, Unfit};
pub(crate) use pattern::pieces;
pub use pattern::{Names, Pattern};

use crate::page::Read;
use crate::{Page, Problem};

/// All blocks under one heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The heading's id; empty for what stands before the first heading.
    pub id: String,
    /// In the order of the page. There is at least one.
    pub blocks: Vec<Block>,
}

/// A `console` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The line of its opening fence, counted from 1.
    pub line: usize,
    /// The terminal's name; its host's when the author gave none, and empty without a host.
    pub terminal: String,
    /// The host that the terminal is at.
    pub host: Option<String>,
    /// Why it is not replayed.
    pub unverified: Option<String>,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// A line of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// On the page, counted from 1.
    pub number: usize,
    /// As it stands there, without the indentation of the block.
    pub text: String,
    /// What it is.
    pub kind: Kind,
}

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A command, without its prompt.
    Command(Command),
    /// What is typed, without the end of the line.
    Typed(String),
    /// Control-D: the end of what is typed.
    EndOfInput,
    /// Control-C.
    Interrupt,
    /// Any lines.
    Anything,
    /// A line of output.
    Output(Pattern),
}

impl Section {
    /// Whether any block of it is to be replayed.
    pub fn is_replayed(&self) -> bool {
        self.blocks.iter().any(|block| block.unverified.is_none())
    }

    /// The hosts of its blocks, in the order in which they appear.
    pub fn hosts(&self) -> Vec<&str> {
        let mut hosts: Vec<&str> = Vec::new();
        for host in self.blocks.iter().filter_map(|block| block.host.as_deref()) {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        hosts
    }
}

impl Block {
    /// Its commands, with the lines they stand on.
    pub fn commands(&self) -> impl Iterator<Item = (usize, &Command)> {
        self.lines.iter().filter_map(|line| match &line.kind {
            Kind::Command(command) => Some((line.number, command)),
            _ => None,
        })
    }

    /// Reads a block: what stands behind its fence, and its text. `line` is the fence's.
    ///
    /// # Errors
    ///
    /// What is wrong, with its line.
    pub(crate) fn parse(info: &str, text: &str, line: usize) -> Result<Block, (usize, String)> {
        let mut block = Block {
            line,
            terminal: String::new(),
            host: None,
            unverified: None,
            lines: Vec::new(),
        };
        let rest = info.trim().strip_prefix("console").unwrap_or_default();
        for (key, value) in attributes(rest).map_err(|what| (line, what))? {
            match key.as_str() {
                "terminal" => block.terminal = value,
                "host" => block.host = Some(value),
                "unverified" => block.unverified = Some(value),
                _ => {
                    let what = format!(
                        "a console block has no `{key}`: there are terminal, host and unverified"
                    );
                    return Err((line, what));
                }
            }
        }
        if let (Some(host), true) = (&block.host, block.terminal.is_empty()) {
            block.terminal.clone_from(host);
        }
        let mut lines = text.lines().enumerate();
        while let Some((at, first)) = lines.next() {
            let number = line + 1 + at;
            let mut text = first.to_owned();
            while text.starts_with("$ ") && text.ends_with('\\') {
                let Some((_, more)) = lines.next() else { break };
                text = format!("{text}\n{more}");
            }
            let kind = Kind::of(&text);
            block.lines.push(Line { number, text, kind });
        }
        if block.lines.is_empty() {
            return Err((line, "the console block is empty".into()));
        }
        Ok(block)
    }
}

impl Kind {
    fn of(text: &str) -> Kind {
        if let Some(command) = text.strip_prefix("$ ") {
            return Kind::Command(Command::new(command));
        }
        match text.trim_end() {
            "> ^D" => Kind::EndOfInput,
            "> ^C" => Kind::Interrupt,
            "..." => Kind::Anything,
            ">" => Kind::Typed(String::new()),
            line => match line.strip_prefix("> ") {
                Some(typed) => Kind::Typed(typed.to_owned()),
                None => Kind::Output(Pattern::new(line)),
            },
        }
    }
}

/// `key=value`, or `key="several words"`, any number of them.
fn attributes(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start_matches([' ', ',']);
    while !rest.is_empty() {
        let wanted = || format!("`{}` is not `name=value`", rest.trim());
        let (key, after) = rest.split_once('=').ok_or_else(wanted)?;
        let value;
        (value, rest) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or_else(wanted)?,
            None => after.split_once([' ', ',']).unwrap_or((after, "")),
        };
        if value.trim().is_empty() || key.contains(char::is_whitespace) {
            return Err(format!(
                "`{key}` of a console block needs a value: `{key}=…`"
            ));
        }
        found.push((key.to_owned(), value.to_owned()));
        rest = rest.trim_start_matches([' ', ',']);
    }
    Ok(found)
}

/// The sections of a page that have terminals.
///
/// # Errors
///
/// What is wrong with them, each with its line.
pub fn sections(page: &Page) -> Result<Vec<Section>, Vec<Problem>> {
    let read = Read::new(page);
    if read.wrong_consoles.is_empty() {
        Ok(read.sections())
    } else {
        let problem = |(line, what): &(usize, String)| Problem::on(&read.file, *line, what.clone());
        Err(read.wrong_consoles.iter().map(problem).collect())
    }
}

/// What in a section cannot be played: line and sentence.
pub(crate) fn check(section: &Section) -> Vec<(usize, String)> {
    let mut wrong = Vec::new();
    let mut hosts: BTreeMap<&str, &str> = BTreeMap::new();
    let mut started: BTreeSet<&str> = BTreeSet::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    let on_hosts = !section.hosts().is_empty();
    for block in &section.blocks {
        let terminal = block.terminal.as_str();
        match (&block.host, hosts.get(terminal)) {
            (Some(host), Some(other)) if host != other => wrong.push((
                block.line,
                format!("the terminal `{terminal}` is at host {other} above, and cannot be at {host} too"),
            )),
            (Some(host), _) => _ = hosts.insert(terminal, host),
            (None, None) if on_hosts && block.unverified.is_none() => wrong.push((
                block.line,
                "others in this section are at hosts, so say where this one is: `host=NAME`".into(),
            )),
            (None, _) => {}
        }
        if block.unverified.is_some() {
            continue;
        }
        for line in &block.lines {
            let number = line.number;
            let mut must_know = |names: Vec<String>| {
                for name in names.into_iter().filter(|name| !known.contains(name)) {
                    let what = format!(
                        "`[{name}]` is not known yet: no output above shows it in this section"
                    );
                    wrong.push((number, what));
                }
            };
            match &line.kind {
                Kind::Command(command) => {
                    started.insert(terminal);
                    must_know(pattern::names_in(command.text()));
                    wrong.extend(command.unfit().map(|unfit| (number, unfit.to_string())));
                }
                Kind::Output(pattern) => known.extend(pattern.names().map(str::to_owned)),
                Kind::Typed(typed) => must_know(pattern::names_in(typed)),
                _ => {}
            }
            if !started.contains(terminal) {
                let whose = if terminal.is_empty() {
                    String::from("this terminal")
                } else {
                    format!("the terminal `{terminal}`")
                };
                wrong.push((
                    number,
                    format!(
                        "nothing runs in {whose} yet in this section: begin with a command, `$ …`"
                    ),
                ));
                break;
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests;
