//! Which bytes did a host send over TCP?

use std::collections::BTreeMap;

use super::{Flags, Wire};

impl Wire {
    /// The bytes that came out of this host in one direction of a TCP connection, put in order, what was sent twice only once,
    /// up to the first gap. The first connection on this wire is meant: choose with [`Wire::tcp`].
    pub fn data(&self, host: &str) -> Vec<u8> {
        let sent = || {
            self.frames
                .iter()
                .filter(|frame| &*frame.from == host && frame.packet.tcp().is_some())
        };
        let Some(ports) = sent().next().and_then(|frame| frame.packet.ports()) else {
            return Vec::new();
        };
        // Keyed by the place in the stream. A SYN takes a number and has its data after it, so data begins at 1.
        let mut pieces = BTreeMap::new();
        for frame in sent().filter(|frame| frame.packet.ports() == Some(ports)) {
            let Some(tcp) = frame.packet.tcp() else {
                continue;
            };
            let start = tcp
                .relative_sequence
                .wrapping_add(u32::from(tcp.flags.has(Flags::SYN)));
            // A keepalive's byte lies before the stream's next, and before its first on an idle connection.
            if start > 0 && !frame.data().is_empty() {
                let piece: &mut &[u8] = pieces.entry(start).or_default();
                if frame.data().len() > piece.len() {
                    *piece = frame.data();
                }
            }
        }
        let mut stream: Vec<u8> = Vec::new();
        for (start, piece) in pieces {
            let have = stream.len();
            let Some(known) = (have + 1).checked_sub(start as usize) else {
                break;
            };
            stream.extend_from_slice(piece.get(known..).unwrap_or_default());
        }
        stream
    }
}
