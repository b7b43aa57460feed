//! How does the book become one file: an EPUB, or a page that a browser prints to PDF?
//!
//! Both are made from the pages as they were built. What only works on a screen is left out, what is left is written as
//! XML, and every link that stays in the book must lead somewhere in it.

pub mod epub;
mod flow;
mod zip;

use std::collections::HashSet;
use std::fmt::Write;
use std::path::Path;

use crate::markdown::escape;
use crate::search;
use flow::{Flow, Target};

/// The parts of the theme's style sheet that are for text, and not for the page around it.
const PARTS: [&str; 6] = ["Colors", "Text", "Code", "Claims", "Exercises", "DIAGRAMS"];
/// What a book of pages needs beside them.
const STYLE: &str = include_str!("print/book.css");

/// The book in one language, ready to be put into a file.
pub struct Volume {
    /// What the book calls itself.
    pub title: String,
    /// `zh-CN`.
    pub language: String,
    style: String,
    pages: Vec<Leaf>,
}

/// A page of the built book: its name without `.html`, and its HTML.
struct Leaf {
    name: String,
    html: String,
}

impl Volume {
    /// The pages that were built in `folder`, and the theme's style sheet.
    ///
    /// # Errors
    ///
    /// One line: what cannot be read.
    pub fn read(
        folder: &Path,
        theme: &Path,
        title: &str,
        language: &str,
    ) -> Result<Volume, String> {
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let start = read(&folder.join("index.html"))?;
        let pages: Result<Vec<Leaf>, String> = search::order(&start)
            .into_iter()
            .map(|name| {
                let html = read(&folder.join(format!("{name}.html")))?;
                Ok(Leaf { name, html })
            })
            .collect();
        Ok(Volume {
            title: title.to_owned(),
            language: language.to_owned(),
            style: style(&read(theme).unwrap_or_default()),
            pages: pages?,
        })
    }

    /// All pages as one, to be printed: a table of contents, and each page on a new sheet.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, one line each: links that lead nowhere, HTML that is not well-formed.
    pub fn sheet(&self, contents: &str) -> Result<String, String> {
        let flows = self.flows(Target::Sheet)?;
        let mut html = format!(
            "<!DOCTYPE html>\n<html lang=\"{0}\">\n<head><meta charset=\"utf-8\"><title>{1}</title><style>{2}</style></head>\n<body>\n\
             <section class=\"cover\"><h1>{1}</h1></section>\n<section class=\"toc\"><h2>{3}</h2>\n<ol>\n",
            escape(&self.language),
            escape(&self.title),
            self.style,
            escape(contents),
        );
        for flow in &flows {
            html.push_str(&entry(flow, |id| format!("#{id}")));
        }
        html.push_str("</ol></section>\n");
        for flow in &flows {
            _ = writeln!(html, "<section class=\"page\">\n{}\n</section>", flow.xml);
        }
        html.push_str("</body>\n</html>\n");
        Ok(html)
    }

    /// The pages as XML, with links as the target wants them, all checked.
    fn flows(&self, target: Target) -> Result<Vec<Flow>, String> {
        let names: Vec<&str> = self.pages.iter().map(|page| page.name.as_str()).collect();
        let mut wrong = Vec::new();
        let mut flows = Vec::new();
        for page in &self.pages {
            match flow::flow(&page.name, &page.html, &names, target) {
                Ok(flow) => flows.push(flow),
                Err(what) => wrong.push(format!("{}.html: {what}", page.name)),
            }
        }
        let ids: HashSet<&str> = flows
            .iter()
            .flat_map(|flow| &flow.ids)
            .map(String::as_str)
            .collect();
        for flow in &flows {
            for (link, id) in flow
                .links
                .iter()
                .filter(|(_, id)| !ids.contains(id.as_str()))
            {
                wrong.push(format!(
                    "{}.html: the link `{link}` leads nowhere: no `{id}`",
                    flow.name
                ));
            }
        }
        if wrong.is_empty() {
            Ok(flows)
        } else {
            Err(wrong.join("\n"))
        }
    }
}

/// A page and its sections in a table of contents.
fn entry(flow: &Flow, address: impl Fn(&str) -> String) -> String {
    let link = |(_, id, title): &(usize, String, String)| {
        format!(
            "<a href=\"{}\">{}</a>",
            escape(&address(id)),
            escape(title.trim())
        )
    };
    let mut first = flow.headings.iter();
    let Some(title) = first.next() else {
        return String::new();
    };
    let mut html = format!("<li>{}", link(title));
    let sections: Vec<_> = first.filter(|(level, ..)| *level == 2).collect();
    if !sections.is_empty() {
        html.push_str("<ol>");
        for section in sections {
            _ = write!(html, "<li>{}</li>", link(section));
        }
        html.push_str("</ol>");
    }
    html + "</li>\n"
}

/// Of the theme's style sheet, what is for text. Its parts are marked `/* == Name ==== */`.
fn style(theme: &str) -> String {
    let mut style = String::new();
    for part in theme.split("/* == ").skip(1) {
        if PARTS.iter().any(|name| part.starts_with(name)) {
            style.push_str("/* ");
            style.push_str(part);
        }
    }
    style + STYLE
}

#[cfg(test)]
mod tests;
