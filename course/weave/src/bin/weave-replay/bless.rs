//! What do the terminals show now? It takes the place of what the page says, with the page's patterns where they fit.
//!
//! Only here time decides: a program that was silent for a moment is taken to have said all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lab::prelude::*;
use weave::transcript::{Block, Kind, Line, Names, Section};

use crate::Stage;
use crate::play::Player;
use crate::screen::{Next, patience};

/// A program that has said as much as the page shows may say more. After this it is taken to have said all.
const SILENCE: Duration = Duration::from_millis(400);
/// One that has not said so much yet has longer.
const LONG_SILENCE: Duration = Duration::from_secs(3);
/// No block is longer.
const MOST_LINES: usize = 200;

/// A folder with a file for each block that was played: its new text, under the number of its line.
pub struct Fresh(PathBuf);

impl Fresh {
    /// An empty one.
    pub fn new() -> io::Result<Fresh> {
        let folder = std::env::temp_dir().join(format!("replay-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Fresh(folder))
    }

    /// Puts the new blocks into the page. How many have changed.
    pub fn write_into(&self, file: &Path, text: &str, sections: &[Section]) -> io::Result<usize> {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut blocks: Vec<&Block> = sections
            .iter()
            .flat_map(|section| &section.blocks)
            .collect();
        blocks.sort_by_key(|block| std::cmp::Reverse(block.line));
        let mut changed = 0;
        for block in blocks {
            let Ok(fresh) = fs::read_to_string(self.0.join(block.line.to_string())) else {
                continue;
            };
            let fence = &lines[block.line - 1];
            let indent = fence[..fence.len() - fence.trim_start().len()].to_owned();
            let fresh: Vec<String> = fresh
                .lines()
                .map(|line| format!("{indent}{line}").trim_end().to_owned())
                .collect();
            let length: usize = block
                .lines
                .iter()
                .map(|line| line.text.split('\n').count())
                .sum();
            let old = block.line..block.line + length;
            if lines[old.clone()] != fresh[..] {
                lines.splice(old, fresh);
                changed += 1;
            }
        }
        if changed > 0 {
            // Whole or not at all: a page is somebody's work.
            let beside = file.with_extension("md.new");
            fs::write(&beside, lines.join("\n") + "\n")?;
            fs::rename(&beside, file)?;
        }
        Ok(changed)
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // It lies in the folder for what may be lost.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Plays a section, and keeps what it shows.
pub fn record(cx: &Check, stage: &Stage, section: &Section, fresh: &Fresh) -> Verdict {
    let mut player = Player::new(cx, stage, section)?;
    let blocks: Vec<&Block> = section
        .blocks
        .iter()
        .filter(|block| block.unverified.is_none())
        .collect();
    for (at, block) in blocks.iter().enumerate() {
        let mut text = Vec::new();
        let mut rest = &block.lines[..];
        while !rest.is_empty() {
            if let [first, others @ ..] = rest
                && is_act(first)
            {
                player.acts(block, first)?;
                text.push(first.text.clone());
                rest = others;
            }
            let shown = rest.iter().position(is_act).unwrap_or(rest.len());
            let (old, others) = rest.split_at(shown);
            rest = others;
            let later = blocks[at + 1..]
                .iter()
                .filter(|later| later.terminal == block.terminal);
            let next = rest
                .first()
                .or_else(|| later.clone().next().and_then(|later| later.lines.first()));
            let must_end = matches!(
                next,
                Some(Line {
                    kind: Kind::Command(_),
                    ..
                })
            );
            let got = collect(&mut player, block, old, must_end)?;
            text.extend(merge(old, &got, &mut player.names));
        }
        fs::write(fresh.0.join(block.line.to_string()), text.join("\n"))?;
    }
    PASS
}

fn is_act(line: &Line) -> bool {
    !matches!(line.kind, Kind::Anything | Kind::Output(_))
}

/// What a program prints until it has said all.
fn collect(
    player: &mut Player<'_>,
    block: &Block,
    old: &[Line],
    must_end: bool,
) -> Result<Vec<String>, Finding> {
    let wanted = old
        .iter()
        .filter(|line| matches!(line.kind, Kind::Output(_)))
        .count()
        .max(1);
    let cx = player.cx;
    let mut got = Vec::new();
    while got.len() < MOST_LINES {
        let patience = match () {
            () if must_end => patience(),
            () if got.len() < wanted => LONG_SILENCE,
            () => SILENCE,
        };
        match player.screen(block).next(cx, patience)? {
            Next::Line(line) => got.push(line),
            Next::Nothing if must_end => {
                return Err(player.stop(
                    block.line,
                    "a program still runs when the next command is given at its terminal",
                ));
            }
            Next::Ended | Next::Nothing => break,
        }
    }
    Ok(got)
}

/// The new lines, each as the page had it where it still fits.
fn merge(old: &[Line], got: &[String], names: &mut Names) -> Vec<String> {
    let mut lines = Vec::new();
    let mut loose = Vec::new();
    let mut rest = old;
    for line in got {
        let fits = |old: &Line, names: &mut Names| matches!(&old.kind, Kind::Output(pattern) if pattern.matches(line, names));
        match rest.iter().position(|old| fits(old, names)) {
            Some(at) => {
                flush(&mut lines, &mut loose, &rest[..at]);
                lines.push(rest[at].text.clone());
                rest = &rest[at + 1..];
            }
            None => loose.push(written(line, names)),
        }
    }
    flush(&mut lines, &mut loose, rest);
    lines
}

/// Lines that the page did not have, unless it had dots there.
fn flush(lines: &mut Vec<String>, loose: &mut Vec<String>, passed: &[Line]) {
    if passed.iter().any(|line| line.kind == Kind::Anything) {
        lines.push("...".into());
        loose.clear();
    }
    lines.append(loose);
}

/// A line as a page has it: what names stand for by their names, a port that the kernel chose by a new name, and a backslash
/// where it would be taken for something else.
fn written(line: &str, names: &mut Names) -> String {
    let mut words = String::new();
    let mut rest = line.trim_end().replace('[', "\\[");
    if rest.starts_with("$ ") || rest.starts_with("> ") || rest == "..." || rest == ">" {
        rest.insert(0, '\\');
    }
    while !rest.is_empty() {
        let is_digit = |c: char| c.is_ascii_digit();
        let start = rest.find(is_digit).unwrap_or(rest.len());
        let length = rest[start..]
            .find(|c| !is_digit(c))
            .unwrap_or(rest.len() - start);
        let (before, number) = (&rest[..start], &rest[start..start + length]);
        words.push_str(before);
        // A number of one digit is anything, unless it is said to be a process.
        let is_process = ["process ", "pid ", "pid="]
            .iter()
            .any(|word| words.ends_with(word));
        let known = names
            .iter()
            .find(|(_, value)| *value == number && (value.len() > 1 || is_process));
        let name = known.map(|(name, _)| name.clone());
        let chosen = words.ends_with(':') && number.parse::<u16>().is_ok_and(|port| port >= 32_768);
        match name {
            Some(name) => words += &format!("[{name}]"),
            None if chosen => {
                let free = (1..).map(|at| {
                    if at == 1 {
                        "PORT".into()
                    } else {
                        format!("PORT{at}")
                    }
                });
                let name: String = free
                    .into_iter()
                    .find(|name| !names.contains_key(name))
                    .unwrap_or_default();
                words += &format!("[{name}]");
                names.insert(name, number.to_owned());
            }
            None => words.push_str(number),
        }
        rest = rest[start + length..].to_owned();
    }
    // Only what looks like a name needs it.
    words.replace("\\[", "[")
}
