//! Do faults happen to the calls that a plan names, and to no others? Is what was called written down?
//!
//! All checks run twice: with the kernel's own way to change a call (Linux 6.16), and by registers.

mod broken;
mod errors;
mod gates;
mod processes;
mod records;
mod short;
mod signals;
mod which;

use std::io;
use std::os::fd::AsFd;
use std::process::ExitCode;

use lab::prelude::*;

type Checks = &'static [(&'static str, fn(&Check) -> Verdict)];

/// Shortens the lists of checks.
macro_rules! checks {
    ($($module:ident: $($name:ident)*;)*) => {
        &[$($((stringify!($name), $module::$name as fn(&Check) -> Verdict)),*),*]
    };
}

const CHECKS: Checks = checks! {
    errors: a_planned_error_is_what_the_code_gets each_library_gets_its_error std_accept_retries_an_interrupted_call
        a_call_that_says_it_failed_was_made waiting_calls_are_interrupted connecting_fails_as_planned
        a_full_table_is_met_by_every_call_that_opens;
    short: short_reads_lose_nothing short_writes_lose_nothing parts_are_cut_by_their_sum
        messages_are_cut_and_put_back datagrams_are_left_whole files_and_pipes_are_cut_too;
    signals: a_handler_runs_before_the_call a_handler_before_need_not_restart
        a_signal_interrupts_a_sleeping_call a_signal_restarts_a_sleeping_call
        a_call_that_does_not_sleep_is_not_disturbed a_handler_runs_before_the_result_is_seen
        an_ignored_signal_changes_nothing a_signal_that_kills_kills a_handlers_own_calls_are_written_down;
    gates: a_fin_between_poll_and_read a_connection_is_reset_before_it_is_accepted
        a_result_waits_at_the_gate an_open_gate_holds_nobody a_gate_that_nobody_reaches_is_said
        a_held_call_is_no_hang_and_is_named a_delayed_call_takes_its_time one_thread_is_held_and_not_the_others;
    which: kinds_of_descriptors_are_told_apart a_file_is_known_by_its_path a_terminal_is_told_from_a_file peers_are_told_apart
        numbers_are_counted_over_all_that_fit parent_and_child_are_told_apart the_first_line_whose_turn_it_is_decides
        exact_names_are_exact;
    processes: threads_are_followed forks_are_followed programs_are_followed a_program_of_the_checks_is_followed
        nobody_else_is_waited_for ends_are_what_they_are leaks_are_still_found a_hang_is_still_recognized
        many_threads_at_once_are_followed job_control_still_works in_a_host_too two_subjects_at_once;
    records: calls_are_decoded what_comes_later_is_filled_in demands_on_calls_are_kept
        reading_on_after_the_end_is_found a_child_that_keeps_a_descriptor_is_found a_long_record_is_bounded
        a_failure_shows_the_calls unplanned_calls_are_not_recorded a_fault_that_never_came_is_said;
};

/// These are about what the machine does not allow, or about the tracer's end.
const ONCE: Checks = checks! {
    broken: where_it_is_switched_off_it_is_not_run where_ptrace_is_forbidden_it_is_not_run
        where_filters_are_forbidden_it_is_not_run where_another_traces_it_is_not_run
        a_tracer_that_is_killed_is_missed a_tracer_that_is_stopped_holds_nobody_up the_tracer_is_out_of_reach;
};

fn main() -> ExitCode {
    if std::env::var_os("FAULTS_SPECIMEN").is_some() {
        return records::specimen();
    }
    let mut suite = Suite::new("faults");
    for (name, check) in CHECKS {
        suite = suite.named(name, check);
        suite = suite.named(&format!("{name}_by_registers"), move |cx| {
            // SAFETY: a check has one thread, and a process of its own.
            unsafe { std::env::set_var("LAB_TRACING", "registers") };
            check(cx)
        });
    }
    for (name, check) in ONCE {
        suite = suite.named(name, check);
    }
    suite.main()
}

/// Reads until the buffer is full, as chapter 3 does it.
fn read_full(fd: impl AsFd, buf: &mut [u8]) -> io::Result<()> {
    let mut done = 0;
    while done < buf.len() {
        match nix::unistd::read(&fd, &mut buf[done..]) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => done += n,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Demands that a finding is a failure which says so.
fn fails_saying<T>(result: Result<T, Finding>, words: &[&str]) -> Verdict {
    match result {
        Err(finding) if words.iter().all(|word| finding.what().contains(word)) => {
            ensure!(finding.is_failure(), "not a failure, but: {finding}");
            PASS
        }
        Err(finding) => Err(Finding::fail(format!(
            "the finding says \"{finding}\", not {words:?}"
        ))),
        Ok(_) => Err(Finding::fail(format!("nothing was found, not {words:?}"))),
    }
}
