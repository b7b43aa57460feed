//! Which words of a program are keywords, strings, numbers, comments and types, so that a page can set them apart?
//!
//! A lexer is enough for that, and it works when the book is built: the reader's browser loads no script for it. The text
//! is never changed: a page's code without its tags is the file's. What no rule knows stays plain.

use std::fmt::Write;

/// What a piece of code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Punctuation, names, blanks.
    Plain,
    /// A word of the language, or a table's name in TOML.
    Keyword,
    /// A string or a character.
    Text,
    /// A number.
    Number,
    /// A comment.
    Comment,
    /// A name that begins with a capital: a type, a variant, a constant.
    Type,
    /// `#[derive(Debug)]`, `#include`, the key of a setting.
    Attribute,
    /// A name with `(` behind it that is not a method's and not being defined.
    Call,
}

impl Class {
    /// The class in the page's style sheet, for what is not plain.
    fn name(self) -> Option<&'static str> {
        match self {
            Class::Plain | Class::Call => None,
            Class::Keyword => Some("k"),
            Class::Text => Some("s"),
            Class::Number => Some("n"),
            Class::Comment => Some("c"),
            Class::Type => Some("t"),
            Class::Attribute => Some("a"),
        }
    }
}

const RUST: &str = "as async await break const continue crate dyn else enum extern false fn for if impl in let loop match \
    mod move mut pub ref return self Self static struct super trait true type unsafe use where while yield";
const C: &str = "auto break case char const continue default do double else enum extern float for goto if inline int long \
    register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while NULL";
const SHELL: &str = "case do done elif else esac fi for function if in then until while";

/// Code as HTML in one line: a line's end is `&#10;`, because an empty line would end the block of HTML it stands in.
pub(crate) fn html(language: &str, code: &str) -> String {
    html_with(language, code, |_, _| None)
}

/// The same, where `instead` may say what stands in the place of a called function's name, given the byte at which the
/// name begins.
pub(crate) fn html_with(
    language: &str,
    code: &str,
    mut instead: impl FnMut(&str, usize) -> Option<String>,
) -> String {
    let mut html = String::with_capacity(code.len() * 3 / 2);
    let mut at = 0;
    for (class, piece) in tokens(language, code) {
        let other = (class == Class::Call).then(|| instead(piece, at)).flatten();
        at += piece.len();
        match (other, class.name()) {
            (Some(other), _) => html.push_str(&other),
            (None, Some(name)) => {
                _ = write!(html, "<span class={name}>");
                escape_into(&mut html, piece);
                html.push_str("</span>");
            }
            (None, None) => escape_into(&mut html, piece),
        }
    }
    html
}

fn escape_into(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '\n' => html.push_str("&#10;"),
            c => html.push(c),
        }
    }
}

/// The pieces of the code, in order. Neighbors of one class are one piece, but for calls.
pub(crate) fn tokens<'c>(language: &str, code: &'c str) -> Vec<(Class, &'c str)> {
    let rules = Rules::of(language);
    let mut found: Vec<(Class, &str)> = Vec::new();
    let mut lexer = Lexer { code, at: 0 };
    while lexer.at < code.len() {
        let start = lexer.at;
        let class = rules
            .as_ref()
            .map_or(Class::Plain, |rules| lexer.next(rules));
        if lexer.at == start {
            lexer.skip_char();
        }
        let piece = &code[start..lexer.at];
        match found.last_mut() {
            Some((last, before)) if *last == class && class != Class::Call => {
                *before = &code[start - before.len()..lexer.at];
            }
            _ => found.push((class, piece)),
        }
    }
    found
}

/// What differs between languages.
struct Rules {
    keywords: Vec<&'static str>,
    line_comment: &'static str,
    /// `/* … */`, which in Rust nest.
    block_comments: bool,
    language: Language,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    Rust,
    C,
    Toml,
    Shell,
    Json,
}

impl Rules {
    fn of(name: &str) -> Option<Rules> {
        let (language, keywords, line_comment) = match name {
            "rust" | "rs" => (Language::Rust, RUST, "//"),
            "c" => (Language::C, C, "//"),
            "toml" => (Language::Toml, "true false", "#"),
            "sh" | "bash" | "shell" => (Language::Shell, SHELL, "#"),
            "json" => (Language::Json, "true false null", "\0"),
            _ => return None,
        };
        Some(Rules {
            keywords: keywords.split_whitespace().collect(),
            line_comment,
            block_comments: matches!(language, Language::Rust | Language::C),
            language,
        })
    }
}

struct Lexer<'c> {
    code: &'c str,
    at: usize,
}

impl<'c> Lexer<'c> {
    fn rest(&self) -> &'c str {
        &self.code[self.at..]
    }

    fn skip_char(&mut self) {
        self.at += self.rest().chars().next().map_or(0, char::len_utf8);
    }

    fn skip_while(&mut self, keep: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !keep(c)).unwrap_or(rest.len());
    }

    /// To the end of what ends with `end`, or of the code.
    fn skip_to(&mut self, end: &str) {
        let rest = self.rest();
        self.at += rest.find(end).map_or(rest.len(), |at| at + end.len());
    }

    fn starts_a_line(&self) -> bool {
        let before = &self.code[..self.at];
        before[before.rfind('\n').map_or(0, |at| at + 1)..]
            .trim()
            .is_empty()
    }

    fn next(&mut self, rules: &Rules) -> Class {
        let rest = self.rest();
        let first = rest.chars().next().unwrap_or(' ');
        let starts_word = self.code[..self.at]
            .chars()
            .next_back()
            .is_none_or(|c| !is_word(c));
        if rest.starts_with(rules.line_comment)
            && (rules.language != Language::Shell
                || self.code[..self.at].ends_with(char::is_whitespace)
                || self.at == 0)
        {
            self.skip_while(|c| c != '\n');
            return Class::Comment;
        }
        if rules.block_comments && rest.starts_with("/*") {
            self.skip_block_comment(rules.language == Language::Rust);
            return Class::Comment;
        }
        match rules.language {
            Language::Rust
                if first == '#' && (rest.starts_with("#[") || rest.starts_with("#![")) =>
            {
                self.skip_attribute();
                return Class::Attribute;
            }
            Language::C if first == '#' && self.starts_a_line() => {
                self.skip_while(|c| c != '\n' && c != '"' && c != '<' && c != '/');
                return Class::Attribute;
            }
            Language::Toml if first == '[' && self.starts_a_line() => {
                self.skip_while(|c| c != '\n' && c != '#');
                return Class::Keyword;
            }
            Language::Rust if starts_word && self.skip_rust_string() => return Class::Text,
            _ => {}
        }
        if first == '"' || (first == '\'' && rules.language != Language::Json) {
            return self.quoted(first, rules.language);
        }
        if first.is_ascii_digit() && starts_word {
            self.skip_number();
            return Class::Number;
        }
        if is_word(first) && starts_word {
            let starts_line = self.starts_a_line();
            self.skip_while(|c| is_word(c) || (rules.language == Language::Toml && c == '-'));
            return self.word(rest, rules, starts_line);
        }
        self.skip_char();
        Class::Plain
    }

    /// What the word is that begins `rest` and that was skipped.
    fn word(&self, rest: &str, rules: &Rules, starts_line: bool) -> Class {
        let start = self.code.len() - rest.len();
        let word = &self.code[start..self.at];
        let after = self.rest();
        if rules.keywords.contains(&word) {
            return Class::Keyword;
        }
        match rules.language {
            Language::Toml if starts_line && after.trim_start().starts_with(['=', '.']) => {
                Class::Attribute
            }
            Language::Rust | Language::C => {
                let before = self.code[..start].trim_end();
                let defined = before.ends_with('.') || before.ends_with("fn");
                // A variant in its place of a pattern looks like a call, too, and begins with a capital.
                if word.starts_with(char::is_uppercase)
                    || (rules.language == Language::Rust && is_primitive(word))
                {
                    Class::Type
                } else if after.starts_with('(') && !defined {
                    Class::Call
                } else {
                    Class::Plain
                }
            }
            _ => Class::Plain,
        }
    }

    fn skip_block_comment(&mut self, nest: bool) {
        let mut depth = 0_usize;
        while self.at < self.code.len() {
            if self.rest().starts_with("/*") && (nest || depth == 0) {
                depth += 1;
                self.at += 2;
            } else if self.rest().starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return;
                }
            } else {
                self.skip_char();
            }
        }
    }

    /// To the bracket that closes it; strings in it may hold brackets.
    fn skip_attribute(&mut self) {
        let mut depth = 0_usize;
        while let Some(c) = self.rest().chars().next() {
            match c {
                '"' => {
                    self.at += 1;
                    self.skip_escaped('"');
                    continue;
                }
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            self.skip_char();
            if c == ']' && depth == 0 {
                return;
            }
        }
    }

    /// `r"…"`, `r#"…"#`, `b"…"`, `c"…"`, `br"…"`, `b'…'`: whether one begins here.
    fn skip_rust_string(&mut self) -> bool {
        let rest = self.rest();
        let prefix = ["br", "cr", "r", "b", "c"].into_iter().find(|prefix| {
            rest.strip_prefix(*prefix)
                .is_some_and(|after| after.starts_with(['"', '\'', '#']))
        });
        let Some(prefix) = prefix else { return false };
        let after = &rest[prefix.len()..];
        if prefix.ends_with('r') {
            let hashes = after.len() - after.trim_start_matches('#').len();
            if !after[hashes..].starts_with('"') {
                return false;
            }
            self.at += prefix.len() + hashes + 1;
            self.skip_to(&format!("\"{}", "#".repeat(hashes)));
            return true;
        }
        let quote = after.chars().next().unwrap_or('#');
        if quote == '#' || (quote == '\'' && prefix != "b") {
            return false;
        }
        self.at += prefix.len() + 1;
        self.skip_escaped(quote);
        true
    }

    /// A string, a character, or in Rust a lifetime.
    fn quoted(&mut self, quote: char, language: Language) -> Class {
        let rest = self.rest();
        if language == Language::Rust && quote == '\'' {
            let mut after = rest.chars().skip(1);
            let (first, second) = (after.next().unwrap_or(' '), after.next().unwrap_or(' '));
            if first != '\\' && second != '\'' {
                self.at += 1;
                self.skip_while(is_word);
                return Class::Plain;
            }
        }
        self.at += 1;
        if language == Language::Toml && rest.starts_with("\"\"\"") {
            self.at += 2;
            self.skip_to("\"\"\"");
        } else if quote == '\'' && matches!(language, Language::Toml | Language::Shell) {
            self.skip_to("'");
        } else {
            self.skip_escaped(quote);
        }
        Class::Text
    }

    /// To behind the closing quote; one after a backslash does not close.
    fn skip_escaped(&mut self, quote: char) {
        while let Some(c) = self.rest().chars().next() {
            self.skip_char();
            if c == '\\' {
                self.skip_char();
            } else if c == quote {
                return;
            }
        }
    }

    fn skip_number(&mut self) {
        self.skip_while(is_word);
        // `1.5` is one number, `0..5` and `1.max(2)` are not.
        let mut after = self.rest().chars();
        if after.next() == Some('.') && after.next().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
            self.skip_while(is_word);
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_primitive(word: &str) -> bool {
    matches!(
        word,
        "bool"
            | "char"
            | "f32"
            | "f64"
            | "i8"
            | "i16"
            | "i32"
            | "i64"
            | "i128"
            | "isize"
            | "str"
            | "u8"
            | "u16"
            | "u32"
            | "u64"
            | "u128"
            | "usize"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn of(language: &str, code: &str, class: Class) -> Vec<String> {
        tokens(language, code)
            .into_iter()
            .filter(|(found, _)| *found == class)
            .map(|(_, piece)| piece.to_owned())
            .collect()
    }

    #[test]
    fn rust_is_told_apart() {
        let code = "#[cfg(x = \"]\")]\npub fn f<'a>(b: &'a [u8]) { g('\\'', b'x', r#\"a\"b\"#, 1.5, 0..5, x.read(y)); } // end\n/* a /* b */ c */ let Some(r) = 0xff_u8;";
        assert_eq!(of("rust", code, Class::Attribute), ["#[cfg(x = \"]\")]"]);
        assert_eq!(of("rust", code, Class::Keyword), ["pub", "fn", "let"]);
        assert_eq!(
            of("rust", code, Class::Text),
            ["'\\''", "b'x'", "r#\"a\"b\"#"]
        );
        assert_eq!(
            of("rust", code, Class::Number),
            ["1.5", "0", "5", "0xff_u8"]
        );
        assert_eq!(
            of("rust", code, Class::Comment),
            ["// end", "/* a /* b */ c */"]
        );
        assert_eq!(of("rust", code, Class::Call), ["g"]);
        assert_eq!(of("rust", code, Class::Type), ["u8", "Some"]);
    }

    #[test]
    fn c_toml_and_shell_are_told_apart() {
        assert_eq!(
            of(
                "c",
                "#include <stdio.h>\nint x = 'a'; // c",
                Class::Attribute
            ),
            ["#include "]
        );
        assert_eq!(
            of("toml", "[a]\nkey = \"v\" # c\n", Class::Keyword),
            ["[a]"]
        );
        assert_eq!(
            of("toml", "[a]\nkey = \"v\" # c\n", Class::Attribute),
            ["key"]
        );
        assert_eq!(of("sh", "echo a#b 'c' # d", Class::Comment), ["# d"]);
        assert_eq!(of("text", "let \"x\"", Class::Plain), ["let \"x\""]);
    }

    #[test]
    fn a_line_of_html_has_no_end_of_a_line() {
        assert_eq!(
            html("rust", "let a = \"<\";\n\nf(&a);"),
            "<span class=k>let</span> a = <span class=s>\"&lt;\"</span>;&#10;&#10;f(&amp;a);"
        );
        let marked = html_with("rust", "read(libc::read(x), y.read(z))", |name, at| {
            Some(format!("<{name}@{at}>"))
        });
        assert_eq!(marked, "<read@0>(libc::<read@11>(x), y.read(z))");
    }

    /// Every Rust file of the course, whole and cut off here and there.
    #[test]
    fn no_text_is_lost_or_changed() {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../chapters")];
        let mut files = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(text) = std::fs::read_to_string(&path) {
                    files += 1;
                    for language in ["rust", "c", "toml", "sh", "json", "text"] {
                        let whole: String = tokens(language, &text)
                            .into_iter()
                            .map(|(_, piece)| piece)
                            .collect();
                        assert_eq!(whole, text, "{} as {language}", path.display());
                    }
                    for end in (0..text.len().min(2000))
                        .step_by(50)
                        .filter(|&end| text.is_char_boundary(end))
                    {
                        let whole: String = tokens("rust", &text[..end])
                            .into_iter()
                            .map(|(_, piece)| piece)
                            .collect();
                        assert_eq!(whole, &text[..end]);
                    }
                }
            }
        }
        assert!(files > 50, "{files}");
    }
}
