//! What went over the wire?
//!
//! A [`Wire`] is the record of a network's switch, decoded: every [`Frame`] with its time, its sender, what it says and what
//! became of it. Narrow it down to what matters, then demand something of it, or show it:
//!
//! ```ignore
//! let wire = net.wire()?.tcp(7);
//! wire.expect(&["client → server: SYN", "server → client: SYN ACK", "client → server: ACK"])?;
//! assert_eq!(wire.data("client"), b"hello");
//! println!("{}", wire.ladder());
//! wire.pcapng(&mut File::create("check.pcapng")?)?;
//! cx.golden("wire/hello.wire", &wire)?;
//! ```

mod expect;
mod frame;
mod golden;
mod history;
mod ladder;
mod line;
mod packet;
mod pcapng;
mod record;
mod states;
mod story;
mod stream;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

pub use frame::{Fate, Frame, Name, What};
pub(crate) use history::{History, Socket};
pub use packet::*;
pub use states::State;
pub use story::{Again, Told};

/// Frames, in the order in which the switch took them.
#[derive(Clone, Debug)]
pub struct Wire {
    frames: Vec<Arc<Frame>>,
    sockets: Arc<[Socket]>,
    began: SystemTime,
}

impl Wire {
    /// The frames.
    pub fn frames(&self) -> &[Arc<Frame>] {
        &self.frames
    }

    /// The frames of TCP from or to this port.
    #[must_use]
    pub fn tcp(&self, port: u16) -> Self {
        self.only(|frame| frame.packet.tcp().is_some() && has_port(frame, port))
    }

    /// The frames of UDP from or to this port.
    #[must_use]
    pub fn udp(&self, port: u16) -> Self {
        self.only(|frame| frame.packet.udp().is_some() && has_port(frame, port))
    }

    /// The frames of ICMP and ICMPv6, without those by which hosts find each other.
    #[must_use]
    pub fn icmp(&self) -> Self {
        self.only(|frame| frame.packet.icmp().is_some() && !line::is_upkeep(frame))
    }

    /// The frames of ARP.
    #[must_use]
    pub fn arp(&self) -> Self {
        self.only(|frame| frame.packet.arp().is_some())
    }

    /// The frames that one of these hosts sent to the other, on a link they share.
    #[must_use]
    pub fn between(&self, a: &str, b: &str) -> Self {
        let is = |frame: &Frame, from: &str, to: &str| {
            &*frame.from == from && frame.to.as_deref() == Some(to)
        };
        self.only(|frame| is(frame, a, b) || is(frame, b, a))
    }

    /// The frames that came out of this host's cable.
    #[must_use]
    pub fn from(&self, host: &str) -> Self {
        self.only(|frame| &*frame.from == host)
    }

    /// Without the frames that hosts send on their own: ARP, neighbor discovery, announcements of multicast groups.
    #[must_use]
    pub fn without_upkeep(&self) -> Self {
        self.only(|frame| !line::is_upkeep(frame))
    }

    /// What frames' times count from.
    pub(crate) fn began(&self) -> SystemTime {
        self.began
    }

    /// How many TCP connections are in it.
    fn connections(&self) -> usize {
        let ends = self.frames.iter().filter_map(|frame| {
            let (ip, (from, to)) = (frame.packet.ip()?, frame.packet.ports()?);
            frame.packet.tcp()?;
            let (a, b) = ((ip.source, from), (ip.destination, to));
            Some((a.min(b), a.max(b)))
        });
        ends.collect::<HashSet<_>>().len()
    }
}

fn has_port(frame: &Frame, port: u16) -> bool {
    frame
        .packet
        .ports()
        .is_some_and(|(from, to)| from == port || to == port)
}

impl fmt::Display for Wire {
    /// A line for each frame, with its time.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let several = self.connections() > 1;
        self.frames.iter().try_for_each(|frame| {
            write!(f, "{:>10}  {frame}", ladder::clock(frame.time))?;
            match frame.packet.ports() {
                Some((from, to)) if several && frame.packet.tcp().is_some() => {
                    writeln!(f, "  [{from} → {to}]")
                }
                _ => writeln!(f),
            }
        })
    }
}
