//! What is done to the pages when mdBook has written them, that mdBook's templates cannot do?
//!
//! A stock mdBook's book is whole without this. It is heavier: everything of a chapter stands on one page. Here
//!
//! - the table of a chapter's claims becomes a page of its own, `c/NN.html`, and so do the hints and mistakes of each
//!   exercise, `e/SLUG.html`; the chapter keeps the claims' marks and a link that brings the rest in place;
//! - each claim gets an address that stays when its row moves, `c/NN.MM.html`;
//! - each page gets its description, its preview, the list of its sections and its place in the contents;
//! - blocks of code that are no listings get their colors;
//! - the site gets its map, and loses what mdBook's own theme would need.

mod head;
mod parts;

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

use catalog::Catalog;

use self::parts::Moved;
use crate::highlight;
use crate::markdown::escape;

/// What the publisher of a site says about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Where the site will be, with a slash at its end: `https://host/runnable-sockets/`. Without it there is no map of
    /// the site, and previews have no address.
    pub address: Option<String>,
    /// Another version of the book that can be read beside this one: what it is called and where it is, as in
    /// `Last release: https://host/book/release/`.
    pub other: Option<String>,
}

impl Settings {
    /// Settings for an address with or without a slash at its end.
    pub fn new(address: Option<String>, other: Option<String>) -> Settings {
        Settings {
            other,
            address: address.map(|address| format!("{}/", address.trim_end_matches('/'))),
        }
    }
}

/// A page in the making.
struct Page {
    /// From the site's root: `03-sockets-introduction.html`, `c/03.html`.
    name: String,
    html: String,
}

/// Finishes the pages that lie in `out`, one book in one language.
///
/// # Errors
///
/// A file that cannot be read or written.
pub fn finish(out: &Path, catalog: &Catalog, settings: &Settings) -> io::Result<()> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(out)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if is_mdbooks(&name) {
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(path)?;
            } else {
                fs::remove_file(path)?;
            }
        } else if Path::new(&name)
            .extension()
            .is_some_and(|ending| ending == "html")
        {
            let html = fs::read_to_string(entry.path())?;
            if !is_redirect(&html) {
                pages.push(Page { name, html });
            }
        }
    }
    pages.sort_by(|a, b| a.name.cmp(&b.name));
    let mut moved = Moved::default();
    let mut pages: Vec<Page> = pages
        .into_iter()
        .flat_map(|page| parts::divided(page, catalog, &mut moved))
        .collect();
    for page in &mut pages {
        if page.name == "404.html" {
            page.html = parts::rooted(&page.html)
                .replace("Document not found (404)", "No such page")
                .replace(
                    "This URL is invalid, sorry. Please use the navigation bar or search to continue.",
                    "Nothing of the book is at this address. The contents and the search lead on.",
                );
        }
        page.html = colored(&page.html);
        page.html = scrollable(&page.html);
        page.html = with_sections(&page.html, catalog);
        if let Some(here) = with_place(&page.html, &parts::entry(catalog, &page.name)) {
            page.html = here;
        }
    }
    let mut more = Vec::new();
    for page in &mut pages {
        more.extend(parts::take_out(page, catalog, &mut moved));
    }
    pages.append(&mut more);
    for page in &mut pages {
        page.html = parts::led_on(&page.html, &page.name, &moved);
        page.html = head::described(&page.html, &page.name, catalog, settings);
        if let Some((name, address)) = settings
            .other
            .as_deref()
            .and_then(|text| text.split_once(": "))
        {
            let link = format!(
                "<a id=\"version\" class=\"tool\" href=\"{}\">{}</a>",
                escape(address),
                escape(catalog.words.say(name))
            );
            page.html = page
                .html
                .replacen("<span id=\"version\" hidden></span>", &link, 1);
        }
    }
    for page in &pages {
        let path = out.join(&page.name);
        fs::create_dir_all(path.parent().unwrap_or(out))?;
        fs::write(path, &page.html)?;
    }
    for (name, target) in parts::addresses(catalog, &moved) {
        fs::write(out.join(name), redirect(&target))?;
    }
    if let Some(address) = &settings.address {
        fs::write(out.join("sitemap.xml"), head::map(address, &pages))?;
    }
    Ok(())
}

/// The files of mdBook's own theme, which the course's does not load.
fn is_mdbooks(name: &str) -> bool {
    let is = |start: &str, end: &str| name.starts_with(start) && name.ends_with(end);
    matches!(name, "css" | "fonts" | "FontAwesome" | "toc.html")
        || is("book-", ".js")
        || is("toc-", ".js")
        || is("clipboard-", ".js")
        || is("highlight-", ".js")
        || is("highlight-", ".css")
        || is("tomorrow-night-", ".css")
        || is("ayu-highlight-", ".css")
}

fn is_redirect(html: &str) -> bool {
    html.contains("http-equiv=\"refresh\"")
}

/// A page that leads on to another.
fn redirect(target: &str) -> String {
    let target = escape(target);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <title>Runnable Sockets</title>\n<meta http-equiv=\"refresh\" content=\"0; url={target}\">\n\
         <link rel=\"canonical\" href=\"{target}\">\n</head>\n<body>\n<main><p><a href=\"{target}\">{target}</a></p></main>\n</body>\n</html>\n"
    )
}

/// Colors for the blocks of code that mdBook has written.
fn colored(html: &str) -> String {
    let open = "<pre><code class=\"language-";
    let mut done = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once(open) {
        let parts = after
            .split_once("\">")
            .and_then(|(class, after)| Some((class, after.split_once("</code></pre>")?)));
        let Some((class, (code, after))) = parts else {
            break;
        };
        let language = class.split([' ', ',']).next().unwrap_or("");
        let text = crate::site::unescape(code);
        done.push_str(before);
        _ = write!(
            done,
            "<figure class=\"code\"><pre tabindex=\"0\"><code data-language=\"{language}\">{}</code></pre></figure>",
            highlight::html(language, &text)
        );
        rest = after;
    }
    done + rest
}

/// What can be wider than the page can be scrolled by keyboard, too; and the empty corner of a table heads nothing.
fn scrollable(html: &str) -> String {
    html.replace("<th></th>", "<td></td>")
        .replace("<pre><code>", "<pre tabindex=\"0\"><code>")
        .replace(
            "<div class=\"table-wrapper\">",
            "<div class=\"table-wrapper\" tabindex=\"0\">",
        )
}

/// The titles of the sections, each with its id, as HTML.
fn sections(html: &str) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    for piece in html.split("<h2 id=\"").skip(1) {
        if let Some((id, rest)) = piece.split_once('"')
            && let Some((_, rest)) = rest.split_once('>')
            && let Some((title, _)) = rest.split_once("</h2>")
        {
            found.push((id, text_of(title)));
        }
    }
    found
}

/// A piece of HTML without its tags. Entities stay, so it is fit for HTML and for attributes in double quotes.
fn text_of(html: &str) -> String {
    let mut text = String::new();
    for piece in html.split('<') {
        text.push_str(match piece.split_once('>') {
            Some((_, after)) => after,
            None if text.is_empty() => piece,
            None => "",
        });
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace('"', "&quot;")
}

/// A list of the page's sections below its title, when there are some.
fn with_sections(html: &str, catalog: &Catalog) -> String {
    let list = sections(html);
    let Some(at) = html.find("</h1>").filter(|_| list.len() > 3) else {
        return html.to_owned();
    };
    let mut items = String::new();
    for (id, title) in &list {
        _ = write!(items, "<li><a href=\"#{id}\">{title}</a></li>");
    }
    let label = escape(catalog.words.say("On this page"));
    let nav = format!(
        "\n<nav class=\"sections\" aria-label=\"{label}\"><details><summary>{label}</summary><ol>{items}</ol></details></nav>"
    );
    let at = at + "</h1>".len();
    format!("{}{nav}{}", &html[..at], &html[at..])
}

/// The page with its own entry in the contents marked.
fn with_place(html: &str, name: &str) -> Option<String> {
    let name = if name == "index.html" {
        // mdBook writes the first page a second time under this name.
        html.split_once("<ol class=\"chapter\">")?
            .1
            .split_once("<a href=\"")?
            .1
            .split('"')
            .next()?
    } else {
        name
    };
    let contents = html.find("<ol class=\"chapter\">")?;
    let link = format!("<a href=\"{name}\"");
    let at = contents + html[contents..].find(&link)? + link.len();
    Some(format!(
        "{} aria-current=\"page\"{}",
        &html[..at],
        &html[at..]
    ))
}

#[cfg(test)]
mod tests;
