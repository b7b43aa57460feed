//! Which mutants may survive, and why? A solution's `mutants.toml` says it:
//!
//! ```toml
//! [[mutant]]
//! change = "replace < with <= in readn"       # as cargo-mutants calls it, without file and place
//! line = "while filled < buf.len() {"         # the line of the solution that is changed
//! why = "…"                                   # why no check can notice, or none should
//! ```
//!
//! Line numbers would be wrong after the next edit, so the line itself is named.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Mutant;

/// The file, in the solution's folder.
pub const NAME: &str = "mutants.toml";

/// A mutant that may survive.
#[derive(Debug, PartialEq, Eq)]
pub struct Listed {
    /// What is changed.
    pub change: String,
    /// The line in which it is changed.
    pub line: String,
    /// The line of the list where this entry begins.
    pub at: usize,
}

impl Listed {
    /// Whether this is the mutant, or one of those, that is meant.
    pub fn is(&self, mutant: &Mutant) -> bool {
        mutant.change == self.change && mutant.line == self.line
    }
}

/// Reads a list. The error is a sentence.
pub fn parse(text: &str) -> Result<Vec<Listed>, String> {
    let line_of = |at: usize| text[..at].matches('\n').count() + 1;
    let document = DeTable::parse(text).map_err(|error| {
        let at = line_of(error.span().map_or(0, |span| span.start));
        format!("line {at} is not valid TOML: {}", error.message())
    })?;
    let table = document.get_ref();
    if let Some(other) = table.keys().find(|key| key.get_ref() != "mutant") {
        let other = other.get_ref();
        return Err(format!(
            "there is no `{other}` in such a list, only [[mutant]]"
        ));
    }
    let entries = match table.get("mutant").map(Spanned::get_ref) {
        None => return Ok(Vec::new()),
        Some(DeValue::Array(entries)) => entries,
        Some(_) => return Err("write [[mutant]], with two brackets".into()),
    };
    entries
        .iter()
        .map(|entry| {
            let at = line_of(entry.span().start);
            let field = |name: &str| {
                let value = entry.get_ref().get(name);
                match value.and_then(|value| value.get_ref().as_str()) {
                    Some(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
                    _ => Err(format!("the entry at line {at} does not say `{name}`")),
                }
            };
            field("why")?;
            Ok(Listed {
                change: field("change")?,
                line: field("line")?,
                at,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_with_their_places() {
        let text = "# why\n\n[[mutant]]\nchange = \"a\"\nline = ' b '\nwhy = \"c\"\n\n[[mutant]]\nchange='d'\nline='e'\nwhy='f'\n";
        let listed = parse(text).unwrap();
        assert_eq!(
            listed[0],
            Listed {
                change: "a".into(),
                line: "b".into(),
                at: 3
            }
        );
        assert_eq!(listed[1].at, 8);
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn what_is_missing_or_strange_is_named() {
        let wrong = |text: &str| parse(text).unwrap_err();
        assert_eq!(
            wrong("[[mutant]]\nchange = 'a'\nline = 'b'\nwhy = ' '\n"),
            "the entry at line 1 does not say `why`"
        );
        assert_eq!(wrong("[mutant]\n"), "write [[mutant]], with two brackets");
        assert!(wrong("[[mutants]]\n").contains("no `mutants`"));
        assert!(wrong("[[mutant]\n").contains("line 1"));
    }
}
