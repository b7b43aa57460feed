//! How do the pages of one language lead to those of another?
//!
//! The English book is the site, and each translation lies in a folder of it, `zh-CN/`, with the same pages under the same
//! names. Each page's `#language` then leads to the same page in the next language; its script takes the section along.

use std::io;
use std::path::{Path, PathBuf};

use catalog::{Catalog, ENGLISH};

use crate::markdown::escape;

/// What the theme has for us to fill in.
const SLOT: &str = "<a id=\"language\" class=\"tool\" hidden></a>";

/// Where the pages of a language lie in the site.
pub fn folder(language: &str) -> &Path {
    Path::new(if language == ENGLISH { "" } else { language })
}

/// What a language calls itself.
pub fn name(root: &Path, language: &str) -> String {
    let catalog = Catalog::load_in(root, language);
    catalog.words.say("English").to_owned()
}

/// Makes each page of the site lead to the same page in the next language. `site` is the folder that it was built into.
///
/// # Errors
///
/// The first page that cannot be read or written.
pub fn link(root: &Path, site: &Path) -> io::Result<()> {
    let mut languages = vec![ENGLISH.to_owned()];
    languages.extend(Catalog::languages(root));
    if languages.len() < 2 {
        return Ok(());
    }
    for (at, language) in languages.iter().enumerate() {
        let other = &languages[(at + 1) % languages.len()];
        let name = name(root, other);
        for page in pages(&site.join(folder(language)), Path::new(""), &languages)? {
            let file = site.join(folder(language)).join(&page);
            if !site.join(folder(other)).join(&page).is_file() {
                continue;
            }
            let html = std::fs::read_to_string(&file)?;
            let steps = page.components().count() - 1 + folder(language).components().count();
            let address = format!(
                "{}{}",
                "../".repeat(steps),
                folder(other).join(&page).display()
            );
            let filled = format!(
                "<a id=\"language\" class=\"tool\" href=\"{}\" hreflang=\"{other}\" lang=\"{other}\">{}</a>",
                escape(&address),
                escape(&name)
            );
            std::fs::write(&file, html.replacen(SLOT, &filled, 1))?;
        }
        map(site, language, &languages)?;
    }
    Ok(())
}

/// Adds to each page of a language's map of the site where it is in the other languages.
fn map(site: &Path, language: &str, languages: &[String]) -> io::Result<()> {
    let file = site.join(folder(language)).join("sitemap.xml");
    let map = match std::fs::read_to_string(&file) {
        Ok(map) => map,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let inside = |language: &str| match folder(language).display().to_string() {
        folder if folder.is_empty() => folder,
        folder => folder + "/",
    };
    let own = inside(language);
    let addresses: Vec<&str> = map
        .split("<loc>")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once("</loc>")?.0))
        .collect();
    // The first page has the shortest address, that of the book.
    let book = addresses.iter().min_by_key(|address| address.len());
    let Some(start) = book.and_then(|book| book.strip_suffix(&own)) else {
        return Ok(());
    };
    let mut mapped = map.replacen(
        "<urlset ",
        "<urlset xmlns:xhtml=\"http://www.w3.org/1999/xhtml\" ",
        1,
    );
    for address in addresses {
        let Some(page) = address.strip_prefix(&format!("{start}{own}")) else {
            continue;
        };
        let name = if page.is_empty() { "index.html" } else { page };
        let there = languages
            .iter()
            .filter(|other| site.join(folder(other)).join(name).is_file());
        let links: Vec<String> = there
            .map(|other| {
                format!(
                    "<xhtml:link rel=\"alternate\" hreflang=\"{other}\" href=\"{start}{}{page}\"/>",
                    inside(other)
                )
            })
            .collect();
        let loc = format!("<loc>{address}</loc>");
        mapped = mapped.replacen(&loc, &format!("{loc}{}", links.concat()), 1);
    }
    std::fs::write(file, mapped)
}

/// The pages below a folder, without those of the languages in it.
fn pages(base: &Path, below: &Path, languages: &[String]) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(base.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if !languages.iter().any(|language| path == Path::new(language)) {
                found.extend(pages(base, &path, languages)?);
            }
        } else if path.extension().is_some_and(|ending| ending == "html") {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_leads_to_itself_in_the_other_language_if_it_is_there() {
        let root = tempfile::tempdir().expect("a folder");
        let write = |file: &str, text: &str| {
            let file = root.path().join(file);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            std::fs::write(file, text).expect("written");
        };
        write("book/zh-CN/src/SUMMARY.md", "");
        write("book/zh-CN/words.toml", "English = \"中文\"\n");
        for file in [
            "a.html",
            "zh-CN/a.html",
            "c/b.html",
            "zh-CN/c/b.html",
            "only.html",
        ] {
            write(&format!("site/{file}"), SLOT);
        }
        let book = "https://a.example/b/zh-CN/";
        write(
            "site/zh-CN/sitemap.xml",
            &format!(
                "<urlset xmlns=\"x\"><url><loc>{book}</loc></url><url><loc>{book}a.html</loc></url></urlset>"
            ),
        );
        link(root.path(), &root.path().join("site")).expect("linked");
        let read = |file: &str| {
            std::fs::read_to_string(root.path().join("site").join(file)).expect("there")
        };
        assert!(
            read("a.html")
                .contains("href=\"zh-CN/a.html\" hreflang=\"zh-CN\" lang=\"zh-CN\">中文<")
        );
        assert!(
            read("zh-CN/a.html")
                .contains("href=\"../a.html\" hreflang=\"en\" lang=\"en\">English<")
        );
        assert!(read("c/b.html").contains("href=\"../zh-CN/c/b.html\""));
        assert!(read("zh-CN/c/b.html").contains("href=\"../../c/b.html\""));
        assert_eq!(read("only.html"), SLOT);
        let map = read("zh-CN/sitemap.xml");
        let loc = "<loc>https://a.example/b/zh-CN/a.html</loc>";
        let links = "<xhtml:link rel=\"alternate\" hreflang=\"en\" href=\"https://a.example/b/a.html\"/>\
                     <xhtml:link rel=\"alternate\" hreflang=\"zh-CN\" href=\"https://a.example/b/zh-CN/a.html\"/>";
        assert!(map.contains(&format!("{loc}{links}")), "{map}");
    }
}
