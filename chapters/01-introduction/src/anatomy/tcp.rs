// ANCHOR: read
//! The segment: a piece of a stream, from one program to another. RFC 9293 section
//! 3.1.

use super::Next;
use super::checksum;
use super::reader::{Ends, Reader};

const FLAGS: [(u8, &str); 6] = [
    (0x02, "SYN"),
    (0x01, "FIN"),
    (0x04, "RST"),
    (0x08, "PSH"),
    (0x20, "URG"),
    (0x10, "ACK"),
];

pub(super) fn read(frame: &mut Reader) -> Result<Next, Ends> {
    frame.header("TCP");
    let segment = frame.since_header();
    let source = frame.number("source port", |port: u16| port.to_string())?;
    let destination =
        frame.number("destination port", |port: u16| port.to_string())?;
    frame.number("sequence number", |number: u32| number.to_string())?;
    frame.number("acknowledgment", |number: u32| number.to_string())?;
    let offset = frame
        .number("header length", |byte: u8| format!("{} bytes", 4 * (byte >> 4)))?;
    let bits = frame.number("flags", names)?;
    frame.number("window", |window: u16| format!("{window}"))?;
    let pseudo_header = frame.pseudo_header.clone();
    frame.number("checksum", |_: u16| {
        checksum::verdict_with(&pseudo_header, segment)
    })?;
    frame.number("urgent pointer", |pointer: u16| pointer.to_string())?;
    let options = (4 * usize::from(offset >> 4)).checked_sub(frame.header_length());
    match options.ok_or_else(|| frame.impossible())? {
        0 => {}
        length => drop(frame.field("options", length, options_in_words)?),
    }
    frame.about(&frame.ends(Some((source, destination))));
    frame.about(&names(bits));
    Ok(Next::Data)
}

fn names(bits: u8) -> String {
    let set = FLAGS.iter().filter(|(flag, _)| bits & flag != 0);
    let names: Vec<&str> = set.map(|(_, name)| *name).collect();
    names.join(" ")
}
// ANCHOR_END: read

// ANCHOR: options
/// The options, by name. Each is a kind and, but for the two of one byte, its own
/// length.
fn options_in_words(mut bytes: &[u8]) -> String {
    let mut words = Vec::new();
    loop {
        let length = match bytes {
            [] | [0, ..] => break,
            [1, ..] => 1,
            [_, length, ..] if (2..=bytes.len()).contains(&(*length).into()) => {
                usize::from(*length)
            }
            _ => {
                words.push("broken".to_owned());
                break;
            }
        };
        words.extend(match bytes[..length] {
            [2, _, a, b] => {
                Some(format!("largest segment {}", u16::from_be_bytes([a, b])))
            }
            [3, _, shift] => Some(format!("window times {}", 1_u64 << shift.min(14))),
            [4, _] => Some("selective acknowledgments".into()),
            [5, ..] => Some("arrived out of order".into()),
            [8, ..] => Some("timestamps".into()),
            // To fill up with.
            [1] | [] => None,
            [kind, ..] => Some(format!("option {kind}")),
        });
        bytes = &bytes[length..];
    }
    words.join(", ")
}
// ANCHOR_END: options
