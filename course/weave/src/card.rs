//! What does a reader see of an exercise: the task, how to grade it, and on demand hints and mistakes?

use std::fmt::Write;

use catalog::{Catalog, Exercise, Kind, Mistake, Words, doc_of};

use crate::markdown::{escape, from_rustdoc, inline, without_html};

/// The exercise's card, as Markdown.
///
/// `up` leads from the page to `book/src`, and `source` to the repository's files.
pub(crate) fn card(
    catalog: &Catalog,
    source: Option<&str>,
    exercise: &Exercise,
    up: &str,
) -> Result<String, String> {
    let words = &catalog.words;
    let slug = &exercise.slug;
    let mut text = format!("<article class=\"exercise\" data-exercise=\"{slug}\">\n\n");
    _ = writeln!(text, "### {} {{#{}}}\n", exercise.title, exercise.anchor());
    _ = writeln!(
        text,
        "<p class=\"facts\">{}</p>\n<div class=\"slot\" data-slot=\"exercise\"></div>\n",
        facts(words, exercise)
    );
    _ = writeln!(text, "{}\n", task(catalog, exercise)?.trim());
    _ = writeln!(text, "{}\n", what_to_do(catalog, source, exercise, up));
    _ = writeln!(text, "<div class=\"help\" id=\"help-{slug}\">\n");
    for (at, hint) in exercise.hints.iter().enumerate() {
        let (number, of) = ((at + 1).to_string(), exercise.hints.len().to_string());
        let number = words.fill("Hint {1} of {2}", &[&number, &of]);
        let hint = without_html(hint);
        _ = writeln!(
            text,
            "<details class=\"hint\"><summary>{number}</summary>\n\n{hint}\n\n</details>\n"
        );
    }
    let count = exercise.mistakes.len().to_string();
    _ = writeln!(
        text,
        "<details class=\"mistakes\"><summary>{}</summary>\n",
        words.fill(
            "{1} mistakes that people make here: try it yourself first",
            &[&count]
        )
    );
    let grader = std::fs::read_to_string(catalog.at(&exercise.grader)).unwrap_or_default();
    for (at, mistake) in exercise.mistakes.iter().enumerate() {
        _ = writeln!(
            text,
            "<details><summary>{}</summary>\n{}\n</details>\n",
            words.fill("Mistake {1} of {2}", &[&(at + 1).to_string(), &count]),
            reveal(catalog, mistake, &grader)
        );
    }
    text.push_str("</details>\n\n</div>\n\n</article>");
    Ok(text)
}

fn facts(words: &Words, exercise: &Exercise) -> String {
    let kind = match exercise.kind {
        Kind::Write => "write it",
        Kind::Fix => "fix it",
        Kind::Predict => "predict it",
        Kind::Read => "read it",
    };
    let level = usize::from(exercise.level);
    let mut facts = format!(
        "<span class=\"kind\">{}</span> <span class=\"level\"><span aria-hidden=\"true\">{}{}</span> {}</span>",
        words.say(kind),
        "●".repeat(level),
        "○".repeat(3 - level),
        words.fill("level {1} of 3", &[&level.to_string()]),
    );
    if !exercise.needs.is_empty() {
        _ = write!(
            facts,
            " <span class=\"needs\">{}</span>",
            words.fill("needs {1}", &[&escape(&exercise.needs.join(", "))])
        );
    }
    facts
}

/// The task, without the title: the card has it as its heading already.
fn task(catalog: &Catalog, exercise: &Exercise) -> Result<String, String> {
    let Some(doc) = exercise.task(&catalog.root) else {
        return Err(format!(
            "`{}` has no task: begin {} with `//! …`",
            exercise.slug,
            exercise.pristine.join("lib.rs").display()
        ));
    };
    let titles = ["", ".", "!", "?"].map(|mark| {
        format!(
            "**{}{mark}**",
            exercise.title.trim_end_matches(['.', '!', '?'])
        )
    });
    let told_once = titles
        .iter()
        .find_map(|title| doc.trim_start().strip_prefix(title.as_str()))
        .unwrap_or(&doc);
    Ok(without_html(&from_rustdoc(told_once.trim_start())))
}

fn what_to_do(catalog: &Catalog, source: Option<&str>, exercise: &Exercise, up: &str) -> String {
    let file = exercise.main_file().display().to_string();
    let file = match source {
        Some(base) => format!("[`{file}`]({base}{file})"),
        None => format!("`{file}`"),
    };
    let section = &exercise.section;
    let heading = catalog
        .chapter(&section.chapter)
        .and_then(|chapter| chapter.heading(&section.anchor));
    let heading = heading.map_or(section.anchor.as_str(), |heading| heading.title.as_str());
    let link = format!("[{heading}]({up}{}.md#{})", section.chapter, section.anchor);
    let slug = &exercise.slug;
    catalog.words.fill(
        "Edit {1}. Grade it with {2}, or plainly with {3}. It rests on {4}.",
        &[
            &file,
            &format!("`cargo course grade {slug}`"),
            &format!("`cargo test -p {slug}`"),
            &link,
        ],
    )
}

/// What those who make the mistake believe, and what the grader has against it.
fn reveal(catalog: &Catalog, mistake: &Mistake, grader: &str) -> String {
    let mut html = format!("<p class=\"belief\">{}</p>\n", inline(&mistake.says));
    let words = &catalog.words;
    let check = format!("<code>{}</code>", escape(&mistake.check));
    let says = format!("<q>{}</q>", escape(&mistake.expect));
    let rejected = match doc_of(grader, &mistake.check) {
        doc if doc.is_empty() => {
            words.fill("The check {1} rejects it. It says {2}.", &[&check, &says])
        }
        doc => {
            let reason = inline(catalog.reasons.of(&doc).unwrap_or(&doc));
            words.fill(
                "The check {1} rejects it: {2} It says {3}.",
                &[&check, &reason, &says],
            )
        }
    };
    _ = write!(html, "<p>{rejected}");
    if let Some(source) = &mistake.source {
        let source = escape(source);
        if source.starts_with("https://") || source.starts_with("http://") {
            _ = write!(
                html,
                " <a href=\"{source}\">{}</a>{}",
                words.say("Where it was made"),
                words.say(".")
            );
        } else {
            _ = write!(
                html,
                " {}",
                words.fill("Where it was made: {1}.", &[&source])
            );
        }
    }
    html.push_str("</p>");
    html
}
