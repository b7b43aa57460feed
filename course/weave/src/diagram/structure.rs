//! How does a structure lie in memory? Rows of eight bytes, each field as wide as the compiler makes it, with the bytes that it had.
//!
//! A test of the chapter keeps the layout as text, with `cx.kept`. A line names a structure, its size, and whose bytes it has; each
//! line below it, indented, says where a field begins, how long it is, its name, and its bytes, as many as count:
//!
//! ```text
//! sockaddr_in 16 192.0.2.1:8000
//!   0 2 sin_family 02 00
//!   2 2 sin_port 1f 40
//! ```

use std::fmt::Write;

use super::svg::{Anchor, Picture, px};
use super::{Context, Figure};
use crate::markdown::escape;

const BYTE: f64 = 38.0;
const LEFT: f64 = 34.0;
const ROW: f64 = 46.0;
/// Bytes in a row.
const WIDE: usize = 8;
/// Of a field that goes on for more, only so many rows are drawn.
const MOST: usize = 2;

struct Structure {
    name: String,
    size: usize,
    /// The value that its bytes stand for.
    of: String,
    fields: Vec<Field>,
}

struct Field {
    offset: usize,
    size: usize,
    name: String,
    bytes: Vec<String>,
}

/// The figure of the structures of a file, or of those that are asked for. An error names the line of the block that it is about.
pub(super) fn figure(
    context: &Context,
    id: &str,
    file: &str,
    of: Option<&str>,
) -> Result<String, (&'static str, String)> {
    let layout = |what: String| ("layout", what);
    let (text, path) = context.read("layout", file, "cx.kept(…)").map_err(layout)?;
    let mut all = parse(&text)
        .map_err(|(line, what)| layout(format!("{}:{line}: {what}", path.display())))?;
    if let Some(of) = of {
        let wanted: Vec<&str> = of.split(',').map(str::trim).collect();
        for name in &wanted {
            if !all.iter().any(|structure| structure.name == *name) {
                let names: Vec<&str> = all.iter().map(|known| &*known.name).collect();
                let names = names.join(", ");
                let what = format!(
                    "{} has no structure `{name}`; it has {names}",
                    path.display()
                );
                return Err(("of", what));
            }
        }
        all.retain(|structure| wanted.contains(&&*structure.name));
    }
    let names: Vec<&str> = all.iter().map(|structure| &*structure.name).collect();
    let title = context.fill("{1} in memory", &[&names.join(", ")]);
    let mut picture = Picture::default();
    let mut y = 0.0;
    for structure in &all {
        y = draw(context, &mut picture, y, structure);
    }
    let size = (LEFT + px(WIDE) * BYTE + 2.0, y);
    let svg = picture.finish(id, &title, &description(context, &all), size);
    let mut table = context.head(&["Structure", "Field", "Begins at", "Bytes", "Value"], &[]);
    for structure in &all {
        for field in &structure.fields {
            _ = writeln!(
                table,
                "<tr><td>{}</td><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(&structure.name),
                escape(&field.name),
                field.offset,
                field.size,
                escape(&field.bytes.join(" ")),
            );
        }
    }
    table += "</tbody></table>\n";
    let place = context.place("layout", file);
    Ok(Figure {
        class: "layout",
        id,
        label: &title,
        svg: &svg,
        table: &table,
        caption: &format!(
            "<span>{}</span>",
            context.fill("Asked of the compiler by a test: {1}", &[&place])
        ),
        plays: false,
    }
    .html(context))
}

fn description(context: &Context, all: &[Structure]) -> String {
    let said: Vec<String> = all
        .iter()
        .map(|structure| {
            let size = structure.size.to_string();
            context.fill("{1}, {2} bytes", &[&structure.name, &size])
        })
        .collect();
    format!(
        "{}. {}",
        said.join("; "),
        context.say("The table has each field with its place and its bytes.")
    )
}

fn parse(text: &str) -> Result<Vec<Structure>, (usize, String)> {
    let mut all: Vec<Structure> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let wrong = || (number, format!("not a structure and not a field: {line:?}"));
        let words: Vec<&str> = line.split_whitespace().collect();
        if line.starts_with(' ') {
            let [offset, size, name, bytes @ ..] = &words[..] else {
                return Err(wrong());
            };
            let structure = all.last_mut().ok_or_else(wrong)?;
            let field = Field {
                offset: offset.parse().map_err(|_| wrong())?,
                size: size.parse().map_err(|_| wrong())?,
                name: (*name).to_owned(),
                bytes: bytes.iter().map(|byte| (*byte).to_owned()).collect(),
            };
            let after = structure
                .fields
                .last()
                .map_or(0, |last| last.offset + last.size);
            if field.offset < after || field.offset + field.size > structure.size {
                return Err((number, format!("`{name}` does not lie in its place")));
            }
            structure.fields.push(field);
        } else {
            let [name, size, of @ ..] = &words[..] else {
                return Err(wrong());
            };
            all.push(Structure {
                name: (*name).to_owned(),
                size: size.parse().map_err(|_| wrong())?,
                of: of.join(" "),
                fields: Vec::new(),
            });
        }
    }
    Ok(all)
}

fn draw(context: &Context, picture: &mut Picture, top: f64, structure: &Structure) -> f64 {
    let name = format!("{}, {} bytes", structure.name, structure.size);
    picture.text("name", Anchor::Start, (LEFT, top + 16.0), &name);
    let right = LEFT + px(WIDE) * BYTE;
    picture.text("small", Anchor::End, (right, top + 16.0), &structure.of);
    let top = top + 24.0;
    for byte in 0..WIDE {
        let x = LEFT + (px(byte) + 0.5) * BYTE;
        picture.text("small", Anchor::Middle, (x, top + 13.0), &byte.to_string());
    }
    let mut drawing = Rows {
        picture,
        top: top + 20.0,
        row: 0,
        first: 0,
    };
    let mut at = 0;
    for field in &structure.fields {
        drawing.boxes(context, at, field.offset - at, "", &[]);
        drawing.boxes(context, field.offset, field.size, &field.name, &field.bytes);
        at = field.offset + field.size;
    }
    drawing.boxes(context, at, structure.size - at, "", &[]);
    let rows = drawing.row + usize::from(drawing.first < structure.size);
    top + 20.0 + px(rows) * ROW + 12.0
}

struct Rows<'p> {
    picture: &'p mut Picture,
    top: f64,
    /// The row that is drawn in, and its first byte.
    row: usize,
    first: usize,
}

impl Rows<'_> {
    /// A field, or what lies between fields, as boxes from row to row.
    fn boxes(&mut self, context: &Context, from: usize, size: usize, name: &str, bytes: &[String]) {
        let mut done = 0;
        let mut pieces = 0;
        while done < size {
            let column = from + done - self.first;
            let count = (size - done).min(WIDE - column);
            let is_long = pieces == MOST && size - done > WIDE;
            let label = if done == 0 { name } else { "" };
            let shown = bytes.get(done..).unwrap_or_default();
            let shown = &shown[..shown.len().min(count)];
            let class = if name.is_empty() { "box none" } else { "box" };
            let (x, y) = (LEFT + px(column) * BYTE, self.top + px(self.row) * ROW);
            let wide = px(if is_long { WIDE } else { count }) * BYTE;
            self.picture.frame(class, (x, y), (wide, ROW));
            let start = self.first.to_string();
            if column == 0 {
                self.picture
                    .text("small", Anchor::End, (LEFT - 8.0, y + 27.0), &start);
            }
            if is_long {
                let more = (size - done).to_string();
                let text = context.fill("and {1} bytes more", &[&more]);
                self.picture
                    .text("small", Anchor::Middle, (x + wide / 2.0, y + 27.0), &text);
                self.row += 1;
                self.first += column + size - done;
                return;
            }
            self.picture
                .text("small", Anchor::Middle, (x + wide / 2.0, y + 18.0), label);
            for (byte, text) in shown.iter().enumerate() {
                let x = x + (px(byte) + 0.5) * BYTE;
                self.picture
                    .text("data", Anchor::Middle, (x, y + 37.0), text);
            }
            done += count;
            pieces += 1;
            if column + count == WIDE {
                self.row += 1;
                self.first += WIDE;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_read_and_what_cannot_be_is_said() {
        let text = "# kept\n\npair 8 x y\n  0 1 kind 01\n  4 4 count\n";
        let all = parse(text).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        assert_eq!((&*all[0].of, all[0].fields.len()), ("x y", 2));
        for (text, line) in [
            ("  0 1 kind\n", 1),
            ("pair\n", 1),
            ("pair 8\n  0 9 kind\n", 2),
            ("pair 8\n  0 4 a\n  2 2 b\n", 3),
        ] {
            assert_eq!(
                parse(text).err().map(|(line, _)| line),
                Some(line),
                "{text}"
            );
        }
    }
}
