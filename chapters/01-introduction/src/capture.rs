// ANCHOR: frames
//! Which frames are in a capture file?
//!
//! Both formats of the field are read: pcap, which `tcpdump -w` writes, and pcapng,
//! which Wireshark writes. Of each frame only the bytes are taken.

use std::error::Error;
use std::fmt;

/// Why a file is no capture that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoCapture(&'static str);

impl Error for NoCapture {}

impl fmt::Display for NoCapture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

const UNKNOWN: NoCapture =
    NoCapture("no capture: it begins neither as pcap nor as pcapng");
const CUT: NoCapture = NoCapture(
    "a broken capture: it ends, or says something impossible, in the middle",
);
const OTHER_LINK: NoCapture = NoCapture(
    "a capture of something else than Ethernet; capture on one interface, not on any",
);

/// The frames in the bytes of a file, in their order.
///
/// # Errors
///
/// [`NoCapture`] for what is neither format, for a file that was cut short, and for a
/// link that is not Ethernet.
pub fn frames(file: &[u8]) -> Result<Vec<&[u8]>, NoCapture> {
    let magic: [u8; 4] = *file.first_chunk().ok_or(UNKNOWN)?;
    // The files are in the byte order of the machine that wrote them; the first word
    // tells which.
    match magic {
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => {
            pcap(file, u32::from_le_bytes)
        }
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => {
            pcap(file, u32::from_be_bytes)
        }
        [0x0a, 0x0d, 0x0d, 0x0a] => pcapng(file),
        _ => Err(UNKNOWN),
    }
}

/// How four bytes are a number.
type Order = fn([u8; 4]) -> u32;

/// The 32-bit number at this offset.
fn number(bytes: &[u8], at: usize, order: Order) -> Result<u32, NoCapture> {
    let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk);
    Ok(order(*bytes.ok_or(CUT)?))
}
// ANCHOR_END: frames

// ANCHOR: pcap
/// `LINKTYPE_ETHERNET`.
const ETHERNET: u32 = 1;

/// A header of 24 bytes, then 16 bytes before each frame: seconds, fraction, bytes
/// kept, bytes sent.
fn pcap(file: &[u8], order: Order) -> Result<Vec<&[u8]>, NoCapture> {
    if number(file, 20, order)? & 0xffff != ETHERNET {
        return Err(OTHER_LINK);
    }
    let mut frames = Vec::new();
    let mut at = 24;
    while at < file.len() {
        let kept = number(file, at + 8, order)? as usize;
        frames.push(file[at..].get(16..16 + kept).ok_or(CUT)?);
        at += 16 + kept;
    }
    Ok(frames)
}
// ANCHOR_END: pcap

// ANCHOR: pcapng
/// Blocks: type, length of the whole block, body, length again. A body of type 6 is a
/// frame.
fn pcapng(file: &[u8]) -> Result<Vec<&[u8]>, NoCapture> {
    const SECTION: u32 = 0x0a0d_0d0a;
    const INTERFACE: u32 = 1;
    const FRAME: u32 = 6;
    let mut order: Order = u32::from_le_bytes;
    let mut frames = Vec::new();
    let mut at = 0;
    while at < file.len() {
        let block = &file[at..];
        if number(block, 0, order)? == SECTION {
            let little = number(block, 8, u32::from_le_bytes)? == 0x1a2b_3c4d;
            order = if little { u32::from_le_bytes } else { u32::from_be_bytes };
        }
        let length = number(block, 4, order)? as usize;
        let block =
            block.get(..length).filter(|block| block.len() >= 12).ok_or(CUT)?;
        match number(block, 0, order)? {
            // The link's type has 16 bits, and 16 that are reserved behind it.
            INTERFACE if !is_ethernet(block) => return Err(OTHER_LINK),
            FRAME => {
                let kept = number(block, 20, order)? as usize;
                frames.push(block.get(28..28 + kept).ok_or(CUT)?);
            }
            _ => {}
        }
        at += length;
    }
    Ok(frames)
}

fn is_ethernet(interface: &[u8]) -> bool {
    matches!(interface.get(8..10), Some([1, 0] | [0, 1]))
}
// ANCHOR_END: pcapng
