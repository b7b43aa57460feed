//! Where are the directives of a page, and what do they ask for?

use std::ops::Range;

use catalog::nearest;

/// The names that can stand after `{{#`.
const NAMES: [&str; 6] = [
    "listing",
    "claim",
    "claims",
    "on-trial",
    "exercise",
    "exercises",
];

/// A directive, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directive {
    pub ask: Ask,
    /// Counted from 1.
    pub line: usize,
    /// What to replace: `{{#…}}`, or for a block its whole line without the line's end.
    pub span: Range<usize>,
    /// What stands before a block on its line: the indentation of a list's item.
    pub indent: String,
}

/// What a directive asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    Listing {
        path: String,
        anchor: Option<String>,
    },
    Claim(String),
    Claims,
    OnTrial,
    Exercise(String),
    Exercises,
}

/// All directives of a page outside of `code`, and what is wrong with others: line and sentence.
pub(crate) fn find(text: &str, code: &[Range<usize>]) -> (Vec<Directive>, Vec<(usize, String)>) {
    let mut found = Vec::new();
    let mut wrong = Vec::new();
    let mut start = 0;
    let mut number = 0;
    for line in text.split_inclusive('\n') {
        number += 1;
        for (at, _) in line.match_indices("{{#") {
            if code.iter().any(|code| code.contains(&(start + at))) {
                continue;
            }
            match parse(line, at, start, number) {
                Ok(directive) => found.push(directive),
                Err(what) => wrong.push((number, what)),
            }
        }
        start += line.len();
    }
    (found, wrong)
}

fn parse(line: &str, at: usize, start: usize, number: usize) -> Result<Directive, String> {
    let rest = &line[at + 3..];
    let Some(inside) = rest.find("}}").map(|end| &rest[..end]) else {
        return Err(
            "`{{#` is not closed on its line: end it with `}}`, or put it in `code`".into(),
        );
    };
    let whole = at..at + 3 + inside.len() + 2;
    let mut words = inside.split_whitespace();
    let name = words.next().unwrap_or("");
    let args: Vec<&str> = words.collect();
    let ask = ask(name, &args)?;
    let alone = line[..at].trim().is_empty() && line[whole.end..].trim().is_empty();
    if matches!(ask, Ask::Claim(_)) {
        return Ok(Directive {
            ask,
            line: number,
            span: start + whole.start..start + whole.end,
            indent: String::new(),
        });
    }
    if !alone {
        return Err(format!(
            "`{{{{#{name}}}}}` stands for a block: give it a line of its own"
        ));
    }
    let end = start + line.trim_end_matches(['\n', '\r']).len();
    Ok(Directive {
        ask,
        line: number,
        span: start..end,
        indent: line[..at].to_owned(),
    })
}

fn ask(name: &str, args: &[&str]) -> Result<Ask, String> {
    match (name, args) {
        ("listing", [place]) => {
            let (path, anchor) = match place.split_once(':') {
                Some((path, anchor)) => (path, Some(anchor.to_owned())),
                None => (*place, None),
            };
            if anchor.as_deref() == Some("") {
                return Err(format!(
                    "`{place}` ends in a colon: name the anchor, or take the colon away"
                ));
            }
            Ok(Ask::Listing {
                path: path.to_owned(),
                anchor,
            })
        }
        ("claim", [id]) => Ok(Ask::Claim((*id).to_owned())),
        ("claims", []) => Ok(Ask::Claims),
        ("on-trial", []) => Ok(Ask::OnTrial),
        ("exercise", [slug]) => Ok(Ask::Exercise((*slug).to_owned())),
        ("exercises", []) => Ok(Ask::Exercises),
        ("listing", _) => Err("write `{{#listing path}}` or `{{#listing path:anchor}}`".into()),
        ("claim", _) => Err("write `{{#claim 03.16}}`, with the claim's id".into()),
        ("exercise", _) => Err("write `{{#exercise slug}}`, with the exercise's slug".into()),
        ("claims" | "on-trial" | "exercises", _) => {
            Err(format!("`{{{{#{name}}}}}` takes nothing after its name"))
        }
        ("wire" | "packet", _) => Err(format!(
            "`{{{{#{name}}}}}` is a block now: ```{} with a line `record: …`",
            if name == "wire" { "sequence" } else { name }
        )),
        ("include" | "rustdoc_include" | "playground" | "playpen", _) => Err(format!(
            "`{{{{#{name}}}}}` fails in silence in mdBook: use `{{{{#listing path:anchor}}}}`"
        )),
        _ => Err(match nearest(name, NAMES).first() {
            Some(near) => format!("there is no directive `{name}`: did you mean `{near}`?"),
            None => format!(
                "there is no directive `{name}`; there are {}",
                NAMES.join(", ")
            ),
        }),
    }
}
