//! Which elements, ids and links does a piece of HTML have?
//!
//! Enough of HTML for what mdBook writes and authors put into a page: tags with quoted attributes, comments, scripts.

/// An opening tag.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tag<'h> {
    pub name: &'h str,
    attributes: &'h str,
}

impl<'h> Tag<'h> {
    /// Whether it closes itself, as `<path/>` does.
    pub fn is_closed(&self) -> bool {
        self.attributes.trim_end().ends_with('/')
    }

    /// All attributes in order, with their values as they stand; one without a value has none.
    pub fn attributes(&self) -> Vec<(&'h str, Option<&'h str>)> {
        let mut found = Vec::new();
        let mut rest = self.attributes.trim();
        while let Some(end) = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '=' | '/'))
            .or(Some(rest.len()))
            .filter(|_| !rest.is_empty())
        {
            let (name, after) = rest.split_at(end);
            let after = after.trim_start();
            let Some(value) = after.strip_prefix('=').map(str::trim_start) else {
                if !name.is_empty() {
                    found.push((name, None));
                }
                rest = after.trim_start_matches('/').trim_start();
                continue;
            };
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
            let (value, after) = match quote {
                Some(quote) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
                None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
            };
            found.push((name, Some(value)));
            rest = after.trim_start();
        }
        found
    }

    /// The value of an attribute, with its entities as they stand.
    pub fn attribute(&self, name: &str) -> Option<&'h str> {
        let mut rest = self.attributes;
        while let Some((before, after)) = rest.split_once('=') {
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
            let (value, end) = if let Some(quote) = quote {
                let value = after[1..].split(quote).next().unwrap_or("");
                (value, value.len() + 2)
            } else {
                let value = after.split_whitespace().next().unwrap_or("");
                (value, value.len())
            };
            let key = before.split_whitespace().last().unwrap_or("");
            if key.eq_ignore_ascii_case(name) {
                return Some(value);
            }
            rest = after.get(end..).unwrap_or("");
        }
        None
    }
}

/// The elements that a page may have. Another one is a slip: `Vec<u8>` outside of code.
const ELEMENTS: &str = "a abbr article aside b blockquote br caption circle cite code col colgroup dd defs del desc \
    details dfn div dl dt em figcaption figure g h1 h2 h3 h4 h5 h6 hr i img ins kbd li line mark nav ol p path polygon pre \
    q rect s samp section small span strong sub summary sup svg table tbody td text tfoot th thead title tr u ul var";

/// Whether a tag is one of HTML or SVG, and not a Rust type.
pub(crate) fn is_element(name: &str) -> bool {
    ELEMENTS.split_whitespace().any(|element| element == name)
}

/// A piece of HTML, in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'h> {
    Open(Tag<'h>),
    Close(&'h str),
    Text(&'h str),
}

/// The pieces of a document or of a part of one. What is in comments, scripts and styles is left out.
pub(crate) fn pieces(html: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        if at > 0 {
            found.push(Piece::Text(&rest[..at]));
        }
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let Some(end) = end_of_tag(rest) else { break };
        let inside = &rest[1..end];
        rest = &rest[end + 1..];
        if let Some(name) = inside.strip_prefix('/') {
            found.push(Piece::Close(name.trim()));
            continue;
        }
        if !inside.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let name_end = inside
            .find(|c: char| c.is_whitespace() || c == '/')
            .unwrap_or(inside.len());
        let (name, attributes) = inside.split_at(name_end);
        found.push(Piece::Open(Tag { name, attributes }));
        if matches!(name, "script" | "style") {
            rest = rest
                .find(&format!("</{name}"))
                .map_or("", |end| &rest[end..]);
        }
    }
    if !rest.is_empty() {
        found.push(Piece::Text(rest));
    }
    found
}

/// The place of the `>` that ends the tag at the start of `html`; one in quotes does not.
fn end_of_tag(html: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in html.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_attributes_and_text_are_told_apart() {
        let html = "a<!-- <b id=no> --><a class=x href='p>q' ID=\"i\">t</a><script>if (a<b) {}</script><br/>";
        let pieces = pieces(html);
        let [
            Piece::Text("a"),
            Piece::Open(a),
            Piece::Text("t"),
            Piece::Close("a"),
            Piece::Open(script),
            ..,
        ] = &pieces[..]
        else {
            panic!("{pieces:?}")
        };
        assert_eq!(a.attribute("href"), Some("p>q"));
        assert_eq!(a.attribute("id"), Some("i"));
        assert_eq!(a.attribute("class"), Some("x"));
        assert_eq!(a.attribute("title"), None);
        assert_eq!(
            a.attributes(),
            [
                ("class", Some("x")),
                ("href", Some("p>q")),
                ("ID", Some("i"))
            ]
        );
        assert_eq!(script.name, "script");
        assert!(matches!(
            &pieces[5..],
            [Piece::Close("script"), Piece::Open(Tag { name: "br", .. })]
        ));
    }
}
