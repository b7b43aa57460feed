//! Is a line of output what the page shows, but for what varies?
//!
//! `[PORT]` is a named pattern: its first sight binds the name, and from then on it stands for the same text. What it may
//! bind depends on the name, with a number behind it or not: `PORT` and `PEER` a port, `PID`, `INODE`, `COUNT` and `FD` digits, `TIME`
//! a clock or a date with one, any other name text without a space. `[..]` is any text, and has no name. `\[` is a bracket.

use std::collections::BTreeMap;

/// What names stand for, in one section.
pub type Names = BTreeMap<String, String>;

/// A line of output as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Token>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Text(String),
    Name(String),
    Any,
}

impl Pattern {
    /// Reads a line; none is wrong.
    pub fn new(line: &str) -> Pattern {
        let mut tokens = Vec::new();
        let mut text = String::new();
        let mut rest = match line.strip_prefix('\\') {
            Some(after) if after.starts_with(['$', '>', '.', '\\']) => after,
            _ => line,
        };
        while let Some(c) = rest.chars().next() {
            let (token, length) = match name_at(rest) {
                _ if rest.starts_with("[..]") => (Some(Token::Any), 4),
                Some(name) => (Some(Token::Name(name.to_owned())), name.len() + 2),
                None if rest.starts_with("\\[") => {
                    rest = &rest[1..];
                    (None, 1)
                }
                None => (None, c.len_utf8()),
            };
            match token {
                Some(token) => {
                    if !text.is_empty() {
                        tokens.push(Token::Text(std::mem::take(&mut text)));
                    }
                    tokens.push(token);
                }
                None => text.push_str(&rest[..length]),
            }
            rest = &rest[length..];
        }
        if !text.is_empty() {
            tokens.push(Token::Text(text));
        }
        Pattern(tokens)
    }

    /// Whether `line` is so. If it is, names that were free are bound.
    pub fn matches(&self, line: &str, names: &mut Names) -> bool {
        let mut bound = names.clone();
        let fits = fits(&self.0, line.trim_end(), &mut bound);
        if fits {
            *names = bound;
        }
        fits
    }

    /// The names in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|token| match token {
            Token::Name(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

fn fits(tokens: &[Token], line: &str, names: &mut Names) -> bool {
    let Some((first, others)) = tokens.split_first() else {
        return line.is_empty();
    };
    match first {
        Token::Text(text) => line
            .strip_prefix(text.as_str())
            // The page's line may have lost the spaces at its end.
            .or_else(|| (others.is_empty() && text.trim_end() == line).then_some(""))
            .is_some_and(|rest| fits(others, rest, names)),
        Token::Any => ends(line, 0).any(|end| fits(others, &line[end..], names)),
        Token::Name(name) => match names.get(name) {
            Some(value) => line
                .strip_prefix(value.as_str())
                .is_some_and(|rest| fits(others, rest, names)),
            None => ends(line, 1).any(|end| {
                if !may_be(name, &line[..end]) {
                    return false;
                }
                names.insert(name.clone(), line[..end].to_owned());
                let fit = fits(others, &line[end..], names);
                if !fit {
                    names.remove(name);
                }
                fit
            }),
        },
    }
}

/// Where a piece of at least `least` bytes can end in `line`, the longest first.
fn ends(line: &str, least: usize) -> impl Iterator<Item = usize> {
    (least..=line.len())
        .rev()
        .filter(move |&end| line.is_char_boundary(end))
}

/// Whether a name may stand for this text.
fn may_be(name: &str, text: &str) -> bool {
    let digits = || text.bytes().all(|byte| byte.is_ascii_digit());
    match name.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "PORT" | "PEER" => digits() && text.parse::<u16>().is_ok_and(|port| port > 0),
        "PID" | "INODE" | "COUNT" | "FD" => digits(),
        "TIME" => is_time(text),
        _ => !text.contains(char::is_whitespace),
    }
}

/// `08:38:14`, also with a fraction, or with the words of a date around it: `Sat Nov 21 08:38:14 2026`.
fn is_time(text: &str) -> bool {
    let is_clock = |word: &str| {
        let word = word.trim_end_matches('Z');
        let parts: Vec<&str> = word.split(':').collect();
        let digits = |part: &str| {
            part.bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
        };
        matches!(parts.len(), 2 | 3)
            && parts
                .iter()
                .all(|part| (1..=12).contains(&part.len()) && digits(part))
    };
    const WORDS: &str =
        "Mon Tue Wed Thu Fri Sat Sun Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec UTC GMT";
    let is_of_a_date = |word: &str| {
        WORDS.split(' ').any(|known| known == word)
            || word
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b"-+".contains(&byte))
    };
    let words = || text.split([' ', 'T']).filter(|word| !word.is_empty());
    // The first and the last byte are its own: a name does not take the space beside it.
    text.trim() == text
        && words().filter(|word| is_clock(word)).count() == 1
        && (!text.contains(['T', ' ']) && is_clock(text)
            || text.split(' ').filter(|word| !word.is_empty()).all(|word| {
                is_clock(word)
                    || is_of_a_date(word)
                    || word
                        .split_once('T')
                        .is_some_and(|(day, clock)| is_of_a_date(day) && is_clock(clock))
            }))
}

/// The name at the start of `text`, if it is `[NAME]`: capitals and digits, at least two.
fn name_at(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('[')?.split_once(']')?;
    let is_name = name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    is_name.then_some(name)
}

/// The names in a command or in what is typed.
pub(crate) fn names_in(text: &str) -> Vec<String> {
    text.match_indices('[')
        .filter_map(|(at, _)| name_at(&text[at..]))
        .map(str::to_owned)
        .collect()
}

/// A text with each name replaced by what it stands for; one that is free stays.
pub(crate) fn filled(text: &str, names: &Names) -> String {
    let mut filled = text.to_owned();
    for (name, value) in names {
        filled = filled.replace(&format!("[{name}]"), value);
    }
    filled
}

/// The text in pieces, for showing: what is a name or `[..]`, and what is not.
pub(crate) fn pieces(text: &str) -> Vec<(bool, &str)> {
    let mut pieces = Vec::new();
    let mut from = 0;
    let mut at = 0;
    while let Some(open) = text[at..].find('[').map(|open| at + open) {
        let length = match name_at(&text[open..]) {
            _ if text[..open].ends_with('\\') => None,
            Some(name) => Some(name.len() + 2),
            None if text[open..].starts_with("[..]") => Some(4),
            None => None,
        };
        at = open + length.unwrap_or(1);
        if length.is_some() {
            if from < open {
                pieces.push((false, &text[from..open]));
            }
            pieces.push((true, &text[open..at]));
            from = at;
        }
    }
    if from < text.len() {
        pieces.push((false, &text[from..]));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(pattern: &str, line: &str) -> Option<Names> {
        let mut names = Names::new();
        Pattern::new(pattern)
            .matches(line, &mut names)
            .then_some(names)
    }

    #[test]
    fn a_name_binds_once_and_holds() {
        let mut names = Names::new();
        let pattern = Pattern::new("127.0.0.1:[PORT] -> 127.0.0.1:[PORT2]");
        assert!(pattern.matches("127.0.0.1:8000 -> 127.0.0.1:40000", &mut names));
        assert_eq!(
            (names["PORT"].as_str(), names["PORT2"].as_str()),
            ("8000", "40000")
        );
        assert!(Pattern::new("at [PORT].").matches("at 8000.", &mut names));
        assert!(!Pattern::new("at [PORT].").matches("at 8001.", &mut names));
        assert_eq!(filled("kill [PORT] [PID]", &names), "kill 8000 [PID]");
    }

    #[test]
    fn what_does_not_match_binds_nothing() {
        let mut names = Names::new();
        assert!(!Pattern::new("[PID] is [NAME]!").matches("12 is here", &mut names));
        assert!(names.is_empty());
    }

    #[test]
    fn a_names_text_is_of_its_kind() {
        assert!(bound("[PORT]", "65535").is_some());
        assert!(bound("[PORT]", "65536").is_none());
        assert!(bound("[PEER]", "0").is_none());
        assert!(bound("[PID2]", "12a").is_none());
        assert!(bound("[NAME]", "two words").is_none());
        assert!(bound("[NAME] words", "two words").is_some());
    }

    #[test]
    fn a_time_is_a_clock_with_or_without_a_date() {
        for time in [
            "08:38:14",
            "8:38",
            "08:38:14.123456",
            "Sat Nov 21 08:38:14 2026",
            "Sat Nov  1 08:38:14 2026",
            "2026-11-21T08:38:14Z",
        ] {
            assert_eq!(
                bound("[TIME]", time)
                    .map(|names| names["TIME"].clone())
                    .as_deref(),
                Some(time)
            );
            assert!(
                bound("at [TIME] it", &format!("at {time} it")).is_some(),
                "{time}"
            );
        }
        for other in ["eight", "08", "Sat Nov 21", "::1", "a:b", "10:20:30:40"] {
            assert!(bound("[TIME]", other).is_none(), "{other}");
        }
    }

    #[test]
    fn dots_are_any_text_and_a_backslash_takes_the_meaning_away() {
        assert!(bound("a [..] c", "a b b c").is_some());
        assert!(bound("a[..]", "a").is_some());
        assert!(bound("\\$ 5", "$ 5").is_some());
        assert!(bound("\\> GET", "> GET").is_some());
        assert!(bound("Flags \\[DF]", "Flags [DF]").is_some());
        assert!(bound("Flags [S], [x]", "Flags [S], [x]").is_some());
        assert!(bound("spaces  ", "spaces").is_some());
    }

    #[test]
    fn names_are_told_from_text() {
        assert_eq!(names_in("'[::1]:[PORT]' [A-Z] [A]"), ["PORT"]);
        assert_eq!(
            pieces("a[PID] \\[DF][..]"),
            [
                (false, "a"),
                (true, "[PID]"),
                (false, " \\[DF]"),
                (true, "[..]")
            ]
        );
    }
}
