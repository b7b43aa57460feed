//! How is a conversation drawn?
//!
//! As a ladder, 80 columns wide: time runs down, every host is a vertical line, every frame an arrow. A frame that was lost
//! ends in an X before its host.

use std::fmt::Write;
use std::time::Duration;

use super::{Frame, Name, Socket, Wire};

const WIDTH: usize = 80;
/// Where the first host's line stands; the times are left of it.
const LEFT: usize = 12;

impl Wire {
    /// The frames as a drawing of at most 80 columns, a line each, with the hosts' names on top.
    pub fn ladder(&self) -> String {
        let hosts = self.hosts();
        let Some(first) = self.frames.first() else {
            return "(nothing was on the wire)\n".to_owned();
        };
        let column = |host: &Name| {
            hosts
                .iter()
                .position(|known| known == host)
                .map_or(LEFT, |i| place(i, hosts.len()))
        };
        let mut drawing = heading(&hosts);
        let several = self.connections() > 1;
        for frame in &self.frames {
            let mut line = vec![' '; WIDTH];
            for i in 0..hosts.len() {
                line[place(i, hosts.len())] = '|';
            }
            let mut words = frame.words();
            // A window that is open, or merely scaled, is worth no place here.
            words.retain(|word| {
                !word.starts_with("wscale=") && (!word.starts_with("win=") || word == "win=0")
            });
            if several
                && let (Some(_), Some((from, to))) = (frame.packet.tcp(), frame.packet.ports())
            {
                words.insert(0, format!("{from}→{to}"));
            }
            let remark = frame.remark();
            let from = column(&frame.from);
            let arrives = frame.arrived() || frame.fates.is_empty();
            match &frame.to {
                Some(to) => arrow(&mut line, from, column(to), &words, &remark, arrives),
                // For several: to the outermost of them on both sides, what it says on the longer one.
                None => {
                    let reached = || {
                        frame
                            .fates
                            .iter()
                            .map(|fate| column(&fate.to))
                            .chain([from])
                    };
                    let left = reached().min().unwrap_or(from);
                    let right = reached().max().unwrap_or(from);
                    let (near, far) = if from - left > right - from {
                        (right, left)
                    } else {
                        (left, right)
                    };
                    arrow(&mut line, from, near, &[], "", true);
                    arrow(&mut line, from, far, &words, &remark, arrives);
                }
            }
            let line: String = line[LEFT..].iter().collect();
            let _ = writeln!(
                drawing,
                "{:>10}  {}",
                clock(frame.time.saturating_sub(first.time)),
                line.trim_end()
            );
        }
        drawing
    }

    /// The hosts that sent or should have received one of these frames: those of the first LAN, a router, those of the second.
    pub fn hosts(&self) -> Vec<Name> {
        let takes_part = |host: &Name, frame: &Frame| {
            let for_all = frame.to.is_none() && frame.fates.iter().any(|fate| fate.to == *host);
            frame.from == *host || frame.to.as_ref() == Some(host) || for_all
        };
        let mut hosts: Vec<(usize, Name)> = Vec::new();
        for Socket { host, lan, .. } in &*self.sockets {
            match hosts.iter_mut().find(|(_, known)| known == host) {
                // A host on two LANs stands between them.
                Some((order, _)) => *order = 1,
                None if self.frames.iter().any(|frame| takes_part(host, frame)) => {
                    hosts.push((2 * lan, host.clone()));
                }
                None => {}
            }
        }
        hosts.sort_by_key(|(order, _)| *order);
        hosts.into_iter().map(|(_, host)| host).collect()
    }
}

/// Column of the line of host `i` of `count`.
fn place(i: usize, count: usize) -> usize {
    if count < 2 {
        LEFT
    } else {
        LEFT + i * (WIDTH - 2 - LEFT) / (count - 1)
    }
}

/// The names, each centered over its line as far as the margins allow.
fn heading(hosts: &[Name]) -> String {
    let mut line = vec![' '; WIDTH];
    let mut free = 0;
    for (i, host) in hosts.iter().enumerate() {
        let length = host.chars().count();
        let start = (place(i, hosts.len()) + 1)
            .saturating_sub(length.div_ceil(2))
            .min(WIDTH.saturating_sub(length))
            .max(free);
        for (cell, c) in line.iter_mut().skip(start).zip(host.chars()) {
            *cell = c;
        }
        free = start + length + 1;
    }
    let line: String = line.iter().collect();
    format!("{}\n", line.trim_end())
}

/// Draws an arrow from one column to another, with as many of the words in it as fit.
fn arrow(line: &mut [char], from: usize, to: usize, words: &[String], remark: &str, arrives: bool) {
    let (low, high) = (from.min(to) + 1, from.max(to));
    if low >= high {
        return;
    }
    line[low..high].fill('-');
    let (head, tail) = if to > from {
        (high - 1, '>')
    } else {
        (low, '<')
    };
    if arrives {
        line[head] = tail;
    } else {
        // It ends two cells before the line.
        for step in 0..3.min(high - low) {
            line[if to > from {
                high - 1 - step
            } else {
                low + step
            }] = [' ', ' ', 'X'][step];
        }
    }
    let room = (high - low).saturating_sub(6);
    let text = label(words, remark, room);
    let length = text.chars().count();
    let start = low + (high - low - length.min(high - low)) / 2;
    for (cell, c) in line[start..high].iter_mut().zip(text.chars()) {
        *cell = c;
    }
}

/// As many words as fit in `room`, the remark always.
fn label(words: &[String], remark: &str, room: usize) -> String {
    let remark = if remark.is_empty() {
        String::new()
    } else {
        format!(" ({remark})")
    };
    for count in (1..=words.len()).rev() {
        let text = format!("{}{remark}", words[..count].join(" "));
        if text.chars().count() <= room {
            return text;
        }
    }
    let text = format!("{}{remark}", words.first().map_or("", String::as_str));
    let mut short: String = text.chars().take(room.saturating_sub(1)).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// A time with a unit that suits it.
pub(super) fn clock(time: Duration) -> String {
    match time.as_micros() {
        micros @ 0..10_000 => format!("{micros} µs"),
        micros @ 10_000..10_000_000 => format!("{}.{} ms", micros / 1000, micros % 1000 / 100),
        micros => format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
    }
}
