//! How does a reader find the place that explains a name, offline and in any language?
//!
//! The index is made from the pages as they are read. It knows which words stand in which section, and how much the
//! section has to say about each: a word in a heading, set in bold, or met for the first time in `code` counts for more
//! than one in passing. Chinese has no spaces, so there the index holds each two neighboring characters.
//!
//! A query finds every section whose prose has all its words, also as parts of words: what looking through the text would
//! find. Of listings and terminals it knows names such as `SO_REUSEADDR` only, or it would be twice as large. And `search.js` does the same in the browser as [`Index::find`] does here. The words around a
//! match are fetched with the texts of the page that has it, when it is shown.

mod read;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::io;
use std::path::Path;

use read::{Part, Place, read};
pub(crate) use read::{order, unescape};
use words::{Word, words};

/// What a heading, a bold word, and the first `code` of the book with a name add to a section's weight.
const HEADING: u32 = 14;
const BOLD: u32 = 5;
const FIRST: u32 = 1;
/// So much at most for being mentioned often; in `code` counts twice.
const OFTEN: u32 = 9;
/// What a heading adds where nothing is explained.
const NAMED: u32 = 6;

/// The index of a book in one language.
#[derive(Debug, Default)]
pub struct Index {
    /// File names without `.html`, and titles.
    pages: Vec<(String, String)>,
    sections: Vec<Section>,
    /// For each word the sections that have it, in the order of the book, with weights from 0 to 25.
    words: BTreeMap<String, BTreeMap<usize, u32>>,
}

#[derive(Debug)]
struct Section {
    page: usize,
    id: String,
    title: String,
    teaches: bool,
    text: String,
    /// The text without listings and terminals.
    prose: String,
}

/// A section that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// `03-sockets-introduction.html#value-result`.
    pub address: String,
    /// The heading.
    pub title: String,
    /// The higher, the more the section has to say.
    pub weight: u32,
}

/// Makes the index of the pages in `folder`, and writes it there: `search.json`, and the texts in `search/`.
///
/// # Errors
///
/// The first file that cannot be read or written.
pub fn write(folder: &Path) -> io::Result<Index> {
    let start = std::fs::read_to_string(folder.join("index.html"))?;
    let names = order(&start);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        files.extend(file.strip_suffix(".html").map(str::to_owned));
    }
    files.sort();
    let mut pages = Vec::new();
    for name in &names {
        // A chapter may go on on further pages, and have one for its claims.
        let number = name.get(..3).filter(|number| number.ends_with('-'));
        let is_further = |file: &&String| {
            number.is_some_and(|number| file.starts_with(number)) && !names.contains(file)
        };
        let further = files.iter().filter(is_further).cloned();
        let claims = number.map(|number| format!("c/{}", number.trim_end_matches('-')));
        for name in std::iter::once(name.clone()).chain(further).chain(claims) {
            match std::fs::read_to_string(folder.join(format!("{name}.html"))) {
                Ok(html) => pages.push((name, html)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    let index = Index::of(&pages);
    std::fs::write(folder.join("search.json"), index.json())?;
    std::fs::create_dir_all(folder.join("search/c"))?;
    for (at, (name, _)) in index.pages.iter().enumerate() {
        std::fs::write(
            folder.join("search").join(format!("{name}.json")),
            index.texts(at),
        )?;
    }
    Ok(index)
}

impl Index {
    /// The index of pages in the order of the book: names without `.html`, and HTML.
    pub fn of(pages: &[(String, String)]) -> Index {
        let mut index = Index::default();
        let mut met: BTreeSet<String> = BTreeSet::new();
        for (name, html) in pages {
            let sections = read(html);
            let title = sections
                .first()
                .map_or("", |section| section.title.as_str());
            index.pages.push((name.clone(), title.trim().to_owned()));
            for section in sections {
                index.add(section, &mut met);
            }
        }
        index
    }

    fn add(&mut self, section: read::Section, met: &mut BTreeSet<String>) {
        let at = self.sections.len();
        let mut weights: BTreeMap<String, Weight> = BTreeMap::new();
        let (mut text, mut prose) = (String::new(), String::new());
        for Part { place, text: part } in &section.parts {
            text.push_str(part);
            let names;
            let part = if *place == Place::Listing {
                names = words::names(part);
                names.as_str()
            } else {
                prose.push_str(part);
                part
            };
            for word in words(part) {
                let weight = weights.entry(word.text().to_owned()).or_default();
                match place {
                    Place::Heading => weight.heading = true,
                    Place::Bold => weight.bold = true,
                    Place::Code => {
                        weight.often += 2;
                        weight.first |= section.teaches && met.insert(word.text().to_owned());
                    }
                    Place::Prose => weight.often += 1,
                    Place::Listing => {}
                }
            }
        }
        for (word, weight) in weights {
            let weight = if section.teaches {
                weight.sum()
            } else {
                weight.heading_only()
            };
            self.words.entry(word).or_default().insert(at, weight);
        }
        self.sections.push(Section {
            page: self.pages.len() - 1,
            id: section.id,
            title: in_one_line(&section.title),
            teaches: section.teaches,
            text: in_one_line(&text),
            prose: in_one_line(&prose),
        });
    }

    /// The sections that have all words of a query, the best first.
    pub fn find(&self, query: &str) -> Vec<Hit> {
        let terms = words(query);
        let mut found: Option<BTreeMap<usize, u32>> = None;
        for term in &terms {
            let here = self.sections_with(term);
            found = Some(match found {
                None => here,
                Some(before) => before
                    .into_iter()
                    .filter_map(|(at, weight)| Some((at, weight + here.get(&at)?)))
                    .collect(),
            });
        }
        let plain = in_one_line(&query.to_lowercase());
        let mut hits: Vec<(usize, u32)> = found
            .unwrap_or_default()
            .into_iter()
            .filter(|(at, _)| self.has_runs(*at, &plain))
            .map(|(at, weight)| {
                let section = &self.sections[at];
                let in_title = section.teaches && section.title.to_lowercase().contains(&plain);
                (at, weight + if in_title { 20 } else { 0 })
            })
            .collect();
        hits.sort_by_key(|&(at, weight)| (std::cmp::Reverse(weight), at));
        hits.into_iter()
            .map(|(at, weight)| self.hit(at, weight))
            .collect()
    }

    /// Two neighbors each do not make a run: the text has to have it.
    fn has_runs(&self, at: usize, query: &str) -> bool {
        let text = self.sections[at].text.to_lowercase();
        words::runs(query)
            .iter()
            .all(|run| text.contains(run.as_str()))
    }

    fn hit(&self, at: usize, weight: u32) -> Hit {
        let section = &self.sections[at];
        Hit {
            address: format!("{}.html#{}", self.pages[section.page].0, section.id),
            title: section.title.clone(),
            weight,
        }
    }

    /// The sections that have a word, whole or as a part of another one.
    fn sections_with(&self, term: &Word) -> BTreeMap<usize, u32> {
        let mut found: BTreeMap<usize, u32> = BTreeMap::new();
        let term = term.text();
        for (word, sections) in &self.words {
            let fits = match word.find(term) {
                Some(0) if word.len() == term.len() => 10,
                Some(0) => 4,
                Some(_) => 0,
                None => continue,
            };
            for (&at, &weight) in sections {
                let best = found.entry(at).or_default();
                *best = (*best).max(weight + fits);
            }
        }
        found
    }

    /// The index as `search.js` reads it: pages, sections, and a line for each word with the sections that have it, each
    /// as its distance from the one before in base 36 and a letter for its weight.
    pub fn json(&self) -> String {
        let pages: Vec<_> = self
            .pages
            .iter()
            .map(|(name, title)| serde_json::json!([name, title]))
            .collect();
        let sections = self.sections.iter();
        let sections: Vec<_> = sections
            .map(|section| {
                serde_json::json!([
                    section.page,
                    section.id,
                    section.title,
                    u8::from(section.teaches)
                ])
            })
            .collect();
        let mut words = String::new();
        for (word, places) in &self.words {
            _ = write!(words, "{word} ");
            let mut before = 0;
            for (&at, &weight) in places {
                words.push_str(&base_36(at - before));
                words.push(char::from(b'A' + weight.min(25) as u8));
                before = at;
            }
            words.push('\n');
        }
        serde_json::json!({"pages": pages, "sections": sections, "words": words}).to_string()
    }

    /// The texts of a page's sections, for the words around a match.
    fn texts(&self, page: usize) -> String {
        let sections = self.sections.iter().filter(|section| section.page == page);
        let texts: Vec<&str> = sections.map(|section| section.text.as_str()).collect();
        serde_json::json!(texts).to_string()
    }

    /// The addresses of the sections whose prose contains all of the texts, as they stand.
    pub fn containing(&self, texts: &[&str]) -> Vec<String> {
        let has = |section: &Section| {
            let text = section.prose.to_lowercase();
            texts.iter().all(|part| text.contains(&part.to_lowercase()))
        };
        let sections = self
            .sections
            .iter()
            .enumerate()
            .filter(|(_, section)| has(section));
        sections.map(|(at, _)| self.hit(at, 0).address).collect()
    }
}

#[derive(Default)]
struct Weight {
    heading: bool,
    bold: bool,
    first: bool,
    often: u32,
}

impl Weight {
    fn sum(&self) -> u32 {
        let when = |is: bool, weight: u32| if is { weight } else { 0 };
        let weight = when(self.heading, HEADING) + when(self.bold, BOLD) + when(self.first, FIRST);
        (weight + self.often.min(OFTEN)).min(25)
    }

    fn heading_only(&self) -> u32 {
        if self.heading { NAMED } else { 0 }
    }
}

fn base_36(mut number: usize) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit((number % 36) as u32, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
