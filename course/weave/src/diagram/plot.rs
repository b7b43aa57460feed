//! How are numbers plotted? As curves over steps of the same width, on a scale on which a power is a line further up.
//!
//! The numbers come from records: how long TCP waited before it sent the same again. Or from a file that a test keeps with `cx.kept`:
//! what is counted along, what is counted up, and a line for each point of a curve:
//!
//! ```text
//! x bytes in a line
//! y calls of read
//! series a byte at a time
//!   10 1001
//!   20 2001
//! ```

use std::fmt::Write;
use std::time::Duration;

use lab::wire::Wire;

use super::svg::{Anchor, Picture, px};
use super::trace::{clock, since_first};
use super::{Context, Figure};
use crate::markdown::escape;

const LEFT: f64 = 72.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 28.0;
/// From one point to the next.
const STEP: f64 = 70.0;
/// For each power.
const POWER: f64 = 42.0;

/// All that is plotted.
struct Plot {
    /// What is counted along, and what up.
    axes: [String; 2],
    /// A line of the scale is so many times the one below it.
    base: f64,
    /// Behind the numbers of the scale.
    unit: &'static str,
    steps: Vec<String>,
    curves: Vec<Curve>,
}

struct Curve {
    name: String,
    /// What more is to be said of it.
    about: String,
    points: Vec<Point>,
}

struct Point {
    value: f64,
    label: String,
}

/// The figure of several records: how long it was waited before the same was sent again.
pub(super) fn waits(context: &Context, id: &str, names: &str) -> Result<String, String> {
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    let waits: Result<Vec<Waits>, String> = names
        .iter()
        .map(|name| waits_of(&context.wire(name)?, name))
        .collect();
    let waits = waits?;
    let mut table = context.head(&["Record", "Sent again", "At", "Waited"], &[]);
    for Waits { name, sendings, .. } in &waits {
        for (number, (at, waited)) in (1..).zip(sendings) {
            _ = writeln!(
                table,
                "<tr><td>{}</td><td>{number}</td><td>{}</td><td>{}</td></tr>",
                escape(name),
                clock(*at),
                clock(*waited),
            );
        }
    }
    let most = waits.iter().map(|waits| waits.sendings.len()).max();
    let curves = waits.into_iter().map(|waits| Curve {
        name: waits.name.to_owned(),
        about: waits.what,
        points: waits
            .sendings
            .iter()
            .map(|(_, waited)| Point {
                value: waited.as_secs_f64().max(1e-6),
                label: clock(*waited),
            })
            .collect(),
    });
    let plot = Plot {
        axes: [context.say("sent again, how often"), context.say("waited")],
        base: 2.0,
        unit: " s",
        steps: (1..=most.unwrap_or(0))
            .map(|number| number.to_string())
            .collect(),
        curves: curves.collect(),
    };
    let title = context.say("How long TCP waited before it sent the same again");
    let places: Vec<String> = names
        .iter()
        .map(|name| context.place("wire", name))
        .collect();
    let caption = context.fill("Captured by tests: {1}", &[&places.join(", ")]);
    Ok(plot.figure(context, id, &title, &table, &caption))
}

struct Waits<'n> {
    name: &'n str,
    /// What was sent again and again.
    what: String,
    /// When, counted from the first time, and how long after the time before.
    sendings: Vec<(Duration, Duration)>,
}

/// The segment that was repeated most often.
fn waits_of<'n>(wire: &Wire, name: &'n str) -> Result<Waits<'n>, String> {
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
    Ok(Waits {
        name,
        what: super::sequence::says(&wire.frames()[of], &story[of], false),
        sendings: again()
            .filter(|(_, again)| again.of == of)
            .map(|(at, again)| (since_first(wire, at).saturating_sub(start), again.after))
            .collect(),
    })
}

/// The figure of a file of numbers.
pub(super) fn numbers(context: &Context, id: &str, name: &str) -> Result<String, String> {
    let (text, path) = context.read("plot", name, "cx.kept(…)")?;
    let mut plot =
        parse(&text).map_err(|(line, what)| format!("{}:{line}: {what}", path.display()))?;
    for words in &mut plot.axes {
        *words = context.say(words);
    }
    for curve in &mut plot.curves {
        curve.name = context.say(&curve.name);
    }
    let names: Vec<&str> = plot.curves.iter().map(|curve| &*curve.name).collect();
    let [along, up] = &plot.axes;
    let title = format!("{up} / {along}: {}", names.join(", "));
    let mut columns = vec![&**along];
    columns.extend(&names);
    let mut table = context.head(&columns, &[]);
    for (at, step) in plot.steps.iter().enumerate() {
        let values = plot.curves.iter().map(|curve| &curve.points[at].label);
        let values = super::cells("<td>", "</td>", values.map(|label| escape(label)));
        _ = writeln!(table, "<tr><td>{}</td>{values}</tr>", escape(step));
    }
    let place = context.place("plot", name);
    let caption = context.fill("Counted by a test: {1}", &[&place]);
    Ok(plot.figure(context, id, &title, &table, &caption))
}

fn parse(text: &str) -> Result<Plot, (usize, String)> {
    let mut axes = [String::new(), String::new()];
    let mut curves: Vec<(Curve, Vec<String>)> = Vec::new();
    let mut last = 0;
    for (number, line) in (1..).zip(text.lines()) {
        last = number;
        let wrong = |what: &str| (number, format!("{what}: {line:?}"));
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let (word, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        if line.starts_with(' ') {
            let (curve, steps) = curves
                .last_mut()
                .ok_or_else(|| wrong("a point of no series"))?;
            let value: Option<f64> = rest.parse().ok().filter(|value| *value > 0.0);
            let value = value.ok_or_else(|| wrong("not two numbers above 0"))?;
            curve.points.push(Point {
                value,
                label: rest.to_owned(),
            });
            steps.push(word.to_owned());
            continue;
        }
        match word {
            "x" => rest.clone_into(&mut axes[0]),
            "y" => rest.clone_into(&mut axes[1]),
            "series" if !rest.is_empty() => {
                let curve = Curve {
                    name: rest.to_owned(),
                    about: String::new(),
                    points: Vec::new(),
                };
                curves.push((curve, Vec::new()));
            }
            _ => return Err(wrong("not `x`, `y` or `series`")),
        }
    }
    let steps = curves
        .first()
        .map_or(Vec::new(), |(_, steps)| steps.clone());
    if steps.is_empty() || axes.iter().any(String::is_empty) {
        return Err((last, "`x`, `y` or a series with points is missing".into()));
    }
    if let Some((curve, _)) = curves.iter().find(|(_, other)| *other != steps) {
        return Err((
            last,
            format!("`{}` has other steps than the first series", curve.name),
        ));
    }
    Ok(Plot {
        axes,
        base: 10.0,
        unit: "",
        steps,
        curves: curves.into_iter().map(|(curve, _)| curve).collect(),
    })
}

impl Plot {
    fn figure(
        &self,
        context: &Context,
        id: &str,
        title: &str,
        table: &str,
        caption: &str,
    ) -> String {
        let (low, high) = self.range();
        let size = (
            LEFT + px(self.steps.len()) * STEP + RIGHT,
            TOP + f64::from(high - low) * POWER + 44.0,
        );
        let svg = self.draw().finish(id, title, &self.description(), size);
        Figure {
            class: "plot",
            id,
            label: title,
            svg: &svg,
            table: &format!("{table}</tbody></table>\n"),
            caption: &format!("<span>{caption}</span>"),
            plays: false,
        }
        .html(context)
    }

    fn description(&self) -> String {
        let said = self.curves.iter().map(|curve| {
            let labels: Vec<&str> = curve.points.iter().map(|point| &*point.label).collect();
            let about = match &*curve.about {
                "" => String::new(),
                about => format!(" ({about})"),
            };
            format!("{}{about}: {}.", curve.name, labels.join(", "))
        });
        said.collect::<Vec<_>>().join(" ")
    }

    fn power(&self, value: f64) -> f64 {
        value.log(self.base)
    }

    /// The lowest and the highest line of the scale, as powers.
    fn range(&self) -> (i32, i32) {
        let points = || self.curves.iter().flat_map(|curve| &curve.points);
        let powers = || points().map(|point| self.power(point.value));
        let low = powers().fold(f64::INFINITY, f64::min);
        let high = powers().fold(f64::NEG_INFINITY, f64::max);
        ((low - 0.2).floor() as i32, (high + 0.2).ceil() as i32)
    }

    fn draw(&self) -> Picture {
        let mut picture = Picture::default();
        let (low, high) = self.range();
        let x = |step: usize| LEFT + (px(step) + 0.5) * STEP;
        let y = |power: f64| TOP + (f64::from(high) - power) * POWER;
        let right = LEFT + px(self.steps.len()) * STEP;
        let [along, up] = &self.axes;
        picture.text("small", Anchor::Start, (6.0, 14.0), up);
        for power in low..=high {
            let line = y(f64::from(power));
            picture.line("grid", (LEFT, line), (right, line));
            let value = format!("{}{}", self.base.powi(power), self.unit);
            picture.text("small", Anchor::End, (LEFT - 8.0, line + 4.0), &value);
        }
        let bottom = y(f64::from(low));
        for (at, step) in self.steps.iter().enumerate() {
            picture.text("small", Anchor::Middle, (x(at), bottom + 18.0), step);
        }
        picture.text("small", Anchor::Start, (LEFT, bottom + 36.0), along);
        for (curve, class) in self.curves.iter().zip(["a", "b"].into_iter().cycle()) {
            let points: Vec<(f64, f64)> = curve
                .points
                .iter()
                .enumerate()
                .map(|(at, point)| (x(at), y(self.power(point.value))))
                .collect();
            picture.path(&format!("curve {class}"), &points);
            for (place, point) in points.iter().zip(&curve.points) {
                picture.dot(class, *place);
                let above = (place.0, place.1 - 9.0);
                picture.text("small", Anchor::Middle, above, &point.label);
            }
            if let Some((last_x, last_y)) = points.last() {
                let label = (last_x + 26.0, last_y + 4.0);
                picture.text(&format!("name {class}"), Anchor::Start, label, &curve.name);
                let below = (label.0, label.1 + 15.0);
                if !curve.about.is_empty() {
                    picture.text("small", Anchor::Start, below, &curve.about);
                }
            }
        }
        picture
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_what_cannot_be_is_said() {
        let text = "# kept\nx a\ny b\nseries one\n  1 10\n  2 100\nseries two\n  1 1\n  2 2.5\n";
        let plot = parse(text).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        assert_eq!(
            (plot.steps.len(), plot.curves.len(), plot.range()),
            (2, 2, (-1, 3))
        );
        for (text, line) in [
            ("  1 1\n", 1),
            ("x a\ny b\nseries one\n  1 x\n", 4),
            ("x a\ny b\nseries one\n  1 0\n", 4),
            ("z a\n", 1),
            ("x a\nseries one\n  1 1\n", 3),
            ("x a\ny b\nseries one\n  1 1\nseries two\n  2 1\n", 6),
        ] {
            assert_eq!(
                parse(text).err().map(|(line, _)| line),
                Some(line),
                "{text}"
            );
        }
    }
}
