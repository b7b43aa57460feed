//! What do search engines and previews learn about a page?

use std::fmt::Write;

use catalog::Catalog;

use super::{Page, Settings, sections, text_of};
use crate::markdown::escape;

/// As much of a description as search engines show.
const LONGEST: usize = 155;

/// The page with its own description, and with what previews show.
pub(super) fn described(html: &str, name: &str, catalog: &Catalog, settings: &Settings) -> String {
    let open = "<meta name=\"description\" content=\"";
    let Some((before, after)) = html.split_once(open) else {
        return html.to_owned();
    };
    let Some((general, after)) = after.split_once("\">") else {
        return html.to_owned();
    };
    let own = match name {
        "index.html" | "404.html" => None,
        _ => description(after),
    };
    let description = own.unwrap_or_else(|| general.to_owned());
    let title = before
        .split_once("<title>")
        .and_then(|(_, rest)| rest.split_once("</title>"))
        .map_or("", |(title, _)| title);
    let (title, book) = title.rsplit_once(" - ").unwrap_or((title, title));
    let mut tags = format!(
        "\n<meta property=\"og:type\" content=\"{}\">\n<meta property=\"og:title\" content=\"{title}\">\n\
         <meta property=\"og:description\" content=\"{description}\">\n<meta property=\"og:site_name\" content=\"{book}\">\n\
         <meta property=\"og:locale\" content=\"{}\">",
        if name == "index.html" {
            "book"
        } else {
            "article"
        },
        escape(&catalog.language.replace('-', "_")),
    );
    if let Some(address) = &settings.address {
        // The first page is also the site's.
        let address = escape(address);
        let path = if name == "index.html" { "" } else { name };
        if name != "404.html" {
            _ = write!(
                tags,
                "\n<link rel=\"canonical\" href=\"{address}{path}\">\n<meta property=\"og:url\" content=\"{address}{path}\">"
            );
        }
        // One picture for all languages, beside the English pages.
        let folder = format!("{}/", catalog.language);
        let site = address.strip_suffix(&folder).unwrap_or(&address);
        _ = write!(
            tags,
            "\n<meta property=\"og:image\" content=\"{site}preview.png\">\n<meta name=\"twitter:card\" content=\"summary_large_image\">"
        );
    }
    if name == "404.html" {
        tags.push_str("\n<meta name=\"robots\" content=\"noindex\">");
    }
    format!("{before}{open}{description}\">{tags}{after}")
}

/// A chapter's sections, or a page's first sentences.
fn description(html: &str) -> Option<String> {
    let main = &html[html.find("<main")?..];
    let titles: Vec<String> = sections(main).into_iter().map(|(_, title)| title).collect();
    if titles.len() > 3 {
        return Some(shortened(&titles.join(" · ")));
    }
    let text = main
        .split("<p>")
        .skip(1)
        .map(|rest| text_of(rest.split("</p>").next().unwrap_or("")))
        .find(|text| text.len() > 40)?;
    Some(shortened(&text))
}

/// Cut off behind a word. An entity is never cut in two, because there is no blank in it.
fn shortened(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let cut: String = text.chars().take(LONGEST).collect();
    let words = cut
        .rsplit_once([' ', '，', '。', '、'])
        .map_or("", |(words, _)| words);
    if words.is_empty() {
        return cut.split('&').next().unwrap_or("").to_owned() + "…";
    }
    format!("{}…", words.trim_end_matches([' ', '·', ',', ';']))
}

/// The map of the site (sitemaps.org, version 0.9).
pub(super) fn map(address: &str, pages: &[Page]) -> String {
    let mut map = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    for page in pages {
        let name = match page.name.as_str() {
            "404.html" | "introduction.html" => continue,
            "index.html" => "",
            name => name,
        };
        _ = writeln!(
            map,
            "<url><loc>{}{}</loc></url>",
            escape(address),
            escape(name)
        );
    }
    map + "</urlset>\n"
}
