//! How are claims shown: as a mark in the prose, in the table of their chapter, and all together?

use std::fmt::Write;

use catalog::{Catalog, Chapter, Claim, Decider, Verdict, Words};

use crate::markdown::{escape, inline};

/// A sign that says the verdict without color and without words.
fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::True => "✓",
        Verdict::Conditional => "±",
        Verdict::Outdated => "†",
        Verdict::Wrong => "✗",
        Verdict::Platform => "≠",
        // As a number: two bare ones in a paragraph would strike through what is between them.
        Verdict::Opinion => "&#126;",
    }
}

/// The chapter whose page has the claim's row.
pub(crate) fn home<'c>(catalog: &'c Catalog, claim: &Claim) -> &'c Chapter {
    let holds = |chapter: &&Chapter| chapter.claims.iter().any(|other| other.id == claim.id);
    catalog
        .chapters
        .iter()
        .find(holds)
        .expect("a claim of the catalog is in one of its chapters")
}

/// Where a claim's row is, from any page in `book/src`.
fn link(catalog: &Catalog, claim: &Claim) -> String {
    format!("{}.md#{}", home(catalog, claim).dir, claim.anchor())
}

/// The mark in the prose. `up` leads from the page to `book/src`.
pub(crate) fn in_prose(catalog: &Catalog, claim: &Claim, up: &str) -> String {
    format!(
        "<a class=\"claim {}\" href=\"{up}{}\" title=\"{}: {}\"><span class=\"sign\" aria-hidden=\"true\">{}</span>{}</a>",
        claim.verdict.name(),
        link(catalog, claim),
        escape(&capital(catalog.words.say(claim.verdict.words()))),
        escape(&claim.says),
        sign(claim.verdict),
        escape(&claim.id),
    )
}

/// A mark alone, for a board of all of a chapter's claims.
pub(crate) fn chip(claim: &Claim, address: &str) -> String {
    format!(
        "<a class=\"claim {}\" href=\"{}\"><span class=\"sign\" aria-hidden=\"true\">{}</span>{}</a>",
        claim.verdict.name(),
        escape(address),
        sign(claim.verdict),
        escape(&claim.id),
    )
}

/// The chapter's table, each claim in a row with an id of its own.
pub(crate) fn table(catalog: &Catalog, chapter: &Chapter) -> String {
    let words = &catalog.words;
    let claims = &chapter.claims;
    let by_experiment = claims
        .iter()
        .filter(|claim| claim.experiment().is_some())
        .count();
    let counted = words.fill(
        "{1}. {2} decided by experiment, {3} by authority. Try them on your own kernel:",
        &[
            &tally(words, claims),
            &by_experiment.to_string(),
            &(claims.len() - by_experiment).to_string(),
        ],
    );
    let mut html = format!(
        "<p class=\"tally\">{counted} <code>cargo course claims {}</code></p>\n",
        chapter.number,
    );
    _ = writeln!(
        html,
        "<table class=\"claims\">\n<thead><tr><th>{}</th><th>{}</th><th>{}</th></tr></thead>\n<tbody>",
        words.say("Verdict"),
        words.say("Claim"),
        words.say("Decided by"),
    );
    for claim in claims {
        let verdict = claim.verdict;
        _ = writeln!(
            html,
            "<tr id=\"{anchor}\" class=\"{name}\" data-claim=\"{id}\">\n<td><a class=\"claim {name}\" href=\"#{anchor}\">{id}</a> {verdict}{slot}</td>\n<td{language}>{says}{correction}</td>\n<td>{decided}</td>\n</tr>",
            anchor = claim.anchor(),
            name = verdict.name(),
            id = escape(&claim.id),
            slot = slot(claim),
            verdict = in_words(words, verdict),
            language = language(catalog, claim),
            says = inline(&claim.says),
            correction = correction(claim),
            decided = decided(words, claim),
        );
    }
    html.push_str("</tbody>\n</table>");
    html
}

/// Every chapter's claims in short, each leading to its row. `up` leads from the page to `book/src`.
pub(crate) fn on_trial(catalog: &Catalog, up: &str) -> String {
    let words = &catalog.words;
    let all: Vec<Claim> = catalog.claims().cloned().collect();
    let mut text = words.fill("{1}.", &[&tally(words, &all)]) + "\n";
    for chapter in catalog
        .chapters
        .iter()
        .filter(|chapter| !chapter.claims.is_empty())
    {
        _ = write!(
            text,
            "\n## {}. {} {{#{}}}\n\n<table class=\"claims\">\n<thead><tr><th>{}</th><th>{}</th></tr></thead>\n<tbody>\n",
            chapter.number,
            chapter.title,
            trial_anchor(chapter),
            words.say("Verdict"),
            words.say("Claim"),
        );
        for claim in &chapter.claims {
            _ = writeln!(
                text,
                "<tr class=\"{name}\" data-claim=\"{id}\">\n<td><a class=\"claim {name}\" href=\"{up}{link}\">{id}</a> {verdict}{slot}</td>\n<td{language}>{says}{correction}{recorded}</td>\n</tr>",
                name = claim.verdict.name(),
                link = link(catalog, claim),
                id = escape(&claim.id),
                slot = slot(claim),
                verdict = in_words(words, claim.verdict),
                language = language(catalog, claim),
                says = inline(&claim.says),
                correction = correction(claim),
                recorded = recorded(words, claim),
            );
        }
        text.push_str("</tbody>\n</table>\n");
    }
    text
}

/// The id of a chapter's heading in the appendix.
pub(crate) fn trial_anchor(chapter: &Chapter) -> String {
    format!("trial-{:02}", chapter.number)
}

fn in_words(words: &Words, verdict: Verdict) -> String {
    format!(
        "<span class=\"verdict\"><span class=\"sign\" aria-hidden=\"true\">{}</span> {}</span>",
        sign(verdict),
        words.say(verdict.words())
    )
}

/// The place for what a live book adds: only an experiment can be run.
fn slot(claim: &Claim) -> &'static str {
    match claim.experiment() {
        Some(_) => "<span class=\"slot\" data-slot=\"claim\"></span>",
        None => "",
    }
}

/// What an experiment saw where the book was made, to be held against what it sees elsewhere.
fn recorded(words: &Words, claim: &Claim) -> String {
    match (&claim.seen, claim.experiment()) {
        (Some(seen), Some(_)) => {
            let seen = words.fill("Recorded: {1}", &[&inline(seen)]);
            format!("<p class=\"seen\">{seen}</p>")
        }
        _ => String::new(),
    }
}

/// The attribute of a claim's text that is not in the page's language.
fn language(catalog: &Catalog, claim: &Claim) -> &'static str {
    if catalog.speaks(&claim.id) {
        ""
    } else {
        " lang=\"en\""
    }
}

fn correction(claim: &Claim) -> String {
    claim.correction.as_deref().map_or(String::new(), |text| {
        format!("<p class=\"correction\">{}</p>", inline(text))
    })
}

fn decided(words: &Words, claim: &Claim) -> String {
    let mut html = match &claim.decided_by {
        Decider::Experiment(name) => format!(
            "<span class=\"how\">{}</span> <code>{}</code>",
            words.say("Experiment"),
            // A name is as long as a sentence: it may break between its words.
            escape(name).replace('_', "_<wbr>")
        ),
        Decider::Authority(text) => {
            format!(
                "<span class=\"how\">{}</span> {}",
                words.say("Authority"),
                inline(text)
            )
        }
    };
    if let Some(seen) = &claim.seen {
        let seen = words.fill("Seen: {1}", &[&inline(seen)]);
        _ = write!(html, "<p class=\"seen\">{seen}</p>");
    }
    if !claim.reads.is_empty() {
        let reads: Vec<String> = claim.reads.iter().map(|text| reading(text)).collect();
        let reads = words.fill("Read {1}", &[&reads.join(", ")]);
        _ = write!(html, "<p class=\"reads\">{reads}</p>");
    }
    html
}

/// A man page or an RFC's section as a link, anything else as it stands.
fn reading(text: &str) -> String {
    let link = |address: String| format!("<a href=\"{}\">{}</a>", escape(&address), escape(text));
    if let Some((name, section)) = text.strip_suffix(')').and_then(|text| text.split_once('('))
        && section.len() == 1
        && section.bytes().all(|byte| byte.is_ascii_digit())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    {
        return link(format!(
            "https://man7.org/linux/man-pages/man{section}/{name}.{section}.html"
        ));
    }
    let mut words = text.split_whitespace();
    if let (Some("RFC"), Some(number), section, None) =
        (words.next(), words.next(), words.next(), words.next())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && section.is_none_or(|section| {
            section
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
        })
    {
        let section = section.map_or(String::new(), |section| format!("#section-{section}"));
        return link(format!(
            "https://www.rfc-editor.org/rfc/rfc{number}{section}"
        ));
    }
    inline(text)
}

/// `83 claims: 40 true, 12 wrong`.
fn tally(words: &Words, claims: &[Claim]) -> String {
    let counts = Verdict::ALL.into_iter().filter_map(|verdict| {
        let count = claims.iter().filter(|claim| claim.verdict == verdict);
        let count = count.count();
        let said = match verdict {
            Verdict::Conditional => "true under a condition",
            Verdict::Platform => "true on some systems",
            other => other.words(),
        };
        (count > 0).then(|| words.fill("{1} {2}", &[&count.to_string(), words.say(said)]))
    });
    let counts: Vec<String> = counts.collect();
    let number = claims.len().to_string();
    match claims.len() {
        0 => words.say("No claims yet").to_owned(),
        1 => words.fill("1 claim: {1}", &[&counts.concat()]),
        _ => words.fill("{1} claims: {2}", &[&number, &counts.join(words.say(", "))]),
    }
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::reading;

    #[test]
    fn man_pages_and_rfcs_become_links() {
        assert_eq!(
            reading("bind(2)"),
            "<a href=\"https://man7.org/linux/man-pages/man2/bind.2.html\">bind(2)</a>"
        );
        let rfc = "<a href=\"https://www.rfc-editor.org/rfc/rfc9293#section-3.5\">RFC 9293 3.5</a>";
        assert_eq!(reading("RFC 9293 3.5"), rfc);
        assert_eq!(
            reading("RFC 1700"),
            "<a href=\"https://www.rfc-editor.org/rfc/rfc1700\">RFC 1700</a>"
        );
        assert_eq!(
            reading("`<netinet/in.h>`"),
            "<code>&lt;netinet/in.h&gt;</code>"
        );
    }
}
