//! What do the course's short texts say in another language?
//!
//! The pages of the book are translated as pages. Everything else that a reader meets lies in `book/LANGUAGE/` as data:
//! `words.toml` has the words that programs write, `claims/*.toml` and `exercises/*.toml` the texts of claims and
//! exercises, each with a fingerprint of the English text that it was made from, and `reasons/*.toml` what graders say.
//! A text whose English original has changed is not used: the reader then gets the English one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::exercise::doc;
use crate::fields::{Fields, Source};
use crate::problem::{self, Problem, names_in};
use crate::{Catalog, Claim, Decider, Exercise, page};

/// The language that the course is written in.
pub const ENGLISH: &str = "en";

/// A fingerprint of a text in eight hex digits. How it is broken into lines does not count.
pub fn fingerprint(text: &str) -> String {
    // FNV-1a, the same on every machine and in every version of Rust.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for (at, word) in text.split_whitespace().enumerate() {
        let between = if at > 0 { " " } else { "" };
        for byte in between.bytes().chain(word.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{:08x}", (hash ^ (hash >> 32)) & 0xffff_ffff)
}

/// Words that programs write, by the English ones.
#[derive(Debug, Clone, Default)]
pub struct Words(BTreeMap<String, String>);

impl Words {
    /// The words for the English ones; these themselves where there are no others.
    pub fn say<'w>(&'w self, english: &'w str) -> &'w str {
        self.0.get(english).map_or(english, String::as_str)
    }

    /// [`say`](Self::say), with `{1}`, `{2}` … replaced by the parts. Languages differ in their order.
    pub fn fill(&self, english: &str, parts: &[&str]) -> String {
        let mut text = String::new();
        let mut rest = self.say(english);
        while let Some((before, after)) = rest.split_once('{') {
            let number = after.split('}').next().unwrap_or("");
            let part = number
                .parse()
                .ok()
                .and_then(|number: usize| parts.get(number.checked_sub(1)?));
            text.push_str(before);
            if let Some(part) = part {
                text.push_str(part);
                rest = &after[number.len() + 1..];
            } else {
                text.push('{');
                rest = after;
            }
        }
        text + rest
    }
}

/// What graders say, by the English text.
#[derive(Debug, Clone, Default)]
pub struct Reasons(BTreeMap<String, String>);

impl Reasons {
    /// The translation of a text, however its lines are broken.
    pub fn of(&self, english: &str) -> Option<&str> {
        self.0.get(&in_one_line(english)).map(String::as_str)
    }

    /// The English texts, each in one line.
    pub fn english(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A report with its reasons translated: those of its paragraphs that are known. The indentation stays.
    pub fn translate(&self, message: &str) -> String {
        let mut lines: Vec<String> = Vec::new();
        let mut paragraph: Vec<&str> = Vec::new();
        for line in message.lines().chain([""]) {
            if !line.trim().is_empty() {
                paragraph.push(line);
                continue;
            }
            match self.of(&paragraph.join(" ")) {
                Some(ours) if !paragraph.is_empty() => {
                    let indent: String = paragraph[0].chars().take_while(|c| *c == ' ').collect();
                    lines.extend(wrapped(ours, &indent));
                }
                _ => lines.extend(paragraph.iter().map(|line| (*line).to_owned())),
            }
            paragraph.clear();
            lines.push(String::new());
        }
        lines.pop();
        lines.join("\n")
    }
}

/// Breaks a text into lines of 80 columns. A Chinese character takes two, and a line may end behind any of them.
fn wrapped(text: &str, indent: &str) -> Vec<String> {
    let columns = |c: char| if is_wide(c) { 2 } else { 1 };
    let mut lines = Vec::new();
    let mut line = indent.to_owned();
    let mut width = indent.len();
    let mut word = String::new();
    let mut flush = |word: &mut String, line: &mut String, width: &mut usize| {
        let wide: usize = word.chars().map(columns).sum();
        if *width + wide > 80 && line.trim() != "" {
            lines.push(
                std::mem::replace(line, indent.to_owned())
                    .trim_end()
                    .to_owned(),
            );
            *width = indent.len();
            *word = word.trim_start().to_owned();
        }
        *width += word.chars().map(columns).sum::<usize>();
        line.push_str(word);
        word.clear();
    };
    for c in text.chars() {
        // A mark that ends a sentence does not begin a line.
        let binds = matches!(
            c,
            '，' | '。' | '；' | '：' | '、' | '）' | '”' | '！' | '？'
        );
        if (is_wide(c) && !binds) || c == ' ' {
            flush(&mut word, &mut line, &mut width);
        }
        word.push(c);
    }
    flush(&mut word, &mut line, &mut width);
    lines.push(line.trim_end().to_owned());
    lines
}

fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff60}')
        || matches!(c, '“' | '”' | '…')
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How a short text stands in another language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// `claims/05`, `exercises/05`.
    pub part: String,
    /// The claim's id or the exercise's slug.
    pub name: String,
    /// `None` when it is not translated, else whether it is made from what the English text says now.
    pub current: Option<bool>,
}

impl Catalog {
    /// Reads the course at `root` with its texts in `language`, such as `zh-CN`, where they are translated.
    ///
    /// Never fails, as [`Catalog::load`].
    pub fn load_in(root: &Path, language: &str) -> Catalog {
        let mut catalog = Catalog::load(root);
        if language != ENGLISH {
            translate(&mut catalog, language);
            catalog.problems.sort();
            catalog.problems.dedup();
        }
        catalog
    }

    /// Whether the texts of a claim or an exercise are in this catalog's language.
    pub fn speaks(&self, name: &str) -> bool {
        let told = self.told.iter().find(|told| told.name == name);
        told.is_none_or(|told| told.current == Some(true))
    }

    /// The languages that the book is translated into.
    pub fn languages(root: &Path) -> Vec<String> {
        let book = root.join("book");
        let mut names = names_in(&book);
        names.retain(|name| book.join(name).join("src/SUMMARY.md").is_file());
        names
    }
}

fn translate(catalog: &mut Catalog, language: &str) {
    language.clone_into(&mut catalog.language);
    let folder = Path::new("book").join(language);
    let root = catalog.root.clone();
    let mut problems = std::mem::take(&mut catalog.problems);
    for chapter in &mut catalog.chapters {
        let page = folder.join("src").join(format!("{}.md", chapter.dir));
        let text = std::fs::read_to_string(root.join(page)).unwrap_or_default();
        for ours in page::headings(&text) {
            if let Some(heading) = chapter
                .headings
                .iter_mut()
                .find(|heading| heading.id == ours.id)
            {
                heading.title = ours.title;
            }
        }
        if let Some(first) = chapter.headings.first() {
            chapter.title.clone_from(&first.title);
        }
    }
    words(catalog, &folder, &mut problems);
    for (part, file) in files(&root, &folder, "reasons") {
        reasons(catalog, &part, &file, &mut problems);
    }
    let mut told = Vec::new();
    let mut translations = Entries::new(&root, &folder, "claims", &mut problems);
    for claim in catalog
        .chapters
        .iter_mut()
        .flat_map(|chapter| &mut chapter.claims)
    {
        let part = format!("claims/{}", &claim.id[..2]);
        let (current, entry) = translations.take(&claim.id, &claim_text(claim));
        told.push(Told {
            part,
            name: claim.id.clone(),
            current,
        });
        if let Some(entry) = entry {
            apply_claim(claim, &entry);
        }
    }
    translations.finish(&mut problems);
    let mut translations = Entries::new(&root, &folder, "exercises", &mut problems);
    for exercise in &mut catalog.exercises {
        let part = format!("exercises/{:02}", exercise.number);
        let english = exercise_text(&root, exercise);
        let (current, entry) = translations.take(&exercise.slug, &english);
        told.push(Told {
            part,
            name: exercise.slug.clone(),
            current,
        });
        if let Some(entry) = entry {
            apply_exercise(exercise, &entry);
        }
    }
    translations.finish(&mut problems);
    catalog.told = told;
    catalog.problems = problems;
}

/// The TOML files of a part, each with its name without the ending.
fn files(root: &Path, folder: &Path, part: &str) -> Vec<(String, PathBuf)> {
    let names = names_in(&root.join(folder).join(part)).into_iter();
    let files = names.filter(|name| {
        Path::new(name)
            .extension()
            .is_some_and(|ending| ending == "toml")
    });
    files
        .map(|name| (name.clone(), folder.join(part).join(name)))
        .collect()
}

fn words(catalog: &mut Catalog, folder: &Path, problems: &mut Vec<Problem>) {
    let file = folder.join("words.toml");
    if !catalog.at(&file).is_file() {
        return;
    }
    let Some(text) = problem::read(&catalog.root, &file, problems) else {
        return;
    };
    let source = Source::new(&file, &text);
    if let Some(document) = source.parse() {
        for (english, ours) in document.get_ref() {
            match ours.get_ref().as_str() {
                Some(ours) => {
                    catalog
                        .words
                        .0
                        .insert(english.get_ref().to_string(), ours.to_owned());
                }
                None => source.wrong(ours.span(), "a translated word must be a text in quotes"),
            }
        }
    }
    problems.extend(source.into_problems());
}

/// `[[reason]]` with `english` and `says`.
fn reasons(catalog: &mut Catalog, _part: &str, file: &Path, problems: &mut Vec<Problem>) {
    let Some(text) = problem::read(&catalog.root, file, problems) else {
        return;
    };
    let source = Source::new(file, &text);
    if let Some(document) = source.parse() {
        let mut fields = Fields::new(&source, document.get_ref(), document.span(), "this file");
        for (table, span) in fields.tables("reason") {
            let mut fields = Fields::new(&source, table, span, "this reason");
            let pair = (fields.text("english"), fields.text("says"));
            fields.finish();
            if let (Some(english), Some(says)) = pair {
                catalog
                    .reasons
                    .0
                    .insert(in_one_line(english.get_ref()), says.into_inner());
            }
        }
        fields.finish();
    }
    problems.extend(source.into_problems());
}

/// A translated claim or exercise.
#[derive(Debug, Default)]
struct Entry {
    file: PathBuf,
    line: usize,
    from: String,
    texts: BTreeMap<String, String>,
    hints: Vec<String>,
    mistakes: BTreeMap<String, String>,
}

/// The entries of all files of a part.
struct Entries(BTreeMap<String, Entry>);

impl Entries {
    fn new(root: &Path, folder: &Path, part: &str, problems: &mut Vec<Problem>) -> Entries {
        let mut entries = BTreeMap::new();
        for (_, file) in files(root, folder, part) {
            let Some(text) = problem::read(root, &file, problems) else {
                continue;
            };
            let source = Source::new(&file, &text);
            if let Some(document) = source.parse() {
                for (name, value) in document.get_ref() {
                    match value.get_ref().as_table() {
                        Some(table) => {
                            let entry = entry(&source, table, value, part);
                            entries.insert(name.get_ref().to_string(), entry);
                        }
                        None => source.wrong(
                            value.span(),
                            "this file has a table for each text, such as `[\"05.16\"]`",
                        ),
                    }
                }
            }
            problems.extend(source.into_problems());
        }
        Entries(entries)
    }

    /// Whether it was made from `english`, or is not there at all; and the entry if it was.
    fn take(&mut self, name: &str, english: &str) -> (Option<bool>, Option<Entry>) {
        let entry = self.0.remove(name);
        let made_from = fingerprint(english);
        let current = entry.as_ref().map(|entry| entry.from == made_from);
        (current, entry.filter(|_| current == Some(true)))
    }

    fn finish(self, problems: &mut Vec<Problem>) {
        for (name, entry) in self.0 {
            let what = format!(
                "there is no `{name}` in the course: correct the name, or remove its translation"
            );
            problems.push(Problem::on(entry.file, entry.line, what));
        }
    }
}

fn entry<'t>(
    source: &Source<'t>,
    table: &DeTable<'t>,
    value: &Spanned<DeValue<'t>>,
    part: &str,
) -> Entry {
    let mut fields = Fields::new(source, table, value.span(), "this text");
    let mut entry = Entry {
        file: source.file.clone(),
        line: source.line(&value.span()),
        from: fields
            .maybe_text("from")
            .map_or(String::new(), Spanned::into_inner),
        ..Entry::default()
    };
    let keys: &[&'static str] = match part {
        "claims" => &["says", "correction", "authority"],
        _ => &["title", "task"],
    };
    for key in keys {
        if let Some(text) = fields.maybe_text(key) {
            entry.texts.insert((*key).to_owned(), text.into_inner());
        }
    }
    if part == "exercises" {
        entry.hints = fields
            .texts("hints", true)
            .into_iter()
            .map(Spanned::into_inner)
            .collect();
        if let Some((table, _)) = fields.table("mistakes") {
            for (name, says) in table {
                if let Some(says) = says.get_ref().as_str() {
                    entry
                        .mistakes
                        .insert(name.get_ref().to_string(), says.to_owned());
                }
            }
        }
    }
    fields.finish();
    entry
}

/// What a translation of a claim is made from.
fn claim_text(claim: &Claim) -> String {
    let authority = match &claim.decided_by {
        Decider::Authority(text) => text.as_str(),
        Decider::Experiment(_) => "",
    };
    [
        &claim.says,
        claim.correction.as_deref().unwrap_or(""),
        authority,
    ]
    .join("\n")
}

fn apply_claim(claim: &mut Claim, entry: &Entry) {
    if let Some(says) = entry.texts.get("says") {
        claim.says.clone_from(says);
    }
    if let (Some(correction), Some(ours)) = (&mut claim.correction, entry.texts.get("correction")) {
        correction.clone_from(ours);
    }
    if let (Decider::Authority(text), Some(ours)) =
        (&mut claim.decided_by, entry.texts.get("authority"))
    {
        text.clone_from(ours);
    }
}

/// What a translation of an exercise is made from: title, task, hints, and what those who make its mistakes believe.
fn exercise_text(root: &Path, exercise: &Exercise) -> String {
    let mut texts = vec![
        exercise.title.clone(),
        doc(root, exercise).unwrap_or_default(),
    ];
    texts.extend(exercise.hints.iter().cloned());
    texts.extend(exercise.mistakes.iter().map(|mistake| mistake.says.clone()));
    texts.join("\n")
}

fn apply_exercise(exercise: &mut Exercise, entry: &Entry) {
    if let Some(title) = entry.texts.get("title") {
        exercise.title.clone_from(title);
    }
    exercise.task = entry.texts.get("task").cloned();
    if entry.hints.len() == exercise.hints.len() {
        exercise.hints.clone_from(&entry.hints);
    }
    for mistake in &mut exercise.mistakes {
        if let Some(says) = entry.mistakes.get(&mistake.name) {
            mistake.says.clone_from(says);
        }
    }
}

/// The fingerprint that the translation of a claim or an exercise must name to be current.
pub fn made_from(catalog: &Catalog, name: &str) -> Option<String> {
    let claim = catalog.claim(name).map(claim_text);
    let exercise = || {
        let exercise = catalog
            .exercises
            .iter()
            .find(|exercise| exercise.slug == name)?;
        Some(exercise_text(&catalog.root, exercise))
    };
    Some(fingerprint(&claim.or_else(exercise)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_sees_words_and_not_lines() {
        assert_eq!(fingerprint("a b\nc"), fingerprint(" a  b c\n"));
        assert_ne!(fingerprint("a b c"), fingerprint("a bc"));
        assert_eq!(fingerprint("").len(), 8);
    }

    #[test]
    fn words_take_their_parts_in_any_order() {
        let words = Words(BTreeMap::from([(
            "{1} of {2}".to_owned(),
            "{2} 之 {1} {x}".to_owned(),
        )]));
        assert_eq!(words.fill("{1} of {2}", &["a", "b"]), "b 之 a {x}");
        assert_eq!(words.fill("only {1}", &["a"]), "only a");
    }

    #[test]
    fn a_reason_in_a_message_is_translated_where_it_stands() {
        let reasons = Reasons(BTreeMap::from([(
            "A stream has no edges.".to_owned(),
            "流".repeat(60) + "。",
        )]));
        let message = "  1. it said 5\n\n  A stream has\n  no edges.\n\n  again: x";
        let expected = format!(
            "  1. it said 5\n\n  {}\n  {}。\n\n  again: x",
            "流".repeat(39),
            "流".repeat(21)
        );
        assert_eq!(reasons.translate(message), expected);
        assert_eq!(Reasons::default().translate(message), message);
    }
}
