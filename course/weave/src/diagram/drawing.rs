//! How is a conversation drawn?
//!
//! Time runs down. Each host is a line, each frame an arrow that leaves its sender a little earlier than it reaches its receiver. A
//! lost one ends in a cross. A frame that says something again is dashed, and the wait before it is measured beside the sender's line, as
//! a multiple of the first wait. The states of TCP stand outside of the lines, where they change.

use std::collections::HashMap;

use lab::wire::{Frame, Name, State, Told, Wire};

use super::Context;
use super::sequence::{is_lost, notes, payload, says};
use super::svg::{Anchor, Picture, px, width};
use super::trace::{clock, connections, since_first};

/// Where the first host's line is. Left of it: number, time, states.
const LEFT: f64 = 186.0;
/// From one host's line to the next, at the least.
const BETWEEN: f64 = 330.0;
/// Right of the last host's line: states.
const RIGHT: f64 = 108.0;
/// Where the lines begin, below the names.
const TOP: f64 = 52.0;
/// How much lower an arrow ends than it begins.
const SLOPE: f64 = 10.0;
/// The size of letters, as in the style sheet.
const LABEL: f64 = 13.0;

pub(super) fn sequence(
    context: &Context,
    id: &str,
    title: &str,
    description: &str,
    wire: &Wire,
    story: &[Told],
) -> String {
    let hosts = wire.hosts();
    let several = connections(story) > 1;
    let widest = wire
        .frames()
        .iter()
        .zip(story)
        .map(|(frame, told)| width(&says(frame, told, several), LABEL))
        .fold(0.0, f64::max);
    let between = BETWEEN.max(widest + 40.0);
    let mut drawing = Drawing {
        context,
        picture: Picture::default(),
        places: hosts
            .iter()
            .zip(0_u16..)
            .map(|(host, i)| (host.clone(), LEFT + f64::from(i) * between))
            .collect(),
        states: Vec::new(),
        rows: Vec::new(),
        y: TOP,
    };
    let last = px(hosts.len().saturating_sub(1));
    let size = LEFT + last * between + RIGHT;
    drawing.begins(story, several);
    for (at, (frame, told)) in wire.frames().iter().zip(story).enumerate() {
        drawing.waits(wire, at, told);
        drawing.row(frame, told);
    }
    for (at, (frame, told)) in wire.frames().iter().zip(story).enumerate() {
        let before = std::mem::take(&mut drawing.picture);
        drawing.frame(wire, at, frame, told, several);
        let part = std::mem::replace(&mut drawing.picture, before);
        drawing
            .picture
            .group(&format!("data-f=\"{}\"", at + 1), part);
    }
    drawing.states();
    let bottom = drawing.y + 6.0;
    let mut picture = Picture::default();
    for (host, x) in &drawing.places {
        let name = host.to_string();
        let room = width(&name, LABEL) + 24.0;
        picture.frame("host", (x - room / 2.0, 6.0), (room, 22.0));
        picture.text("name", Anchor::Middle, (*x, 21.5), &name);
        if let Some(about) = about(context, wire, story, host, several) {
            picture.text("small", Anchor::Middle, (*x, 43.0), &about);
        }
        picture.line("life", (*x, TOP - 2.0), (*x, bottom));
    }
    picture.append(drawing.picture);
    picture.finish(id, title, description, (size, bottom + 6.0))
}

/// A host's address, and its port if all is one connection.
fn about(
    context: &Context,
    wire: &Wire,
    story: &[Told],
    host: &Name,
    several: bool,
) -> Option<String> {
    let frames = wire.frames().iter().zip(story);
    let mut ends = frames.filter_map(|(frame, told)| {
        let ip = frame.packet.ip()?;
        let ports = told.ports.as_ref();
        if frame.from == *host {
            Some((ip.source, ports.map(|(from, _)| from)))
        } else {
            (frame.to.as_ref() == Some(host)).then_some((ip.destination, ports.map(|(_, to)| to)))
        }
    });
    let (address, port) = ends.next()?;
    Some(match port.filter(|_| !several) {
        Some(port) => context.fill("{1} port {2}", &[&address.to_string(), port]),
        None => address.to_string(),
    })
}

struct Drawing<'c> {
    context: &'c Context<'c>,
    picture: Picture,
    /// Where each host's line is.
    places: Vec<(Name, f64)>,
    /// Which host is in which state from where on, and from which frame on, counted from 1.
    states: Vec<(f64, Name, State, usize)>,
    /// Where each frame leaves its sender, and where it ends if nothing holds it up.
    rows: Vec<(f64, f64)>,
    /// Where the next frame may begin.
    y: f64,
}

impl Drawing<'_> {
    fn place(&self, host: &Name) -> Option<f64> {
        self.places
            .iter()
            .find(|(known, _)| known == host)
            .map(|(_, x)| *x)
    }

    /// The states before the first frame. With several connections a line has no one state.
    fn begins(&mut self, story: &[Told], several: bool) {
        if several {
            return;
        }
        let begins = story.iter().flat_map(|told| &told.begins);
        let mut any = false;
        for (host, state) in begins {
            self.states.push((TOP + 10.0, host.clone(), *state, 0));
            any = true;
        }
        if any {
            self.y += 12.0;
        }
    }

    /// Leaves room for a wait: before a repetition as much as its multiple says, before other late frames a little.
    fn waits(&mut self, wire: &Wire, at: usize, told: &Told) {
        let frames = wire.frames();
        let pause = at.checked_sub(1).map_or(0, |before| {
            frames[at]
                .time
                .saturating_sub(frames[before].time)
                .as_millis()
        });
        if let Some(again) = told.again {
            self.y += f64::from(again.ratio.min(16)) * 9.0;
        } else if pause >= 10 {
            self.y += 10.0;
        }
    }

    /// Gives a frame its place.
    fn row(&mut self, frame: &Frame, told: &Told) {
        let start = self.y + 22.0;
        let late = frame.remark() == "delayed" || frame.remark() == "overtaken";
        let end = start + if late { 3.0 * SLOPE } else { SLOPE };
        let is_noted = payload(frame).is_some() || !notes(self.context, frame, told).is_empty();
        self.rows.push((start, end));
        self.y = end + if is_noted { 18.0 } else { 6.0 };
    }

    /// Where a frame ends: below those that were sent before it arrived.
    fn end_of(&self, wire: &Wire, at: usize) -> f64 {
        let frames = wire.frames();
        let arrivals = frames[at].fates.iter().filter(|fate| fate.what.arrived());
        let arrival = arrivals.map(|fate| fate.at).min().unwrap_or_default();
        let overtakes = |other: &usize| frames[*other].time < arrival;
        let last = (at + 1..frames.len()).take_while(overtakes).last();
        last.map_or(self.rows[at].1, |last| {
            self.rows[at].1.max(self.rows[last].0 + 8.0)
        })
    }

    fn frame(&mut self, wire: &Wire, at: usize, frame: &Frame, told: &Told, several: bool) {
        let Some(from) = self.place(&frame.from) else {
            return;
        };
        let label = says(frame, told, several);
        let notes = notes(self.context, frame, told);
        let lost = is_lost(frame);
        let class = match (lost, &told.again) {
            (true, Some(_)) => "lost again",
            (true, None) => "lost",
            (false, Some(_)) => "again",
            (false, None) => "",
        };
        let (start, soon) = self.rows[at];
        let end = self.end_of(wire, at);
        let targets = self.targets(frame, from);
        for to in &targets {
            let arrives = (*to, end);
            if lost {
                let stops = (from + (to - from) * 0.7, start + (end - start) * 0.7);
                self.picture
                    .line(&format!("arrow {class}"), (from, start), stops);
                self.picture.cross("arrow lost", stops);
            } else {
                self.picture
                    .line(&format!("arrow {class}"), (from, start), arrives);
                self.picture.head("point", (from, start), arrives);
            }
        }
        // On the longer arrow, when there are two.
        let far = targets
            .iter()
            .copied()
            .max_by(|a, b| (a - from).abs().total_cmp(&(b - from).abs()))
            .unwrap_or(from);
        let middle = f64::midpoint(from, far);
        self.picture
            .text("label", Anchor::Middle, (middle, start - 4.0), &label);
        let mut below: Vec<(String, &str)> = Vec::new();
        below.extend(payload(frame).map(|data| (format!("“{data}”"), "data")));
        below.extend(notes.into_iter().map(|note| (note.text, note.class)));
        self.picture.texts("small", (middle, soon + 13.0), &below);
        self.picture.text(
            "small",
            Anchor::End,
            (20.0, start + 4.0),
            &(at + 1).to_string(),
        );
        self.picture.text(
            "small",
            Anchor::End,
            (84.0, start + 4.0),
            &clock(since_first(wire, at)),
        );
        if let Some(again) = told.again {
            let wait = format!("{}× {}", again.ratio, clock(again.after));
            self.measure(from, far > from, (self.rows[again.last].0, start), &wait);
        }
        if !several {
            for (host, state) in &told.changes {
                let y = if *host == frame.from { start } else { end };
                self.states.push((y, host.clone(), *state, at + 1));
            }
        }
        self.y = self.y.max(end + 6.0);
    }

    /// Where a frame goes: to its host, to the outermost hosts if it is for several, or to the next line if it is for nobody.
    fn targets(&self, frame: &Frame, from: f64) -> Vec<f64> {
        let known = frame.to.as_ref().and_then(|to| self.place(to));
        if let Some(to) = known {
            return vec![to];
        }
        let reached = frame.fates.iter().filter_map(|fate| self.place(&fate.to));
        let others: Vec<f64> = reached.filter(|x| (x - from).abs() > 1.0).collect();
        let left = others
            .iter()
            .copied()
            .filter(|x| *x < from)
            .reduce(f64::min);
        let right = others
            .iter()
            .copied()
            .filter(|x| *x > from)
            .reduce(f64::max);
        let mut targets: Vec<f64> = left.into_iter().chain(right).collect();
        if targets.is_empty() {
            let nearest = self
                .places
                .iter()
                .map(|(_, x)| *x)
                .filter(|x| (x - from).abs() > 1.0);
            targets.extend(nearest.min_by(|a, b| (a - from).abs().total_cmp(&(b - from).abs())));
        }
        targets
    }

    /// The wait between two sendings of the same, beside the sender's line.
    fn measure(&mut self, line: f64, rightwards: bool, (from, to): (f64, f64), wait: &str) {
        let side = if rightwards { 1.0 } else { -1.0 };
        let x = line + side * 12.0;
        let (from, to) = (from + 5.0, to - 3.0);
        self.picture.line("measure", (x, from), (x, to));
        self.picture.line("measure", (x - 3.0, to), (x + 3.0, to));
        self.picture
            .line("measure", (x - 3.0, from), (x + 3.0, from));
        let anchor = if rightwards {
            Anchor::Start
        } else {
            Anchor::End
        };
        let middle = f64::midpoint(from, to).max(to - 22.0);
        self.picture
            .text("small again", anchor, (x + side * 6.0, middle + 4.0), wait);
    }

    /// The states beside the hosts' lines, each below the one before it.
    fn states(&mut self) {
        let mut states = std::mem::take(&mut self.states);
        states.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut lowest: HashMap<Name, f64> = HashMap::new();
        for (y, host, state, step) in states {
            let Some(x) = self.place(&host) else {
                continue;
            };
            let y = lowest.get(&host).map_or(y, |last| y.max(last + 13.0));
            let is_first = self.places.first().is_some_and(|(first, _)| *first == host);
            let (anchor, beside) = if is_first {
                (Anchor::End, x - 9.0)
            } else {
                (Anchor::Start, x + 9.0)
            };
            self.picture.step(step, |picture| {
                picture.dot("state", (x, y));
                picture.text("small state", anchor, (beside, y + 4.0), state.name());
            });
            lowest.insert(host, y);
            self.y = self.y.max(y + 4.0);
        }
    }
}
