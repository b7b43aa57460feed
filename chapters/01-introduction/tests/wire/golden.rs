//! The captures of the book, and whether they are still what happens.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use introduction::{anatomy, capture};
use lab::prelude::*;
use lab::wire::Frame;

/// Demands that these frames are like those of the capture: the same headers of the same lengths, and about the same
/// thing, whatever port the client has. A bare acknowledgment after the handshake may be there or not: TCP joins it with
/// what else it has to say, if that comes soon enough. And a segment may be sent twice. With BLESS set, the frames become the capture.
pub fn compare(name: &str, frames: &[Arc<Frame>]) -> Verdict {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("captures/{name}.pcap"));
    if std::env::var_os("LAB_BLESS").is_some() {
        fs::write(&path, pcap(frames))?;
    }
    let file = fs::read(&path)?;
    let golden =
        capture::frames(&file).map_err(|error| Finding::fault(format!("{name}: {error}")))?;
    let fresh: Vec<&[u8]> = frames.iter().map(|frame| &*frame.bytes).collect();
    let (golden, fresh) = (outline(&golden), outline(&fresh));
    if golden != fresh {
        let (fresh, golden) = (fresh.join("\n"), golden.join("\n"));
        return Err(Finding::fail("the exchange is not as the book shows it")
            .with_detail(format!("now:\n{fresh}\n\nin the book:\n{golden}")));
    }
    PASS
}

/// A line for each frame that must be there.
fn outline(frames: &[&[u8]]) -> Vec<String> {
    let mut client = String::new();
    let mut acknowledgments = 0;
    let lines = frames.iter().map(|frame| {
        let dissection = anatomy::dissect(frame);
        let field = |name| {
            let fields = dissection.headers.iter().flat_map(|header| &header.fields);
            fields
                .filter(|field| field.name == name)
                .map(|field| field.says.clone())
                .next()
        };
        if client.is_empty() {
            client = field("source port").unwrap_or_default();
        }
        let wrong = if field("checksum").is_some_and(|sum| sum == "wrong") {
            ", wrong checksum"
        } else {
            ""
        };
        let headers = dissection.headers.iter();
        let headers: Vec<String> = headers
            .map(|header| format!("{} {}", header.name, header.bytes.len()))
            .collect();
        let about = if client.is_empty() {
            dissection.summary
        } else {
            dissection.summary.replace(&client, "CLIENT")
        };
        format!("{}: {about}{wrong}", headers.join(" | "))
    });
    // The first bare acknowledgment is the third step of the handshake.
    let bare =
        |line: &str| line.contains("| TCP") && line.ends_with(", ACK") && !line.contains("data");
    let mut outline: Vec<String> = Vec::new();
    for line in lines {
        acknowledgments += u32::from(bare(&line));
        // What is there already was sent again, because the machine was busy.
        if !outline.contains(&line) && (!bare(&line) || acknowledgments == 1) {
            outline.push(line);
        }
    }
    outline
}

/// The format of `tcpdump -w`: a header of 24 bytes, 16 before each frame.
fn pcap(frames: &[Arc<Frame>]) -> Vec<u8> {
    let mut file = Vec::new();
    let header = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1];
    file.extend(header.into_iter().flat_map(u32::to_le_bytes));
    for frame in frames {
        let (time, length) = (frame.time, frame.bytes.len() as u32);
        let words = [time.as_secs() as u32, time.subsec_micros(), length, length];
        file.extend(words.into_iter().flat_map(u32::to_le_bytes));
        file.extend_from_slice(&frame.bytes);
    }
    file
}
