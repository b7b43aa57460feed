//! How is the state machine of TCP drawn, and the way that both ends of a connection took through it?
//!
//! The states and the ways between them are the table of `lab::wire`, by which the lab itself follows a connection. Only where they
//! stand on the page is chosen here. CLOSED stands twice, at the top and at the end.

use std::fmt::Write;

use lab::wire::{State, TRANSITIONS, Told, Transition, Wire, ways};

use super::sequence::{addressee, caption, notes, says};
use super::svg::{Anchor, Picture};
use super::trace::Ends;
use super::{Context, Figure, cells};
use crate::markdown::escape;

const COLUMNS: [f64; 3] = [80.0, 270.0, 460.0];
/// From one row to the next.
const ROW: f64 = 84.0;
const TOP: f64 = 24.0;
/// Half the width and half the height of a state's box.
const HALF: (f64, f64) = (58.0, 14.0);
const WIDTH: f64 = 540.0;

/// Column and row of each.
const PLACES: [(State, usize, u8); 11] = [
    (State::Closed, 1, 0),
    (State::Listen, 0, 1),
    (State::SynSent, 2, 1),
    (State::SynReceived, 0, 2),
    (State::Established, 1, 3),
    (State::FinWait1, 0, 4),
    (State::CloseWait, 2, 4),
    (State::FinWait2, 0, 5),
    (State::Closing, 1, 5),
    (State::LastAck, 2, 5),
    (State::TimeWait, 1, 6),
];
/// CLOSED, once more.
const END: (usize, u8) = (2, 6);

fn at((column, row): (usize, u8)) -> (f64, f64) {
    (COLUMNS[column], TOP + f64::from(row) * ROW)
}

fn place(state: State) -> (f64, f64) {
    let known = PLACES.iter().find(|(known, ..)| *known == state);
    known.map_or(at(END), |(_, column, row)| at((*column, *row)))
}

/// The figure of a record.
pub(super) fn figure(context: &Context, name: &str) -> Result<String, String> {
    let wire = context.wire(name)?;
    let story = wire.story();
    let ends = Ends::of(&wire, &story).ok_or_else(|| {
        format!("{name} has not one connection of TCP between two hosts, and these have states")
    })?;
    let id = format!("states-{name}");
    let hosts = [escape(&ends.hosts[0]), escape(&ends.hosts[1])];
    let title = context.fill(
        "The states of TCP, and the way of {1} and {2} through them: {3}",
        &[&hosts[0], &hosts[1], &name.replace('-', " ")],
    );
    let svg = draw(context, &ends).finish(
        &id,
        &title,
        &description(context, &ends),
        (WIDTH, TOP + 6.0 * ROW + 22.0),
    );
    Ok(Figure {
        class: "states",
        id: &id,
        label: &title,
        svg: &svg,
        table: &table(context, &wire, &story, &ends),
        caption: &caption(context, name),
        plays: true,
    }
    .html(context))
}

/// The states of each end, in order.
fn description(context: &Context, ends: &Ends) -> String {
    let said = ends.hosts.iter().enumerate().map(|(index, host)| {
        let mut states: Vec<&str> = ends.steps.iter().map(|step| step[index].name()).collect();
        states.dedup();
        format!("{host}: {}.", states.join(", "))
    });
    let said: Vec<String> = said.collect();
    format!(
        "{} {}",
        said.join(" "),
        context.say("The table has them frame by frame.")
    )
}

/// The ways that an end took.
fn taken(ends: &Ends, index: usize) -> Vec<Transition> {
    let pairs = ends.steps.windows(2);
    pairs
        .flat_map(|pair| ways(pair[0][index], pair[1][index]))
        .collect()
}

fn draw(context: &Context, ends: &Ends) -> Picture {
    let mut picture = Picture::default();
    let taken = [taken(ends, 0), taken(ends, 1)];
    let mut labels = Picture::default();
    for way in TRANSITIONS {
        let class = match [0, 1].map(|index| taken[index].contains(&way)) {
            [true, _] => "way a",
            [false, true] => "way b",
            _ => "way",
        };
        let mut part = Picture::default();
        draw_way(context, &mut part, &mut labels, &way, class);
        picture.group(&format!("data-e=\"{} {}\"", way.from, way.to), part);
    }
    picture.append(labels);
    for (state, column, row) in PLACES {
        draw_state(&mut picture, state, at((column, row)), "");
    }
    draw_state(&mut picture, State::Closed, at(END), " data-end=\"\"");
    for (index, class) in ["a", "b"].into_iter().enumerate() {
        let y = 20.0 + 20.0 * if index == 0 { 0.0 } else { 1.0 };
        picture.line(&format!("way {class}"), (10.0, y - 4.0), (34.0, y - 4.0));
        picture.text("name", Anchor::Start, (40.0, y), &ends.hosts[index]);
    }
    picture
}

fn draw_state(picture: &mut Picture, state: State, (x, y): (f64, f64), more: &str) {
    let mut part = Picture::default();
    part.frame(
        "box",
        (x - HALF.0, y - HALF.1),
        (2.0 * HALF.0, 2.0 * HALF.1),
    );
    part.text("label", Anchor::Middle, (x, y + 4.5), state.name());
    part.token("a", (x - HALF.0, y));
    part.token("b", (x + HALF.0, y));
    picture.group(&format!("data-state=\"{state}\"{more}"), part);
}

/// An arrow from box to box, with what brings it about and what is sent then.
fn draw_way(
    context: &Context,
    part: &mut Picture,
    labels: &mut Picture,
    way: &Transition,
    class: &str,
) {
    let mut from = place(way.from);
    let mut to = place(way.to);
    if way.to == State::Closed && way.from != State::Listen {
        to = at(END);
    }
    let mut along = 0.5;
    // Two ways between the same two stand beside each other.
    if matches!(
        (way.from, way.to),
        (State::Closed, State::Listen) | (State::Listen, State::Closed)
    ) {
        let aside = if way.from == State::Closed { -9.0 } else { 9.0 };
        from.0 += aside;
        to.0 += aside;
        along = 0.62;
    } else if (way.from, way.to) == (State::SynSent, State::SynReceived) {
        along = 0.58;
    }
    let (start, end) = (leave(from, to), leave(to, from));
    part.line(class, start, end);
    part.head(class, start, end);
    let (mut x, mut y) = (
        start.0 + (end.0 - start.0) * along,
        start.1 + (end.1 - start.1) * along,
    );
    if (start.1 - end.1).abs() < 1.0 {
        y -= 10.0;
        x -= 4.0;
    }
    let when = context.say(way.when);
    if way.sends.is_empty() {
        labels.text("small", Anchor::Middle, (x, y + 4.0), &when);
    } else {
        labels.text("small", Anchor::Middle, (x, y - 2.0), &when);
        labels.text(
            "small sends",
            Anchor::Middle,
            (x, y + 11.0),
            &format!("→ {}", way.sends),
        );
    }
}

/// Where a straight line from the middle of a box to another point leaves the box.
fn leave((x, y): (f64, f64), (to_x, to_y): (f64, f64)) -> (f64, f64) {
    let (dx, dy) = (to_x - x, to_y - y);
    let part = |half: f64, d: f64| {
        if d == 0.0 {
            f64::INFINITY
        } else {
            half / d.abs()
        }
    };
    let step = part(HALF.0, dx).min(part(HALF.1, dy));
    (x + dx * step, y + dy * step)
}

fn table(context: &Context, wire: &Wire, story: &[Told], ends: &Ends) -> String {
    let hosts: Vec<&str> = ends.hosts.iter().map(|host| &**host).collect();
    let mut html = context.head(&["Frame", "From, to", "Says"], &hosts);
    let row = |html: &mut String, step: usize, way: &str, says: &str| {
        let states = cells("<td>", "</td>", &ends.steps[step]);
        _ = writeln!(
            html,
            "<tr><td>{step}</td><td>{way}</td><td>{says}</td>{states}</tr>"
        );
    };
    row(&mut html, 0, "", &context.say("before the first"));
    for (at, (frame, told)) in wire.frames().iter().zip(story).enumerate() {
        let mut said = escape(&says(frame, told, false));
        for note in notes(context, frame, told) {
            said += &format!("; {}", escape(&note.text));
        }
        let way = format!(
            "{} → {}",
            escape(&frame.from),
            escape(&addressee(context, frame))
        );
        row(&mut html, at + 1, &way, &said);
    }
    html + "</tbody></table>\n"
}
