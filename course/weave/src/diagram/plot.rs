//! How long did TCP wait before it sent the same again? A line for each record; a wait that doubles is a straight one.

use std::fmt::Write;
use std::time::Duration;

use lab::wire::Wire;

use super::svg::{Anchor, Picture, px};
use super::trace::{clock, since_first};
use super::{Context, Figure};
use crate::markdown::escape;

const LEFT: f64 = 64.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 28.0;
/// From one repetition to the next.
const STEP: f64 = 70.0;
/// For each doubling.
const OCTAVE: f64 = 42.0;

/// One sending: when, counted from the first of the segment, and how long after the one before.
struct Sending {
    at: Duration,
    waited: Duration,
}

struct Series<'n> {
    name: &'n str,
    /// What was sent again and again.
    what: String,
    sendings: Vec<Sending>,
}

/// The figure of several records.
pub(super) fn waits(context: &Context, id: &str, names: &str) -> Result<String, String> {
    let names = names.split(',').map(str::trim);
    let series: Result<Vec<Series>, String> = names
        .map(|name| series(&context.wire(name)?, name))
        .collect();
    let series = series?;
    let title = context.say("How long TCP waited before it sent the same again");
    let svg = draw(context, &series).finish(id, &title, &description(&series), size(&series));
    let places: Vec<String> = series
        .iter()
        .map(|series| context.place("wire", series.name))
        .collect();
    Ok(Figure {
        class: "plot",
        id,
        label: &title,
        svg: &svg,
        table: &table(context, &series),
        caption: &format!(
            "<span>{}</span>",
            context.fill("Captured by tests: {1}", &[&places.join(", ")])
        ),
        plays: false,
    }
    .html(context))
}

/// The segment that was repeated most often.
fn series<'n>(wire: &Wire, name: &'n str) -> Result<Series<'n>, String> {
    let story = wire.story();
    let again = || {
        let told = story.iter().enumerate();
        told.filter_map(|(at, told)| told.again.map(|again| (at, again)))
    };
    let of = again()
        .map(|(_, again)| again.of)
        .max_by_key(|of| again().filter(|(_, again)| again.of == *of).count())
        .ok_or_else(|| format!("in {name} nothing was sent again"))?;
    let start = since_first(wire, of);
    Ok(Series {
        name,
        what: super::sequence::says(&wire.frames()[of], &story[of], false),
        sendings: again()
            .filter(|(_, again)| again.of == of)
            .map(|(at, again)| Sending {
                at: since_first(wire, at).saturating_sub(start),
                waited: again.after,
            })
            .collect(),
    })
}

fn description(series: &[Series]) -> String {
    let said: Vec<String> = series
        .iter()
        .map(|series| {
            let waits: Vec<String> = series
                .sendings
                .iter()
                .map(|sending| clock(sending.waited))
                .collect();
            format!("{} ({}): {}.", series.name, series.what, waits.join(", "))
        })
        .collect();
    said.join(" ")
}

fn log(time: Duration) -> f64 {
    time.as_secs_f64().max(1e-6).log2()
}

/// The lowest and the highest wait, in whole powers of two of a second.
fn range(series: &[Series]) -> (i32, i32) {
    let waits = || series.iter().flat_map(|series| &series.sendings);
    let low = waits()
        .map(|sending| log(sending.waited))
        .fold(f64::INFINITY, f64::min);
    let high = waits()
        .map(|sending| log(sending.waited))
        .fold(f64::NEG_INFINITY, f64::max);
    ((low - 0.2).floor() as i32, (high + 0.2).ceil() as i32)
}

fn most(series: &[Series]) -> usize {
    let counts = series.iter().map(|series| series.sendings.len());
    counts.max().unwrap_or(1)
}

fn size(series: &[Series]) -> (f64, f64) {
    let (low, high) = range(series);
    (
        LEFT + px(most(series)) * STEP + RIGHT,
        TOP + f64::from(high - low) * OCTAVE + 44.0,
    )
}

fn draw(context: &Context, series: &[Series]) -> Picture {
    let mut picture = Picture::default();
    let (low, high) = range(series);
    let x = |number: usize| LEFT + (px(number) - 0.5) * STEP;
    let y = |log: f64| TOP + (f64::from(high) - log) * OCTAVE;
    let right = LEFT + px(most(series)) * STEP;
    picture.text("small", Anchor::Start, (6.0, 14.0), &context.say("waited"));
    for power in low..=high {
        let line = y(f64::from(power));
        picture.line("grid", (LEFT, line), (right, line));
        let seconds = f64::from(power).exp2();
        picture.text(
            "small",
            Anchor::End,
            (LEFT - 8.0, line + 4.0),
            &format!("{seconds} s"),
        );
    }
    let bottom = y(f64::from(low));
    for number in 1..=most(series) {
        picture.text(
            "small",
            Anchor::Middle,
            (x(number), bottom + 18.0),
            &number.to_string(),
        );
    }
    picture.text(
        "small",
        Anchor::Start,
        (LEFT, bottom + 36.0),
        &context.say("sent again, how often"),
    );
    for (series, class) in series.iter().zip(["a", "b", "c"].into_iter().cycle()) {
        let points: Vec<(f64, f64)> = (1..)
            .zip(&series.sendings)
            .map(|(number, sending)| (x(number), y(log(sending.waited))))
            .collect();
        picture.path(&format!("curve {class}"), &points);
        for (point, sending) in points.iter().zip(&series.sendings) {
            picture.dot(class, *point);
            let above = (point.0, point.1 - 9.0);
            picture.text("small", Anchor::Middle, above, &clock(sending.waited));
        }
        if let Some((last_x, last_y)) = points.last() {
            let label = (last_x + 26.0, last_y + 4.0);
            picture.text(&format!("name {class}"), Anchor::Start, label, series.name);
            let below = (label.0, label.1 + 15.0);
            picture.text("small", Anchor::Start, below, &series.what);
        }
    }
    picture
}

fn table(context: &Context, series: &[Series]) -> String {
    let mut html = context.head(&["Record", "Sent again", "At", "Waited"], &[]);
    for series in series {
        for (number, sending) in (1..).zip(&series.sendings) {
            _ = writeln!(
                html,
                "<tr><td>{}</td><td>{number}</td><td>{}</td><td>{}</td></tr>",
                escape(series.name),
                clock(sending.at),
                clock(sending.waited),
            );
        }
    }
    html + "</tbody></table>\n"
}
