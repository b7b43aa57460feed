//! The few elements of SVG that a drawing needs. What has no class is in the color of the text around it.

use std::fmt::Write;

use crate::markdown::escape;

/// A picture as it grows.
#[derive(Default)]
pub(super) struct Picture(String);

/// How a text stands to its point.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Picture {
    pub fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        _ = writeln!(
            self.0,
            "<path class=\"{class}\" d=\"M{} {}L{} {}\" stroke=\"currentColor\" fill=\"none\"/>",
            n(x1),
            n(y1),
            n(x2),
            n(y2)
        );
    }

    pub fn text(&mut self, class: &str, anchor: Anchor, (x, y): (f64, f64), text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        _ = writeln!(
            self.0,
            "<text class=\"{class}\" x=\"{}\" y=\"{}\"{anchor}>{}</text>",
            n(x),
            n(y),
            escape(text)
        );
    }

    /// Pieces of text in a row around a point, each in its class.
    pub fn texts(&mut self, class: &str, (x, y): (f64, f64), pieces: &[(String, &str)]) {
        if pieces.is_empty() {
            return;
        }
        let pieces: Vec<String> = pieces
            .iter()
            .map(|(text, class)| format!("<tspan class=\"{class}\">{}</tspan>", escape(text)))
            .collect();
        _ = writeln!(
            self.0,
            "<text class=\"{class}\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            n(x),
            n(y),
            pieces.join(" · ")
        );
    }

    /// A text that reads from below to above.
    pub fn upright(&mut self, class: &str, (x, y): (f64, f64), text: &str) {
        _ = writeln!(
            self.0,
            "<text class=\"{class}\" transform=\"translate({} {})rotate(-90)\">{}</text>",
            n(x),
            n(y),
            escape(text)
        );
    }

    pub fn dot(&mut self, class: &str, (x, y): (f64, f64)) {
        _ = writeln!(
            self.0,
            "<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"3\"/>",
            n(x),
            n(y)
        );
    }

    /// A mark that a script shows.
    pub fn token(&mut self, class: &str, (x, y): (f64, f64)) {
        _ = writeln!(
            self.0,
            "<circle class=\"token {class}\" cx=\"{}\" cy=\"{}\" r=\"7\"/>",
            n(x),
            n(y)
        );
    }

    pub fn frame(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        _ = writeln!(
            self.0,
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"currentColor\"/>",
            n(x),
            n(y),
            n(width),
            n(height)
        );
    }

    /// The point of an arrow from one place to another.
    pub fn head(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let length = (x2 - x1).hypot(y2 - y1).max(1.0);
        let (dx, dy) = ((x2 - x1) / length, (y2 - y1) / length);
        let (bx, by) = (x2 - 9.0 * dx, y2 - 9.0 * dy);
        _ = writeln!(
            self.0,
            "<path class=\"{class}\" d=\"M{} {}L{} {}L{} {}Z\"/>",
            n(x2),
            n(y2),
            n(bx - 4.0 * dy),
            n(by + 4.0 * dx),
            n(bx + 4.0 * dy),
            n(by - 4.0 * dx),
        );
    }

    pub fn cross(&mut self, class: &str, (x, y): (f64, f64)) {
        _ = writeln!(
            self.0,
            "<path class=\"{class}\" d=\"M{} {}l12 12m0 -12l-12 12\" stroke=\"currentColor\" fill=\"none\"/>",
            n(x - 6.0),
            n(y - 6.0)
        );
    }

    /// A way through several points.
    pub fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        let points: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{} {}", n(*x), n(*y)))
            .collect();
        _ = writeln!(
            self.0,
            "<path class=\"{class}\" d=\"M{}\" stroke=\"currentColor\" fill=\"none\"/>",
            points.join("L")
        );
    }

    /// Puts another picture over this one.
    pub fn append(&mut self, other: Picture) {
        self.0 += &other.0;
    }

    /// Puts another picture over this one, as a part with these attributes.
    pub fn group(&mut self, attributes: &str, part: Picture) {
        if !part.0.is_empty() {
            _ = writeln!(self.0, "<g {attributes}>\n{}</g>", part.0);
        }
    }

    /// What `draw` draws is there from this step on.
    pub fn step(&mut self, step: usize, draw: impl FnOnce(&mut Picture)) {
        let mut part = Picture::default();
        draw(&mut part);
        self.group(&format!("data-f=\"{step}\""), part);
    }

    /// The whole, with what a screen reader says of it.
    pub fn finish(
        self,
        id: &str,
        title: &str,
        description: &str,
        (width, height): (f64, f64),
    ) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" \
             viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" fill=\"currentColor\">\n<title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n{}</svg>\n",
            escape(title),
            escape(description),
            self.0,
            w = n(width),
            h = n(height),
        )
    }
}

/// A number as short as it can be.
fn n(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A count as a number to draw with.
pub(super) fn px(count: usize) -> f64 {
    f64::from(count as u32)
}

/// About how wide a text is, at this size of letters.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let wide = |c: char| if c as u32 >= 0x2e80 { 1.0 } else { 0.56 };
    text.chars().map(wide).sum::<f64>() * size
}
