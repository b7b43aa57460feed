//! How is an exercise read from its folder, and what may be wrong with it?

use std::path::{Path, PathBuf};

use toml::Spanned;

use super::{Exercise, Kind, Mistake, SectionRef};
use crate::chapter::Chapter;
use crate::claim::defines;
use crate::fields::{Fields, Source, one_of, table_at};
use crate::nearest::nearest;
use crate::problem::{self, Problem, names_in, rust_files};

/// What a section looks like, for messages.
const SAMPLE: &str = "03-sockets-introduction#a-stream-has-no-edges";

pub(crate) fn read_all(
    root: &Path,
    chapters: &[Chapter],
    problems: &mut Vec<Problem>,
) -> Vec<Exercise> {
    let mut exercises: Vec<Exercise> = Vec::new();
    for chapter in names_in(&root.join("exercises")) {
        let folder = Path::new("exercises").join(&chapter);
        for slug in names_in(&root.join(&folder)) {
            let dir = folder.join(&slug);
            if !root.join(&dir).is_dir() {
                continue;
            }
            let Some(number) = chapters
                .iter()
                .find(|known| known.dir == chapter)
                .map(|known| known.number)
            else {
                problems.push(Problem::of(
                    dir,
                    format!("there is no chapter chapters/{chapter}"),
                ));
                continue;
            };
            if let Some(other) = exercises.iter().find(|other| other.slug == slug) {
                let what = format!(
                    "{} is called `{slug}` too: a slug is unique, rename one",
                    other.dir.display()
                );
                problems.push(Problem::of(dir, what));
                continue;
            }
            exercises.extend(read(root, &chapter, number, slug, dir, chapters, problems));
        }
    }
    strays(root, problems);
    exercises.sort_by(|a, b| (a.number, a.level, &a.slug).cmp(&(b.number, b.level, &b.slug)));
    exercises
}

/// Solutions without an exercise.
fn strays(root: &Path, problems: &mut Vec<Problem>) {
    for chapter in names_in(&root.join("solutions")) {
        for slug in names_in(&root.join("solutions").join(&chapter)) {
            let exercise = Path::new("exercises").join(&chapter).join(&slug);
            let solution = Path::new("solutions").join(&chapter).join(&slug);
            if root.join(&solution).is_dir() && !root.join(&exercise).is_dir() {
                problems.push(Problem::of(
                    solution,
                    format!("there is no exercise {}", exercise.display()),
                ));
            }
        }
    }
}

fn read(
    root: &Path,
    chapter: &str,
    number: u32,
    slug: String,
    dir: PathBuf,
    chapters: &[Chapter],
    problems: &mut Vec<Problem>,
) -> Option<Exercise> {
    let file = dir.join("Cargo.toml");
    let text = problem::read(root, &file, problems)?;
    let source = Source::new(&file, &text);
    let solution = Path::new("solutions").join(chapter).join(&slug);
    let metadata = metadata(root, &source, &slug, &solution, chapters);
    let grader = dir.join("tests/grade.rs");
    let mut stubs = rust_files(root, &dir.join("src"));
    stubs.sort_by_key(|stub| (!stub.ends_with("src/lib.rs"), stub.clone()));
    if !root.join(dir.join("src/lib.rs")).is_file() {
        problems.push(Problem::of(&dir, "the stub is missing: add src/lib.rs"));
        stubs.insert(0, dir.join("src/lib.rs"));
    }
    if let Some(metadata) = &metadata {
        check_files(root, &source.file, metadata, &grader, &solution, problems);
    }
    problems.extend(source.into_problems());
    // Only what cannot do without is missed here: a file that is gone elsewhere does not keep a learner from working.
    let metadata = metadata?;
    Some(Exercise {
        chapter: chapter.to_owned(),
        number,
        title: metadata.title?,
        kind: metadata.kind?,
        level: metadata.level?,
        section: metadata.section?,
        needs: metadata.needs,
        task: None,
        hints: metadata.hints,
        mistakes: metadata.mistakes,
        grader,
        stubs,
        wrong: solution.join("wrong"),
        pristine: solution.join("stub"),
        slug,
        dir,
        solution,
    })
}

/// `[package.metadata.course]`, with what could not be read left out.
struct Metadata {
    title: Option<String>,
    kind: Option<Kind>,
    level: Option<u8>,
    section: Option<SectionRef>,
    needs: Vec<String>,
    hints: Vec<String>,
    mistakes: Vec<Mistake>,
}

fn metadata(
    root: &Path,
    source: &Source<'_>,
    slug: &str,
    solution: &Path,
    chapters: &[Chapter],
) -> Option<Metadata> {
    let document = source.parse()?;
    package_name(source, &document, slug);
    let Some((table, span)) = table_at(&document, &["package", "metadata", "course"]) else {
        source.wrong(
            0..0,
            "the exercise has no [package.metadata.course]: add title, kind, level, section, hints",
        );
        return None;
    };
    let mut fields = Fields::new(source, table, span, "the exercise");
    let title = fields.text("title").map(Spanned::into_inner);
    let kind = fields.text("kind").and_then(|name| {
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| kind.name() == name.get_ref());
        if kind.is_none() {
            let names = Kind::ALL.map(Kind::name);
            source.wrong(
                name.span(),
                format!("kind must be {}, not `{}`", one_of(&names), name.get_ref()),
            );
        }
        kind
    });
    let level = fields.number("level", 1..=3);
    let section = fields
        .text("section")
        .and_then(|place| section(source, &place, chapters));
    let needs = fields
        .texts("needs", false)
        .into_iter()
        .map(Spanned::into_inner)
        .collect();
    let hints: Vec<String> = fields
        .texts("hints", true)
        .into_iter()
        .map(Spanned::into_inner)
        .collect();
    let tables = fields.tables("mistake");
    let span = fields.span.clone();
    fields.finish();

    if hints.len() < 2 {
        let what = format!(
            "the exercise has {} of the 2 hints it needs at least: begin with a nudge",
            hints.len()
        );
        source.wrong(span.clone(), what);
    }
    if tables.len() < 3 {
        source.wrong(
            span,
            format!(
                "the exercise has {} of the 3 mistakes it needs at least",
                tables.len()
            ),
        );
    }
    let mut mistakes: Vec<Mistake> = Vec::new();
    for (table, span) in tables {
        let fields = Fields::new(source, table, span, "this mistake");
        let mistake = mistake(root, source, fields, solution, &mistakes);
        mistakes.extend(mistake);
    }
    Some(Metadata {
        title,
        kind,
        level,
        section,
        needs,
        hints,
        mistakes,
    })
}

fn package_name(source: &Source<'_>, document: &Spanned<toml::de::DeTable<'_>>, slug: &str) {
    let name = table_at(document, &["package"]).and_then(|(package, _)| package.get("name"));
    match name.map(|name| (name.get_ref().as_str(), name.span())) {
        Some((Some(name), _)) if name == slug => {}
        Some((_, span)) => source.wrong(
            span,
            format!("the package's name must be its folder's: `{slug}`"),
        ),
        None => source.wrong(
            0..0,
            format!("the package has no name: add `name = \"{slug}\"` under [package]"),
        ),
    }
}

fn section(
    source: &Source<'_>,
    place: &Spanned<String>,
    chapters: &[Chapter],
) -> Option<SectionRef> {
    let Some((dir, anchor)) = place
        .get_ref()
        .split_once('#')
        .filter(|(_, anchor)| !anchor.is_empty())
    else {
        source.wrong(
            place.span(),
            format!("section must be a chapter's folder and a heading's id, such as `{SAMPLE}`"),
        );
        return None;
    };
    let Some(chapter) = chapters.iter().find(|chapter| chapter.dir == dir) else {
        let near = nearest(dir, chapters.iter().map(|chapter| chapter.dir.as_str()));
        let hint = near
            .first()
            .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        source.wrong(
            place.span(),
            format!("section names no chapter: there is no chapters/{dir}{hint}"),
        );
        return None;
    };
    // A chapter without a page is a problem of its own, and not this exercise's.
    if !chapter.headings.is_empty() && chapter.heading(anchor).is_none() {
        let ids = chapter
            .headings
            .iter()
            .filter_map(|heading| heading.id.as_deref());
        let hint = match nearest(anchor, ids).first() {
            Some(near) => format!("; did you mean `{near}`?"),
            None => String::new(),
        };
        source.wrong(
            place.span(),
            format!(
                "section: no heading of {} has the id `{anchor}`{hint}",
                chapter.page.display()
            ),
        );
    }
    Some(SectionRef {
        chapter: dir.to_owned(),
        anchor: anchor.to_owned(),
    })
}

fn mistake(
    root: &Path,
    source: &Source<'_>,
    mut fields: Fields<'_, '_>,
    solution: &Path,
    earlier: &[Mistake],
) -> Option<Mistake> {
    let line = source.line(&fields.span);
    let name = fields.text("file");
    let says = fields.text("says");
    let check = fields.text("check");
    let expect = fields.text("expect");
    let origin = fields.maybe_text("source");
    fields.finish();

    let name = name?;
    let file = solution.join("wrong").join(name.get_ref());
    if let Some(other) = earlier.iter().find(|other| other.file == file) {
        source.wrong(
            name.span(),
            format!("the mistake on line {} has this file already", other.line),
        );
    } else if name
        .get_ref()
        .strip_suffix(".rs")
        .is_none_or(|stem| stem.contains('/'))
    {
        source.wrong(
            name.span(),
            format!(
                "file must be the name of a Rust file in {}/wrong",
                solution.display()
            ),
        );
    } else if !root.join(&file).is_file() {
        source.wrong(
            name.span(),
            format!(
                "there is no {}: add it, or correct the name",
                file.display()
            ),
        );
    }
    Some(Mistake {
        name: name.get_ref().trim_end_matches(".rs").to_owned(),
        file,
        says: says?.into_inner(),
        check: check?.into_inner(),
        expect: expect?.into_inner(),
        source: origin.map(Spanned::into_inner),
        line,
    })
}

/// Whether the files that the metadata rests on are there.
fn check_files(
    root: &Path,
    manifest: &Path,
    metadata: &Metadata,
    grader: &Path,
    solution: &Path,
    problems: &mut Vec<Problem>,
) {
    match std::fs::read_to_string(root.join(grader)) {
        Err(_) => problems.push(Problem::of(
            grader,
            "the grader is missing: add it, see CONTRIBUTING.md",
        )),
        Ok(code) => {
            for mistake in &metadata.mistakes {
                if !defines(&code, &mistake.check) {
                    let what = format!(
                        "the grader has no check `{}`: {} has no such `fn`",
                        mistake.check,
                        grader.display()
                    );
                    problems.push(Problem::on(manifest, mistake.line, what));
                }
            }
        }
    }
    for (name, what) in [
        ("Cargo.toml", "the solution's package is missing"),
        ("src/lib.rs", "the reference answer is missing"),
        (
            "tests/grade.rs",
            "the solution does not run the exercise's grader",
        ),
        (
            "stub/lib.rs",
            "the pristine stub is missing, which `cargo course reset` restores",
        ),
    ] {
        let file = solution.join(name);
        if !root.join(&file).is_file() {
            problems.push(Problem::of(
                file,
                format!("{what}: add it, see CONTRIBUTING.md"),
            ));
        }
    }
    for name in names_in(&root.join(solution).join("wrong")) {
        let file = solution.join("wrong").join(name);
        if !metadata.mistakes.iter().any(|mistake| mistake.file == file) {
            let what = format!(
                "no mistake of {} names this file: declare it, or remove it",
                manifest.display()
            );
            problems.push(Problem::of(file, what));
        }
    }
}

/// The documentation of the pristine stub's module.
pub(crate) fn doc(root: &Path, exercise: &Exercise) -> Option<String> {
    let pristine = root.join(&exercise.pristine).join("lib.rs");
    let stub = if pristine.is_file() {
        pristine
    } else {
        root.join(exercise.main_file())
    };
    let text = std::fs::read_to_string(stub).ok()?;
    let doc: Vec<&str> = text
        .lines()
        .skip_while(|line| line.trim().is_empty())
        .map_while(|line| line.trim_start().strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    (!doc.iter().all(|line| line.trim().is_empty())).then(|| doc.join("\n"))
}

/// The documentation of a check in the grader's text, in one line; empty when it has none.
pub fn doc_of(grader: &str, check: &str) -> String {
    let lines: Vec<&str> = grader.lines().map(str::trim).collect();
    let is_it = |line: &&str| {
        let rest = line
            .strip_prefix("pub ")
            .unwrap_or(line)
            .strip_prefix("fn ")
            .and_then(|rest| rest.strip_prefix(check));
        rest.is_some_and(|rest| rest.starts_with(['(', '<']))
    };
    let Some(at) = lines.iter().position(is_it) else {
        return String::new();
    };
    let mut doc: Vec<&str> = lines[..at]
        .iter()
        .rev()
        .take_while(|line| line.starts_with("///") || line.starts_with("#["))
        .filter_map(|line| line.strip_prefix("///"))
        .map(str::trim)
        .collect();
    doc.reverse();
    doc.join(" ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::doc_of;

    #[test]
    fn the_reason_is_the_documentation_of_the_check() {
        let grader = "/// No.\nfn other() {}\n\n/// Five bytes\n/// are five.\n#[inline]\nfn waits(cx: &Check) {}\n";
        assert_eq!(doc_of(grader, "waits"), "Five bytes are five.");
        assert_eq!(doc_of(grader, "wait"), "");
    }
}
