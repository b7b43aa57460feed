//! Who keeps a compiler or a grader in its place? A process of its own: `cargo-course` once more, told what to start and
//! what to show it.
//!
//! Four processes stand between the caller and the program. The outermost (this one) holds the clock and the output. Its
//! child makes the first namespaces. Process 1 of those builds the file system, gives up its identity, makes the second
//! namespaces, and reaps. The program is process 2. When any of them ends, the kernel ends all that are further in.
//!
//! Two layers, because mounts that were made in an outer user namespace are locked in an inner one: what was shown
//! read-only cannot be made writable, and what was hidden cannot be uncovered, not by root of the inner one either.

use std::fs;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{ForkResult, fork, pipe2};

use super::cell;
use super::sandbox::{Order, REPORT_FD};

/// Output that is kept: its beginning and its end.
const HEAD: usize = 48 << 10;
const TAIL: usize = 16 << 10;

/// The user that programs are when the caller is root. Nobody has this number.
const STRANGER: u32 = 61_184;

/// Runs the order and writes, to standard output, a line of JSON about how it ended and then what it wrote.
pub fn serve(order: &str) -> ExitCode {
    let Some(order) = Order::parse(order) else {
        eprintln!("the order cannot be read");
        return ExitCode::FAILURE;
    };
    match run(&order) {
        Ok((end, output)) => {
            let mut out = io::stdout().lock();
            let written = writeln!(out, "{end}").and_then(|()| out.write_all(&output));
            ExitCode::from(u8::from(written.is_err()))
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The clock and the output.
fn run(order: &Order) -> io::Result<(serde_json::Value, Vec<u8>)> {
    die_with_parent();
    // Where there are no namespaces, what was left behind comes to this process.
    // SAFETY: prctl with plain numbers.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    let (output, output_end) = pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    let (status, status_end) = pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    let began = Instant::now();
    // SAFETY: this program has one thread.
    let child = match unsafe { fork() }? {
        ForkResult::Child => {
            drop((output, status));
            die_with_parent();
            let why = first_layer(order, &output_end, &status_end);
            tell(&status_end, &format!("!{why}"));
            // SAFETY: _exit does not return.
            unsafe { libc::_exit(1) }
        }
        ForkResult::Parent { child } => child,
    };
    drop((output_end, status_end));
    let mut kept = Kept::default();
    let mut said = Vec::new();
    let deadline = began + order.wall;
    let mut too_slow = false;
    // The status pipe ends when nobody is left who could write to it: all but the program's descendants.
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() && !too_slow {
            too_slow = true;
            // SAFETY: the child is ours and not yet waited for, so its number is its own.
            unsafe { libc::kill(child.as_raw(), libc::SIGKILL) };
        }
        let patience = if too_slow {
            Duration::from_secs(60)
        } else {
            left
        };
        let patience = PollTimeout::try_from(patience + Duration::from_millis(1));
        let mut wanted = [
            PollFd::new(std::os::fd::AsFd::as_fd(&status), PollFlags::POLLIN),
            PollFd::new(std::os::fd::AsFd::as_fd(&output), PollFlags::POLLIN),
        ];
        let watched = if kept.over {
            &mut wanted[..1]
        } else {
            &mut wanted[..]
        };
        match poll(watched, patience.unwrap_or(PollTimeout::MAX)) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let ready = wanted.map(|one| one.any().unwrap_or(false));
        if ready[1] && !kept.over {
            kept.take(&output);
        }
        if ready[0] {
            let mut piece = [0; 512];
            match nix::unistd::read(&status, &mut piece) {
                Ok(n @ 1..) => said.extend_from_slice(&piece[..n]),
                _ => break,
            }
        }
    }
    end_descendants();
    kept.drain(&output);
    Ok((verdict(&said, too_slow, began.elapsed()), kept.text()))
}

/// How it ended, as the caller reads it.
fn verdict(said: &[u8], too_slow: bool, took: Duration) -> serde_json::Value {
    let said = String::from_utf8_lossy(said);
    let usage = usage();
    let mut end = serde_json::json!({
        "too_slow": too_slow, "wall_ms": took.as_millis() as u64, "cpu_ms": usage.0, "memory_kb": usage.1,
    });
    match said.split_at_checked(1) {
        Some(("!", why)) => end["broken"] = why.into(),
        Some(("x", code)) => end["exited"] = code.parse().unwrap_or(-1).into(),
        Some(("k", signal)) => end["killed"] = signal.parse().unwrap_or(-1).into(),
        _ if too_slow => {}
        _ => end["broken"] = "the sandbox ended without a word".into(),
    }
    end
}

/// Processor time of all that was waited for, in milliseconds, and the largest resident size of one, in KiB.
fn usage() -> (u64, u64) {
    // SAFETY: rusage is plain integers, and getrusage writes one.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage);
        usage
    };
    let ms = |time: libc::timeval| time.tv_sec as u64 * 1000 + time.tv_usec as u64 / 1000;
    (
        ms(usage.ru_utime) + ms(usage.ru_stime),
        usage.ru_maxrss as u64,
    )
}

/// Namespaces for the file system to be built in. Comes back only when that fails, with the reason.
fn first_layer(order: &Order, output: &OwnedFd, status: &OwnedFd) -> String {
    for standard in [1, 2] {
        // SAFETY: dup2 takes two numbers.
        unsafe { libc::dup2(output.as_raw_fd(), standard) };
    }
    if order.sandboxed
        && let Err(why) = cell::enter_first()
    {
        return why;
    }
    // SAFETY: this process has one thread.
    match unsafe { fork() } {
        Err(errno) => format!("fork: {errno}"),
        Ok(ForkResult::Parent { child }) => {
            wait_for(child.as_raw());
            // SAFETY: _exit does not return.
            unsafe { libc::_exit(0) }
        }
        Ok(ForkResult::Child) => {
            die_with_parent();
            match second_layer(order) {
                Ok(pid) => {
                    let how = wait_for(pid);
                    tell(status, &how);
                    // Where this is process 1, the kernel now ends all the others.
                    // SAFETY: _exit does not return.
                    unsafe { libc::_exit(0) }
                }
                Err(why) => why,
            }
        }
    }
}

/// The file system, the stranger, the namespaces in which the program is root of nothing that matters. Starts it.
fn second_layer(order: &Order) -> Result<i32, String> {
    let root = stranger().is_some();
    if order.sandboxed {
        cell::build(order)?;
    }
    if root && (order.sandboxed || !order.keeps_identity) {
        become_stranger()?;
    }
    if order.sandboxed {
        unshare(
            CloneFlags::CLONE_NEWUSER
                | CloneFlags::CLONE_NEWNS
                | CloneFlags::CLONE_NEWNET
                | CloneFlags::CLONE_NEWIPC
                | CloneFlags::CLONE_NEWUTS
                | CloneFlags::CLONE_NEWCGROUP,
        )
        .map_err(|errno| format!("unshare: {errno}"))?;
        cell::map_self(if root { STRANGER } else { 0 })?;
        let _ = nix::unistd::sethostname("class");
    }
    // SAFETY: this process has one thread.
    match unsafe { fork() } {
        Err(errno) => Err(format!("fork: {errno}")),
        Ok(ForkResult::Parent { child }) => Ok(child.as_raw()),
        Ok(ForkResult::Child) => {
            die_with_parent();
            let error = start(order);
            println!("cannot start {}: {error}", order.program);
            // SAFETY: _exit does not return.
            unsafe { libc::_exit(127) }
        }
    }
}

/// Becomes the program. Comes back only with the error.
fn start(order: &Order) -> io::Error {
    // SAFETY: setsid and close_range take numbers. This process uses no descriptor after this but 0, 1, 2 and the
    // report's; the others are marked to close.
    unsafe {
        libc::setsid();
        for (first, last) in [(3, REPORT_FD - 1), (REPORT_FD + 1, RawFd::MAX)] {
            libc::syscall(
                libc::SYS_close_range,
                first,
                last,
                libc::CLOSE_RANGE_CLOEXEC,
            );
        }
    }
    let limits = [
        (libc::RLIMIT_AS, order.memory),
        (libc::RLIMIT_CPU, order.cpu.as_secs()),
        (libc::RLIMIT_FSIZE, order.file_size),
        (libc::RLIMIT_CORE, 0),
        (libc::RLIMIT_NOFILE, 4096),
        (libc::RLIMIT_NPROC, order.processes),
    ];
    for (resource, value) in limits {
        // Without a user namespace of its own, a user's other processes count.
        if resource == libc::RLIMIT_NPROC && !order.sandboxed {
            continue;
        }
        let limit = libc::rlimit {
            rlim_cur: value,
            rlim_max: value,
        };
        // SAFETY: the limit is a valid rlimit. Lowering cannot fail; a lower one that is set already stays.
        unsafe { libc::setrlimit(resource, &raw const limit) };
    }
    // The kernel should take this one first when memory runs out.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    // SAFETY: signals that our caller ignores would stay ignored.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    Command::new(&order.program)
        .args(&order.arguments)
        .env_clear()
        .envs(order.environment.iter().map(|(name, value)| (name, value)))
        .current_dir(&order.directory)
        .exec()
}

/// From root to a user without a name, and without privileges that a sysctl or a file of root's would ask for.
fn become_stranger() -> Result<(), String> {
    let fail = |what: &str| format!("{what}: {}", io::Error::last_os_error());
    // SAFETY: no groups, and numbers.
    unsafe {
        if libc::setgroups(0, std::ptr::null()) < 0 {
            return Err(fail("setgroups"));
        }
        if libc::setresgid(STRANGER, STRANGER, STRANGER) < 0 {
            return Err(fail("setresgid"));
        }
        if libc::setresuid(STRANGER, STRANGER, STRANGER) < 0 {
            return Err(fail("setresuid"));
        }
        // Both were taken away with the identity: the files in /proc/self, and the tie to the parent.
        libc::prctl(libc::PR_SET_DUMPABLE, 1);
    }
    die_with_parent();
    Ok(())
}

/// The user that owns what a program writes.
pub fn stranger() -> Option<u32> {
    (nix::unistd::geteuid().is_root() && !cell::is_mapped()).then_some(STRANGER)
}

fn die_with_parent() {
    // SAFETY: prctl with plain numbers.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// Reaps children until this one has ended: `x0` for exit status 0, `k9` for signal 9.
fn wait_for(pid: i32) -> String {
    loop {
        let mut status = 0;
        // SAFETY: status is a valid place.
        let reaped = unsafe { libc::waitpid(-1, &raw mut status, 0) };
        if reaped == pid {
            return if libc::WIFSIGNALED(status) {
                format!("k{}", libc::WTERMSIG(status))
            } else {
                format!("x{}", libc::WEXITSTATUS(status))
            };
        }
        if reaped < 0 && nix::errno::Errno::last() == nix::errno::Errno::ECHILD {
            return "x255".to_owned();
        }
    }
}

fn tell(status: &OwnedFd, text: &str) {
    let _ = nix::unistd::write(status, text.as_bytes());
}

/// Ends what is still below this process: nothing, where there are namespaces.
fn end_descendants() {
    loop {
        let me = std::process::id();
        let children = fs::read_to_string(format!("/proc/{me}/task/{me}/children"));
        let children = children.unwrap_or_default();
        let mut any = false;
        for pid in children
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok())
        {
            any = true;
            // SAFETY: a child of ours that was not waited for; the status goes nowhere.
            unsafe {
                libc::kill(pid, libc::SIGKILL);
                libc::waitpid(pid, std::ptr::null_mut(), 0);
            }
        }
        if !any {
            return;
        }
    }
}

/// The beginning and the end of what was written.
#[derive(Default)]
struct Kept {
    head: Vec<u8>,
    tail: Vec<u8>,
    dropped: usize,
    over: bool,
}

impl Kept {
    fn take(&mut self, from: &OwnedFd) {
        let mut piece = [0; 16 << 10];
        match nix::unistd::read(from, &mut piece) {
            Ok(n @ 1..) => self.keep(&piece[..n]),
            Err(nix::errno::Errno::EINTR) => {}
            _ => self.over = true,
        }
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = (HEAD - self.head.len()).min(piece.len());
        self.head.extend_from_slice(&piece[..room]);
        self.tail.extend_from_slice(&piece[room..]);
        if self.tail.len() > TAIL {
            let over = self.tail.len() - TAIL;
            self.tail.drain(..over);
            self.dropped += over;
        }
    }

    /// What is in the pipe now. Somebody may hold it open for ever.
    fn drain(&mut self, from: &OwnedFd) {
        let flags = nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK);
        let _ = nix::fcntl::fcntl(from, flags);
        while !self.over && self.dropped < (64 << 20) {
            self.take(from);
        }
    }

    fn text(mut self) -> Vec<u8> {
        if self.dropped > 0 {
            self.head
                .extend(format!("\n… {} bytes left out …\n", self.dropped).into_bytes());
        }
        self.head.append(&mut self.tail);
        self.head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_output_keeps_its_beginning_and_its_end() {
        let mut kept = Kept::default();
        kept.keep(b"first");
        for _ in 0..100 {
            kept.keep(&[b'.'; 5000]);
        }
        kept.keep(b"last");
        let text = String::from_utf8(kept.text()).unwrap();
        assert!(text.starts_with("first..") && text.ends_with("..last"));
        assert!(text.len() < HEAD + TAIL + 100 && text.contains("bytes left out"));
    }
}
