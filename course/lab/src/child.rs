//! A process that a check started: its end, and what it wrote before.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use nix::sys::signal::Signal;

use crate::finding::Finding;
use crate::seal::{Frame, Seal};
use crate::system;
use crate::trace::Watch;

/// Bytes from a child through a pipe. The first `room` are kept, the rest is counted.
#[derive(Debug)]
pub struct Capture {
    source: Option<OwnedFd>,
    kept: Vec<u8>,
    dropped: usize,
    room: usize,
}

impl Capture {
    /// Captures what comes out of `source`.
    pub fn new(source: OwnedFd, room: usize) -> Capture {
        // A read must never block the check, also when a stranger holds the other end.
        nonblocking(&source);
        Capture {
            source: Some(source),
            kept: Vec::new(),
            dropped: 0,
            room,
        }
    }

    /// The descriptor to poll, until end-of-file.
    pub fn source(&self) -> Option<BorrowedFd<'_>> {
        self.source.as_ref().map(AsFd::as_fd)
    }

    /// Takes what has come.
    pub fn pump(&mut self) {
        let mut buf = [0; 16 << 10];
        // A writer that never stops must not hold the check here: some now, the rest at the next poll.
        for _ in 0..16 {
            let Some(source) = &self.source else { return };
            match nix::unistd::read(source, &mut buf) {
                Ok(0) => self.source = None,
                Ok(n) => {
                    let kept = n.min(self.room.saturating_sub(self.kept.len()));
                    self.kept.extend_from_slice(&buf[..kept]);
                    self.dropped += n - kept;
                }
                Err(nix::errno::Errno::EINTR) => {}
                Err(_) => return,
            }
        }
    }

    /// How much has come, in bytes, kept or not.
    pub fn length(&self) -> usize {
        self.kept.len() + self.dropped
    }

    /// What was kept.
    pub fn kept(&self) -> &[u8] {
        &self.kept
    }

    /// What was kept, as text without control characters, with a note when there was more.
    pub fn text(&self) -> String {
        let mut text = plain(&String::from_utf8_lossy(&self.kept));
        if self.dropped > 0 {
            text += &format!("\n… and {} bytes more", self.dropped);
        }
        text
    }
}

/// Text without terminal escapes: a subject's output must not color, move or retitle our terminal.
pub fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || "\n\t".contains(*c))
        .collect()
}

/// Sets `O_NONBLOCK`.
pub fn nonblocking(fd: impl AsFd) {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    if let Ok(flags) = fcntl(fd.as_fd(), FcntlArg::F_GETFL) {
        let flags = OFlag::from_bits_truncate(flags) | OFlag::O_NONBLOCK;
        let _ = fcntl(fd.as_fd(), FcntlArg::F_SETFL(flags));
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It exited with this status.
    Exited(i32),
    /// A signal killed it.
    Killed(i32),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Exited(status) => write!(f, "ended with exit status {status}"),
            End::Killed(number) => match Signal::try_from(*number) {
                Ok(signal) => write!(f, "was killed by {signal}"),
                Err(_) => write!(f, "was killed by signal {number}"),
            },
        }
    }
}

impl End {
    /// From what `waitpid(2)` gave.
    pub fn from_status(status: i32) -> End {
        if libc::WIFSIGNALED(status) {
            End::Killed(libc::WTERMSIG(status))
        } else {
            End::Exited(libc::WEXITSTATUS(status))
        }
    }
}

/// A child process, its captures and its end.
pub struct Child {
    /// What messages call it: `your code`, `byte-order`.
    pub name: String,
    /// Its process id, as the check sees it.
    pub pid: i32,
    pidfd: OwnedFd,
    /// What it printed, and for a subject its sealed result at the end.
    pub captures: Vec<Capture>,
    /// For a subject: what opens its result.
    seal: Option<Seal>,
    end: Option<End>,
    /// Who watches its calls.
    pub watch: Option<Rc<Watch>>,
}

impl Child {
    /// A child that has just been forked. With a seal, the last capture is a subject's result.
    pub fn new(
        name: String,
        pid: i32,
        pidfd: OwnedFd,
        captures: Vec<Capture>,
        seal: Option<Seal>,
    ) -> Child {
        Child {
            name,
            pid,
            pidfd,
            captures,
            seal,
            end: None,
            watch: None,
        }
    }

    /// What it printed.
    pub fn printed(&self) -> impl Iterator<Item = &Capture> {
        let sealed = usize::from(self.seal.is_some());
        self.captures.iter().take(self.captures.len() - sealed)
    }

    /// What a subject sent, once its function has come to an end.
    pub fn frame(&self) -> Option<Frame> {
        self.seal?.open(self.captures.last()?.kept())
    }

    /// How it ended, in words after its name: `returned Ok(5)`, `was killed by SIGPIPE`.
    pub fn last_words(&self) -> Option<String> {
        let end = self.end?;
        Some(match self.frame() {
            Some(Frame::Value { shown, .. }) => format!("has returned {shown}"),
            Some(Frame::Panic(message)) => format!("has panicked: {message}"),
            Some(Frame::Stray | Frame::Panicking(_)) | None => end.to_string(),
        })
    }

    /// Becomes readable when the process ends.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// How it ended, if it has, as far as [`Child::collect`] has seen.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// Takes output that has come, and the status when the process has ended.
    pub fn collect(&mut self) -> io::Result<()> {
        if self.end.is_none() {
            let mut status = 0;
            // SAFETY: status is a valid place for an int.
            let r = unsafe { libc::waitpid(self.pid, &raw mut status, libc::WNOHANG) };
            match nix::errno::Errno::result(r) {
                Ok(0) => {}
                Ok(_) => self.end = Some(End::from_status(status)),
                Err(errno) => return Err(errno.into()),
            }
        }
        // After the status, so that what was written before the end is seen.
        self.captures.iter_mut().for_each(Capture::pump);
        Ok(())
    }

    /// After it was killed: whether that was because the tracer was lost that watched it.
    pub fn was_lost(&self) -> Option<Finding> {
        self.watch.as_ref()?.was_lost()
    }

    /// Kills it and waits for its end.
    pub fn kill(&mut self) {
        if self.end.is_none() {
            system::kill(self.pid, libc::SIGKILL);
            // While it is traced, its end is first told to the tracer, who may stand still.
            if let Some(watch) = &self.watch {
                watch.stop();
            }
            self.end = Some(End::from_status(system::reap(self.pid)));
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}
