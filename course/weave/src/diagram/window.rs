//! What had a sender sent at any time, what of it was acknowledged, and how much more might it send?
//!
//! A column for each frame: from what is acknowledged to what is sent (in flight), and from there to the edge of the window. Below
//! them lies the whole stream as a strip, on which the window slides.

use std::fmt::Write;

use lab::wire::{Flags, Name, Wire};

use super::sequence::{addressee, caption, notes, says};
use super::svg::{Anchor, Picture, px};
use super::trace::{Ends, clock, since_first};
use super::{Context, Figure};
use crate::markdown::escape;

const LEFT: f64 = 62.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 40.0;
/// The whole stream, from the bottom to the top.
const HIGH: f64 = 220.0;
/// From one frame to the next.
const STEP: f64 = 17.0;
/// The strip below.
const STRIP: f64 = 22.0;

/// Where the sender stands, in bytes of its stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    /// Up to here the other end has acknowledged.
    pub acknowledged: u32,
    /// Up to here it has been sent.
    pub sent: u32,
    /// Up to here it may be sent.
    pub edge: u32,
}

/// Who sent more, and where it stood after each frame.
fn trace(wire: &Wire) -> (Name, Vec<Window>) {
    let hosts = wire.hosts();
    let sender = hosts.iter().max_by_key(|host| wire.data(host).len());
    let sender = sender.cloned().unwrap_or_else(|| Name::from(""));
    let mut now = Window::default();
    // Sequence numbers count the SYN.
    let bytes = |number: u32| number.saturating_sub(1);
    let mut trace = Vec::new();
    for frame in wire.frames() {
        if let Some(tcp) = frame.packet.tcp() {
            if frame.from == sender {
                let end = tcp
                    .relative_sequence
                    .wrapping_add(frame.data().len() as u32);
                now.sent = now.sent.max(bytes(end));
            } else if tcp.flags.has(Flags::ACK) && frame.arrived() {
                let acknowledged = tcp.relative_acknowledgment;
                now.acknowledged = now.acknowledged.max(bytes(acknowledged));
                now.edge = now
                    .edge
                    .max(bytes(acknowledged.saturating_add(tcp.scaled_window)));
            }
        }
        trace.push(now);
    }
    (sender, trace)
}

/// The figure of a record.
pub(super) fn figure(context: &Context, name: &str) -> Result<String, String> {
    let wire = context.wire(name)?;
    let story = wire.story();
    if Ends::of(&wire, &story).is_none() {
        return Err(format!(
            "{name} has not one connection of TCP between two hosts, and these have windows"
        ));
    }
    let (sender, trace) = trace(&wire);
    let last = trace.last().copied().unwrap_or_default();
    if last.sent == 0 {
        return Err(format!("in {name} no data was sent"));
    }
    let id = format!("window-{name}");
    let title = context.fill(
        "The window that {1} sends in: {2}",
        &[&sender, &name.replace('-', " ")],
    );
    let sending = trace.iter().filter(|now| now.sent > 0);
    let least = sending.map(|now| now.edge.saturating_sub(now.sent)).min();
    let text = context.fill(
        "{1} bytes in {2} frames. When the least might be sent, it was {3} bytes more. The table has them one by one.",
        &[
            &last.sent.to_string(),
            &trace.len().to_string(),
            &least.unwrap_or_default().to_string(),
        ],
    );
    let (picture, size) = draw(context, &trace);
    let mut table = context.head(
        &[
            "Frame",
            "Time",
            "From, to",
            "Says",
            "Acknowledged",
            "Sent",
            "May be sent",
        ],
        &[],
    );
    _ = writeln!(
        table,
        "<tr data-w=\"0 0 0\"><td>0</td><td></td><td></td><td>{}</td><td>0</td><td>0</td><td>0</td></tr>",
        context.say("before the first")
    );
    for (at, now) in trace.iter().enumerate() {
        let frame = &wire.frames()[at];
        let mut said = escape(&says(frame, &story[at], false));
        for note in notes(context, frame, &story[at]) {
            said += &format!("; {}", escape(&note.text));
        }
        let Window {
            acknowledged,
            sent,
            edge,
        } = now;
        _ = writeln!(
            table,
            "<tr data-w=\"{acknowledged} {sent} {edge}\"><td>{}</td><td>{}</td><td>{} → {}</td><td>{said}</td>\
             <td>{acknowledged}</td><td>{sent}</td><td>{edge}</td></tr>",
            at + 1,
            clock(since_first(&wire, at)),
            escape(&frame.from),
            escape(&addressee(context, frame)),
        );
    }
    table += "</tbody></table>\n";
    let svg = picture.finish(&id, &title, &text, size);
    Ok(Figure {
        class: "window",
        id: &id,
        label: &title,
        svg: &svg,
        table: &table,
        caption: &caption(context, name),
        plays: true,
    }
    .html(context))
}

fn draw(context: &Context, trace: &[Window]) -> (Picture, (f64, f64)) {
    let mut picture = Picture::default();
    let most = trace.iter().map(|now| now.edge.max(now.sent)).max();
    let most = f64::from(most.unwrap_or(1).max(1));
    let wide = px(trace.len()) * STEP;
    let y = |bytes: u32| TOP + HIGH * (1.0 - f64::from(bytes) / most);
    let grid = grid(most);
    let mut line = 0.0;
    while line <= most {
        let at = TOP + HIGH * (1.0 - line / most);
        picture.line("grid", (LEFT, at), (LEFT + wide, at));
        picture.text(
            "small",
            Anchor::End,
            (LEFT - 8.0, at + 4.0),
            &line.to_string(),
        );
        line += grid;
    }
    let below = TOP + HIGH + 16.0;
    picture.text(
        "small",
        Anchor::End,
        (LEFT - 8.0, below),
        &context.say("frame"),
    );
    picture.text(
        "small",
        Anchor::End,
        (LEFT - 8.0, 18.0),
        &context.say("bytes"),
    );
    let mut x = LEFT;
    for (class, words) in [
        ("done", "acknowledged"),
        ("flight", "in flight"),
        ("room", "may be sent"),
    ] {
        let words = context.say(words);
        picture.frame(class, (x, 8.0), (12.0, 12.0));
        picture.text("small", Anchor::Start, (x + 18.0, 18.0), &words);
        x += 34.0 + super::svg::width(&words, 12.0);
    }
    for (at, now) in trace.iter().enumerate() {
        let x = LEFT + px(at) * STEP + 2.0;
        picture.step(at + 1, |part| {
            for (class, from, to) in parts(*now) {
                if from < to {
                    part.frame(class, (x, y(to)), (STEP - 4.0, y(from) - y(to)));
                }
            }
            if at % 5 == 4 || at == 0 {
                let middle = x + STEP / 2.0 - 2.0;
                let below = (middle, TOP + HIGH + 16.0);
                part.text("small", Anchor::Middle, below, &(at + 1).to_string());
            }
        });
    }
    // The strip is as it is in the middle of it all, until it is played.
    let strip = TOP + HIGH + 30.0;
    let now = trace.get(trace.len() / 2).copied().unwrap_or_default();
    let label = (LEFT - 8.0, strip + STRIP / 2.0 + 4.0);
    picture.text("small", Anchor::End, label, &context.say("stream"));
    let x = |bytes: u32| LEFT + wide * f64::from(bytes) / most;
    let mut part = Picture::default();
    part.frame("whole", (LEFT, strip), (wide, STRIP));
    for (class, from, to) in parts(now) {
        part.frame(class, (x(from), strip), (x(to) - x(from), STRIP));
    }
    let attributes = format!(
        "class=\"strip\" data-from=\"{LEFT}\" data-scale=\"{:.5}\"",
        wide / most
    );
    picture.group(&attributes, part);
    let size = (LEFT + wide + RIGHT, strip + STRIP + 6.0);
    (picture, size)
}

/// What is done, what is in flight, and what may be sent, each from where to where.
fn parts(now: Window) -> [(&'static str, u32, u32); 3] {
    let edge = now.edge.max(now.sent);
    [
        ("done", 0, now.acknowledged),
        ("flight", now.acknowledged.min(now.sent), now.sent),
        ("room", now.sent, edge),
    ]
}

/// From one line of the grid to the next: 1, 2 or 5 of a power of ten, so that there are four to ten.
fn grid(most: f64) -> f64 {
    let power = 10_f64.powf((most / 10.0).log10().ceil());
    [0.2, 0.5, 1.0, 2.0]
        .map(|part| part * power)
        .into_iter()
        .find(|step| most / step <= 8.0)
        .unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_has_a_few_lines() {
        let lines = [10.0, 100.0, 7_000.0, 9_000.0].map(|most| grid(most).to_string());
        assert_eq!(lines, ["2", "20", "1000", "2000"]);
    }
}
