//! How is a header drawn? In rows of 32 bits under a ruler, each field as wide as its bits, with the value that it had.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use lab::wire::{Frame, Wire};

use super::layout::{As, Field, Header, headers};
use super::svg::{Anchor, Picture, px, width};
use crate::markdown::escape;

/// Width of a bit.
const BIT: f64 = 19.0;
/// Left of the rows: where in the header they begin.
const LEFT: f64 = 34.0;
const ROW: f64 = 46.0;
const RULER: f64 = 24.0;

/// The figure: all headers of a frame, or the one that is asked for.
pub(crate) fn packet(
    name: &str,
    wire: &Wire,
    number: usize,
    key: Option<&str>,
) -> Result<String, String> {
    let frame = number
        .checked_sub(1)
        .and_then(|at| wire.frames().get(at))
        .ok_or_else(|| {
            format!(
                "there is no frame {number}: {name} has 1 to {}",
                wire.frames().len()
            )
        })?;
    let mut all = headers(frame);
    let keys: Vec<&str> = all.iter().map(|header| header.key).collect();
    if let Some(key) = key {
        all.retain(|header| header.key == key);
        if all.is_empty() {
            return Err(format!(
                "frame {number} of {name} has no header `{key}`; it has {}",
                keys.join(", ")
            ));
        }
    }
    let mut html = String::from("<figure class=\"packet\">\n");
    for header in &all {
        let id = format!("packet-{name}-{number}-{}", header.key);
        let title = format!(
            "{} header of frame {number} of {}",
            header.name,
            name.replace('-', " ")
        );
        let values = values(header, frame);
        let said: Vec<String> = values
            .iter()
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        let text = format!("{} bytes: {}.", header.length(), said.join(", "));
        _ = write!(
            html,
            "<p class=\"header\">{}, {} bytes</p>\n<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"{}\">\n{}</div>\n",
            header.name,
            header.length(),
            escape(&title),
            draw(&id, &title, &text, header, &frame.bytes)
        );
    }
    html += "<details><summary>The same as a table</summary>\n<table><thead><tr><th>Byte</th><th>Header</th><th>Field</th><th>Bits</th><th>Value</th></tr></thead>\n<tbody>\n";
    for header in &all {
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
    let data = frame.data().len();
    let follows = if data > 0 {
        format!(", with {data} bytes of data")
    } else {
        String::new()
    };
    _ = write!(
        html,
        "</tbody></table>\n</details>\n<figcaption><span>Frame {number} of <code>{}</code>, from {} to {}{follows}</span></figcaption>\n</figure>",
        escape(name),
        escape(&frame.from),
        escape(&super::addressee(frame)),
    );
    Ok(html)
}

fn draw(id: &str, title: &str, text: &str, header: &Header, bytes: &[u8]) -> String {
    let mut picture = Picture::default();
    for bit in (0_u8..32).filter(|bit| bit % 8 == 0 || bit % 8 == 7) {
        picture.text(
            "small",
            Anchor::Middle,
            (LEFT + (f64::from(bit) + 0.5) * BIT, 16.0),
            &bit.to_string(),
        );
    }
    let mut at = 0;
    for field in &header.fields {
        draw_field(&mut picture, header, field, at, bytes);
        at += field.bits;
    }
    let rows = at.div_ceil(32);
    for row in 0..rows {
        let y = RULER + px(row) * ROW;
        picture.text(
            "small",
            Anchor::End,
            (LEFT - 8.0, y + ROW / 2.0 + 4.0),
            &(row * 4).to_string(),
        );
    }
    picture.finish(
        id,
        title,
        text,
        (LEFT + 32.0 * BIT + 2.0, RULER + px(rows) * ROW + 4.0),
    )
}

/// A field as one box, or where it goes on in the next row, as a box in each.
fn draw_field(picture: &mut Picture, header: &Header, field: &Field, at: usize, bytes: &[u8]) {
    let whole_rows = at.is_multiple_of(32) && field.bits > 32 && field.bits.is_multiple_of(32);
    let mut done = 0;
    while done < field.bits {
        let (row, column) = ((at + done) / 32, (at + done) % 32);
        let bits = if whole_rows {
            field.bits
        } else {
            (field.bits - done).min(32 - column)
        };
        let (x, y) = (LEFT + px(column) * BIT, RULER + px(row) * ROW);
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
