// ANCHOR: reap_one
//! How does a parent learn that a child has ended, and what is left of the child until then?

use std::fs;
use std::io;
use std::ptr;

use libc::c_int;
use nix::errno::Errno;

/// A handler for SIGCHLD that takes the status of one child. It is not enough.
pub extern "C" fn reap_one(_signal: c_int) {
    // SAFETY: `wait` takes no status here, and is async-signal-safe.
    unsafe { libc::wait(ptr::null_mut()) };
}
// ANCHOR_END: reap_one

// ANCHOR: reap_all
/// A handler for SIGCHLD that takes the status of every child that has ended.
pub extern "C" fn reap_all(_signal: c_int) {
    // The last `waitpid` sets `errno`, and the code that was interrupted may be about to look at it.
    let saved = Errno::last_raw();
    // SAFETY: `waitpid` takes no status here, and is async-signal-safe.
    while unsafe { libc::waitpid(-1, ptr::null_mut(), libc::WNOHANG) } > 0 {}
    Errno::set_raw(saved);
}
// ANCHOR_END: reap_all

// ANCHOR: states
/// A child process, as `/proc` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// Its process id.
    pub pid: u32,
    /// Its state: `R` runs, `S` sleeps, `Z` is a zombie; see `proc_pid_stat(5)`.
    pub state: char,
    /// The program's name, at most 15 bytes of it.
    pub name: String,
}

/// The children that a process has now.
///
/// # Errors
///
/// `NotFound` when there is no such process, or when the kernel keeps no such list.
pub fn children_of(pid: u32) -> io::Result<Vec<Child>> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    let pids = list.split_whitespace().filter_map(|pid| pid.parse().ok());
    // A child may end between the list and this look at it.
    Ok(pids.filter_map(|pid| look_at(pid).ok()).collect())
}

fn look_at(pid: u32) -> io::Result<Child> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // 77 (the name, which may hold anything) Z 1 …
    let unreadable = || io::Error::other(format!("/proc/{pid}/stat: {stat}"));
    let (before, after) = stat.rsplit_once(") ").ok_or_else(unreadable)?;
    let name = before.split_once('(').ok_or_else(unreadable)?.1.to_owned();
    let state = after.chars().next().ok_or_else(unreadable)?;
    Ok(Child { pid, state, name })
}
// ANCHOR_END: states
