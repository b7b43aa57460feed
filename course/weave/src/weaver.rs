//! How is a whole book woven, so that everything wrong in it is said at once?

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use catalog::{Catalog, Chapter, ENGLISH};

use crate::calls::Calls;
use crate::directive::{Ask, Directive};
use crate::links::Targets;
use crate::page::Read;
use crate::transcript::Block;
use crate::translation::{Merged, joined, merge, pages_of};
use crate::{Options, PAGES, Page, Problem, Problems, card, claims, console, diagram, listing};

pub(crate) fn weave(
    catalog: &Catalog,
    options: &Options,
    pages: &[Page],
) -> Result<Vec<String>, Problems> {
    if catalog.language == ENGLISH {
        return weave_pages(catalog, options, pages);
    }
    let mut wrong = Vec::new();
    let english = english_of(catalog, pages, &mut wrong);
    let merged: Vec<(PathBuf, Merged)> = english
        .iter()
        .zip(pages)
        .map(|(english, ours)| (english.path.clone(), merge(catalog, english, &ours.text)))
        .collect();
    let pages: Vec<Page> = merged
        .iter()
        .map(|(path, merged)| Page {
            path: path.clone(),
            text: merged.text.clone(),
        })
        .collect();
    for (path, merged) in &merged {
        let file = pages_of(&catalog.language).join(path);
        let problems = merged.problems.iter();
        wrong.extend(problems.map(|(line, what)| Problem::on(&file, *line, what)));
    }
    let woven = weave_pages(catalog, options, &pages);
    if let Err(Problems(problems)) = &woven {
        wrong.extend(
            problems
                .iter()
                .map(|problem| at_its_origin(catalog, problem, &merged)),
        );
    }
    if wrong.is_empty() {
        return woven.map(|pages| pages.iter().map(|page| joined(page)).collect());
    }
    wrong.sort();
    wrong.dedup();
    Err(Problems(wrong))
}

/// The English page of each, and what stands in the way.
fn english_of(catalog: &Catalog, pages: &[Page], wrong: &mut Vec<Problem>) -> Vec<Page> {
    let folder = pages_of(&catalog.language);
    let english = pages.iter().map(|page| {
        let text = std::fs::read_to_string(catalog.root.join(PAGES).join(&page.path));
        let text = text.unwrap_or_else(|error| {
            let what = format!("the English page of the same name cannot be read: {error}");
            wrong.push(Problem::of(folder.join(&page.path), what));
            String::new()
        });
        Page {
            path: page.path.clone(),
            text,
        }
    });
    let english: Vec<Page> = english.collect();
    for page in crate::pages_on_disk(&catalog.root).unwrap_or_default() {
        if !english.iter().any(|other| other.path == page.path) {
            let what = format!(
                "{} is missing: name it, and put an empty file beside this one, if nobody has translated it",
                page.path.display()
            );
            wrong.push(Problem::of(folder.join("SUMMARY.md"), what));
        }
    }
    english
}

/// A problem of a page that was put together, where its author finds it.
fn at_its_origin(catalog: &Catalog, problem: &Problem, merged: &[(PathBuf, Merged)]) -> Problem {
    let place = problem.line.and_then(|line| {
        let path = problem.file.strip_prefix(PAGES).ok()?;
        let (_, page) = merged.iter().find(|(other, _)| other == path)?;
        let (is_ours, line) = *page.origin.get(line - 1)?;
        let file = if is_ours {
            pages_of(&catalog.language).join(path)
        } else {
            problem.file.clone()
        };
        Some(Problem::on(file, line, &problem.what))
    });
    place.unwrap_or_else(|| problem.clone())
}

fn weave_pages(
    catalog: &Catalog,
    options: &Options,
    pages: &[Page],
) -> Result<Vec<String>, Problems> {
    let mut problems = Vec::new();
    let weaver = Weaver {
        catalog,
        calls: Calls::load(catalog, &mut problems),
        source: options.source.as_deref(),
    };
    let mut read: Vec<Read> = pages.iter().map(Read::new).collect();
    let targets = Targets {
        files: catalog.root.join(PAGES),
        is_translated: catalog.language != ENGLISH,
        pages: read
            .iter_mut()
            .map(|page| (page.page.path.clone(), weaver.ids(page)))
            .collect(),
    };
    let mut woven = Vec::new();
    for mut page in read {
        for (link, line) in std::mem::take(&mut page.links) {
            if let Err(what) = targets.check(&page.page.path, &link) {
                page.problem(line, what);
            }
        }
        woven.push(weaver.page(&mut page, &targets, &mut problems));
        problems.append(&mut page.problems);
    }
    problems.sort();
    problems.dedup();
    if problems.is_empty() {
        Ok(woven)
    } else {
        Err(Problems(problems))
    }
}

struct Weaver<'a> {
    catalog: &'a Catalog,
    calls: Calls,
    source: Option<&'a str>,
}

impl Weaver<'_> {
    /// All ids of a page: the author's, and those that its directives make. One that stands twice is a problem.
    fn ids(&self, page: &mut Read) -> HashSet<String> {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut ids = page.ids.clone();
        for directive in &page.directives {
            ids.extend(
                self.ids_of(page.page, directive)
                    .into_iter()
                    .map(|id| (id, directive.line)),
            );
        }
        for drawing in &page.drawings {
            ids.push((drawing.block.id(), drawing.block.line));
        }
        for (id, line) in ids {
            if let Some(earlier) = seen.insert(id.clone(), line) {
                page.problem(line, format!("the id `{id}` stands twice on this page, first on line {earlier}: change one"));
            }
        }
        seen.into_keys().collect()
    }

    fn ids_of(&self, page: &Page, directive: &Directive) -> Vec<String> {
        let chapter = self.chapter_of(page);
        match &directive.ask {
            Ask::Claims => chapter
                .iter()
                .flat_map(|chapter| &chapter.claims)
                .map(catalog::Claim::anchor)
                .collect(),
            Ask::OnTrial => self
                .catalog
                .chapters
                .iter()
                .map(claims::trial_anchor)
                .collect(),
            Ask::Exercise(slug) => vec![format!("exercise-{slug}")],
            Ask::Exercises => chapter
                .iter()
                .flat_map(|chapter| self.catalog.exercises_of(&chapter.dir))
                .map(catalog::Exercise::anchor)
                .collect(),
            Ask::Listing { .. } | Ask::Claim(_) => Vec::new(),
        }
    }

    fn chapter_of(&self, page: &Page) -> Option<&Chapter> {
        let path = Path::new(PAGES).join(&page.path);
        self.catalog
            .chapters
            .iter()
            .find(|chapter| chapter.page == path)
    }

    /// The page with each directive replaced. What cannot be replaced becomes a problem.
    fn page(&self, page: &mut Read, targets: &Targets, others: &mut Vec<Problem>) -> String {
        let text = &page.page.text;
        let mut replaced = Vec::new();
        for directive in std::mem::take(&mut page.directives) {
            match self.replacement(page.page, &directive, targets, others) {
                Ok(with) => replaced.push((directive.span, with, directive.indent)),
                Err(what) => page.problem(directive.line, what),
            }
        }
        for console in std::mem::take(&mut page.consoles) {
            for (line, what) in self.unknown_programs(&console.block) {
                page.problem(line, what);
            }
            // Its first line stands behind the indentation already.
            replaced.push((
                console.span,
                console::figure(&self.catalog.words, &console.block),
                String::new(),
            ));
        }
        for drawing in std::mem::take(&mut page.drawings) {
            match self.drawing(page.page, &drawing.block) {
                Ok(with) => replaced.push((drawing.span, with, String::new())),
                Err((line, what)) => page.problem(line, what),
            }
        }
        replaced.sort_by_key(|(span, ..)| span.start);
        let mut woven = String::with_capacity(text.len());
        let mut done = 0;
        for (span, with, indentation) in replaced {
            woven.push_str(&text[done..span.start]);
            done = span.end;
            indent(&mut woven, &with, &indentation);
        }
        woven.push_str(&text[done..]);
        let manual = self.calls.manual(&woven);
        woven.push_str(&manual);
        woven
    }

    /// The programs that a block runs and that no chapter has, each with the line.
    fn unknown_programs(&self, block: &Block) -> Vec<(usize, String)> {
        let known = || {
            self.catalog
                .chapters
                .iter()
                .flat_map(|chapter| &chapter.programs)
        };
        let mut wrong = Vec::new();
        for (line, command) in block.commands().filter(|_| block.unverified.is_none()) {
            for name in command.programs() {
                if known().any(|program| program.name == name) {
                    continue;
                }
                let near = catalog::nearest(&name, known().map(|program| program.name.as_str()));
                let hint = near
                    .first()
                    .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                wrong.push((line, format!("no chapter has a program `{name}`{hint}")));
            }
        }
        wrong
    }

    fn replacement(
        &self,
        page: &Page,
        directive: &Directive,
        targets: &Targets,
        others: &mut Vec<Problem>,
    ) -> Result<String, String> {
        let up = "../".repeat(page.path.iter().count().saturating_sub(1));
        match &directive.ask {
            Ask::Listing { path, anchor } => {
                let cut = listing::cut(self.catalog, path, anchor.as_deref())?;
                Ok(listing::figure(
                    self.catalog,
                    &self.calls,
                    self.source,
                    path,
                    &cut,
                ))
            }
            Ask::Claim(id) => {
                let Some(claim) = self.catalog.claim(id) else {
                    let near =
                        catalog::nearest(id, self.catalog.claims().map(|claim| claim.id.as_str()));
                    let hint = near
                        .first()
                        .map_or(String::new(), |near| format!("; did you mean {near}?"));
                    return Err(format!("there is no claim {id} in any claims.toml{hint}"));
                };
                let home = claims::home(self.catalog, claim);
                let file = home.page.strip_prefix(PAGES).unwrap_or(&home.page);
                if !targets.has(file, &claim.anchor()) {
                    // Said once, and not for each claim that has no row.
                    others.push(Problem::of(
                        &home.page,
                        "the page has no `{{#claims}}`, and claims lead to their rows",
                    ));
                }
                Ok(claims::in_prose(self.catalog, claim, &up))
            }
            Ask::Claims => {
                let chapter = self.own_chapter(page, "{{#claims}}")?;
                let file = chapter.path.join("claims.toml");
                others.extend(self.catalog.problems_under(&file).cloned());
                if chapter.claims.is_empty() {
                    return Err(format!("there are no claims: {} has none", file.display()));
                }
                Ok(claims::table(self.catalog, chapter))
            }
            Ask::OnTrial => Ok(claims::on_trial(self.catalog, &up)),
            Ask::Exercise(slug) => {
                let exercise = self
                    .catalog
                    .exercise(slug)
                    .map_err(|unknown| unknown.to_string())?;
                card::card(self.catalog, self.source, exercise, &up)
            }
            Ask::Exercises => {
                let chapter = self.own_chapter(page, "{{#exercises}}")?;
                let folder = Path::new("exercises").join(&chapter.dir);
                others.extend(self.catalog.problems_under(&folder).cloned());
                let cards: Result<Vec<String>, String> = self
                    .catalog
                    .exercises_of(&chapter.dir)
                    .map(|exercise| card::card(self.catalog, self.source, exercise, &up))
                    .collect();
                let cards = cards?;
                if cards.is_empty() {
                    return Err(format!(
                        "there are no exercises: {} has none that can be read",
                        folder.display()
                    ));
                }
                Ok(cards.join("\n\n"))
            }
        }
    }

    fn drawing(&self, page: &Page, block: &diagram::Block) -> Result<String, diagram::Wrong> {
        let chapter = self
            .own_chapter(page, "a drawing")
            .map_err(|what| (block.line, what))?;
        let context = diagram::Context {
            catalog: self.catalog,
            chapter,
            source: self.source,
        };
        diagram::figure(&context, block)
    }

    fn own_chapter(&self, page: &Page, what: &str) -> Result<&Chapter, String> {
        self.chapter_of(page)
            .ok_or_else(|| format!("`{what}` belongs on a chapter's page, and this is none"))
    }
}

/// Adds a block, each line behind the indentation that its directive had.
fn indent(woven: &mut String, with: &str, indent: &str) {
    for (at, line) in with.lines().enumerate() {
        if at > 0 {
            woven.push('\n');
        }
        if !line.is_empty() {
            woven.push_str(indent);
            woven.push_str(line);
        }
    }
}
