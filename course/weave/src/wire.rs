//! How is a record of the wire shown? As a drawing, and as a table that says the same in words.

mod drawing;
mod header;
mod layout;
mod svg;

use std::fmt::Write;
use std::time::Duration;

use catalog::{Catalog, Chapter, nearest};
use lab::wire::{Frame, Told, Wire};

use crate::markdown::escape;

pub(crate) use header::packet;

/// Reads a record of a chapter: `chapters/NN-topic/wire/NAME.wire`.
pub(crate) fn read(catalog: &Catalog, chapter: &Chapter, name: &str) -> Result<Wire, String> {
    let folder = chapter.path.join("wire");
    let file = folder.join(format!("{name}.wire"));
    let shown = file.display();
    let Ok(text) = std::fs::read_to_string(catalog.at(&file)) else {
        let names = records(catalog, chapter);
        let near = nearest(name, names.iter().map(String::as_str));
        let hint = match (near.first(), names.is_empty()) {
            (Some(near), _) => format!("; did you mean `{near}`?"),
            (None, true) => "; a test keeps it with `cx.golden(…)` and LAB_BLESS=1".into(),
            (None, false) => format!("; there are {}", names.join(", ")),
        };
        return Err(format!("there is no record {shown}{hint}"));
    };
    let wire =
        Wire::from_record(&text).map_err(|(line, what)| format!("{shown}:{line}: {what}"))?;
    if wire.frames().is_empty() {
        return Err(format!("the record {shown} is empty: no frame is in it"));
    }
    Ok(wire)
}

/// The names of a chapter's records, sorted.
pub(crate) fn records(catalog: &Catalog, chapter: &Chapter) -> Vec<String> {
    let entries = std::fs::read_dir(catalog.at(chapter.path.join("wire")));
    let names = entries.into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names
        .filter_map(|name| name.strip_suffix(".wire").map(str::to_owned))
        .collect();
    names.sort();
    names
}

/// The id of a record's figure on its page.
pub(crate) fn anchor(name: &str) -> String {
    format!("wire-{name}")
}

/// The figure.
pub(crate) fn figure(chapter: &Chapter, source: Option<&str>, name: &str, wire: &Wire) -> String {
    let story = wire.story();
    let id = anchor(name);
    let file = format!("{}/wire/{name}.wire", chapter.path.display());
    let place = match source {
        Some(base) => format!("<a href=\"{0}{1}\">{1}</a>", escape(base), escape(&file)),
        None => escape(&file),
    };
    let mut html = format!(
        "<figure class=\"wire\" id=\"{id}\">\n<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"Drawing of {}\">\n",
        escape(name)
    );
    html += &drawing::sequence(
        &id,
        &title(name, wire),
        &description(wire, &story),
        wire,
        &story,
    );
    html += "</div>\n<details><summary>The same as a table</summary>\n";
    html += &table(wire, &story);
    _ = write!(
        html,
        "</details>\n<figcaption><span>Captured by a test: {place}</span> <code>cargo course wire {}</code></figcaption>\n</figure>",
        escape(name)
    );
    html
}

fn title(name: &str, wire: &Wire) -> String {
    let hosts: Vec<String> = wire.hosts().iter().map(ToString::to_string).collect();
    format!(
        "On the wire between {}: {}",
        hosts.join(" and "),
        name.replace('-', " ")
    )
}

/// What the drawing shows, in a few sentences.
fn description(wire: &Wire, story: &[Told]) -> String {
    let frames = wire.frames();
    let lost = frames.iter().filter(|frame| is_lost(frame)).count();
    let again = story.iter().filter(|told| told.again.is_some()).count();
    let mut text = format!(
        "{} frames in {}.",
        frames.len(),
        clock(since_first(wire, frames.len() - 1))
    );
    if lost > 0 {
        text += &format!(" {lost} of them are lost.");
    }
    if again > 0 {
        text += &format!(" {again} of them repeat an earlier one.");
    }
    for (at, (frame, told)) in frames.iter().zip(story).enumerate().take(20) {
        text += &format!(
            " {}: {} to {}: {}.",
            at + 1,
            frame.from,
            addressee(frame),
            says(frame, told, true)
        );
    }
    text
}

fn table(wire: &Wire, story: &[Told]) -> String {
    let mut html = String::from(
        "<table><thead><tr><th>Frame</th><th>Time</th><th>From, to</th><th>Says</th><th>States then</th></tr></thead>\n<tbody>\n",
    );
    let several = connections(story) > 1;
    for (at, (frame, told)) in wire.frames().iter().zip(story).enumerate() {
        let mut says = escape(&says(frame, told, several));
        if let Some(data) = payload(frame) {
            says += &format!(" <q>{}</q>", escape(&data));
        }
        for note in notes(frame, told) {
            says += &format!("; {}", escape(&note.text));
        }
        let states: Vec<String> = told
            .begins
            .iter()
            .filter(|(host, _)| !told.changes.iter().any(|(other, _)| other == host))
            .chain(&told.changes)
            .map(|(host, state)| escape(&format!("{host} {state}")))
            .collect();
        _ = writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{} → {}</td><td>{says}</td><td>{}</td></tr>",
            at + 1,
            clock(since_first(wire, at)),
            escape(&frame.from),
            escape(&addressee(frame)),
            states.join("<br>"),
        );
    }
    html + "</tbody></table>\n"
}

/// Something to be said of a frame beside what it says.
struct Note {
    text: String,
    class: &'static str,
}

fn notes(frame: &Frame, told: &Told) -> Vec<Note> {
    let mut notes = Vec::new();
    if let Some(again) = told.again {
        notes.push(Note {
            text: format!("frame {} again", again.of + 1),
            class: "again",
        });
    } else if told.probe {
        notes.push(Note {
            text: "are you there?".into(),
            class: "again",
        });
    }
    let remark = frame.remark();
    if !remark.is_empty() {
        let class = if is_lost(frame) { "lost" } else { "again" };
        notes.push(Note {
            text: remark,
            class,
        });
    }
    notes
}

fn is_lost(frame: &Frame) -> bool {
    !frame.fates.is_empty() && !frame.arrived()
}

fn addressee(frame: &Frame) -> String {
    let to = frame.addressee();
    if to == "*" { "all".into() } else { to }
}

fn says(frame: &Frame, told: &Told, with_ports: bool) -> String {
    let words = frame.brief(
        told.ports
            .as_ref()
            .filter(|_| with_ports || frame.packet.tcp().is_none()),
    );
    words.join(" ")
}

/// What a program sent, if it is short and fit to be read.
fn payload(frame: &Frame) -> Option<String> {
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

/// How many TCP connections there are.
fn connections(story: &[Told]) -> usize {
    story.iter().filter(|told| !told.begins.is_empty()).count()
}

fn since_first(wire: &Wire, at: usize) -> Duration {
    let frames = wire.frames();
    frames[at].time.saturating_sub(frames[0].time)
}

/// A time with a unit that suits it, and no more digits than matter.
fn clock(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        0 => "0".into(),
        1..1_000 => format!("{micros} µs"),
        1_000..100_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        _ => format!(
            "{}.{:02} s",
            micros / 1_000_000,
            micros % 1_000_000 / 10_000
        ),
    }
}

#[cfg(test)]
mod tests;
