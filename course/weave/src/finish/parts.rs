//! Which parts of a chapter's page become pages of their own, and how do links find them afterwards?

use std::collections::BTreeMap;

use catalog::{Catalog, Chapter};

use super::{Page, text_of};
use crate::claims;
use crate::markdown::escape;

/// Where the places went that are no longer where mdBook has put them: from a page and an id to the page that has it.
#[derive(Debug, Default)]
pub(super) struct Moved(BTreeMap<(String, String), String>);

impl Moved {
    fn note(&mut self, page: &str, id: &str, to: &str) {
        self.0
            .insert((page.to_owned(), id.to_owned()), to.to_owned());
    }

    /// The page that has the place now, if it has moved, however often.
    fn of(&self, page: &str, id: &str) -> Option<&str> {
        let mut now = None;
        let mut key = (page.to_owned(), id.to_owned());
        // A place that went off and came back has not moved.
        for _ in 0..4 {
            let Some(next) = self.0.get(&key) else { break };
            now = Some(next.as_str()).filter(|next| *next != page);
            next.clone_into(&mut key.0);
        }
        now
    }
}

/// The pages of a chapter that its author has divided, with `<!-- page: NAME -->` before a heading: a chapter that is long
/// loads in two steps. Without marks, the page itself.
pub(super) fn divided(page: Page, catalog: &Catalog, moved: &mut Moved) -> Vec<Page> {
    const MARK: &str = "<!-- page: ";
    let Some(chapter) = chapter_of(catalog, &page.name) else {
        return vec![page];
    };
    let Some((start, end)) = between(&page.html, MAIN, "<nav class=\"turn\"") else {
        return vec![page];
    };
    let (start, end) = (start + MAIN.len(), end - "<nav class=\"turn\"".len());
    let mut texts: Vec<(String, String)> = Vec::new();
    let mut name = page.name.clone();
    let mut rest = &page.html[start..end];
    while let Some((text, after)) = rest.split_once(MARK) {
        let Some((next, after)) = after.split_once(" -->") else {
            break;
        };
        texts.push((name, text.to_owned()));
        name = format!("{next}.html");
        rest = after;
    }
    texts.push((name, rest.to_owned()));
    if texts.len() == 1 {
        return vec![page];
    }
    let cards = take_manual(&mut texts);
    let title = escape(&catalog.words.fill("{1}, continued", &[&chapter.title]));
    let names: Vec<String> = texts.iter().map(|(name, _)| name.clone()).collect();
    let mut made = Vec::new();
    for (at, (name, text)) in texts.iter().enumerate() {
        for id in ids(text) {
            for other in names.iter().filter(|other| *other != name) {
                moved.note(other, id, name);
            }
        }
        let up = if at == 0 {
            String::new()
        } else {
            format!(
                "<p class=\"up\"><a href=\"{}\">{}. {}</a></p>\n<h1 id=\"continued\">{title}</h1>\n",
                names[0],
                chapter.number,
                escape(&chapter.title)
            )
        };
        let manual: String = cards
            .iter()
            .filter(|(id, _)| text.contains(&format!("popovertarget=\"{id}\"")))
            .map(|(_, card)| card.as_str())
            .collect();
        let mut html = format!(
            "{}\n{up}{text}{manual}{}",
            &page.html[..start],
            &page.html[end..]
        );
        if at > 0 {
            html = turned(
                &html,
                "prev",
                &names[at - 1],
                &chapter.title,
                &catalog.words,
            );
            html = titled(
                &html,
                &catalog.words.fill("{1}, continued", &[&chapter.title]),
            );
        }
        if let Some(next) = names.get(at + 1) {
            html = turned(
                &html,
                "next",
                next,
                &catalog.words.fill("{1}, continued", &[&chapter.title]),
                &catalog.words,
            );
            // Who comes with an old address, from elsewhere, is led on by the page's script.
            html = html.replacen("<html ", &format!("<html data-continued=\"{next}\" "), 1);
        }
        made.push(Page {
            name: name.clone(),
            html,
        });
    }
    made
}

const MAIN: &str = "<main id=\"text\">";

/// The chapter that a page belongs to: its own, or that which the page continues.
fn chapter_of<'c>(catalog: &'c Catalog, name: &str) -> Option<&'c Chapter> {
    let stem = name.strip_suffix(".html")?;
    let mut chapters = catalog.chapters.iter();
    chapters.find(|chapter| stem == chapter.dir || stem.starts_with(&format!("{}-", chapter.dir)))
}

/// The page under which a page stands in the contents.
pub(super) fn entry(catalog: &Catalog, name: &str) -> String {
    chapter_of(catalog, name).map_or_else(
        || name.to_owned(),
        |chapter| format!("{}.html", chapter.dir),
    )
}

/// Takes the cards of the manual out of the texts: each with its id.
fn take_manual(texts: &mut [(String, String)]) -> Vec<(String, String)> {
    let mut cards = Vec::new();
    for (_, text) in texts {
        while let Some((start, end)) = between(text, "<div class=\"manual\" id=\"", "</div>") {
            let card = text[start..end].to_owned();
            let id = card.split('"').nth(3).unwrap_or("").to_owned();
            text.replace_range(start..end, "");
            cards.push((id, card));
        }
    }
    cards
}

/// All ids of a piece of HTML.
fn ids(html: &str) -> impl Iterator<Item = &str> {
    html.split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
}

/// The page with another page before or behind it.
fn turned(html: &str, rel: &str, name: &str, title: &str, words: &catalog::Words) -> String {
    let mut page = html.to_owned();
    let link = format!("<link rel=\"{rel}\" href=\"{name}\">");
    if let Some((start, end)) = between(&page, &format!("<link rel=\"{rel}\""), ">") {
        page.replace_range(start..end, &link);
    }
    let word = words.say(if rel == "prev" { "Previous" } else { "Next" });
    let turn = format!(
        "<a rel=\"{rel}\" href=\"{name}\"><span>{}</span> {}</a>",
        escape(word),
        escape(title)
    );
    if let Some((start, end)) = between(&page, &format!("<a rel=\"{rel}\""), "</a>") {
        page.replace_range(start..end, &turn);
    } else if let Some(at) = page.find("<nav class=\"turn\"") {
        let inside = at + page[at..].find('>').map_or(0, |end| end + 1);
        let end = inside + page[inside..].find("</nav>").unwrap_or(0);
        page.insert_str(if rel == "prev" { inside } else { end }, &turn);
    }
    page
}

/// The page with another title before the book's.
fn titled(html: &str, title: &str) -> String {
    let mut page = html.to_owned();
    if let Some((start, end)) = between(&page, "<title>", "</title>") {
        let of = text_of(&page[start..end]);
        let book = of.rsplit(" - ").next().unwrap_or(&of).to_owned();
        page.replace_range(
            start..end,
            &format!("<title>{} - {book}</title>", escape(title)),
        );
    }
    page
}

/// Takes the claims' table and the exercises' help off a chapter's page. The ids that go with them are noted in `moved`,
/// with the page that has them now.
pub(super) fn take_out(page: &mut Page, catalog: &Catalog, moved: &mut Moved) -> Vec<Page> {
    let Some(chapter) = chapter_of(catalog, &page.name) else {
        return Vec::new();
    };
    // The pages are made of this one, before anything is taken off it.
    let shell = page.html.clone();
    let mut made = Vec::new();
    made.extend(take_claims(page, &shell, catalog, chapter, moved));
    for exercise in catalog.exercises_of(&chapter.dir) {
        let slug = &exercise.slug;
        let open = format!("<article class=\"exercise\" data-exercise=\"{slug}\">");
        let Some((start, end)) = between(&page.html, &open, "</article>") else {
            continue;
        };
        let card = page.html[start..end].to_owned();
        let Some(help) = card.find("<div class=\"help\"") else {
            continue;
        };
        let words = &catalog.words;
        let (hints, mistakes) = (exercise.hints.len(), exercise.mistakes.len());
        let link = words.fill(
            "{1} hints, {2} mistakes that people make",
            &[&hints.to_string(), &mistakes.to_string()],
        );
        let short = format!(
            "{}<p class=\"help\" data-module=\"part\" data-when=\"use\"><a href=\"e/{slug}.html#help-{slug}\">{}</a></p>\n</article>",
            &card[..help],
            escape(&link),
        );
        page.html.replace_range(start..end, &short);
        moved.note(
            &page.name,
            &format!("help-{slug}"),
            &format!("e/{slug}.html"),
        );
        // Alone on its page, the exercise's heading is the page's.
        let card = card
            .replacen("<h3 ", "<h1 ", 1)
            .replacen("</h3>", "</h1>", 1);
        let back = format!(
            "<p class=\"up\"><a href=\"{}#{}\">{}. {}</a></p>\n",
            page.name,
            exercise.anchor(),
            chapter.number,
            escape(&chapter.title)
        );
        made.push(Page {
            name: format!("e/{slug}.html"),
            html: below(
                &with_main(&shell, &format!("{back}{card}")),
                &exercise.title,
            ),
        });
    }
    made
}

fn take_claims(
    page: &mut Page,
    shell: &str,
    catalog: &Catalog,
    chapter: &Chapter,
    moved: &mut Moved,
) -> Option<Page> {
    let (start, end) = between(&page.html, "<table class=\"claims\">", "</table>")?;
    let table = page.html[start..end].to_owned();
    let name = format!("c/{:02}.html", chapter.number);
    let chips: String = chapter
        .claims
        .iter()
        .map(|claim| claims::chip(claim, &format!("{name}#{}", claim.anchor())) + "\n")
        .collect();
    let link = catalog.words.say("Each with its evidence");
    let short = format!(
        "<div class=\"board\">\n{chips}</div>\n<p class=\"help\" data-module=\"part\" data-when=\"use\"><a href=\"{name}#claims\">{}</a></p>",
        escape(link)
    );
    page.html.replace_range(start..end, &short);
    for claim in &chapter.claims {
        moved.note(&page.name, &claim.anchor(), &name);
    }
    let words = &catalog.words;
    let title = words.fill("On trial: {1}", &[&chapter.title]);
    let tally = between(&page.html, "<p class=\"tally\">", "</p>")
        .map_or("", |(start, end)| &page.html[start..end]);
    let main = format!(
        "<p class=\"up\"><a href=\"{}#on-trial\">{}. {}</a></p>\n<h1 id=\"on-trial\">{}</h1>\n{tally}\n<div id=\"claims\">\n{table}\n</div>",
        page.name,
        chapter.number,
        escape(&chapter.title),
        escape(&title),
    );
    Some(Page {
        html: below(&with_main(shell, &main), &title),
        name,
    })
}

/// The first piece of a page from `open` to `close`, both with it.
fn between(html: &str, open: &str, close: &str) -> Option<(usize, usize)> {
    let start = html.find(open)?;
    let end = start + html[start..].find(close)? + close.len();
    Some((start, end))
}

/// The shell with another text in it.
fn with_main(shell: &str, main: &str) -> String {
    let parts = between(shell, "<main id=\"text\">", "</main>");
    let Some((start, end)) = parts else {
        return shell.to_owned();
    };
    let open = "<main id=\"text\">";
    format!(
        "{}{open}\n{main}\n{}",
        &shell[..start],
        &shell[end - "</main>".len()..]
    )
}

/// A page for a folder: its links lead up, and its title is its own.
fn below(html: &str, title: &str) -> String {
    let mut page = lifted(html, "../").replace(" aria-current=\"page\"", "");
    for rel in ["prev", "next"] {
        let open = format!("<link rel=\"{rel}\"");
        if let Some((start, end)) = between(&page, &open, ">") {
            page.replace_range(start..end, "");
        }
    }
    if let Some((start, end)) = between(&page, " data-continued=\"", "\" ") {
        page.replace_range(start..end - 1, "");
    }
    titled(&page, title)
}

/// The page with each link of its own site behind `prefix`, and the links that its scripts follow.
fn lifted(html: &str, prefix: &str) -> String {
    let mut page = String::with_capacity(html.len() + 2048);
    let mut rest = html;
    while let Some(at) = rest.find("=\"") {
        let (before, after) = rest.split_at(at + 2);
        page.push_str(before);
        let is_link = before.ends_with(" href=\"") || before.ends_with(" src=\"");
        if is_link && is_relative(after) {
            page.push_str(prefix);
        }
        rest = after;
    }
    page.push_str(rest);
    let mut page = page.replacen("data-root=\"\"", &format!("data-root=\"{prefix}\""), 1);
    if let Some((start, end)) = between(&page, "id=\"modules\">", "</script>") {
        let raised = page[start..end].replace("\": \"", &format!("\": \"{prefix}"));
        page.replace_range(start..end, &raised);
    }
    page
}

/// The page for unknown addresses is shown at any of them, so its links begin at the host's root. A `<base>` would lead
/// links to places on the page itself astray.
pub(super) fn rooted(html: &str) -> String {
    let Some((start, end)) = between(html, "<base href=\"", "\">") else {
        return html.to_owned();
    };
    let base = html[start + "<base href=\"".len()..end - "\">".len()].to_owned();
    lifted(&format!("{}{}", &html[..start], &html[end..]), &base)
}

fn is_relative(link: &str) -> bool {
    let link = link.split('"').next().unwrap_or("");
    !(link.is_empty() || link.starts_with(['#', '/']) || crate::links::is_outside(link))
}

/// The page with its links led on to where what they name is now.
pub(super) fn led_on(html: &str, name: &str, moved: &Moved) -> String {
    let up = "../".repeat(name.matches('/').count());
    let mut page = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(" href=\"") {
        let (before, after) = rest.split_at(at + 7);
        page.push_str(before);
        let link = after.split('"').next().unwrap_or("");
        rest = &after[link.len()..];
        let target = link.split_once('#').and_then(|(path, id)| {
            let path = path.strip_prefix(&up).unwrap_or(path);
            let path = if path.is_empty() { name } else { path };
            let now = moved.of(path, id)?;
            Some(if now == name {
                format!("#{id}")
            } else {
                format!("{up}{now}#{id}")
            })
        });
        page.push_str(target.as_deref().unwrap_or(link));
    }
    page + rest
}

/// The lasting addresses of the claims: a page each that leads on.
pub(super) fn addresses(catalog: &Catalog, moved: &Moved) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for chapter in &catalog.chapters {
        for claim in &chapter.claims {
            let page = format!("{}.html", chapter.dir);
            if let Some(now) = moved.of(&page, &claim.anchor()) {
                let file = now.trim_start_matches("c/");
                found.push((
                    format!("c/{}.html", claim.id),
                    format!("{file}#{}", claim.anchor()),
                ));
            }
        }
    }
    found
}
