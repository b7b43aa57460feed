//! Which sections does a page of the book have?

/// A heading of a page: `## A stream has no edges {#a-stream-has-no-edges}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// The text, without its marks.
    pub title: String,
    /// The explicit id, if there is one.
    pub id: Option<String>,
    /// 1 to 6.
    pub level: usize,
    /// Counted from 1.
    pub line: usize,
}

/// The headings of a Markdown page, outside of code blocks.
pub(crate) fn headings(markdown: &str) -> Vec<Heading> {
    let mut fence: Option<&str> = None;
    let mut found = Vec::new();
    for (index, line) in markdown.lines().enumerate() {
        let trimmed = line.trim_start();
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| trimmed.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => found.extend(heading(line, index + 1)),
            _ => {}
        }
    }
    found
}

fn heading(line: &str, number: usize) -> Option<Heading> {
    let level = line.bytes().take_while(|&byte| byte == b'#').count();
    let text = line.get(level..)?;
    if level == 0 || level > 6 || !text.starts_with(' ') {
        return None;
    }
    let text = text.trim();
    let (title, id) = match text
        .strip_suffix('}')
        .and_then(|text| text.rsplit_once("{#"))
    {
        Some((title, attributes)) => (
            title.trim(),
            attributes.split_whitespace().next().map(str::to_owned),
        ),
        None => (text, None),
    };
    Some(Heading {
        title: title.to_owned(),
        id,
        level,
        line: number,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_titles_ids_and_lines_and_stand_outside_of_code() {
        let found = headings("# Sockets {#sockets}\n\n```sh\n# a comment\n```\n\n## Plain\n#no\n");
        assert_eq!(
            found,
            [
                Heading {
                    title: "Sockets".into(),
                    id: Some("sockets".into()),
                    level: 1,
                    line: 1
                },
                Heading {
                    title: "Plain".into(),
                    id: None,
                    level: 2,
                    line: 7
                },
            ]
        );
    }
}
