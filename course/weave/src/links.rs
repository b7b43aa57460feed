//! Does each link of the book lead somewhere?

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use catalog::nearest;

/// What the links of the book can lead to.
pub(crate) struct Targets {
    /// The book's `src` on disk, for pictures and other files.
    pub files: PathBuf,
    /// Whether the pages are in another language: they may then lead to the English ones, built beside them.
    pub is_translated: bool,
    /// Each page with its ids.
    pub pages: Vec<(PathBuf, HashSet<String>)>,
}

impl Targets {
    /// Whether the page has this id.
    pub fn has(&self, page: &Path, id: &str) -> bool {
        self.pages
            .iter()
            .any(|(path, ids)| path == page && ids.contains(id))
    }

    /// Says what is wrong with a link on the page `from`.
    pub fn check(&self, from: &Path, link: &str) -> Result<(), String> {
        if is_outside(link) {
            return Ok(());
        }
        if link.is_empty() {
            return Err("a link leads nowhere: write its target between the parentheses".into());
        }
        let (path, id) = match link.split_once('#') {
            Some((path, id)) => (path, Some(id)),
            None => (link, None),
        };
        if path.starts_with('/') {
            return Err(format!(
                "the link `{link}` begins with `/`, and the book may lie in a folder: make it relative"
            ));
        }
        let Some(target) = resolve(from, path) else {
            if self.is_translated
                && Path::new(path)
                    .extension()
                    .is_some_and(|ending| ending == "html")
            {
                // Whether it is there is seen when both are built.
                return Ok(());
            }
            return Err(format!(
                "the link `{link}` leaves the book: use the page's address on the repository's host"
            ));
        };
        let Some((_, ids)) = self.pages.iter().find(|(page, _)| *page == target) else {
            return self.check_file(link, &target);
        };
        match id {
            Some(id) if !ids.contains(id) => {
                let near = nearest(id, ids.iter().map(String::as_str));
                let hint = near
                    .first()
                    .map_or(String::new(), |near| format!("; did you mean `#{near}`?"));
                Err(format!(
                    "the link `{link}` leads nowhere: {} has no id `{id}`{hint}",
                    target.display()
                ))
            }
            _ => Ok(()),
        }
    }

    fn check_file(&self, link: &str, target: &Path) -> Result<(), String> {
        let is_page = target.extension().is_some_and(|ending| ending == "md");
        let exists = self.files.join(target).is_file();
        if exists && !is_page {
            return Ok(());
        }
        Err(if exists {
            format!("the link `{link}` leads to a page that is not in SUMMARY.md")
        } else if target.extension().is_some_and(|ending| ending == "html") {
            format!("the link `{link}` leads to built HTML: link to the page's .md file")
        } else {
            let name = target.to_string_lossy();
            let pages: Vec<String> = self
                .pages
                .iter()
                .map(|(page, _)| page.display().to_string())
                .collect();
            let near = nearest(&name, pages.iter().map(String::as_str));
            let hint = near
                .first()
                .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            format!("the link `{link}` leads nowhere: there is no {name} in the book{hint}")
        })
    }
}

/// Whether a link has a scheme or a host: `https://…`, `mailto:…`, `//…`.
pub(crate) fn is_outside(link: &str) -> bool {
    let scheme = link.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c))
    });
    scheme || link.starts_with("//")
}

/// The path that a relative link on the page `from` names; None when it climbs out of the book.
pub(crate) fn resolve(from: &Path, link: &str) -> Option<PathBuf> {
    if link.is_empty() {
        return Some(from.to_owned());
    }
    let mut path = from.parent()?.to_owned();
    for part in Path::new(link).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}
