//! What happened, frame by frame: which segment was sent again, after how long, and in which states were both ends then?

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::states::{End, State};
use super::{Flags, Frame, Name, TcpOption, Wire};

/// Ports from here on are chosen by the kernel; see `ip_local_port_range` in ip(7).
const CHOSEN: u16 = 32_768;

/// What is to be told of a frame beside what it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// It says again what another frame said.
    pub again: Option<Again>,
    /// It asks whether the other end is still there: an empty segment, or one with an old byte.
    pub probe: bool,
    /// An acknowledgment and nothing else, which TCP might also have sent along with something else, or not at all.
    pub bare: bool,
    /// The ports of TCP or UDP: one that the kernel chose is a letter.
    pub ports: Option<(String, String)>,
    /// The first frame of a TCP connection: in which state each end is before it.
    pub begins: Vec<(Name, State)>,
    /// Whose state it changed, to which, in order.
    pub changes: Vec<(Name, State)>,
}

/// A segment that was sent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Again {
    /// Index of the frame that was the first to say it.
    pub of: usize,
    /// Index of the frame that was the last to say it.
    pub last: usize,
    /// How long it was waited since the last time.
    pub after: Duration,
    /// The same, as a multiple of the first wait for this segment: a power of 2, and the nearest one.
    pub ratio: u32,
}

/// One direction of a connection: from, to.
type Direction = (SocketAddr, SocketAddr);

#[derive(Default)]
struct Sent {
    /// For each first number: index of the first frame and of the last, and the waits so far.
    pieces: HashMap<(u32, bool), (usize, usize, Vec<Duration>)>,
    /// The number after all that was sent.
    next: u32,
    /// It has acknowledged something: the other end's SYN, at first.
    acknowledged: bool,
}

impl Wire {
    /// What is to be told of each frame.
    pub fn story(&self) -> Vec<Told> {
        let mut letters: Vec<(IpAddr, u16)> = Vec::new();
        let mut sent: HashMap<Direction, Sent> = HashMap::new();
        let mut story = Vec::new();
        for (index, frame) in self.frames.iter().enumerate() {
            let mut told = Told::default();
            if let (Some(ip), Some((from, to))) = (frame.packet.ip(), frame.packet.ports()) {
                let mut name = |ip: IpAddr, port: u16| {
                    if port < CHOSEN {
                        return port.to_string();
                    }
                    let known = letters.iter().position(|known| *known == (ip, port));
                    letter(known.unwrap_or_else(|| {
                        letters.push((ip, port));
                        letters.len() - 1
                    }))
                };
                told.ports = Some((name(ip.source, from), name(ip.destination, to)));
                let direction = (
                    SocketAddr::new(ip.source, from),
                    SocketAddr::new(ip.destination, to),
                );
                self.tell_repetition(index, direction, &mut sent, &mut told);
            }
            story.push(told);
        }
        self.tell_states(&mut story);
        story
    }

    /// What happened to the ends, in the order in which it happened: a segment may arrive after others that were sent later.
    fn tell_states(&self, story: &mut [Told]) {
        let refusing = self.refusing();
        let mut ends: HashMap<Direction, End> = HashMap::new();
        let mut events: Vec<(Duration, usize, bool)> = Vec::new();
        for (index, frame) in self.frames.iter().enumerate() {
            let Some((from, to)) = direction_of(frame) else {
                continue;
            };
            events.push((frame.time, index, false));
            let arrivals = frame.fates.iter().filter(|fate| fate.what.arrived());
            events.extend(
                arrivals
                    .map(|fate| fate.at)
                    .min()
                    .map(|at| (at, index, true)),
            );
            if ends.contains_key(&(from, to)) {
                continue;
            }
            let opens = frame
                .packet
                .tcp()
                .is_some_and(|tcp| tcp.flags.has(Flags::SYN));
            // A connection whose beginning is not in the record is open.
            let (one, other) = match opens {
                true if refusing.contains(&(to, from)) => (State::Closed, State::Closed),
                true => (State::Closed, State::Listen),
                false => (State::Established, State::Established),
            };
            ends.insert((from, to), End::new(one));
            ends.insert((to, from), End::new(other));
            story[index].begins.push((frame.from.clone(), one));
            story[index]
                .begins
                .extend(frame.to.clone().map(|host| (host, other)));
        }
        events.sort_by_key(|(time, ..)| *time);
        for (_, index, arrives) in events {
            let frame = &self.frames[index];
            let (Some((from, to)), Some(tcp)) = (direction_of(frame), frame.packet.tcp()) else {
                continue;
            };
            let (whose, host) = if arrives {
                ((to, from), frame.to.clone())
            } else {
                ((from, to), Some(frame.from.clone()))
            };
            let (Some(end), Some(host)) = (ends.get_mut(&whose), host) else {
                continue;
            };
            let before = end.state;
            if arrives {
                end.receives(tcp);
            } else {
                end.sends(tcp, frame.packet.data.len());
            }
            if end.state != before {
                story[index].changes.push((host, end.state));
            }
        }
    }

    /// The directions in which nothing but RST is said: nobody listened there.
    fn refusing(&self) -> HashSet<Direction> {
        let mut talking = HashSet::new();
        let mut refusing = HashSet::new();
        for frame in &self.frames {
            let (Some(direction), Some(tcp)) = (direction_of(frame), frame.packet.tcp()) else {
                continue;
            };
            if !tcp.flags.has(Flags::RST) {
                talking.insert(direction);
            } else if !talking.contains(&direction) {
                refusing.insert(direction);
            }
        }
        refusing
    }

    fn tell_repetition(
        &self,
        index: usize,
        direction: Direction,
        sent: &mut HashMap<Direction, Sent>,
        told: &mut Told,
    ) {
        let frame = &self.frames[index];
        let Some(tcp) = frame.packet.tcp() else {
            return;
        };
        let sent = sent.entry(direction).or_default();
        let length = frame.packet.data.len() as u32;
        let takes =
            length + u32::from(tcp.flags.has(Flags::SYN)) + u32::from(tcp.flags.has(Flags::FIN));
        let start = tcp.relative_sequence;
        if tcp.flags.has(Flags::RST) {
            return;
        }
        if takes == 0 {
            told.probe = start.wrapping_add(1) == sent.next && sent.acknowledged;
            let sacks = tcp
                .options
                .iter()
                .any(|option| matches!(option, TcpOption::Sack(_)));
            told.bare = !told.probe && sent.acknowledged && tcp.window > 0 && !sacks;
            sent.acknowledged |= tcp.flags.has(Flags::ACK);
            return;
        }
        sent.acknowledged |= tcp.flags.has(Flags::ACK);
        // An end that sent SYN and FIN has sent two things with the numbers they have.
        let key = (start, tcp.flags.has(Flags::SYN));
        if let Some((of, last, waits)) = sent.pieces.get_mut(&key) {
            let after = frame.time.saturating_sub(self.frames[*last].time);
            waits.push(after);
            told.again = Some(Again {
                of: *of,
                last: *last,
                after,
                ratio: ratio(after, waits[0]),
            });
            *last = index;
        } else if start < sent.next {
            // Cut in other pieces than the first time: the piece before it has it.
            let first = sent
                .pieces
                .iter()
                .filter(|((from, _), _)| *from <= start)
                .max_by_key(|((from, _), _)| *from);
            if let Some((_, &(of, last, _))) = first {
                let after = frame.time.saturating_sub(self.frames[last].time);
                told.again = Some(Again {
                    of,
                    last,
                    after,
                    ratio: 1,
                });
            }
            sent.pieces.insert(key, (index, index, Vec::new()));
        } else {
            sent.pieces.insert(key, (index, index, Vec::new()));
        }
        sent.next = sent.next.max(start.wrapping_add(takes));
    }
}

/// The direction of a segment of TCP.
fn direction_of(frame: &Frame) -> Option<Direction> {
    let (ip, tcp) = (frame.packet.ip()?, frame.packet.tcp()?);
    Some((
        SocketAddr::new(ip.source, tcp.source_port),
        SocketAddr::new(ip.destination, tcp.destination_port),
    ))
}

/// The power of 2 that is next to `wait` / `first`.
fn ratio(wait: Duration, first: Duration) -> u32 {
    let times = wait.as_secs_f64() / first.as_secs_f64().max(1e-9);
    1 << (times.log2().round().clamp(0.0, 30.0) as u32)
}

/// A, B, … Z, A2, …
fn letter(index: usize) -> String {
    let letter = char::from(b'A' + (index % 26) as u8);
    match index / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{}", round + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_powers_of_the_first() {
        let ms = Duration::from_millis;
        let ratios: Vec<u32> = [200, 210, 390, 850, 1700]
            .map(|wait| ratio(ms(wait), ms(203)))
            .to_vec();
        assert_eq!(ratios, [1, 1, 2, 4, 8]);
        assert_eq!(ratio(ms(100), ms(0)), 1 << 27);
    }

    #[test]
    fn letters_go_round() {
        assert_eq!([0, 25, 26, 53].map(letter), ["A", "Z", "A2", "B3"]);
    }
}
