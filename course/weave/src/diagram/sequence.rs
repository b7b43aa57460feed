//! How is a record of the wire shown? As a drawing, and as a table that says the same in words.

use std::fmt::Write;

use lab::wire::{Frame, Told, Wire};

use super::trace::{Ends, clock, connections, since_first};
use super::{Context, Figure, cells, drawing};
use crate::markdown::escape;

/// The figure of a record.
pub(super) fn figure(context: &Context, name: &str) -> Result<String, String> {
    let wire = &context.wire(name)?;
    let id = format!("wire-{name}");
    Ok(drawn(context, &id, name, wire, &caption(context, name)))
}

/// The figure of what was on the wire of a check just now.
pub(super) fn of_check(context: &Context, check: &str, record: &str) -> Result<String, String> {
    let wire = Wire::from_record(record).map_err(|(line, what)| format!("line {line}: {what}"))?;
    if wire.frames().is_empty() {
        return Err("no frame is in it".into());
    }
    let name = check.replace('_', "-");
    let caption = context.fill(
        "What was on the wire of {1}",
        &[&format!("<code>{}</code>", escape(check))],
    );
    let id = format!("seen-{name}");
    Ok(drawn(context, &id, &name, &wire, &caption))
}

fn drawn(context: &Context, id: &str, name: &str, wire: &Wire, caption: &str) -> String {
    let story = wire.story();
    let title = title(context, name, wire);
    let description = description(context, wire, &story);
    let svg = drawing::sequence(context, id, &title, &description, wire, &story);
    Figure {
        class: "wire",
        id,
        label: &title,
        svg: &svg,
        table: &table(context, wire, &story),
        caption,
        plays: true,
    }
    .html(context)
}

/// Where a drawing of a record is from.
pub(super) fn caption(context: &Context, name: &str) -> String {
    format!(
        "<span>{}</span> <code>cargo course wire {}</code>",
        context.fill("Captured by a test: {1}", &[&context.place("wire", name)]),
        escape(name)
    )
}

pub(super) fn title(context: &Context, name: &str, wire: &Wire) -> String {
    let hosts: Vec<String> = wire.hosts().iter().map(ToString::to_string).collect();
    let and = context.say("and");
    context.fill(
        "On the wire between {1}: {2}",
        &[&hosts.join(&format!(" {and} ")), &name.replace('-', " ")],
    )
}

/// What the drawing shows, in a few sentences. Frame by frame, the table says it.
fn description(context: &Context, wire: &Wire, story: &[Told]) -> String {
    let frames = wire.frames();
    let lost = frames.iter().filter(|frame| is_lost(frame)).count();
    let again = story.iter().filter(|told| told.again.is_some()).count();
    let count = frames.len();
    let mut text = context.fill(
        "{1} frames in {2}.",
        &[&count.to_string(), &clock(since_first(wire, count - 1))],
    );
    if lost > 0 {
        text += &context.fill(" {1} of them are lost.", &[&lost.to_string()]);
    }
    if again > 0 {
        text += &context.fill(" {1} of them repeat an earlier one.", &[&again.to_string()]);
    }
    format!("{text} {}", context.say("The table has them one by one."))
}

/// A row for each frame, and one before the first.
fn table(context: &Context, wire: &Wire, story: &[Told]) -> String {
    let ends = Ends::of(wire, story);
    let hosts: Vec<&str> = ends
        .iter()
        .flat_map(|ends| &ends.hosts)
        .map(|host| &**host)
        .collect();
    let mut html = context.head(&["Frame", "Time", "From, to", "Says"], &hosts);
    let states = |step: usize| {
        let states = ends.iter().flat_map(|ends| &ends.steps[step]);
        cells("<td>", "</td>", states)
    };
    _ = writeln!(
        html,
        "<tr><td>0</td><td></td><td></td><td>{}</td>{}</tr>",
        context.say("before the first"),
        states(0)
    );
    let several = connections(story) > 1;
    for (at, (frame, told)) in wire.frames().iter().zip(story).enumerate() {
        let mut says = escape(&says(frame, told, several));
        if let Some(data) = payload(frame) {
            says += &format!(" <q>{}</q>", escape(&data));
        }
        for note in notes(context, frame, told) {
            says += &format!("; {}", escape(&note.text));
        }
        _ = writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{} → {}</td><td>{says}</td>{}</tr>",
            at + 1,
            clock(since_first(wire, at)),
            escape(&frame.from),
            escape(&addressee(context, frame)),
            states(at + 1),
        );
    }
    html + "</tbody></table>\n"
}

/// Something to be said of a frame beside what it says.
pub(super) struct Note {
    pub text: String,
    pub class: &'static str,
}

pub(super) fn notes(context: &Context, frame: &Frame, told: &Told) -> Vec<Note> {
    let mut notes = Vec::new();
    if let Some(again) = told.again {
        notes.push(Note {
            text: context.fill("frame {1} again", &[&(again.of + 1).to_string()]),
            class: "again",
        });
    } else if told.probe {
        notes.push(Note {
            text: context.say("are you there?"),
            class: "again",
        });
    }
    let remark = frame.remark();
    if !remark.is_empty() {
        let class = if is_lost(frame) { "lost" } else { "again" };
        notes.push(Note {
            text: context.say(&remark),
            class,
        });
    }
    notes
}

pub(super) fn is_lost(frame: &Frame) -> bool {
    !frame.fates.is_empty() && !frame.arrived()
}

pub(super) fn addressee(context: &Context, frame: &Frame) -> String {
    let to = frame.addressee();
    if to == "*" { context.say("all") } else { to }
}

pub(super) fn says(frame: &Frame, told: &Told, with_ports: bool) -> String {
    let words = frame.brief(
        told.ports
            .as_ref()
            .filter(|_| with_ports || frame.packet.tcp().is_none()),
    );
    words.join(" ")
}

/// What a program sent, if it is short and fit to be read.
pub(super) fn payload(frame: &Frame) -> Option<String> {
    let data = frame.data();
    let is_text = data
        .iter()
        .all(|byte| byte.is_ascii_graphic() || b" \r\n\t".contains(byte));
    let shown = data.escape_ascii().to_string();
    (!data.is_empty()
        && is_text
        && frame.packet.transport != lab::wire::Transport::Other
        && shown.len() <= 34)
        .then(|| shown.replace("\\'", "'").replace("\\\"", "\""))
        .filter(|_| frame.packet.tcp().is_some() || frame.packet.udp().is_some())
}
