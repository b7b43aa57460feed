//! How does a record grow?
//!
//! The process that asks the switch keeps all frames it was told of here, adds what is new, and hands out snapshots.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Fate, Flags, Frame, Mac, Name, Packet, TcpOption, Transport, What, Wire};

/// A port of the switch: whose cable is in it.
#[derive(Clone, Debug)]
pub(crate) struct Socket {
    pub(crate) host: Name,
    pub(crate) device: String,
    pub(crate) mac: Mac,
    /// Which LAN the port belongs to.
    pub(crate) lan: usize,
}

/// All frames so far.
pub(crate) struct History {
    frames: Vec<Arc<Frame>>,
    sockets: Arc<[Socket]>,
    began: SystemTime,
    numbering: Numbering,
    read: usize,
}

impl History {
    /// None yet. `began` is the time that frames' times count from.
    pub(crate) fn new(sockets: Vec<Socket>, began: SystemTime) -> Self {
        Self {
            frames: Vec::new(),
            sockets: sockets.into(),
            began,
            numbering: Numbering::default(),
            read: 0,
        }
    }

    /// How many bytes of the switch's record are in it.
    pub(crate) fn length(&self) -> usize {
        self.read
    }

    /// So many more bytes are in it.
    pub(crate) fn read(&mut self, bytes: usize) {
        self.read += bytes;
    }

    /// A frame came in by this port.
    pub(crate) fn came(&mut self, time: Duration, port: usize, length: usize, bytes: &[u8]) {
        let mut packet = Packet::decode(bytes);
        self.numbering.number(&mut packet);
        let to = self
            .sockets
            .iter()
            .find(|socket| socket.mac == packet.destination_mac);
        self.frames.push(Arc::new(Frame {
            number: self.frames.len() + 1,
            time,
            from: self.sockets[port].host.clone(),
            to: to.map(|socket| socket.host.clone()),
            bytes: bytes.into(),
            length,
            packet: Arc::new(packet),
            fates: Vec::new(),
            port,
        }));
    }

    /// A copy of frame `index` came to its end at this port.
    pub(crate) fn went(&mut self, index: usize, port: usize, at: Duration, what: What, rule: u32) {
        let to = self.sockets[port].host.clone();
        // Copied only if somebody still has a snapshot with this frame.
        Arc::make_mut(&mut self.frames[index])
            .fates
            .push(Fate { to, at, what, rule });
    }

    /// A snapshot.
    pub(crate) fn wire(&self) -> Wire {
        Wire {
            frames: self.frames.clone(),
            sockets: self.sockets.clone(),
            began: self.began,
        }
    }
}

/// One direction of a TCP connection.
type Direction = (IpAddr, u16, IpAddr, u16);

/// What must be remembered of each direction to read its segments.
#[derive(Default)]
struct Numbering {
    /// Where its sequence numbers begin.
    first: HashMap<Direction, u32>,
    /// By how many bits its windows are to be shifted, as its SYN says.
    scale: HashMap<Direction, u8>,
}

impl Numbering {
    /// Fills in a segment's relative numbers and its scaled window.
    fn number(&mut self, packet: &mut Packet) {
        let Some((source, destination)) = packet.ip().map(|ip| (ip.source, ip.destination)) else {
            return;
        };
        let Transport::Tcp(tcp) = &mut packet.transport else {
            return;
        };
        let forth = (source, tcp.source_port, destination, tcp.destination_port);
        let back = (destination, tcp.destination_port, source, tcp.source_port);
        if tcp.flags.has(Flags::SYN) {
            self.first.insert(forth, tcp.sequence);
            let scale = tcp.options.iter().find_map(|option| match option {
                TcpOption::WindowScale(bits) => Some(*bits),
                _ => None,
            });
            match scale {
                Some(bits) => self.scale.insert(forth, bits),
                None => self.scale.remove(&forth),
            };
        } else if let (Some(bits), true) = (self.scale.get(&forth), self.scale.contains_key(&back))
        {
            // Scaled only if both ends said so, and never in a SYN. RFC 7323 section 2.2.
            tcp.scaled_window = u32::from(tcp.window) << bits.min(&14);
        }
        // A connection whose beginning was not seen: the first byte seen is the first.
        let first = *self
            .first
            .entry(forth)
            .or_insert(tcp.sequence.wrapping_sub(1));
        tcp.relative_sequence = tcp.sequence.wrapping_sub(first);
        if tcp.flags.has(Flags::ACK) {
            let first = *self
                .first
                .entry(back)
                .or_insert(tcp.acknowledgment.wrapping_sub(1));
            tcp.relative_acknowledgment = tcp.acknowledgment.wrapping_sub(first);
        }
    }
}
