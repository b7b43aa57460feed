//! How is Markdown read and rendered here? As mdBook does it, so that what is checked is what is built.

use std::ops::Range;

use pulldown_cmark::{BrokenLink, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

/// mdBook 0.5's own set.
pub(crate) fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_SMART_PUNCTUATION
        | Options::ENABLE_DEFINITION_LIST
        | Options::ENABLE_GFM
}

/// Markdown in which nothing is HTML: what looks like a tag, such as `Vec<u8>` outside of code, is text.
pub(crate) fn without_html(markdown: &str) -> String {
    let mut text = markdown.to_owned();
    let events: Vec<_> = Parser::new_ext(markdown, options())
        .into_offset_iter()
        .collect();
    for (event, span) in events.into_iter().rev() {
        if matches!(event, Event::Html(_) | Event::InlineHtml(_)) {
            let escaped = text[span.clone()].replace('<', "&lt;");
            text.replace_range(span, &escaped);
        }
    }
    text
}

/// A sentence or two as HTML, without the paragraph around them and without an empty line, which would end the HTML
/// block they are put in.
pub(crate) fn inline(markdown: &str) -> String {
    let events = Parser::new_ext(markdown, options())
        .map(|event| match event {
            Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
            event => event,
        })
        .filter(|event| {
            !matches!(
                event,
                Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph)
            )
        });
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, events);
    html.trim().replace('\n', " ").replace('|', "&#124;")
}

/// Text as HTML, also fit for an attribute and for a cell of a Markdown table.
pub(crate) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '|' => html.push_str("&#124;"),
            '\n' => html.push(' '),
            c => html.push(c),
        }
    }
    html
}

/// The documentation of a Rust module as text for a page: links to Rust items become the items' names, and headings
/// become bold lines, because a page's headings have ids and these have none.
pub(crate) fn from_rustdoc(doc: &str) -> String {
    // A reference that is not defined in the text is a link to an item: [`read`], [reads](crate::read).
    let item = |link: BrokenLink<'_>| {
        Some((
            CowStr::from(format!("item::{}", link.reference)),
            CowStr::from(""),
        ))
    };
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut link: Option<Range<usize>> = None;
    let mut inside: Option<Range<usize>> = None;
    let mut heading: Option<Range<usize>> = None;
    for (event, span) in
        Parser::new_with_broken_link_callback(doc, options(), Some(item)).into_offset_iter()
    {
        match event {
            Event::Start(Tag::Link { dest_url, .. })
                if dest_url.contains("::") && !dest_url.contains('/') =>
            {
                link = Some(span);
                inside = None;
            }
            Event::End(TagEnd::Link) => {
                if let (Some(whole), Some(inside)) = (link.take(), inside.take()) {
                    edits.push((whole, doc[inside].to_owned()));
                }
            }
            Event::Start(Tag::Heading { .. }) => {
                heading = Some(span);
                inside = None;
            }
            Event::End(TagEnd::Heading(_)) => {
                if let (Some(whole), Some(inside)) = (heading.take(), inside.take()) {
                    edits.push((whole, format!("**{}**\n\n", &doc[inside])));
                }
            }
            _ if link.is_some() || heading.is_some() => {
                inside = Some(inside.map_or(span.clone(), |inside| {
                    inside.start..inside.end.max(span.end)
                }));
            }
            _ => {}
        }
    }
    // Inside out: a link in a heading is edited with its heading, the outer edit comes last in the list.
    let mut text = doc.to_owned();
    let outer: Vec<_> = edits
        .iter()
        .filter(|(a, _)| {
            !edits
                .iter()
                .any(|(b, _)| b != a && b.start <= a.start && a.end <= b.end)
        })
        .collect();
    for (span, with) in outer.into_iter().rev() {
        text.replace_range(span.clone(), with);
    }
    text
}

/// Whether a broken reference was meant as one: `[text][label]` was, `[PORT]` was not.
pub(crate) fn was_meant(link: &BrokenLink<'_>) -> bool {
    matches!(link.link_type, LinkType::Reference | LinkType::Collapsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_is_one_line_without_a_paragraph() {
        assert_eq!(
            inline("`a|b` is *so*,\nVec<u8>"),
            "<code>a&#124;b</code> is <em>so</em>, Vec&lt;u8&gt;"
        );
    }

    #[test]
    fn tags_in_texts_of_ours_are_text() {
        assert_eq!(
            without_html("A Vec<u8> and `<u8>`.\n\n<b>x"),
            "A Vec&lt;u8> and `<u8>`.\n\n&lt;b>x"
        );
    }

    #[test]
    fn escape_is_fit_for_attributes() {
        assert_eq!(
            escape("a<b>&\"c\"|d"),
            "a&lt;b&gt;&amp;&quot;c&quot;&#124;d"
        );
    }

    #[test]
    fn links_to_items_become_names_and_others_stay() {
        let doc = "Write [`read_exact_n`], see [reads](crate::read) and [the page](https://a.example/).\n\n# Errors\n\nNone.\n";
        assert_eq!(
            from_rustdoc(doc),
            "Write `read_exact_n`, see reads and [the page](https://a.example/).\n\n**Errors**\n\n\nNone.\n"
        );
    }
}
