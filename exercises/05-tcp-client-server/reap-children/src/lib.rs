//! **No zombies.** A server that makes a child for each client has to take the status of each child.
//! Until somebody takes it, an ended child is a zombie: it runs no more, and it keeps its process id.
//!
//! Write [`reap_children`] and [`reaped`]. The program calls `reap_children` once, when it starts, then
//! serves clients, makes children and thinks of other things. The kernel says `SIGCHLD` when a child
//! ends. What you do then must not get into the program's way:
//!
//! - Signals do not queue. Five children may end at once, and `SIGCHLD` come once.
//! - Other children may still be running, for hours. Nobody waits for them.
//! - The program may be between a failed call and its look at `errno`.
//! - The program may sit in `read` or `accept`. It does not expect `EINTR`.
//!
//! In a signal handler nothing may print, allocate or lock: signal-safety(7) lists what is allowed.

use std::io;

/// From now on, takes the status of every child of this process, soon after it ends.
///
/// # Errors
///
/// What the system calls report that have the kernel do this, `sigaction(2)` for one.
pub fn reap_children() -> io::Result<()> {
    todo!("have something done whenever SIGCHLD comes")
}

/// How many children have been reaped so far.
pub fn reaped() -> usize {
    todo!("count them, where a signal handler may count")
}
