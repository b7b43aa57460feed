//! What happened on all sides, on one time line?
//!
//! The calls of every subject, the frames on every wire and the steps of the check. Where `LAB_CALLS`
//! names a folder, each check records all of its subjects' calls and writes its time line there, as text
//! that can be read back.

use std::fmt;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::bench::Bench;
use crate::calls::{Call, CallRecord};
use crate::system::{self, Fork};
use crate::trace::{Attach, Begin};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A subject called the kernel.
    Call {
        /// Whose call: `your code`, or a program's name, with its process where there are several.
        whose: String,
        /// The host in which the subject runs; empty when it is in none.
        host: String,
        /// `read(3, "hel", 5) = 3`
        said: String,
        /// What the check did to it; empty when nothing.
        effect: String,
    },
    /// A frame was on a wire.
    Frame {
        /// The host that sent it.
        from: String,
        /// Whom it was for.
        to: String,
        /// What it said: `SYN seq=0`.
        said: String,
    },
    /// The check did something.
    Step(String),
}

/// Events with their times since the check began, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// Each with its time.
    pub events: Vec<(Duration, Event)>,
}

/// What a time line shows of calls, where nothing else is asked for.
pub(crate) const RECORDED: &[Call] = Call::NETWORK;

/// A call that takes so long has slept.
const SLEEP: Duration = Duration::from_millis(1);

/// Whether time lines are asked for.
pub(crate) fn is_wanted() -> bool {
    std::env::var_os("LAB_CALLS").is_some()
}

impl Timeline {
    pub(crate) fn of(bench: &Bench) -> Timeline {
        let mut events = Vec::new();
        for watch in bench.watches() {
            let (entries, _) = watch.entries();
            let records = entries.iter().filter_map(|e| CallRecord::new(e, &watch));
            let records: Vec<CallRecord> = records.filter(CallRecord::is_talk).collect();
            let several = records.iter().any(|r| r.process > 0);
            for record in records {
                let whose = match record.process {
                    _ if !several => watch.whose.clone(),
                    0 => watch.whose.clone(),
                    n => format!("{}, child {n}", watch.whose),
                };
                // A result belongs where it came; a call that slept also where it began.
                let ended = record.began + record.took.unwrap_or_default();
                if record.took.is_some_and(|took| took >= SLEEP) {
                    let fd = record.fd.map_or(String::new(), |fd| format!("{fd}, "));
                    events.push((
                        record.began,
                        Event::Call {
                            whose: whose.clone(),
                            host: watch.host.clone(),
                            said: format!("{}({fd}…) …", record.name),
                            effect: String::new(),
                        },
                    ));
                }
                let said = format!("{} {}", record.said(), record.came_to());
                events.push((
                    ended,
                    Event::Call {
                        whose,
                        host: watch.host.clone(),
                        said: said.trim_end().into(),
                        effect: record.effect,
                    },
                ));
            }
        }
        events.extend(frames(bench));
        for (at, what) in bench.log.borrow().all() {
            events.push((at, Event::Step(what.into())));
        }
        events.sort_by_key(|(at, _)| *at);
        Timeline { events }
    }

    /// Writes the time line of a check to the folder that `LAB_CALLS` names.
    pub(crate) fn save(bench: &Bench, check: &str) {
        let Some(folder) = std::env::var_os("LAB_CALLS") else {
            return;
        };
        let path = Path::new(&folder).join(format!("{check}.calls"));
        if let Err(error) = std::fs::write(&path, Timeline::of(bench).record()) {
            eprintln!("LAB_CALLS: {}: {error}", path.display());
        }
    }

    /// As text, to be kept: an event a line, its parts separated by tabs.
    pub fn record(&self) -> String {
        let plain = |text: &str| text.replace(['\t', '\n'], " ");
        let mut text = String::new();
        for (at, event) in &self.events {
            let parts = match event {
                Event::Call {
                    whose,
                    host,
                    said,
                    effect,
                } => vec!["call", whose, host, said, effect],
                Event::Frame { from, to, said } => vec!["frame", from, to, said],
                Event::Step(what) => vec!["step", what],
            };
            let parts: Vec<String> = parts.into_iter().map(plain).collect();
            text += &format!("{}\t{}\n", at.as_micros(), parts.join("\t"));
        }
        text
    }

    /// Reads what [`record`](Timeline::record) has written.
    ///
    /// # Errors
    ///
    /// The number of the first line that is no event, and the line.
    pub fn from_record(text: &str) -> Result<Timeline, (usize, String)> {
        let mut events = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let event = parse(line).ok_or_else(|| (number + 1, line.to_string()))?;
            events.push(event);
        }
        Ok(Timeline { events })
    }

    /// The hosts that took part, in the order in which they first appear.
    pub fn hosts(&self) -> Vec<&str> {
        let mut hosts: Vec<&str> = Vec::new();
        for (_, event) in &self.events {
            let named = match event {
                Event::Call { host, .. } => [host.as_str(), ""],
                Event::Frame { from, to, .. } => [from.as_str(), to.as_str()],
                Event::Step(_) => ["", ""],
            };
            for host in named {
                if !host.is_empty() && !hosts.contains(&host) {
                    hosts.push(host);
                }
            }
        }
        hosts
    }

    /// Whether nothing was called and nothing was sent.
    pub fn is_empty(&self) -> bool {
        let silent = |event: &(Duration, Event)| matches!(event.1, Event::Step(_));
        self.events.iter().all(silent)
    }
}

/// The frames of all networks, on the check's clock.
fn frames(bench: &Bench) -> Vec<(Duration, Event)> {
    let mut events = Vec::new();
    // The clock of frames begins when their network was ready.
    let now = (bench.log.borrow().elapsed(), SystemTime::now());
    for net in bench.nets.borrow().iter() {
        let Ok(wire) = net.wire() else { continue };
        let wire = wire.without_upkeep();
        let before = now.1.duration_since(wire.began()).unwrap_or_default();
        let ready = now.0.saturating_sub(before);
        for (frame, told) in wire.frames().iter().zip(wire.story()) {
            let mut said = frame.brief(told.ports.as_ref()).join(" ");
            if !frame.remark().is_empty() {
                said += &format!(" ({})", frame.remark());
            }
            events.push((
                ready + frame.time,
                Event::Frame {
                    from: frame.from.to_string(),
                    to: frame.addressee(),
                    said,
                },
            ));
        }
    }
    events
}

fn parse(line: &str) -> Option<(Duration, Event)> {
    let mut parts = line.split('\t');
    let at = Duration::from_micros(parts.next()?.parse().ok()?);
    let kind = parts.next()?;
    let mut next = || parts.next().map(str::to_owned);
    let event = match kind {
        "call" => Event::Call {
            whose: next()?,
            host: next()?,
            said: next()?,
            effect: next()?,
        },
        "frame" => Event::Frame {
            from: next()?,
            to: next()?,
            said: next()?,
        },
        "step" => Event::Step(next()?),
        _ => return None,
    };
    Some((at, event))
}

impl Event {
    /// Who did it: `east: your code`, `west → east`, `the check`.
    pub fn who(&self) -> String {
        match self {
            Event::Call { whose, host, .. } if host.is_empty() => whose.clone(),
            Event::Call { whose, host, .. } => format!("{host}: {whose}"),
            Event::Frame { from, to, .. } => format!("{from} → {to}"),
            Event::Step(_) => "the check".into(),
        }
    }

    /// What was done.
    pub fn said(&self) -> String {
        match self {
            Event::Call { said, effect, .. } if effect.is_empty() => said.clone(),
            Event::Call { said, effect, .. } => format!("{said}  ← {effect}"),
            Event::Frame { said, .. } => said.clone(),
            Event::Step(what) => what.clone(),
        }
    }
}

impl fmt::Display for Timeline {
    /// A line for each event: when, who, what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.events.iter().map(|(_, e)| e.who().chars().count());
        let width = width.max().unwrap_or(0).min(24);
        for (at, event) in &self.events {
            let ms = at.as_secs_f64() * 1e3;
            let (who, said) = (event.who(), event.said());
            writeln!(f, "{ms:>9.2} ms  {who:<width$}  {said}")?;
        }
        Ok(())
    }
}

/// Runs a program where this process is, on its terminal, and tells each call as it comes back. Gives
/// the status that a shell would have in `$?`. The process must have one thread.
///
/// # Errors
///
/// In a line: tracing is not permitted, or there is no such program.
pub fn trace_program(argv: &[String], mut tell: impl FnMut(Duration, &str)) -> Result<i32, String> {
    system::raise_descriptor_limit();
    let bench = Bench::new(Duration::from_secs(10));
    let name = argv.first().map_or("", String::as_str);
    let faults = crate::Faults::new().records(RECORDED);
    let lost = |error: io::Error| error.to_string();
    let why = |finding: crate::Finding| finding.what().to_string();
    let tracer = Attach::new(&bench, name, "", &faults).map_err(why)?;
    let words = argv.iter().map(|a| std::ffi::CString::new(a.as_str()));
    let words: Vec<_> = words.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
    // SAFETY: one thread, as the caller promises.
    let pid = match unsafe { system::fork() }.map_err(lost)? {
        Fork::Child => {
            // SAFETY: SIG_DFL is a valid disposition.
            unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
            match tracer.joins() {
                Ok(begins) => begins.begin(Begin::AtExec),
                Err(_) => system::exit_now(125),
            }
            let Err(errno) = nix::unistd::execvp(&words[0], &words);
            eprintln!("error: {name}: {}", errno.desc());
            system::exit_now(127)
        }
        Fork::Parent { pid, .. } => pid,
    };
    // What is typed at the terminal is for the program.
    // SAFETY: SIG_IGN is a valid disposition.
    unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
    let watch = tracer.ready(&bench).map_err(why)?;
    let mut told = Vec::new();
    let mut status = None;
    loop {
        let ended = status.is_some();
        let (entries, _) = watch.entries();
        for entry in &entries {
            if (entry.ended == 0 && !ended) || told.contains(&entry.index) {
                continue;
            }
            told.push(entry.index);
            let Some(record) = CallRecord::new(entry, &watch).filter(CallRecord::is_talk) else {
                continue;
            };
            let who = match record.process {
                0 => String::new(),
                n => format!("child {n} "),
            };
            tell(
                record.began,
                format!("{who}{} {}", record.said(), record.came_to()).trim_end(),
            );
        }
        let _ = io::stderr().flush();
        if let Some(status) = status {
            return Ok(status);
        }
        // Forgotten are those that cannot come any more: the list stays short.
        if let Some(first) = entries.iter().find(|e| e.ended == 0).map(|e| e.index) {
            told.retain(|index| *index >= first || entries.iter().any(|e| e.index == *index));
        }
        let mut raw = 0;
        // SAFETY: raw is a valid place for an int.
        let r = unsafe { libc::waitpid(pid, &raw mut raw, libc::WNOHANG) };
        if r == pid {
            status = Some(if libc::WIFSIGNALED(raw) {
                128 + libc::WTERMSIG(raw)
            } else {
                libc::WEXITSTATUS(raw)
            });
        } else if r < 0 {
            return Err(io::Error::last_os_error().to_string());
        } else {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let call = Event::Call {
            whose: "your code".into(),
            host: "east".into(),
            said: "read(3, …, 5) = -1 EINTR".into(),
            effect: "made to fail by the check".into(),
        };
        let frame = Event::Frame {
            from: "west".into(),
            to: "east".into(),
            said: "SYN".into(),
        };
        let events = [call, frame, Event::Step("peer closes".into())];
        let events = events.into_iter().zip(1..);
        let events = events.map(|(e, n)| (Duration::from_micros(n), e));
        let line = Timeline {
            events: events.collect(),
        };
        assert_eq!(Timeline::from_record(&line.record()), Ok(line.clone()));
        assert_eq!(line.hosts(), ["east", "west"]);
        assert!(line.to_string().contains("east: your code  read(3, …, 5)"));
        assert_eq!(
            Timeline::from_record("1\tstep\tx\n2\tnothing"),
            Err((2, "2\tnothing".into()))
        );
    }
}
