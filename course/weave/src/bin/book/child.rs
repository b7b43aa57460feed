//! How does a program run that must end in time, say no more than can be shown, and leave nothing behind?
//!
//! Each program leads a process group and holds the reading end of a pipe as its standard input. `cargo course` ends
//! itself and all that it started when that pipe is closed, which the kernel does however this process ends. Whoever
//! does not take the hint is killed with its group.

use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// The most that a program may say, in bytes.
const OUTPUT: u64 = 4 << 20;
/// The most that is kept of what it complains of, in bytes: the beginning.
const COMPLAINT: u64 = 16 << 10;
/// How long who was asked to end may take.
const GRACE: Duration = Duration::from_secs(5);

/// The groups that are running.
static GROUPS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Why a program is not running any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with success or not.
    Itself(bool),
    /// Nobody waits for it any more.
    Stopped,
    /// It took too long.
    Late,
    /// It said too much.
    TooMuch,
}

/// Ends a program from another thread.
#[derive(Clone)]
pub struct Stop(Sender<Heard>);

impl Stop {
    /// Ends it now.
    pub fn now(&self) {
        // It may have ended by itself.
        _ = self.0.send(Heard::Stop);
    }
}

enum Heard {
    Line(Vec<u8>),
    Silence { whole: bool },
    Stop,
}

/// A program that is to be run, and can be stopped before it begins.
pub struct Work {
    stop: Stop,
    heard: mpsc::Receiver<Heard>,
}

impl Work {
    /// Nothing runs yet.
    pub fn new() -> Work {
        let (tell, heard) = mpsc::channel();
        Work {
            stop: Stop(tell),
            heard,
        }
    }

    /// What ends it.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Runs `command` for `limit` at the most; `hears` is told each line of its standard output. Beside how it ended,
    /// what it wrote to its standard error.
    ///
    /// # Errors
    ///
    /// What `fork(2)` and `execve(2)` report.
    pub fn run(
        &self,
        command: &mut Command,
        limit: Duration,
        mut hears: impl FnMut(&[u8]),
    ) -> io::Result<(End, String)> {
        let end = Instant::now() + limit;
        let mut child = Group::begin(command)?;
        let output = child.leader.stdout.take().expect("a pipe");
        let complaint = child.leader.stderr.take().expect("a pipe");
        let tell = self.stop.0.clone();
        std::thread::spawn(move || listen(output, &tell));
        let complaint = std::thread::spawn(move || {
            let mut text = Vec::new();
            let mut complaint = complaint;
            _ = complaint.by_ref().take(COMPLAINT).read_to_end(&mut text);
            // Who complains on must not wait for us.
            _ = io::copy(&mut complaint, &mut io::sink());
            String::from_utf8_lossy(&text).into_owned()
        });
        let why = loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.heard.recv_timeout(left) {
                Ok(Heard::Line(line)) => hears(&line),
                Ok(Heard::Silence { whole: true }) => break None,
                Ok(Heard::Silence { whole: false }) => break Some(End::TooMuch),
                Ok(Heard::Stop) => break Some(End::Stopped),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    break Some(End::Late);
                }
            }
        };
        let success = child.end()?;
        let complaint = complaint.join().unwrap_or_default();
        Ok((why.unwrap_or(End::Itself(success)), complaint))
    }
}

fn listen(output: impl Read, tell: &Sender<Heard>) {
    let mut output = BufReader::new(output.take(OUTPUT));
    loop {
        let mut line = Vec::new();
        match output.read_until(b'\n', &mut line) {
            Ok(1..) if line.ends_with(b"\n") => {
                if tell.send(Heard::Line(line)).is_err() {
                    return;
                }
            }
            _ => break,
        }
    }
    let whole = output.get_ref().limit() > 0;
    _ = tell.send(Heard::Silence { whole });
}

/// A program and whatever it starts in its group; nothing of it is left when this is dropped.
struct Group {
    leader: Child,
    id: Pid,
}

impl Group {
    fn begin(command: &mut Command) -> io::Result<Group> {
        command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Held, so that `end_all` sees each group or comes before it.
        let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        let leader = command.spawn()?;
        let id = Pid::from_raw(leader.id() as i32);
        groups.push(id);
        Ok(Group { leader, id })
    }

    /// Asks it to end, and sees to it. Whether it ended well.
    fn end(&mut self) -> io::Result<bool> {
        drop(self.leader.stdin.take());
        let end = Instant::now() + GRACE;
        let mut ended = self.leader.try_wait()?;
        while ended.is_none() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
            ended = self.leader.try_wait()?;
        }
        Ok(ended.is_some_and(|status| status.success()))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(None) = self.leader.try_wait() {
            _ = killpg(self.id, Signal::SIGKILL);
            _ = self.leader.wait();
        }
        groups.retain(|group| *group != self.id);
    }
}

/// Ends every group that is running; none begins after this.
pub fn end_all() {
    let groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
    for group in &*groups {
        // `cargo course` ends what it started in groups of their own.
        _ = killpg(*group, Signal::SIGTERM);
    }
    // Nobody unlocks it again: this process is about to end.
    std::mem::forget(groups);
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_are_heard_and_the_end_is_known() {
        let mut lines = Vec::new();
        let ran = Work::new().run(
            &mut shell("echo a; echo b; echo c >&2; exit 3"),
            LONG,
            |line| lines.push(line.to_vec()),
        );
        assert_eq!(
            ran.expect("it starts"),
            (End::Itself(false), "c\n".to_owned())
        );
        assert_eq!(lines, [b"a\n", b"b\n"]);
    }

    #[test]
    fn closing_the_pipe_is_the_hint_to_end() {
        let work = Work::new();
        let stop = work.stop();
        // It ends when its input does.
        let ran = work.run(&mut shell("echo up; cat"), LONG, |_| stop.now());
        assert_eq!(ran.expect("it starts").0, End::Stopped);
    }

    #[test]
    fn who_says_too_much_is_ended() {
        let ran = Work::new().run(&mut shell("yes"), LONG, |_| {});
        assert_eq!(ran.expect("it starts").0, End::TooMuch);
    }

    #[test]
    fn who_takes_too_long_is_ended() {
        let ran = Work::new().run(&mut shell("cat"), Duration::from_millis(1), |_| {});
        assert_eq!(ran.expect("it starts").0, End::Late);
    }
}
