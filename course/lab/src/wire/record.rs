//! How is a record kept, so that it can be compared, and read by people?
//!
//! As text. A line for each frame says what must come out the same in each run: who to whom, flags, relative numbers, lengths,
//! what was lost, what was sent again and after which multiple of the first wait. What differs from run to run and from kernel
//! to kernel is left out of it: times, chosen ports, windows, and PSH. Below it, behind a bar, are the frame's time, its fate and its
//! bytes in the run that was kept; they are not compared, and all that is drawn of the record is made from them.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::{Flags, Frame, History, Mac, Socket, What, Wire};

const HEAD: &str = "\
# What was on the wire, kept by a test. Lines with a bar are of the run that was kept; the others come out the same in each.
# `~` is an acknowledgment that TCP may also send along with something else. LAB_BLESS=1 writes the file anew.
";
/// Bytes in a line.
const ROW: usize = 48;

impl Wire {
    /// The frames as text that can be compared and read back.
    pub fn record(&self) -> String {
        let mut text = String::from(HEAD);
        for Socket {
            host,
            device,
            mac,
            lan,
        } in &*self.sockets
        {
            _ = writeln!(text, "host {host} {device} {mac} lan {lan}");
        }
        let first = self
            .frames
            .first()
            .map_or(Duration::ZERO, |frame| frame.time);
        for (index, (frame, line)) in self.frames.iter().zip(self.outline()).enumerate() {
            _ = writeln!(
                text,
                "\n{}{}",
                if line.bare { "~ " } else { "  " },
                line.text
            );
            _ = write!(
                text,
                "    | {} at {} on {}",
                index + 1,
                seconds(frame.time.saturating_sub(first)),
                frame.port
            );
            for fate in &frame.fates {
                let at = seconds(fate.at.saturating_sub(first));
                _ = write!(text, ", {} {} {at} {}", fate.to, name(fate.what), fate.rule);
            }
            text.push('\n');
            for row in frame.bytes.chunks(ROW) {
                text += "    | ";
                for byte in row {
                    _ = write!(text, "{byte:02x}");
                }
                text.push('\n');
            }
        }
        text
    }

    /// The frames of a record. A record without frames is an empty wire.
    ///
    /// # Errors
    /// The line that cannot be understood, counted from 1, and why.
    pub fn from_record(text: &str) -> Result<Wire, (usize, String)> {
        let mut sockets = Vec::new();
        let mut rows: Vec<(usize, String, Vec<u8>)> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let wrong = |what: &str| (number, format!("{what}: {line:?}"));
            if let Some(raw) = line.trim_start().strip_prefix("| ") {
                if raw.contains(" at ") {
                    rows.push((number, raw.to_owned(), Vec::new()));
                } else {
                    let bytes = bytes(raw).ok_or_else(|| wrong("not the bytes of a frame"))?;
                    let (_, _, of) = rows.last_mut().ok_or_else(|| wrong("bytes of no frame"))?;
                    of.extend(bytes);
                }
            } else if let Some(host) = line.strip_prefix("host ") {
                sockets.push(socket(host).ok_or_else(|| wrong("not a host"))?);
            }
        }
        let mut history = History::new(sockets.clone(), UNIX_EPOCH);
        for (index, (number, raw, bytes)) in rows.iter().enumerate() {
            let wrong = || (*number, format!("not a frame's time and fate: {raw:?}"));
            entry(&mut history, &sockets, index, raw, bytes).ok_or_else(wrong)?;
        }
        Ok(history.wire())
    }

    /// What of each frame must come out the same.
    pub(super) fn outline(&self) -> Vec<Outline> {
        let told = self.story();
        let lines = self.frames.iter().zip(told).map(|(frame, told)| {
            let mut text = format!(
                "{} → {}  {}",
                frame.from,
                frame.addressee(),
                frame.brief(told.ports.as_ref()).join(" ")
            );
            if let Some(again) = told.again {
                text += &format!(", again after {}×", again.ratio);
            } else if told.probe {
                text += ", a probe";
            }
            let remark = frame.remark();
            if !remark.is_empty() {
                text += &format!(" ({remark})");
            }
            Outline {
                text,
                bare: told.bare && remark.is_empty(),
            }
        });
        lines.collect()
    }
}

/// What of a frame must come out the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outline {
    /// In a line.
    pub(super) text: String,
    /// It need not be there.
    pub(super) bare: bool,
}

/// The outline in a record, as it stands there.
pub(super) fn outline_of(record: &str) -> Vec<Outline> {
    let frames = record.lines().filter_map(|line| {
        let bare = line.starts_with("~ ");
        let text = line.strip_prefix(if bare { "~ " } else { "  " })?;
        (!text.starts_with(' ')).then(|| Outline {
            text: text.to_owned(),
            bare,
        })
    });
    frames.collect()
}

impl Frame {
    /// What it says, without what differs from run to run, and with these ports, if any.
    pub fn brief(&self, ports: Option<&(String, String)>) -> Vec<String> {
        let mut words = self.words();
        words.retain(|word| {
            !word.starts_with("wscale=") && (!word.starts_with("win=") || word == "win=0")
        });
        if let Some(tcp) = self.packet.tcp() {
            words.retain(|word| word != "win=0" || !tcp.flags.has(Flags::RST));
            let flags: Vec<&str> = words[0].split(' ').filter(|flag| *flag != "PSH").collect();
            words[0] = flags.join(" ");
        }
        match ports {
            Some((from, to)) if self.packet.tcp().is_some() => {
                words.insert(1, format!("{from}→{to}"));
            }
            Some((from, to)) if self.packet.udp().is_some() => {
                words[0] = format!("UDP {from}→{to}");
            }
            _ => {}
        }
        words
    }
}

fn entry(
    history: &mut History,
    sockets: &[Socket],
    index: usize,
    raw: &str,
    bytes: &[u8],
) -> Option<()> {
    let mut parts = raw.split(", ");
    let words: Vec<&str> = parts.next()?.split(' ').collect();
    let [_, "at", time, "on", port] = words[..] else {
        return None;
    };
    let port = port.parse().ok().filter(|port| *port < sockets.len())?;
    history.came(duration(time)?, port, bytes.len(), bytes);
    for fate in parts {
        let [host, what, at, rule] = fate.split(' ').collect::<Vec<_>>()[..] else {
            return None;
        };
        let to = sockets.iter().position(|socket| &*socket.host == host)?;
        let what = ALL.into_iter().find(|known| name(*known) == what)?;
        history.went(index, to, duration(at)?, what, rule.parse().ok()?);
    }
    Some(())
}

const ALL: [What; 8] = [
    What::Delivered,
    What::Delayed,
    What::Overtaken,
    What::Duplicate,
    What::Corrupted,
    What::Dropped,
    What::Cut,
    What::Refused,
];

fn name(what: What) -> &'static str {
    match what {
        What::Delivered => "delivered",
        What::Delayed => "delayed",
        What::Overtaken => "overtaken",
        What::Duplicate => "duplicated",
        What::Corrupted => "corrupted",
        What::Dropped => "dropped",
        What::Cut => "cut",
        What::Refused => "refused",
    }
}

fn seconds(time: Duration) -> String {
    format!("{}.{:06}", time.as_secs(), time.subsec_micros())
}

fn duration(text: &str) -> Option<Duration> {
    let (seconds, micros) = text.split_once('.')?;
    Some(Duration::from_secs(seconds.parse().ok()?) + Duration::from_micros(micros.parse().ok()?))
}

fn socket(text: &str) -> Option<Socket> {
    let [host, device, mac, "lan", lan] = text.split(' ').collect::<Vec<_>>()[..] else {
        return None;
    };
    let mut octets = mac
        .split(':')
        .map(|octet| u8::from_str_radix(octet, 16).ok());
    let mut next = || octets.next()?;
    let mac = Mac([next()?, next()?, next()?, next()?, next()?, next()?]);
    Some(Socket {
        host: Arc::from(host),
        device: device.to_owned(),
        mac,
        lan: lan.parse().ok()?,
    })
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.trim().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits
        .len()
        .is_multiple_of(2)
        .then(|| digits.chunks(2).map(byte).collect())?
}
