//! How does it look? Colors, widths and the one line that comes and goes.
//!
//! Color is for terminals, and never carries meaning alone: every mark is a different character too.

use std::env;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use crate::{process, terminal};

/// Whether standard output gets color: a terminal does, unless `NO_COLOR` is set; `CARGO_TERM_COLOR` decides when it is set.
pub fn colors() -> bool {
    static COLORS: OnceLock<bool> = OnceLock::new();
    *COLORS.get_or_init(|| {
        let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        match env::var("CARGO_TERM_COLOR").as_deref() {
            Ok("always") => true,
            Ok("never") => false,
            _ => {
                io::stdout().is_terminal()
                    && !set("NO_COLOR")
                    && env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        }
    })
}

fn styled(code: &str, text: impl Display) -> String {
    if colors() {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_string()
    }
}

/// What matters.
pub fn bold(text: impl Display) -> String {
    styled("1", text)
}

/// What may be read later.
pub fn dim(text: impl Display) -> String {
    styled("2", text)
}

/// What passed.
pub fn green(text: impl Display) -> String {
    styled("32", text)
}

/// What failed.
pub fn red(text: impl Display) -> String {
    styled("31", text)
}

/// What wants attention, and has not failed.
pub fn yellow(text: impl Display) -> String {
    styled("33", text)
}

/// What can be typed or opened.
pub fn cyan(text: impl Display) -> String {
    styled("36", text)
}

/// The width to write for: the terminal's, else `COLUMNS`, else 80; at least 40.
pub fn width() -> usize {
    let asked = || {
        env::var("COLUMNS")
            .ok()
            .and_then(|columns| columns.parse().ok())
    };
    terminal::size()
        .map(|(columns, _)| columns)
        .or_else(asked)
        .unwrap_or(80)
        .max(40)
}

/// Breaks `text` into lines of at most `width` characters, at spaces; a longer word has a line of its own.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The first line of `text`, cut to `room` characters; nothing, where there is room for hardly a word.
pub fn shortened(text: &str, room: usize) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    if line.chars().count() <= room {
        return line.to_owned();
    }
    if room < 12 {
        return String::new();
    }
    let cut: String = line.chars().take(room - 1).collect();
    format!("{}…", cut.trim_end())
}

/// A line of somebody else's text, broken at spaces where it is wider than `room`. What follows stands below its words.
pub fn fitted(line: &str, room: usize) -> Vec<String> {
    let words = line.trim_start();
    let mark = ["x. ", "| ", "- "]
        .into_iter()
        .find(|mark| words.starts_with(mark))
        .map_or(0, str::len);
    let margin = line.len() - words.len() + mark;
    if line.chars().count() <= room || room < margin + 20 {
        return vec![line.to_owned()];
    }
    let mut lines = wrap(&words[mark..], room - margin);
    let pad = " ".repeat(margin);
    for (number, rest) in lines.iter_mut().enumerate() {
        rest.insert_str(0, if number == 0 { &line[..margin] } else { &pad });
    }
    lines
}

/// `text`, wrapped to the terminal, each line after `margin` spaces.
pub fn paragraph(text: &str, margin: usize) -> String {
    let pad = " ".repeat(margin);
    let lines = wrap(text, width().min(100).saturating_sub(margin).max(20));
    lines.iter().fold(String::new(), |text, line| {
        text + &pad
            + line
            + "
"
    })
}

/// A bar of `cells` characters, of which `done` in `of` parts are filled.
pub fn bar(done: usize, of: usize, cells: usize) -> String {
    let filled = if of == 0 {
        0
    } else {
        (done * cells).div_ceil(of).min(cells)
    };
    // A full bar is for what is finished; one exercise of many does not fill it.
    let filled = if done < of {
        filled.min(cells.saturating_sub(1))
    } else {
        filled
    };
    format!(
        "{}{}",
        green("━".repeat(filled)),
        dim("─".repeat(cells - filled))
    )
}

/// Counts a noun: `1 check`, `2 checks`.
pub fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// Writes to standard output. A reader that went away (`cargo course list | head`) ends the program quietly.
pub fn say(text: impl Display) {
    let mut out = io::stdout().lock();
    if let Err(error) = write!(out, "{text}").and_then(|()| out.flush()) {
        process::end_all();
        terminal::restore();
        if error.kind() != io::ErrorKind::BrokenPipe {
            eprintln!("error: cannot write the output: {error}");
        }
        std::process::exit(i32::from(error.kind() != io::ErrorKind::BrokenPipe));
    }
}

/// [`say`], and a line's end.
pub fn line(text: impl Display) {
    say(format_args!("{text}\n"));
}

/// A line that says what is going on, and goes away. It is for people: nothing is written when standard error is no terminal.
pub struct Status {
    shown: bool,
}

impl Status {
    /// Nothing shown yet.
    pub fn new() -> Self {
        Status { shown: false }
    }

    /// Shows `text` in place of what was shown.
    pub fn set(&mut self, text: &str) {
        if io::stderr().is_terminal() {
            let text: String = text.chars().take(width() - 1).collect();
            eprint!("\r\x1b[2K{}", dim(text));
            self.shown = true;
        }
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            eprint!("\r\x1b[2K");
        }
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_breaks_at_spaces_and_never_within_a_word() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("immeasurable word", 4), ["immeasurable", "word"]);
        assert!(wrap("  ", 4).is_empty());
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        assert_eq!(shortened("short\nmore", 20), "short");
        assert_eq!(shortened("exactly this wide", 17), "exactly this wide");
        assert_eq!(shortened("one word too many here", 14), "one word too…");
        assert_eq!(shortened("no room at all", 5), "");
    }

    #[test]
    fn a_line_that_is_too_wide_goes_on_below_its_words() {
        assert_eq!(fitted("  x. fits", 30), ["  x. fits"]);
        let wide = fitted("  x. expected five bytes and it gave three", 30);
        assert_eq!(wide, ["  x. expected five bytes and", "     it gave three"]);
    }

    #[test]
    fn a_bar_is_full_only_when_all_is_done() {
        let filled = |done, of| bar(done, of, 10).matches('━').count();
        assert_eq!(
            [
                filled(0, 6),
                filled(1, 6),
                filled(99, 100),
                filled(6, 6),
                filled(0, 0)
            ],
            [0, 2, 9, 10, 0]
        );
    }

    #[test]
    fn one_is_singular() {
        assert_eq!(count(1, "check"), "1 check");
        assert_eq!(count(0, "check"), "0 checks");
    }
}
