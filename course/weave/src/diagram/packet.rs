//! How is a header drawn? In rows of 32 bits under a ruler, each field as wide as its bits, with the value that it had.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use lab::wire::{Frame, Wire};

use super::fields::{As, Field, Header, headers};
use super::sequence::addressee;
use super::svg::{Anchor, Picture, px, width};
use super::{Context, Figure};
use crate::markdown::escape;

/// Width of a bit.
const BIT: f64 = 19.0;
/// Left of the rows: where in the header they begin.
const LEFT: f64 = 34.0;
const ROW: f64 = 46.0;

/// The figure: all headers of a frame, or the one that is asked for. An error names the line of the block that it is about.
pub(super) fn figure(
    context: &Context,
    name: &str,
    wire: &Wire,
    number: usize,
    key: Option<&str>,
) -> Result<String, (&'static str, String)> {
    let frame = number
        .checked_sub(1)
        .and_then(|at| wire.frames().get(at))
        .ok_or_else(|| {
            let what = format!(
                "there is no frame {number}: {name} has 1 to {}",
                wire.frames().len()
            );
            ("frame", what)
        })?;
    let mut all = headers(frame);
    let keys: Vec<&str> = all.iter().map(|header| header.key).collect();
    if let Some(key) = key {
        all.retain(|header| header.key == key);
        if all.is_empty() {
            let keys = keys.join(", ");
            let what = format!("frame {number} of {name} has no header `{key}`; it has {keys}");
            return Err(("header", what));
        }
    }
    let id = ["packet", name, &number.to_string()]
        .into_iter()
        .chain(key)
        .collect::<Vec<_>>()
        .join("-");
    let names: Vec<&str> = all.iter().map(|header| header.name).collect();
    let title = context.fill(
        "{1} of frame {2} of {3}",
        &[&names.join(", "), &number.to_string(), name],
    );
    let mut picture = Picture::default();
    let mut y = 0.0;
    for header in &all {
        y = draw(&mut picture, y, header, &frame.bytes);
    }
    let lengths: Vec<String> = all
        .iter()
        .map(|header| {
            context.fill(
                "{1}, {2} bytes",
                &[header.name, &header.length().to_string()],
            )
        })
        .collect();
    let text = format!(
        "{}. {}",
        lengths.join("; "),
        context.say("The table has each field with its value.")
    );
    let svg = picture.finish(&id, &title, &text, (LEFT + 32.0 * BIT + 2.0, y));
    let data = frame.data().len();
    let mut caption = context.fill(
        "Frame {1} of {2}, from {3} to {4}",
        &[
            &number.to_string(),
            &format!("<code>{}</code>", escape(name)),
            &escape(&frame.from),
            &escape(&addressee(context, frame)),
        ],
    );
    if data > 0 {
        caption += &context.fill(", with {1} bytes of data", &[&data.to_string()]);
    }
    Ok(Figure {
        class: "packet",
        id: &id,
        label: &title,
        svg: &svg,
        table: &table(context, &all, frame),
        caption: &format!("<span>{caption}</span>"),
        plays: false,
    }
    .html(context))
}

fn table(context: &Context, headers: &[Header], frame: &Frame) -> String {
    let mut html = context.head(&["Byte", "Header", "Field", "Bits", "Value"], &[]);
    for header in headers {
        let mut bit = 0;
        for (field, (name, value)) in header.fields.iter().zip(values(header, frame)) {
            let byte = header.start + bit / 8;
            _ = writeln!(
                html,
                "<tr><td>{byte}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                header.name,
                escape(name),
                field.bits,
                escape(&value)
            );
            bit += field.bits;
        }
    }
    html + "</tbody></table>\n"
}

/// A header from `top` on, under its name and a ruler of bits. Returns where it ends.
fn draw(picture: &mut Picture, top: f64, header: &Header, bytes: &[u8]) -> f64 {
    let name = format!("{}, {} bytes", header.name, header.length());
    picture.text("name", Anchor::Start, (LEFT, top + 16.0), &name);
    let top = top + 24.0;
    for bit in (0_u8..32).filter(|bit| bit % 8 == 0 || bit % 8 == 7) {
        let x = LEFT + (f64::from(bit) + 0.5) * BIT;
        picture.text("small", Anchor::Middle, (x, top + 14.0), &bit.to_string());
    }
    let top = top + 20.0;
    let mut at = 0;
    for field in &header.fields {
        draw_field(picture, top, header, field, at, bytes);
        at += field.bits;
    }
    let rows = at.div_ceil(32);
    for row in 0..rows {
        let y = top + (px(row) + 0.5) * ROW + 4.0;
        picture.text(
            "small",
            Anchor::End,
            (LEFT - 8.0, y),
            &(row * 4).to_string(),
        );
    }
    top + px(rows) * ROW + 8.0
}

/// A field as one box, or where it goes on in the next row, as a box in each.
fn draw_field(
    picture: &mut Picture,
    top: f64,
    header: &Header,
    field: &Field,
    at: usize,
    bytes: &[u8],
) {
    let whole_rows = at.is_multiple_of(32) && field.bits > 32 && field.bits.is_multiple_of(32);
    let mut done = 0;
    while done < field.bits {
        let (row, column) = ((at + done) / 32, (at + done) % 32);
        let bits = if whole_rows {
            field.bits
        } else {
            (field.bits - done).min(32 - column)
        };
        let (x, y) = (LEFT + px(column) * BIT, top + px(row) * ROW);
        let size = if whole_rows {
            (32.0 * BIT, ROW * px(field.bits / 32))
        } else {
            (px(bits) * BIT, ROW)
        };
        picture.frame("box", (x, y), size);
        let middle = x + size.0 / 2.0;
        let first = header.start * 8 + at;
        let value = if bits == field.bits {
            show(field, number(bytes, first, field.bits))
        } else {
            // A part of it, as it stands in these bytes.
            let part = &bytes[(first + done) / 8..(first + done + bits) / 8];
            part.iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<Vec<_>>()
                .join(":")
        };
        let name = if done == 0 {
            field.name.to_owned()
        } else {
            format!("{}, the rest", field.name)
        };
        if bits == 1 {
            picture.upright("small", (middle + 3.5, y + 29.0), &name);
            picture.text("label", Anchor::Middle, (middle, y + 42.0), &value);
        } else {
            let center = y + size.1 / 2.0;
            let fits = width(&name, 11.5) <= size.0 - 4.0;
            if fits {
                picture.text("small", Anchor::Middle, (middle, center - 5.0), &name);
            }
            picture.text(
                "label",
                Anchor::Middle,
                (middle, center + if fits { 13.0 } else { 4.0 }),
                &value,
            );
        }
        done += bits;
    }
}

/// Each field with its value.
fn values<'h>(header: &'h Header, frame: &Frame) -> Vec<(&'h str, String)> {
    let mut at = header.start * 8;
    let mut values = Vec::new();
    for field in &header.fields {
        values.push((
            field.name,
            show(field, number(&frame.bytes, at, field.bits)),
        ));
        at += field.bits;
    }
    values
}

/// The bits from `first` on, the high one first.
fn number(bytes: &[u8], first: usize, bits: usize) -> u128 {
    (first..first + bits).fold(0, |number, bit| {
        let byte = bytes.get(bit / 8).copied().unwrap_or_default();
        number << 1 | u128::from(byte >> (7 - bit % 8) & 1)
    })
}

fn show(field: &Field, value: u128) -> String {
    let digits = field.bits.div_ceil(4);
    match field.shown {
        As::Number => value.to_string(),
        As::Hex => format!("0x{value:0digits$x}"),
        As::Mac => {
            let bytes = &value.to_be_bytes()[10..];
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<Vec<_>>()
                .join(":")
        }
        As::Ip if field.bits == 32 => Ipv4Addr::from(value as u32).to_string(),
        As::Ip => Ipv6Addr::from(value).to_string(),
        As::EtherType => match value {
            0x0800 => "0x0800 IPv4".into(),
            0x0806 => "0x0806 ARP".into(),
            0x86dd => "0x86dd IPv6".into(),
            _ => format!("0x{value:04x}"),
        },
        As::Protocol => match value {
            1 => "1 ICMP".into(),
            6 => "6 TCP".into(),
            17 => "17 UDP".into(),
            58 => "58 ICMPv6".into(),
            _ => value.to_string(),
        },
    }
}

/// The fields of one header with their values, in words.
#[cfg(test)]
pub(super) fn said(frame: &Frame, key: &str) -> Vec<String> {
    let headers = headers(frame);
    let header = headers.iter().find(|header| header.key == key);
    let values = header.map_or(Vec::new(), |header| values(header, frame));
    values
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_from_the_high_one() {
        let bytes = [0b0100_0101, 0xff, 0x12, 0x34];
        assert_eq!(number(&bytes, 0, 4), 4);
        assert_eq!(number(&bytes, 4, 4), 5);
        assert_eq!(number(&bytes, 7, 3), 0b111);
        assert_eq!(number(&bytes, 16, 16), 0x1234);
    }

    #[test]
    fn values_are_written_as_people_write_them() {
        let show = |bits, shown, value| {
            show(
                &Field {
                    name: "",
                    bits,
                    shown,
                },
                value,
            )
        };
        assert_eq!(show(48, As::Mac, 0x0200_0000_0001), "02:00:00:00:00:01");
        assert_eq!(show(32, As::Ip, 0x0a00_0001), "10.0.0.1");
        assert_eq!(show(128, As::Ip, 1), "::1");
        assert_eq!(show(20, As::Hex, 0xabc), "0x00abc");
        assert_eq!(show(8, As::Protocol, 6), "6 TCP");
    }
}
