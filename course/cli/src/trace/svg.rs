//! The time line as a drawing: a line for each host, calls beside their host's line, frames as arrows between the lines.
//!
//! The file stands alone: its few styles are in it, for light and dark.

use std::fmt::Write;
use std::time::Duration;

use lab::timeline::{Event, Timeline};

/// Where the first line is: left of it are the times.
const LEFT: f64 = 110.0;
/// From one host's line to the next.
const BETWEEN: f64 = 520.0;
const ROW: f64 = 20.0;
const TOP: f64 = 44.0;
/// About how wide a letter is.
const LETTER: f64 = 6.7;
/// How many letters a call may have beside its line.
const ROOM: usize = 72;

const STYLE: &str = "\
text{font:12px ui-monospace,monospace;fill:#1d2530}\
.name{font:600 13px system-ui,sans-serif}\
.time,.step{fill:#5b6674}\
.step{font-style:italic}\
.label{text-anchor:middle}\
.effect{fill:#a03020;font-weight:600}\
.life{stroke:#9aa4b0}\
.arrow{stroke:#1f5fa8;stroke-width:1.5}\
.point{fill:#1f5fa8}\
.lost{stroke:#a03020;stroke-dasharray:5 4}\
.dot{fill:#1d2530}\
@media (prefers-color-scheme:dark){svg{background:#14181d}text{fill:#e4e8ee}.time,.step{fill:#98a2b0}\
.effect{fill:#ff9b87}.life{stroke:#5b6674}.arrow{stroke:#7db4f0}.point{fill:#7db4f0}.dot{fill:#e4e8ee}.lost{stroke:#ff9b87}}";

/// The drawing of a check's time line.
pub fn drawing(title: &str, line: &Timeline) -> String {
    let lanes = lanes(line);
    let place = |lane: &str| {
        let at = lanes.iter().position(|known| known == lane).unwrap_or(0);
        LEFT + f64::from(at as u32) * BETWEEN
    };
    let mut body = String::new();
    let mut y = TOP;
    for (at, event) in &line.events {
        y += ROW;
        _ = writeln!(
            body,
            "<text class=\"time\" x=\"{}\" y=\"{y}\" text-anchor=\"end\">{}</text>",
            LEFT - 12.0,
            clock(*at)
        );
        match event {
            Event::Call { said, effect, .. } => {
                let x = place(&lane(event));
                _ = writeln!(
                    body,
                    "<circle class=\"dot\" cx=\"{x}\" cy=\"{}\" r=\"3\"/>",
                    y - 4.0
                );
                let who = child(event);
                _ = writeln!(
                    body,
                    "<text x=\"{}\" y=\"{y}\">{}</text>",
                    x + 10.0,
                    escape(&short(&format!("{who}{said}"), ROOM))
                );
                if !effect.is_empty() {
                    y += ROW - 3.0;
                    _ = writeln!(
                        body,
                        "<text class=\"effect\" x=\"{}\" y=\"{y}\">↑ {}</text>",
                        x + 10.0,
                        escape(&short(effect, ROOM - 2))
                    );
                }
            }
            Event::Frame { from, to, said } => {
                y += ROW - 8.0;
                let (x1, x2) = (place(from), place(to));
                let lost =
                    said.ends_with(')') && said.contains("(lost") || said.contains("(dropped");
                let x2 = if lanes.contains(to) {
                    x2
                } else {
                    x1 + BETWEEN / 2.0
                };
                let end = if lost { x1 + (x2 - x1) * 0.7 } else { x2 };
                let class = if lost { "arrow lost" } else { "arrow" };
                _ = writeln!(
                    body,
                    "<path class=\"{class}\" d=\"M{x1} {y}L{end} {y}\" fill=\"none\"/>"
                );
                let back = if x2 > x1 { -8.0 } else { 8.0 };
                _ = writeln!(
                    body,
                    "<path class=\"point\" d=\"M{end} {y}l{back} -4v8Z\"/>"
                );
                _ = writeln!(
                    body,
                    "<text class=\"label\" x=\"{}\" y=\"{}\">{}</text>",
                    f64::midpoint(x1, x2),
                    y - 5.0,
                    escape(&short(said, 66))
                );
            }
            Event::Step(what) => {
                _ = writeln!(
                    body,
                    "<text class=\"step\" x=\"{}\" y=\"{y}\">{}</text>",
                    LEFT + 10.0,
                    escape(&short(what, 2 * ROOM))
                );
            }
        }
    }
    let height = y + 24.0;
    let last = f64::from(lanes.len().saturating_sub(1) as u32);
    let width = LEFT + last * BETWEEN + LETTER.mul_add(f64::from(ROOM as u32), 40.0);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"title desc\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\">\n<title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n<style>{STYLE}</style>\n",
        escape(&format!("Calls and frames of {}", title.replace('_', " "))),
        escape(&words(line)),
    );
    for lane in &lanes {
        let x = place(lane);
        _ = writeln!(
            text,
            "<text class=\"name\" x=\"{x}\" y=\"24\" text-anchor=\"middle\">{}</text>\n<path class=\"life\" d=\"M{x} 34V{:.0}\"/>",
            escape(lane),
            height - 8.0
        );
    }
    text + &body + "</svg>\n"
}

/// The lines of the drawing: hosts, and subjects that are in none.
fn lanes(line: &Timeline) -> Vec<String> {
    let mut lanes: Vec<String> = line.hosts().into_iter().map(str::to_owned).collect();
    for (_, event) in &line.events {
        if matches!(event, Event::Call { .. }) && !lanes.contains(&lane(event)) {
            lanes.push(lane(event));
        }
    }
    lanes
}

/// The line beside which a call stands.
fn lane(event: &Event) -> String {
    match event {
        Event::Call { whose, host, .. } if host.is_empty() => {
            whose.split(", child").next().unwrap_or(whose).to_owned()
        }
        Event::Call { host, .. } => host.clone(),
        _ => String::new(),
    }
}

/// Which of several processes it was.
fn child(event: &Event) -> String {
    match event {
        Event::Call { whose, .. } => match whose.split_once(", child ") {
            Some((_, n)) => format!("child {n}: "),
            None => String::new(),
        },
        _ => String::new(),
    }
}

/// What a screen reader says of it.
fn words(line: &Timeline) -> String {
    let events = line.events.iter().take(40);
    let said = events.map(|(_, event)| format!("{}: {}.", event.who(), event.said()));
    said.collect::<Vec<_>>().join(" ")
}

fn clock(at: Duration) -> String {
    format!("{:.2} ms", at.as_secs_f64() * 1e3)
}

/// Cut where the next line begins.
fn short(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(room - 1).collect();
    cut.push('…');
    cut
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_lines_frames_are_arrows_and_nothing_breaks_out() {
        let call = |host: &str, said: &str| Event::Call {
            whose: "your code".into(),
            host: host.into(),
            said: said.into(),
            effect: "cut to <3> bytes".into(),
        };
        let frame = Event::Frame {
            from: "west".into(),
            to: "east".into(),
            said: "SYN (lost: cable cut)".into(),
        };
        let events = [call("east", "write(3, \"<b>\", 3) = 3"), frame];
        let events = events.into_iter().map(|e| (Duration::ZERO, e)).collect();
        let drawing = drawing("a_check", &Timeline { events });
        assert!(drawing.contains(">east</text>") && drawing.contains(">west</text>"));
        assert!(drawing.contains("arrow lost") && !drawing.contains("<b>"));
        assert!(drawing.contains("↑ cut to &lt;3&gt; bytes"));
        assert_eq!(drawing.matches("class=\"life\"").count(), 2);
    }
}
