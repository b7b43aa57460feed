//! How do Wireshark and tshark get to see a record?
//!
//! As a pcapng file (draft-ietf-opsawg-pcapng): a section, an interface for each cable, and a packet for each frame, on the cable
//! it came in by, with the time in nanoseconds and a comment if something befell it.

use std::io::{self, Write};
use std::time::UNIX_EPOCH;

use super::{Frame, Wire};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;
/// Says in which byte order the file is: ours.
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
const LINK_ETHERNET: u16 = 1;

const OPT_COMMENT: u16 = 1;
const OPT_USER_APPLICATION: u16 = 4;
const OPT_INTERFACE_NAME: u16 = 2;
const OPT_INTERFACE_MAC: u16 = 6;
const OPT_TIME_RESOLUTION: u16 = 9;

impl Wire {
    /// Writes the frames as a pcapng file.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn pcapng(&self, to: &mut impl Write) -> io::Result<()> {
        let mut section = BYTE_ORDER_MAGIC.to_ne_bytes().to_vec();
        // Version 1.0, and a length that is not known.
        section.extend([1u16.to_ne_bytes(), 0u16.to_ne_bytes()].concat());
        section.extend(u64::MAX.to_ne_bytes());
        option(&mut section, OPT_USER_APPLICATION, b"Runnable Sockets lab");
        block(to, SECTION_HEADER, section)?;
        for socket in &*self.sockets {
            let mut interface = [LINK_ETHERNET.to_ne_bytes(), [0, 0]].concat();
            // No limit to a packet's length.
            interface.extend(0u32.to_ne_bytes());
            option(
                &mut interface,
                OPT_INTERFACE_NAME,
                format!("{}:{}", socket.host, socket.device).as_bytes(),
            );
            option(&mut interface, OPT_INTERFACE_MAC, &socket.mac.0);
            option(&mut interface, OPT_TIME_RESOLUTION, &[9]);
            block(to, INTERFACE, interface)?;
        }
        self.frames
            .iter()
            .try_for_each(|frame| self.packet(to, frame))
    }

    fn packet(&self, to: &mut impl Write, frame: &Frame) -> io::Result<()> {
        let since_1970 = self.began.duration_since(UNIX_EPOCH).unwrap_or_default() + frame.time;
        let nanoseconds = since_1970.as_nanos() as u64;
        let numbers = [
            frame.port as u32,
            (nanoseconds >> 32) as u32,
            nanoseconds as u32,
            frame.bytes.len() as u32,
            frame.length as u32,
        ];
        let mut body: Vec<u8> = numbers.into_iter().flat_map(u32::to_ne_bytes).collect();
        body.extend_from_slice(&frame.bytes);
        pad(&mut body);
        for fate in &frame.fates {
            let remark = fate.what.remark();
            if !remark.is_empty() {
                let by = if fate.rule > 0 {
                    format!(" by rule {}", fate.rule)
                } else {
                    String::new()
                };
                option(
                    &mut body,
                    OPT_COMMENT,
                    format!("to {}: {remark}{by}", fate.to).as_bytes(),
                );
            }
        }
        block(to, PACKET, body)
    }
}

/// Writes a block: type, length, body with the end of its options, and the length again.
fn block(to: &mut impl Write, kind: u32, mut body: Vec<u8>) -> io::Result<()> {
    body.extend([0; 4]);
    let length = body.len() as u32 + 12;
    for part in [
        &kind.to_ne_bytes()[..],
        &length.to_ne_bytes(),
        &body,
        &length.to_ne_bytes(),
    ] {
        to.write_all(part)?;
    }
    Ok(())
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_ne_bytes());
    body.extend((value.len() as u16).to_ne_bytes());
    body.extend_from_slice(value);
    pad(body);
}

fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}
