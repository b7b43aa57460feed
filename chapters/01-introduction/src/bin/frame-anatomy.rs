//! Which layers does a frame have, and what does each say?

use std::fs;
use std::io::{self, Write};
use std::ops::Range;
use std::process::ExitCode;

use introduction::anatomy::{Dissection, dissect};
use introduction::capture;
use introduction::program::{Outcome, run};

const USAGE: &str = "usage: frame-anatomy [CAPTURE] [NUMBER]; \
    CAPTURE is daytime, daytime-ipv6, byte-a-write, nobody-there, \
    or a file of tcpdump or Wireshark";

fn main() -> ExitCode {
    run(USAGE, work)
}

// ANCHOR: work
fn work(arguments: &[&str], out: &mut dyn Write) -> Outcome {
    let (name, number) = match arguments {
        [] => ("daytime", None),
        [one] => match one.parse::<usize>() {
            Ok(number) => ("daytime", Some(number)),
            Err(_) => (*one, None),
        },
        [name, number] => (*name, Some(number.parse().map_err(|_| USAGE)?)),
        _ => return Err(USAGE.into()),
    };
    let file = open(name).map_err(|error| format!("{name}: {error}; {USAGE}"))?;
    let frames =
        capture::frames(&file).map_err(|error| format!("{name} is {error}"))?;
    let Some(number) = number else {
        for (number, frame) in (1..).zip(&frames) {
            show_line(number, &dissect(frame), out)?;
        }
        return Ok(());
    };
    match number.checked_sub(1).and_then(|at| frames.get(at)) {
        Some(frame) => show_fields(frame, &dissect(frame), out),
        None => Err(format!(
            "there is no frame {number}: {name} has 1 to {}",
            frames.len()
        )
        .into()),
    }
}

/// The exchanges of the chapter, or a file.
fn open(name: &str) -> io::Result<Vec<u8>> {
    Ok(match name {
        "daytime" => include_bytes!("../../captures/daytime.pcap").to_vec(),
        "daytime-ipv6" => include_bytes!("../../captures/daytime-ipv6.pcap").to_vec(),
        "byte-a-write" => include_bytes!("../../captures/byte-a-write.pcap").to_vec(),
        "nobody-there" => include_bytes!("../../captures/nobody-there.pcap").to_vec(),
        path => fs::read(path)?,
    })
}
// ANCHOR_END: work

// ANCHOR: show
/// A line for a frame: its headers with their lengths, and what it is about.
fn show_line(number: usize, frame: &Dissection, out: &mut dyn Write) -> Outcome {
    let headers: Vec<String> = frame
        .headers
        .iter()
        .map(|header| format!("{} {}", header.name, header.bytes.len()))
        .collect();
    writeln!(out, "{number:>2}  {:37}  {}", headers.join(", "), frame.summary)?;
    Ok(())
}

/// All of a frame: each header, and below it its fields. What has no fields is data.
fn show_fields(
    frame: &[u8],
    dissection: &Dissection,
    out: &mut dyn Write,
) -> Outcome {
    for header in &dissection.headers {
        writeln!(out, "{}, {} bytes", header.name, header.bytes.len())?;
        for field in &header.fields {
            let mut says = format!("{:16} {}", field.name, field.says);
            for (at, row) in rows(frame, &field.bytes) {
                show_row(at, row, &says, out)?;
                says.clear();
            }
        }
        if header.fields.is_empty() {
            for (at, row) in rows(frame, &header.bytes) {
                show_row(at, row, &format!("\"{}\"", row.escape_ascii()), out)?;
            }
        }
    }
    Ok(())
}

/// Eight bytes at a time, and where they begin.
fn rows<'f>(
    frame: &'f [u8],
    bytes: &Range<usize>,
) -> impl Iterator<Item = (usize, &'f [u8])> {
    let offsets = bytes.clone().step_by(8);
    offsets.zip(frame[bytes.clone()].chunks(8))
}

fn show_row(at: usize, bytes: &[u8], says: &str, out: &mut dyn Write) -> Outcome {
    let digits: Vec<String> =
        bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let line = format!("  {at:>3}  {:23}  {says}", digits.join(" "));
    writeln!(out, "{}", line.trim_end())?;
    Ok(())
}
// ANCHOR_END: show
