//! How does a terminal look on a page?
//!
//! As a figure: the terminal's name, then its lines. What the reader types is told from what programs say by its element
//! (`kbd`), not by color alone, and prompts are not selected, so that a command can be copied whole.

use std::fmt::Write;

use catalog::Words;

use crate::markdown::escape;
use crate::transcript::{Block, Kind, pieces};

/// The figure, in one line of HTML: an empty line in it would end it.
pub(crate) fn figure(words: &Words, block: &Block) -> String {
    let lines: Vec<String> = block
        .lines
        .iter()
        .map(|line| show(&line.kind, &line.text))
        .collect();
    let (name, host) = (block.terminal.as_str(), block.host.as_deref());
    let (label, caption) = match host {
        _ if name.is_empty() => (words.say("A terminal").to_owned(), String::new()),
        Some(host) if host != name => (
            words.fill("Terminal {1}, on host {2}", &[name, host]),
            words.fill(
                "{1} on host {2}",
                &[
                    &format!("<span class=\"terminal\">{}</span>", escape(name)),
                    &escape(host),
                ],
            ),
        ),
        Some(_) => (
            words.fill("Terminal, on host {1}", &[name]),
            format!("<span class=\"terminal\">{}</span>", escape(name)),
        ),
        None => (
            words.fill("Terminal {1}", &[name]),
            format!("<span class=\"terminal\">{}</span>", escape(name)),
        ),
    };
    let mut html = format!(
        "<figure class=\"console\" aria-label=\"{}\">",
        escape(&label)
    );
    if !caption.is_empty() {
        _ = write!(html, "<figcaption>{caption}</figcaption>");
    }
    _ = write!(html, "<pre tabindex=\"0\">{}</pre>", lines.join("&#10;"));
    if let Some(why) = &block.unverified {
        _ = write!(
            html,
            "<p class=\"unverified\">{}</p>",
            words.fill("Not replayed: {1}", &[&escape(why)])
        );
    }
    html + "</figure>"
}

fn show(kind: &Kind, text: &str) -> String {
    let key = |name: &str| format!("<span class=\"typed\"><kbd class=\"key\">{name}</kbd></span>");
    match kind {
        Kind::Command(command) => format!(
            "<span class=\"prompt\" aria-hidden=\"true\">$ </span><kbd class=\"command\">{}</kbd>",
            marked(command.text())
        ),
        Kind::Typed(typed) => format!("<span class=\"typed\"><kbd>{}</kbd></span>", marked(typed)),
        Kind::EndOfInput => key("Ctrl+D"),
        Kind::Interrupt => key("Ctrl+C"),
        Kind::Anything => "<span class=\"left-out\">…</span>".into(),
        Kind::Output(_) => {
            let text = text.trim_end();
            let literal = text
                .strip_prefix('\\')
                .filter(|rest| rest.starts_with(['$', '>', '.', '\\']));
            marked(literal.unwrap_or(text))
        }
    }
}

/// Text with its patterns marked: what stands there differs from run to run.
fn marked(text: &str) -> String {
    let mut html = String::new();
    for (varies, piece) in pieces(text) {
        if !varies {
            let lines: Vec<String> = piece.replace("\\[", "[").split('\n').map(escape).collect();
            html.push_str(&lines.join("&#10;"));
        } else if piece == "[..]" {
            html.push_str("<span class=\"left-out\">…</span>");
        } else {
            _ = write!(html, "<var>{piece}</var>");
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_a_figure_in_one_line() {
        let block = Block::parse(
            "console terminal=server",
            "$ cargo run --bin a -- <b>\nlistening on [PORT]\n\n> hi\n> ^D\n...\n\\> x [..] \\[DF]\n",
            3,
        );
        assert_eq!(
            figure(&Words::default(), &block.expect("well-formed")),
            "<figure class=\"console\" aria-label=\"Terminal server\"><figcaption><span class=\"terminal\">server</span></figcaption>\
             <pre tabindex=\"0\"><span class=\"prompt\" aria-hidden=\"true\">$ </span><kbd class=\"command\">cargo run --bin a -- &lt;b&gt;</kbd>\
             &#10;listening on <var>[PORT]</var>&#10;&#10;<span class=\"typed\"><kbd>hi</kbd></span>&#10;<span class=\"typed\"><kbd class=\"key\">Ctrl+D</kbd></span>\
             &#10;<span class=\"left-out\">…</span>&#10;&gt; x <span class=\"left-out\">…</span> [DF]</pre></figure>"
        );
    }

    #[test]
    fn what_is_not_replayed_says_so() {
        let block = Block::parse(
            "console host=a terminal=b unverified=\"needs a modem\"",
            "$ c\n",
            1,
        );
        let html = figure(&Words::default(), &block.expect("well-formed"));
        assert!(html.contains("Not replayed: needs a modem"), "{html}");
        assert!(
            html.contains("aria-label=\"Terminal b, on host a\""),
            "{html}"
        );
    }
}
