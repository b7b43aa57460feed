// ANCHOR: read
//! The datagram: one message, from one program to another. RFC 768.

use super::Next;
use super::checksum;
use super::reader::{Ends, Reader};

pub(super) fn read(frame: &mut Reader) -> Result<Next, Ends> {
    frame.header("UDP");
    let datagram = frame.since_header();
    let source = frame.number("source port", |port: u16| port.to_string())?;
    let destination =
        frame.number("destination port", |port: u16| port.to_string())?;
    frame
        .number("length", |length: u16| format!("{length} bytes with the header"))?;
    let pseudo_header = frame.pseudo_header.clone();
    frame.number("checksum", |sum: u16| match sum {
        0 => "none".into(),
        _ => checksum::verdict_with(&pseudo_header, datagram),
    })?;
    frame.about(&frame.ends(Some((source, destination))));
    Ok(Next::Data)
}
// ANCHOR_END: read
