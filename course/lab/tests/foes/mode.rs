//! How is a foe let loose?
//!
//! In each of the ways in which a learner's machine may run the lab, always inside the namespaces of
//! the check that watches, so that no foe meets the machine itself.

use std::fs;
use std::io::Read as _;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use lab::prelude::*;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::scene::Scene;

/// Nobody in particular.
const SOMEBODY: u32 = 65_534;

/// A way to run the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As root, with namespaces.
    Root,
    /// As an ordinary user, with namespaces inside a user namespace.
    User,
    /// As root, where no namespaces can be had.
    LoopbackRoot,
    /// As an ordinary user, where no namespaces can be had.
    LoopbackUser,
}

/// What a run said about a check.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// `pass`, `fail`, `not-run`, `fault`.
    pub outcome: String,
    /// Why, in a line.
    pub why: String,
    /// How long it took, in milliseconds.
    pub millis: f64,
}

impl Mode {
    /// Whether there are namespaces around each check.
    pub fn has_namespaces(self) -> bool {
        matches!(self, Mode::Root | Mode::User)
    }

    /// Whether it can be had here, inside a check's namespaces.
    pub fn is_possible(self) -> bool {
        let root = nix::unistd::geteuid().is_root();
        root || matches!(self, Mode::User | Mode::LoopbackUser)
    }

    /// Lets a foe loose, and an honest submission after it. What was said of both.
    pub fn let_loose(self, foe: &str, scene: &Scene) -> Result<(Said, Said), Finding> {
        let _ = fs::remove_file(&scene.report);
        let copy = || -> Result<Stdio, Finding> { Ok(scene.terminal.try_clone()?.into()) };
        let name = nix::unistd::ttyname(&scene.terminal)?;
        let mut command = Command::new("/proc/self/exe");
        command
            .args([foe, "harmless", "--exact"])
            .current_dir(&scene.project)
            .env("FOES_CREW", "1")
            .env("FOES_TERMINAL", name)
            .env("LAB_REPORT", &scene.report)
            .env("TMPDIR", &scene.temporary)
            .env_remove("LAB_REQUIRE")
            .env_remove("LAB_ISOLATION")
            .stdin(copy()?)
            .stdout(copy()?)
            .stderr(copy()?);
        if matches!(self, Mode::LoopbackRoot | Mode::LoopbackUser) {
            command.env("LAB_ISOLATION", "loopback");
        }
        let root = nix::unistd::geteuid().is_root();
        if root && matches!(self, Mode::User | Mode::LoopbackUser) {
            command.uid(SOMEBODY).gid(SOMEBODY);
            let (user, group) = (SOMEBODY.into(), SOMEBODY.into());
            nix::unistd::fchown(&scene.terminal, Some(user), Some(group))?;
        }
        // SAFETY: setsid(2) and ioctl(2) are async-signal-safe. The terminal becomes the controlling one.
        unsafe {
            command.pre_exec(|| {
                if libc::setsid() < 0 || libc::ioctl(0, libc::TIOCSCTTY, 0) < 0 {
                    return Err(std::io::Error::last_os_error());
                }
                Ok(())
            });
        }
        let mut child = command.spawn()?;
        drop(command);
        let mut screen = fs::File::from(scene.master.try_clone()?);
        let status = loop {
            // Asked first: what was printed before the end is then there.
            let ended = child.try_wait()?;
            let mut fds = [PollFd::new(scene.master.as_fd(), PollFlags::POLLIN)];
            let wait = if ended.is_some() { 0_u16 } else { 5 };
            if poll(&mut fds, PollTimeout::from(wait))? > 0 {
                let _ = screen.read(&mut [0; 16 << 10]);
            } else if let Some(status) = ended {
                break status;
            }
        };
        let report = fs::read_to_string(&scene.report).unwrap_or_default();
        let said = |check: &str| {
            let start = format!("{{\"event\":\"check\",\"suite\":\"crew\",\"check\":\"{check}\"");
            let mut lines = report.lines().filter(|line| line.starts_with(&start));
            let line = lines.next().unwrap_or_default();
            // A line too many is a forged one.
            let outcome = match (line, lines.next()) {
                ("", _) => format!("no word ({status})"),
                (_, Some(_)) => "two verdicts".into(),
                _ => member(line, "outcome"),
            };
            Said {
                outcome,
                why: member(line, "why"),
                millis: number(line, "micros") / 1e3,
            }
        };
        Ok((said(foe), said("harmless")))
    }
}

/// The member of a flat JSON object that is text.
fn member(line: &str, key: &str) -> String {
    let start = format!("\"{key}\":\"");
    let rest = line.split_once(&start).map_or("", |(_, rest)| rest);
    let value = rest.split_once("\",\"").map_or(rest, |(value, _)| value);
    value.replace("\\\"", "\"")
}

/// The member that is a number.
fn number(line: &str, key: &str) -> f64 {
    let start = format!("\"{key}\":");
    let rest = line.split_once(&start).map_or("", |(_, rest)| rest);
    let digits = rest.split(',').next().unwrap_or_default();
    digits.parse().unwrap_or_default()
}
