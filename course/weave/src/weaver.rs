//! How is a whole book woven, so that everything wrong in it is said at once?

use std::collections::{HashMap, HashSet};
use std::path::Path;

use catalog::{Catalog, Chapter};

use crate::directive::{Ask, Directive};
use crate::links::Targets;
use crate::page::Read;
use crate::transcript::Block;
use crate::{Options, PAGES, Page, Problem, Problems, card, claims, console, listing, wire};

pub(crate) fn weave(
    catalog: &Catalog,
    options: &Options,
    pages: &[Page],
) -> Result<Vec<String>, Problems> {
    let weaver = Weaver {
        catalog,
        source: options.source.as_deref(),
    };
    let mut read: Vec<Read> = pages.iter().map(Read::new).collect();
    let targets = Targets {
        files: catalog.root.join(PAGES),
        pages: read
            .iter_mut()
            .map(|page| (page.page.path.clone(), weaver.ids(page)))
            .collect(),
    };
    let mut woven = Vec::new();
    let mut problems = Vec::new();
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
            Ask::Wire(name) => vec![wire::anchor(name)],
            Ask::Listing { .. } | Ask::Claim(_) | Ask::Packet { .. } => Vec::new(),
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
            replaced.push((console.span, console::figure(&console.block), String::new()));
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
                Ok(listing::figure(self.catalog, self.source, path, &cut))
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
                Ok(claims::table(chapter))
            }
            Ask::OnTrial => Ok(claims::on_trial(self.catalog, &up)),
            Ask::Exercise(slug) => {
                let exercise = self
                    .catalog
                    .exercise(slug)
                    .map_err(|unknown| unknown.to_string())?;
                card::card(self.catalog, self.source, exercise, &up)
            }
            Ask::Wire(name) => {
                let chapter = self.own_chapter(page, "{{#wire}}")?;
                let record = wire::read(self.catalog, chapter, name)?;
                Ok(wire::figure(chapter, self.source, name, &record))
            }
            Ask::Packet {
                record: name,
                frame,
                header,
            } => {
                let chapter = self.own_chapter(page, "{{#packet}}")?;
                let record = wire::read(self.catalog, chapter, name)?;
                wire::packet(name, &record, *frame, header.as_deref())
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
