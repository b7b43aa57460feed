//! What does a command of a transcript run?
//!
//! A shell runs it, but `cargo run --bin NAME -- …` in it is replaced by the program that cargo has built, so that a replay
//! needs no cargo and shows none of its words. A command that begins with `sudo` runs with the privileges that the lab has in
//! its own network.

use std::fmt;
use std::ops::Range;

use super::pattern::{self, Names};

/// A command, as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command(String);

/// Why a command cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit(String);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A part of a command between `|`, `;`, `&` and parentheses.
struct Part {
    /// Where in the command its first word is, and for cargo all up to the program's arguments.
    span: Range<usize>,
    /// The first word that is a command's name.
    word: String,
    /// The program, if it is `cargo run`.
    program: Option<Result<String, Unfit>>,
}

impl Command {
    pub(crate) fn new(text: &str) -> Command {
        Command(text.trim().to_owned())
    }

    /// As the page shows it, without the prompt.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether it asks for privileges.
    pub fn is_privileged(&self) -> bool {
        self.0.starts_with("sudo ")
    }

    /// Why it cannot be replayed, if so.
    pub fn unfit(&self) -> Option<Unfit> {
        self.parts()
            .into_iter()
            .find_map(|part| part.program.and_then(Result::err))
    }

    /// The chapters' programs that it runs.
    pub fn programs(&self) -> Vec<String> {
        let programs = self.parts().into_iter().filter_map(|part| part.program);
        programs.filter_map(Result::ok).collect()
    }

    /// The machine's programs that it runs, as far as they stand there by name.
    pub fn tools(&self) -> Vec<String> {
        let others = self
            .parts()
            .into_iter()
            .filter(|part| part.program.is_none());
        let words = others.map(|part| part.word);
        words
            .filter(|word| {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte);
                !word.is_empty()
                    && word.bytes().all(plain)
                    && !BUILT_IN.split_whitespace().any(|known| known == word)
            })
            .collect()
    }

    /// What a shell is to run, when names stand for these texts. `place` says where a program is.
    ///
    /// # Errors
    ///
    /// What `place` says, or why the command cannot be replayed.
    pub fn script(
        &self,
        names: &Names,
        place: impl Fn(&str) -> Result<String, Unfit>,
    ) -> Result<String, Unfit> {
        let mut script = self.0.clone();
        let parts = self.parts();
        let alone = parts.len() == 1;
        for part in parts.into_iter().rev() {
            let Some(program) = part.program else {
                continue;
            };
            let path = place(&program?)?.replace('\'', "'\\''");
            // The process is then the program itself, and gets the signals that are sent to it.
            let exec = if alone && part.span.start == 0 {
                "exec "
            } else {
                ""
            };
            script.replace_range(part.span, &format!("{exec}'{path}' "));
        }
        let script = script.strip_prefix("sudo ").unwrap_or(&script);
        Ok(pattern::filled(script, names))
    }

    fn parts(&self) -> Vec<Part> {
        let text = &self.0;
        let mut parts = Vec::new();
        let mut start = 0;
        let mut quote = None;
        let mut escaped = false;
        let mut before = ' ';
        for (at, c) in text.char_indices() {
            match (quote, c) {
                _ if escaped => escaped = false,
                (None | Some('"'), '\\') => escaped = true,
                (None, '\'' | '"') => quote = Some(c),
                (Some(open), c) if open == c => quote = None,
                // `>&2` and `&>` redirect.
                (None, '&') if before == '>' || text[at + 1..].starts_with('>') => {}
                (None, '|' | ';' | '&' | '(' | ')' | '\n') => {
                    parts.extend(part(text, start..at));
                    start = at + 1;
                }
                _ => {}
            }
            before = c;
        }
        parts.extend(part(text, start..text.len()));
        parts
    }
}

/// What every shell does itself.
const BUILT_IN: &str = ". : [ break cd command continue do done echo elif else esac eval exec exit export false fi for if in kill \
    printf pwd read set shift sleep test then time times trap true type ulimit umask unset until wait while { } !";

fn part(text: &str, range: Range<usize>) -> Option<Part> {
    let mut start = range.start;
    let mut words = Vec::new();
    for word in text[range.clone()].split_inclusive(char::is_whitespace) {
        words.push((start, word.trim()));
        start += word.len();
    }
    words.retain(|(_, word)| !word.is_empty());
    let skipped = |word: &str| {
        matches!(
            word,
            "sudo"
                | "exec"
                | "time"
                | "then"
                | "do"
                | "else"
                | "if"
                | "while"
                | "until"
                | "!"
                | "{"
        ) || word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
    };
    let first = words.iter().position(|(_, word)| !skipped(word))?;
    let (at, word) = words[first];
    if word != "cargo" {
        return Some(Part {
            span: at..at + word.len(),
            word: word.to_owned(),
            program: None,
        });
    }
    let (program, end) = cargo(&words[first..], range.end);
    Some(Part {
        span: at..end,
        word: word.to_owned(),
        program: Some(program),
    })
}

/// Understands `cargo run [-q] [-p PACKAGE] --bin NAME [--]`: the program, and where its arguments begin.
fn cargo(words: &[(usize, &str)], end: usize) -> (Result<String, Unfit>, usize) {
    let unfit = |what: String| {
        Err(Unfit(format!(
            "{what}: only `cargo run --bin NAME -- …` is replayed; say `unverified=\"why\"` behind `console`"
        )))
    };
    let mut name = None;
    let mut words = words.iter().skip(1).peekable();
    match words.next() {
        Some((_, "run")) => {}
        other => {
            let what = other.map_or("cargo", |(_, word)| word);
            return (
                unfit(format!("`cargo {what}` is no program of a chapter")),
                end,
            );
        }
    }
    while let Some((at, word)) = words.peek() {
        match *word {
            "-q" | "--quiet" => {}
            "-p" | "--package" => _ = words.next(),
            "--bin" => {
                words.next();
                name = words.peek().map(|(_, name)| (*name).to_owned());
            }
            "--" => {
                words.next();
                let from = words.peek().map_or(end, |(at, _)| *at);
                return (
                    name.map_or_else(|| unfit("`cargo run` names no program".into()), Ok),
                    from,
                );
            }
            // `2>&1`, `> file`, `< file`
            other if other.contains(['<', '>']) && name.is_some() => {
                return (Ok(name.unwrap_or_default()), *at);
            }
            other => match other.strip_prefix("--bin=") {
                Some(after) => name = Some(after.to_owned()),
                None => {
                    return (
                        unfit(format!(
                            "`{other}` is nothing that a replay knows of `cargo run`"
                        )),
                        end,
                    );
                }
            },
        }
        words.next();
    }
    (
        name.map_or_else(|| unfit("`cargo run` names no program".into()), Ok),
        end,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> String {
        let names = Names::from([("PORT".into(), "8000".into())]);
        let place = |name: &str| Ok(format!("/t/{name}"));
        Command::new(text)
            .script(&names, place)
            .unwrap_or_else(|unfit| unfit.0)
    }

    #[test]
    fn the_built_program_takes_cargos_place() {
        assert_eq!(
            script("cargo run -q --bin echo -- 127.0.0.1:[PORT] '[::1]'"),
            "exec '/t/echo' 127.0.0.1:8000 '[::1]'"
        );
        assert_eq!(script("cargo run --bin=echo"), "exec '/t/echo' ");
        assert_eq!(
            script("cargo run -p pair --bin echo 2>&1"),
            "exec '/t/echo' 2>&1"
        );
        assert_eq!(
            script("printf 'a|b' | cargo run --bin echo -- x | head -1"),
            "printf 'a|b' | '/t/echo' x | head -1"
        );
        assert_eq!(
            script("RUST_LOG=1 cargo run --bin echo"),
            "RUST_LOG=1 '/t/echo' "
        );
        assert_eq!(script("sudo cargo run --bin echo -- 13"), "'/t/echo' 13");
        assert_eq!(script("kill -9 [PORT]"), "kill -9 8000");
    }

    #[test]
    fn other_work_of_cargo_is_not_replayed() {
        for (text, expected) in [
            ("cargo test -p x", "`cargo test` is no program"),
            ("cargo run -- x", "`cargo run` names no program"),
            ("cargo run --release --bin x", "`--release` is nothing"),
            ("true; cargo build", "`cargo build` is no program"),
        ] {
            let unfit = Command::new(text).unfit().expect(text);
            assert!(unfit.0.starts_with(expected), "{unfit}");
        }
        assert_eq!(Command::new("echo 'cargo test'").unfit(), None);
    }

    #[test]
    fn tools_and_programs_are_told_apart() {
        let command = Command::new(
            "sudo ss -tn 2>&1 | grep 'a;b' && kill 1 & cargo run --bin echo; A=1 nc x",
        );
        assert_eq!(command.tools(), ["ss", "grep", "nc"]);
        assert_eq!(command.programs(), ["echo"]);
        assert!(command.is_privileged());
    }
}
