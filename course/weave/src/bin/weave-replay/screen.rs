//! What does a program at a terminal print next?

use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use lab::net::Net;
use lab::prelude::*;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, chdir, dup2_stderr, setsid};

/// How long a line, or the end of a program, may be waited for: 10 s, or the seconds in `REPLAY_PATIENCE`. A backstop: nothing in a
/// transcript takes so long.
pub fn patience() -> Duration {
    let set = std::env::var("REPLAY_PATIENCE")
        .ok()
        .and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(set.unwrap_or(10))
}

/// The program at a terminal, and how much of what it printed has been read.
pub struct Screen {
    program: Program,
    read: usize,
    /// The command, for messages.
    pub command: String,
    /// Where on the page its last line is.
    pub line: usize,
    /// Any lines may come now.
    pub skips: bool,
}

/// What came next.
pub enum Next {
    /// A line, or at the end of the output a part of one.
    Line(String),
    /// The program has ended, and all it printed was read.
    Ended,
    /// Nothing, in the time there was.
    Nothing,
}

/// What a command is run with.
pub struct Start<'s> {
    /// What the shell is to do.
    pub script: &'s str,
    /// It asked for privileges.
    pub privileged: bool,
    /// The folder that it begins in.
    pub folder: &'s Path,
    /// The host it runs on.
    pub host: Option<(Rc<Net>, String)>,
}

impl Screen {
    /// Runs a command in a shell, in a session of its own, with standard output and error as one.
    pub fn start(
        cx: &Check,
        start: Start<'_>,
        command: &str,
        line: usize,
    ) -> Result<Screen, Finding> {
        let folder = start.folder.to_owned();
        let host = start.host;
        let prepare = move || -> io::Result<()> {
            if let Some((net, name)) = &host {
                net.host(name).enter()?;
            }
            setsid()?;
            chdir(&folder)?;
            dup2_stderr(io::stdout())?;
            Ok(())
        };
        let path = std::env::var("PATH").unwrap_or_default();
        let limits = Limits {
            output: 1 << 20,
            ..Limits::default()
        };
        let mut spawner = cx.spawner().limits(limits).inside(prepare);
        // Process ids in a network of its own are small, and the same the next time: a name made of one is taken.
        let scratch = start.folder.join(".tmp");
        std::fs::create_dir_all(&scratch)?;
        for (key, value) in [
            ("TMPDIR", scratch.to_string_lossy().as_ref()),
            ("PATH", format!("{path}:/usr/sbin:/sbin").as_str()),
            // As on any reader's machine: plain text, in English, and times of Greenwich.
            ("LC_ALL", "C.UTF-8"),
            ("TZ", "UTC"),
            ("TERM", "dumb"),
            ("NO_COLOR", "1"),
            ("COLUMNS", "100"),
        ] {
            spawner = spawner.env(key, value);
        }
        if start.privileged {
            spawner = spawner.privileged();
        }
        Ok(Screen {
            program: spawner.program("/bin/sh", &["-c", start.script])?,
            read: 0,
            command: command.to_owned(),
            line,
            skips: false,
        })
    }

    /// What it prints next, waited for no longer than `within`.
    pub fn next(&mut self, cx: &Check, within: Duration) -> Result<Next, Finding> {
        let until = Instant::now() + scaled(within);
        let (program, read) = (&self.program, self.read);
        let (next, length) = cx.wait_until("a line", || {
            // Asked first: what was printed before the end is then there.
            let ended = program.status().is_some();
            let text = program.stdout();
            let rest = text.get(read..).unwrap_or_default();
            match rest.split_once('\n') {
                Some((line, _)) => Some((Next::Line(line.to_owned()), line.len() + 1)),
                None if ended && !rest.is_empty() => {
                    Some((Next::Line(rest.to_owned()), rest.len()))
                }
                None if ended => Some((Next::Ended, 0)),
                None if Instant::now() >= until => Some((Next::Nothing, 0)),
                None => None,
            }
        })?;
        self.read += length;
        Ok(next)
    }

    /// How it ended, once it has; waited for no longer than `within`.
    pub fn end(&self, cx: &Check, within: Duration) -> Result<Option<i32>, Finding> {
        let until = Instant::now() + scaled(within);
        cx.wait_until("the end of a program", || match self.program.status() {
            None if Instant::now() < until => None,
            status => Some(status),
        })
    }

    /// Waits until it has ended, or until it and all that it has started sleep, and slept when last looked at, without having
    /// run in between.
    pub fn settles(&self, cx: &Check) -> Result<Option<i32>, Finding> {
        let until = Instant::now() + scaled(patience());
        let mut before = None;
        cx.wait_until("a program to do nothing", || match self.program.status() {
            None if Instant::now() < until => {
                let now = asleep(self.program.pid());
                let still = now.is_some() && now == before;
                before = now;
                still.then_some(None)
            }
            status => Some(status),
        })
    }

    /// Types a line into it.
    pub fn types(&mut self, text: &str) -> Result<(), Finding> {
        self.program.types(format!("{text}\n"))
    }

    /// Ends its input.
    pub fn ends_input(&mut self) {
        self.program.ends_input();
    }

    /// Interrupts it, and what it has started: the key goes to all that runs in the terminal.
    pub fn interrupt(&self) {
        // All of them may have ended by themselves.
        let _ = killpg(Pid::from_raw(self.program.pid()), Signal::SIGINT);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = killpg(Pid::from_raw(self.program.pid()), Signal::SIGKILL);
    }
}

/// The processes of a session, each with how often it has run: the shell sleeps while its command works, so one alone says
/// nothing. `None` when any of them has something to do.
fn asleep(session: i32) -> Option<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let read =
            |name: &str| std::fs::read_to_string(entry.path().join(name)).unwrap_or_default();
        let stat = read("stat");
        // "PID (name) state parent group session …", where the name may hold anything.
        let Some((pid, rest)) = stat.rsplit_once(") ") else {
            continue;
        };
        let mut fields = rest.split(' ');
        let state = fields.next()?;
        if fields.nth(2) != Some(&session.to_string()) {
            continue;
        }
        if matches!(state, "R" | "D") {
            return None;
        }
        let switches: Vec<String> = read("status")
            .lines()
            .filter(|line| line.contains("ctxt_switches"))
            .map(str::to_owned)
            .collect();
        found.push(format!("{pid} {switches:?}"));
    }
    Some(found)
}

/// Slow machines have more time; see the lab.
fn scaled(time: Duration) -> Duration {
    let scale = std::env::var("LAB_TIME_SCALE")
        .ok()
        .and_then(|scale| scale.parse::<f64>().ok());
    time.mul_f64(scale.unwrap_or(1.0).clamp(1.0, 1000.0))
}
