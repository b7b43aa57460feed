//! How much of the course can be read in another language, and is it up to date?

mod reasons;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use catalog::{Catalog, ENGLISH, Problem, Told};
use weave::translation::{self, Standing, State};
use weave::{Options, Page};

use crate::command::{Asked, Usage};
use crate::course::Course;
use crate::paint::{self, bold, cyan, dim, green, red, yellow};

/// Shows how pages, claims and exercises stand in another language; with `--stamp`, notes that what is named is right.
///
/// # Errors
///
/// When there is no such language, page, section or part.
pub fn translate(course: &Course, asked: &Asked) -> Result<bool> {
    let catalog = in_another_language(course)?;
    if asked.stamp {
        return stamp(&catalog, &asked.names);
    }
    if asked.draft {
        return draft(course, &catalog, &asked.names);
    }
    let (standings, _) = translation::standings(&catalog)?;
    let mut rows: Vec<Row> = Vec::new();
    for standing in &standings {
        let part = standing.page.with_extension("").display().to_string();
        add(&mut rows, part, Item::of(standing));
    }
    for told in &catalog.told {
        add(&mut rows, told.part.clone(), Item::told(told));
    }
    let chosen: Vec<&Row> = match asked.names.first() {
        None => rows.iter().collect(),
        Some(name) => vec![row(&rows, name)?],
    };
    for row in &chosen {
        paint::line(row.line());
        if !asked.names.is_empty() {
            row.items.iter().for_each(|item| paint::line(item.line()));
        }
    }
    let mut problems = problems(&catalog)?;
    if asked.names.is_empty() {
        paint::line(format_args!(
            "\n{}: {} of the book's words, {} of claims and exercises are up to date",
            bold(&catalog.language),
            percent(&rows, |row| !row.part.contains('/')),
            percent(&rows, |row| row.part.contains('/')),
        ));
        paint::line(format_args!("{} reasons of graders", catalog.reasons.len()));
        // Whoever changes a grader's words need not know the other language.
        for problem in reasons::forgotten(&catalog) {
            paint::line(format_args!("{} {problem}", yellow("~")));
        }
    } else {
        let files: Vec<String> = chosen.iter().map(|row| row.part.clone()).collect();
        problems.retain(|problem| {
            files
                .iter()
                .any(|part| problem.file.display().to_string().contains(part.as_str()))
        });
    }
    for problem in &problems {
        paint::line(format_args!("{} {problem}", red("✗")));
    }
    Ok(problems.is_empty())
}

/// The language that is asked for, else the first into which the book is translated.
fn in_another_language(course: &Course) -> Result<Catalog> {
    if course.catalog.language != ENGLISH {
        return Ok(course.catalog.clone());
    }
    let languages = Catalog::languages(&course.catalog.root);
    let first = languages.first().ok_or_else(|| {
        Usage(
            "the book is in English only: a translation begins with book/LANGUAGE/src/SUMMARY.md"
                .into(),
        )
    })?;
    Ok(Catalog::load_in(&course.catalog.root, first))
}

/// A page, or the claims or exercises of a chapter.
struct Row {
    part: String,
    items: Vec<Item>,
}

struct Item {
    name: String,
    state: State,
    weight: usize,
}

impl Item {
    fn of(standing: &Standing) -> Item {
        Item {
            name: format!("#{}", standing.id),
            state: standing.state,
            weight: standing.words,
        }
    }

    fn told(told: &Told) -> Item {
        Item {
            name: told.name.clone(),
            state: match told.current {
                Some(true) => State::Current,
                Some(false) => State::Stale,
                None => State::Missing,
            },
            weight: 1,
        }
    }

    fn line(&self) -> String {
        match self.state {
            State::Current => format!("  {} {}", green("✓"), self.name),
            State::Stale => format!("  {} {}  the English has changed", yellow("~"), self.name),
            State::Missing => format!("  {} {}  not translated", dim("·"), self.name),
        }
    }
}

impl Row {
    fn count(&self, state: State) -> usize {
        self.items.iter().filter(|item| item.state == state).count()
    }

    fn line(&self) -> String {
        let mut line = format!(
            "{:32} {:>3} of {:>3}",
            self.part,
            self.count(State::Current),
            self.items.len()
        );
        if self.count(State::Stale) > 0 {
            let _ = write!(
                line,
                ", {}",
                yellow(format_args!("{} changed since", self.count(State::Stale)))
            );
        }
        line
    }
}

fn add(rows: &mut Vec<Row>, part: String, item: Item) {
    match rows.iter_mut().find(|row| row.part == part) {
        Some(row) => row.items.push(item),
        None => rows.push(Row {
            part,
            items: vec![item],
        }),
    }
}

fn row<'r>(rows: &'r [Row], name: &str) -> Result<&'r Row> {
    let word = name
        .split('#')
        .next()
        .unwrap_or(name)
        .trim_end_matches(".md");
    rows.iter().find(|row| row.part == word).ok_or_else(|| {
        let near = catalog::nearest(word, rows.iter().map(|row| row.part.as_str()));
        let hint = near.first().map_or(
            "`cargo course translate` lists what there is".to_owned(),
            |near| format!("did you mean {near}?"),
        );
        anyhow!(Usage(format!("there is no page or part `{word}`; {hint}")))
    })
}

fn percent(rows: &[Row], which: impl Fn(&Row) -> bool) -> String {
    let items = || {
        rows.iter()
            .filter(|row| which(row))
            .flat_map(|row| &row.items)
    };
    let all: usize = items().map(|item| item.weight).sum();
    let current: usize = items()
        .filter(|item| item.state == State::Current)
        .map(|item| item.weight)
        .sum();
    format!("{} %", current * 100 / all.max(1))
}

/// What keeps the book from being built in this language.
fn problems(catalog: &Catalog) -> Result<Vec<Problem>> {
    let folder = Path::new("book").join(&catalog.language);
    let pages = weave::pages_on_disk(&catalog.root)?.into_iter();
    let pages: Vec<Page> = pages
        .map(|page| {
            let text = std::fs::read_to_string(catalog.at(folder.join("src").join(&page.path)));
            Page {
                text: text.unwrap_or_default(),
                path: page.path,
            }
        })
        .collect();
    let mut problems = catalog.problems.clone();
    if let Err(wrong) = weave::weave(catalog, &Options::default(), &pages) {
        problems.extend(wrong.0);
    }
    problems.retain(|problem| problem.file.starts_with(&folder));
    problems.dedup();
    Ok(problems)
}

/// `05-tcp-client-server`, `05-tcp-client-server#the-close`, `claims/05`, `exercises/05`.
fn stamp(catalog: &Catalog, names: &[String]) -> Result<bool> {
    if names.is_empty() {
        return Err(Usage(
            "which one? cargo course translate 05-tcp-client-server#the-client --stamp".into(),
        )
        .into());
    }
    for name in names {
        let count = if name.starts_with("claims/") || name.starts_with("exercises/") {
            stamp_part(catalog, name)?
        } else {
            let (page, id) = name
                .split_once('#')
                .map_or((name.as_str(), None), |(page, id)| (page, Some(id)));
            let page = PathBuf::from(page.trim_end_matches(".md")).with_extension("md");
            translation::stamp(catalog, &page, id)?
        };
        paint::line(format_args!("{name}: {count} stamped"));
    }
    Ok(true)
}

/// Writes `from` into each table of a file of claims or exercises.
fn stamp_part(catalog: &Catalog, part: &str) -> Result<usize> {
    // The texts as they are in English are what fingerprints are made of.
    let english = Catalog::load(&catalog.root);
    let file = catalog.at(Path::new("book")
        .join(&catalog.language)
        .join(format!("{part}.toml")));
    let text =
        std::fs::read_to_string(&file).map_err(|error| anyhow!("{}: {error}", file.display()))?;
    let mut lines: Vec<String> = Vec::new();
    let mut count = 0;
    let mut after_header = false;
    for line in text.lines() {
        if after_header && line.trim_start().starts_with("from") {
            continue;
        }
        after_header = false;
        lines.push(line.to_owned());
        let name = line
            .trim()
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'));
        let name = name.map(|name| name.trim_matches('"'));
        if let Some(from) = name.and_then(|name| catalog::made_from(&english, name)) {
            lines.push(format!("from = \"{from}\""));
            after_header = true;
            count += 1;
        }
    }
    std::fs::write(&file, lines.join("\n") + "\n")?;
    Ok(count)
}

/// Prints what is not translated of a part, in English, as the file wants it.
fn draft(course: &Course, catalog: &Catalog, names: &[String]) -> Result<bool> {
    let english = Catalog::load(&course.catalog.root);
    let Some(part) = names.first() else {
        return Err(Usage("which one? cargo course translate claims/05 --draft".into()).into());
    };
    if let Some(chapter) = part.strip_prefix("reasons/") {
        paint::line(reasons::draft(catalog, chapter));
        return Ok(true);
    }
    let missing = catalog
        .told
        .iter()
        .filter(|told| told.part == *part && told.current != Some(true));
    for told in missing {
        let from = catalog::made_from(&english, &told.name).unwrap_or_default();
        if let Some(claim) = english.claim(&told.name) {
            let mut text = format!(
                "[\"{}\"]\nfrom = \"{from}\"\nsays = {}\n",
                claim.id,
                quoted(&claim.says)
            );
            if let Some(correction) = &claim.correction {
                let _ = writeln!(text, "correction = {}", quoted(correction));
            }
            if let catalog::Decider::Authority(authority) = &claim.decided_by {
                let _ = writeln!(text, "authority = {}", quoted(authority));
            }
            paint::line(text);
        }
        if let Some(exercise) = english
            .exercises
            .iter()
            .find(|exercise| exercise.slug == told.name)
        {
            let mut text = format!(
                "[{}]\nfrom = \"{from}\"\ntitle = {}\n",
                exercise.slug,
                quoted(&exercise.title)
            );
            let task = exercise.task(&english.root).unwrap_or_default();
            let _ = writeln!(text, "task = '''\n{task}'''\nhints = [");
            for hint in &exercise.hints {
                let _ = writeln!(text, "  {},", quoted(hint));
            }
            let _ = writeln!(text, "]\n[{}.mistakes]", exercise.slug);
            for mistake in &exercise.mistakes {
                let _ = writeln!(text, "{} = {}", mistake.name, quoted(&mistake.says));
            }
            paint::line(text);
        }
    }
    paint::line(dim(format_args!(
        "# into {}",
        cyan(format_args!("book/{}/{part}.toml", catalog.language))
    )));
    Ok(true)
}

pub fn quoted(text: &str) -> String {
    format!(
        "\"{}\"",
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    )
}
