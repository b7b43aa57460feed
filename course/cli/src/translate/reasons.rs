//! What do graders say to a learner, and which of it is translated?
//!
//! A grader's sentences stand in its code, as texts and as the documentation of its checks. A text that is put together
//! while it runs (`format!`) cannot be translated here, and is shown in English.

use std::path::Path;

use catalog::{Catalog, Problem};

use super::quoted;
use crate::paint;

/// Reasons whose English text no grader says any more.
pub fn forgotten(catalog: &Catalog) -> Vec<Problem> {
    let said: Vec<String> = catalog
        .exercises
        .iter()
        .flat_map(|exercise| said(catalog, exercise))
        .collect();
    let folder = Path::new("book").join(&catalog.language).join("reasons");
    let forgotten = catalog
        .reasons
        .english()
        .filter(|reason| !said.iter().any(|said| said == reason));
    forgotten
        .map(|reason| {
            Problem::of(
                &folder,
                format!("no grader says “{}”", paint::shortened(reason, 60)),
            )
        })
        .collect()
}

/// What the graders of a chapter say and nobody has translated, as `reasons/05.toml` wants it.
pub fn draft(catalog: &Catalog, chapter: &str) -> String {
    let exercises = catalog
        .exercises
        .iter()
        .filter(|exercise| format!("{:02}", exercise.number) == chapter);
    let mut drafts: Vec<String> = Vec::new();
    for exercise in exercises {
        for english in said(catalog, exercise)
            .iter()
            .filter(|said| catalog.reasons.of(said).is_none())
        {
            let draft = format!("[[reason]]\nenglish = {0}\nsays = {0}\n", quoted(english));
            if !drafts.contains(&draft) {
                drafts.push(draft);
            }
        }
    }
    drafts.join("\n")
}

/// The sentences of a grader, each in one line.
fn said(catalog: &Catalog, exercise: &catalog::Exercise) -> Vec<String> {
    let code = std::fs::read_to_string(catalog.at(&exercise.grader)).unwrap_or_default();
    let checks = exercise
        .mistakes
        .iter()
        .map(|mistake| catalog::doc_of(&code, &mistake.check));
    let sentences = literals(&code).into_iter().filter(|text| is_sentence(text));
    sentences
        .chain(checks.filter(|doc| !doc.is_empty()))
        .collect()
}

fn is_sentence(text: &str) -> bool {
    text.ends_with(['.', '?', '!']) && text.split(' ').count() > 3 && !text.contains('{')
}

/// The text literals of Rust code, each in one line. A look at quotes, not a lexer.
fn literals(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let (kind, after) = (rest.as_bytes()[at], &rest[at + 1..]);
        match kind {
            b'/' if after.starts_with('/') => {
                rest = after.split_once('\n').map_or("", |(_, rest)| rest);
            }
            b'\'' if after.starts_with("\"'") => rest = &after[2..],
            b'\'' if after.starts_with('\\') => rest = after.get(2..).unwrap_or(""),
            b'"' => {
                let (text, after) = literal(after);
                found.push(text);
                rest = after;
            }
            _ => rest = after,
        }
    }
    found
}

/// A text up to its closing quote, with what is escaped in it, and the code behind it.
fn literal(code: &str) -> (String, &str) {
    let mut text = String::new();
    let mut chars = code.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (in_one_line(&text), &code[at + 1..]),
            '\\' => match chars.next() {
                Some((_, 'n' | '\n')) => text.push(' '),
                Some((_, escaped @ ('"' | '\\' | '\''))) => text.push(escaped),
                Some((_, other)) => text.extend(['\\', other]),
                None => break,
            },
            c => text.push(c),
        }
    }
    (in_one_line(&text), "")
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_as_they_are_said() {
        let code =
            "// \"no\"\nlet c = '\"'; f(\"One \\\n     two \\\"x\\\" three.\", '\\'', \"b\");";
        assert_eq!(literals(code), ["One two \"x\" three.", "b"]);
    }

    #[test]
    fn what_is_put_together_is_no_sentence() {
        assert!(is_sentence("A stream has no edges."));
        assert!(!is_sentence("it said {said} and no more."));
        assert!(!is_sentence("two words."));
    }
}
