//! What belongs to a chapter?

use std::path::{Path, PathBuf};

use crate::claim::{self, Claim};
use crate::fields::{Source, table_at};
use crate::page::{self, Heading};
use crate::problem::{self, Problem, names_in};

/// A chapter: a crate under `chapters/`, and its page of the same name in the book.
#[derive(Debug, Clone)]
pub struct Chapter {
    /// 3.
    pub number: u32,
    /// `03-sockets-introduction`: the name of its folder everywhere, and of its page.
    pub dir: String,
    /// `chapters/03-sockets-introduction`.
    pub path: PathBuf,
    /// The cargo package: `sockets-introduction`.
    pub package: String,
    /// The page's first heading; the folder's name in words while there is no page.
    pub title: String,
    /// `book/src/03-sockets-introduction.md`, whether or not it exists.
    pub page: PathBuf,
    /// The page's headings, in order; empty while there is no page.
    pub headings: Vec<Heading>,
    /// The programs of its crate, by name.
    pub programs: Vec<Program>,
    /// In the order of `claims.toml`.
    pub claims: Vec<Claim>,
}

/// A program of a chapter: `cargo run --bin <name>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Unique in the workspace.
    pub name: String,
    /// Its main file.
    pub file: PathBuf,
}

impl Chapter {
    /// The heading of this id on the chapter's page.
    pub fn heading(&self, id: &str) -> Option<&Heading> {
        self.headings
            .iter()
            .find(|heading| heading.id.as_deref() == Some(id))
    }
}

/// `03-sockets-introduction` is chapter 3.
pub(crate) fn number_of(dir: &str) -> Option<u32> {
    let (number, topic) = dir.split_once('-')?;
    (number.len() == 2 && !topic.is_empty()).then(|| number.parse().ok())?
}

pub(crate) fn read_all(root: &Path, problems: &mut Vec<Problem>) -> Vec<Chapter> {
    let mut chapters: Vec<Chapter> = Vec::new();
    for dir in names_in(&root.join("chapters")) {
        let path = Path::new("chapters").join(&dir);
        if !root.join(&path).is_dir() {
            continue;
        }
        let Some(number) = number_of(&dir) else {
            problems.push(Problem::of(
                path,
                "a chapter's folder is called NN-topic, such as 03-sockets-introduction",
            ));
            continue;
        };
        if let Some(other) = chapters.iter().find(|chapter| chapter.number == number) {
            problems.push(Problem::of(
                &path,
                format!("{} has the number {number} already", other.path.display()),
            ));
        }
        let chapter = read(root, dir, path, number, problems);
        for program in &chapter.programs {
            let other = chapters
                .iter()
                .flat_map(|chapter| &chapter.programs)
                .find(|other| other.name == program.name);
            if let Some(other) = other {
                let what = format!(
                    "{} is called `{}` too: rename one",
                    other.file.display(),
                    program.name
                );
                problems.push(Problem::of(&program.file, what));
            }
        }
        chapters.push(chapter);
    }
    chapters
}

fn read(
    root: &Path,
    dir: String,
    path: PathBuf,
    number: u32,
    problems: &mut Vec<Problem>,
) -> Chapter {
    let (package, named) = manifest(root, &path, problems);
    let page = Path::new("book/src").join(format!("{dir}.md"));
    let headings = match std::fs::read_to_string(root.join(&page)) {
        Ok(text) => page::headings(&text),
        Err(error) => {
            problems.push(Problem::of(
                &page,
                format!("the page of {} cannot be read: {error}", path.display()),
            ));
            Vec::new()
        }
    };
    let title = match headings.first() {
        Some(heading) => heading.title.clone(),
        None => dir[3..].replace('-', " "),
    };
    Chapter {
        number,
        package: package.unwrap_or_else(|| dir[3..].to_owned()),
        title,
        page,
        headings,
        programs: programs(root, &path, named),
        claims: claim::read(root, &dir, number, problems),
        path,
        dir,
    }
}

/// The package's name, and the programs that its manifest names.
fn manifest(
    root: &Path,
    path: &Path,
    problems: &mut Vec<Problem>,
) -> (Option<String>, Vec<Program>) {
    let file = path.join("Cargo.toml");
    let Some(text) = problem::read(root, &file, problems) else {
        return (None, Vec::new());
    };
    let source = Source::new(&file, &text);
    let document = source.parse();
    problems.extend(source.into_problems());
    let Some(document) = document else {
        return (None, Vec::new());
    };

    let name = table_at(&document, &["package"])
        .and_then(|(package, _)| package.get("name")?.get_ref().as_str());
    if name.is_none() {
        problems.push(Problem::of(
            &file,
            "the package has no name: add `name = \"…\"` under [package]",
        ));
    }
    let bins = document
        .get_ref()
        .get("bin")
        .and_then(|bins| bins.get_ref().as_array());
    let named = bins
        .into_iter()
        .flat_map(|bins| bins.iter())
        .filter_map(|bin| {
            let bin = bin.get_ref().as_table()?;
            let name = bin.get("name")?.get_ref().as_str()?.to_owned();
            let file = path.join(bin.get("path")?.get_ref().as_str()?);
            Some(Program { name, file })
        });
    (name.map(str::to_owned), named.collect())
}

/// The named programs, and those that cargo finds by itself under `src/bin`.
fn programs(root: &Path, path: &Path, mut programs: Vec<Program>) -> Vec<Program> {
    let bins = path.join("src/bin");
    for entry in names_in(&root.join(&bins)) {
        let (name, file) = match entry.strip_suffix(".rs") {
            Some(name) => (name, bins.join(&entry)),
            None => (entry.as_str(), bins.join(&entry).join("main.rs")),
        };
        if root.join(&file).is_file() && !programs.iter().any(|program| program.file == file) {
            programs.push(Program {
                name: name.to_owned(),
                file,
            });
        }
    }
    programs.sort_by(|a, b| a.name.cmp(&b.name));
    programs
}
