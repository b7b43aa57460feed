//! The foes, and what must become of each.

use crate::mode::Mode;

/// A submission that attacks.
pub struct Foe {
    /// Its function among the crew.
    pub name: &'static str,
    /// How the check must end, and words that the reason must contain.
    verdict: (&'static str, &'static str),
    /// The same where there are no namespaces, if it is another there.
    loopback: Option<(&'static str, &'static str)>,
    /// Whether only Landlock stops it, with signals (Linux 6.12).
    needs_shield: bool,
}

impl Foe {
    /// Whether this kernel can stop it.
    pub fn can_be_stopped(&self) -> bool {
        !self.needs_shield || landlock() >= 6
    }

    /// What must be said in this mode.
    pub fn verdict(&self, mode: Mode) -> (&'static str, &'static str) {
        let other = self.loopback.filter(|_| !mode.has_namespaces());
        other.unwrap_or(self.verdict)
    }
}

/// A foe that fails with these words in every mode.
const fn foe(name: &'static str, phrase: &'static str) -> Foe {
    Foe {
        name,
        verdict: ("fail", phrase),
        loopback: None,
        needs_shield: false,
    }
}

/// A foe of which something else is said where there are no namespaces.
const fn but(
    name: &'static str,
    phrase: &'static str,
    loopback: (&'static str, &'static str),
) -> Foe {
    Foe {
        name,
        verdict: ("fail", phrase),
        loopback: Some(loopback),
        needs_shield: false,
    }
}

/// A foe that an older kernel does not stop.
const fn shielded(mut foe: Foe) -> Foe {
    foe.needs_shield = true;
    foe
}

/// What is said of a process that ended by itself.
const EXIT: &str = "ended the process (exit status 0) before it returned";

/// What is said of one that does not end. Whether it runs or waits in a call when it is looked at is chance.
const STILL_THERE: &str = "at the end of the check's time your code";

/// All of them.
pub const FOES: &[Foe] = &[
    foe("loops_without_calls", STILL_THERE),
    foe("loops_with_calls", STILL_THERE),
    foe("sleeps_for_ever", "your code waits in clock_nanosleep"),
    foe("deadlocks", "your code waits in futex"),
    foe("stops_itself", "was stopped by a signal"),
    foe("exits_at_once", EXIT),
    foe("exits_without_handlers", EXIT),
    foe("exits_in_an_exit_handler", EXIT),
    foe("exits_from_a_thread", EXIT),
    foe("exits_in_a_signal_handler", EXIT),
    foe("becomes_another_program", EXIT),
    foe("aborts", "killed by SIGABRT"),
    foe("panics_with_abort", "panicked: sums are hard"),
    foe("panics_in_drop", "panicked: a mine was dropped"),
    foe(
        "panics_twice",
        "panicked: panic in a destructor during cleanup",
    ),
    foe("overflows_its_stack", "overflowed its stack"),
    foe("segfaults", "killed by SIGSEGV"),
    foe("kills_itself", "killed by SIGKILL"),
    foe("prints_praise", EXIT),
    foe("writes_frames_everywhere", EXIT),
    foe("closes_everything", EXIT),
    foe("writes_to_its_parents_output", "it returned Ok(0)"),
    foe("forges_the_report", "the report's path was not found"),
    foe("answers_itself", "expected peer to receive 5 bytes"),
    foe("takes_its_peers_port", "your code has taken it"),
    foe("reads_its_parents_memory", "EACCES"),
    foe("forks_without_end", "EAGAIN"),
    foe("fork_bomb", STILL_THERE),
    foe("threads_without_end", "EAGAIN"),
    foe("takes_all_memory", "more memory than a check may have"),
    foe("takes_all_descriptors", "EMFILE"),
    foe("prints_without_end", STILL_THERE),
    foe("fills_the_disk", "ENOSPC"),
    foe("writes_a_huge_file", "SIGXFSZ"),
    foe("leaves_busy_children", "left a child process running"),
    shielded(foe("kills_its_parent", "EPERM")),
    foe("kills_its_group", "killed by SIGKILL"),
    shielded(but(
        "kills_everybody",
        "your code waits in pause",
        ("fail", "EPERM"),
    )),
    shielded(but(
        "terminates_everybody",
        "your code waits in pause",
        ("fail", "EPERM"),
    )),
    shielded(foe("stops_its_parent", "EPERM")),
    shielded(but(
        "kills_its_ancestors",
        "it returned Ok(())",
        ("fail", "EPERM"),
    )),
    shielded(foe("kills_by_owner", "returned Ok")),
    foe("traces_its_parent", "EPERM"),
    foe("writes_its_parents_memory", "EPERM"),
    foe("takes_its_parents_descriptors", "EPERM"),
    foe("starves_its_parent", "its limits were changed"),
    foe("survives_by_prctl", "returned Ok"),
    foe("sets_the_clock", "EPERM"),
    foe("raises_its_limits", "EPERM"),
    foe("takes_privileges", "EPERM"),
    shielded(foe("changes_the_kernel", "EACCES")),
    but(
        "leaves_a_daemon_on_a_port",
        "has no parent any more",
        ("pass", ""),
    ),
    shielded(but(
        "leaves_ipc_objects",
        "returned Err(EACCES",
        ("fail", "returned Err(EPERM"),
    )),
    shielded(foe("leaves_shared_memory", "it returned")),
    foe("leaves_files", "returned Ok(0)"),
    shielded(foe("leaves_files_elsewhere", "EACCES")),
    shielded(foe("edits_its_grader", "EACCES")),
    shielded(foe("removes_its_grader", "EACCES")),
    shielded(foe("leaves_the_terminal_raw", "E")),
    but("leaves_namespaces", "has no parent any more", ("pass", "")),
];

/// The version of Landlock that the kernel has; see landlock_create_ruleset(2).
fn landlock() -> i64 {
    let none = std::ptr::null::<libc::c_void>();
    // SAFETY: with the flag 1 the call takes no structure and gives a number.
    unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, none, 0_usize, 1_u32) }
}
