//! Is the HTML that was built whole: does every link in it lead somewhere, and is no directive left?
//!
//! [`weave`](crate::weave) checks what the authors wrote, with lines. This looks at what the readers get, whatever made
//! it, and needs no network: links that leave the site are not followed.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use crate::Problem;
use crate::html::{Piece, pieces};
use crate::links::{is_outside, resolve};

/// Everything that is wrong in the site at `dir`; the files of the problems are relative to it.
///
/// # Errors
///
/// The first file that cannot be read.
pub fn check(dir: &Path) -> io::Result<Vec<Problem>> {
    let mut files = Vec::new();
    list(dir, Path::new(""), &mut files)?;
    let mut pages = HashMap::new();
    let mut links = Vec::new();
    let mut problems = Vec::new();
    let mut root = String::new();
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|ending| ending == "html"))
    {
        let html = std::fs::read_to_string(dir.join(file))?;
        let page = look(&html);
        if file == Path::new("404.html") {
            let rest = html.split_once("data-root=\"").map_or("", |(_, rest)| rest);
            rest.split('"').next().unwrap_or("").clone_into(&mut root);
        }
        if let Some(left) = page.left {
            problems.push(Problem::of(
                file,
                format!("a directive is left on the page: `{left}`; did weave run?"),
            ));
        }
        links.extend(page.links.into_iter().map(|link| (file.clone(), link)));
        pages.insert(file.clone(), page.ids);
    }
    if pages.is_empty() {
        problems.push(Problem::of("index.html", "there is no page in the site"));
    }
    let files: HashSet<PathBuf> = files.into_iter().collect();
    for (from, link) in links {
        if let Some(what) = dead(&from, &link, &root, &files, &pages) {
            problems.push(Problem::of(from, what));
        }
    }
    problems.sort();
    problems.dedup();
    Ok(problems)
}

fn list(base: &Path, below: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(base.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            list(base, &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// What a page of the site has.
struct Built {
    ids: HashSet<String>,
    links: Vec<String>,
    /// The first directive that stands in its text.
    left: Option<String>,
}

fn look(html: &str) -> Built {
    let mut page = Built {
        ids: HashSet::new(),
        links: Vec::new(),
        left: None,
    };
    let mut code = 0_usize;
    for piece in pieces(html) {
        match piece {
            Piece::Open(tag) => {
                if matches!(tag.name, "code" | "pre") {
                    code += 1;
                }
                page.ids.extend(tag.attribute("id").map(unescape));
                if tag.name == "a" {
                    page.ids.extend(tag.attribute("name").map(unescape));
                }
                page.links.extend(
                    tag.attribute("href")
                        .or_else(|| tag.attribute("src"))
                        .map(unescape),
                );
            }
            Piece::Close("code" | "pre") => code = code.saturating_sub(1),
            Piece::Text(text) if code == 0 && page.left.is_none() => {
                page.left = text.find("{{#").map(|at| {
                    text[at..]
                        .chars()
                        .take_while(|&c| c != '\n')
                        .take(60)
                        .collect()
                });
            }
            _ => {}
        }
    }
    page
}

/// Why a link of the page `from` leads nowhere.
fn dead(
    from: &Path,
    link: &str,
    root: &str,
    files: &HashSet<PathBuf>,
    pages: &HashMap<PathBuf, HashSet<String>>,
) -> Option<String> {
    if is_outside(link) || link.is_empty() {
        return None;
    }
    let (path, id) = link
        .split_once('#')
        .map_or((link, None), |(path, id)| (path, Some(id)));
    let path = path.split('?').next().unwrap_or("");
    // The page for unknown addresses is shown anywhere, so its links begin at the site's root, and that is where the
    // publisher puts it.
    let path = if from == Path::new("404.html") {
        path.strip_prefix(root)
            .unwrap_or(path)
            .trim_start_matches('/')
    } else {
        path
    };
    let Some(mut target) = resolve(from, &decode(path)) else {
        return Some(format!("the link `{link}` leaves the site"));
    };
    if path.ends_with('/') || path == "." || target.as_os_str().is_empty() {
        target.push("index.html");
    }
    if !files.contains(&target) {
        return Some(format!(
            "the link `{link}` leads nowhere: there is no {}",
            target.display()
        ));
    }
    let id = id.map(decode).filter(|id| !id.is_empty())?;
    let ids = pages.get(&target)?;
    (!ids.contains(&id)).then(|| {
        format!(
            "the link `{link}` leads nowhere: {} has no id `{id}`",
            target.display()
        )
    })
}

pub(crate) fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// Undoes `%20` and its like.
fn decode(link: &str) -> String {
    percent_decode(link).unwrap_or_else(|| link.to_owned())
}

/// A path out of an address, or None when what it encodes is not UTF-8 or not encoded right.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let (high, low) = (digit(rest.next())?, digit(rest.next())?);
            bytes.push((high * 16 + low) as u8);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
