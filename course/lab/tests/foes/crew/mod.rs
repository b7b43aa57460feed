//! The foes, as checks of a suite. This binary runs itself once more to let them loose.

mod calls;
mod ends;
mod escapes;
mod fakes;
mod hogs;
mod leavings;

use std::process::ExitCode;
use std::time::Duration;

use lab::prelude::*;

/// What a foe without end is given.
const SHORT: Duration = Duration::from_millis(700);

/// Runs those that the command line names.
pub fn main() -> ExitCode {
    let endless = Suite::new("crew")
        .check(ends::loops_without_calls)
        .time(SHORT)
        .check(ends::loops_with_calls)
        .time(SHORT)
        .check(ends::sleeps_for_ever)
        .time(SHORT)
        .check(ends::stops_itself)
        .time(SHORT)
        .check(hogs::prints_without_end)
        .time(SHORT)
        .check(hogs::fork_bomb)
        .time(SHORT);
    let ends = endless
        .check(ends::deadlocks)
        .check(ends::exits_at_once)
        .check(ends::exits_without_handlers)
        .check(ends::exits_in_an_exit_handler)
        .check(ends::exits_from_a_thread)
        .check(ends::exits_in_a_signal_handler)
        .check(ends::becomes_another_program)
        .check(ends::aborts)
        .check(ends::panics_with_abort)
        .check(ends::panics_in_drop)
        .check(ends::panics_twice)
        .check(ends::overflows_its_stack)
        .check(ends::segfaults)
        .check(ends::kills_itself);
    let fakes = ends
        .check(fakes::prints_praise)
        .check(fakes::writes_frames_everywhere)
        .check(fakes::closes_everything)
        .check(fakes::writes_to_its_parents_output)
        .check(fakes::forges_the_report)
        .check(fakes::answers_itself)
        .check(fakes::takes_its_peers_port)
        .check(fakes::reads_its_parents_memory);
    let hogs = fakes
        .check(hogs::forks_without_end)
        .check(hogs::threads_without_end)
        .check(hogs::takes_all_memory)
        .check(hogs::takes_all_descriptors)
        .check(hogs::fills_the_disk)
        .check(hogs::writes_a_huge_file)
        .check(hogs::leaves_busy_children);
    let escapes = hogs
        .check(escapes::kills_its_parent)
        .check(escapes::kills_its_group)
        .check(escapes::kills_everybody)
        .check(escapes::terminates_everybody)
        .check(escapes::stops_its_parent)
        .time(SHORT)
        .check(escapes::kills_its_ancestors)
        .check(escapes::kills_by_owner)
        .check(escapes::traces_its_parent)
        .check(escapes::writes_its_parents_memory)
        .check(escapes::takes_its_parents_descriptors)
        .check(escapes::starves_its_parent)
        .check(escapes::survives_by_prctl)
        .check(escapes::sets_the_clock)
        .check(escapes::raises_its_limits)
        .check(escapes::takes_privileges)
        .check(escapes::changes_the_kernel);
    escapes
        .check(leavings::leaves_a_daemon_on_a_port)
        .check(leavings::leaves_ipc_objects)
        .check(leavings::leaves_shared_memory)
        .check(leavings::leaves_files)
        .check(leavings::leaves_files_elsewhere)
        .check(leavings::edits_its_grader)
        .check(leavings::removes_its_grader)
        .check(leavings::leaves_the_terminal_raw)
        .check(leavings::leaves_namespaces)
        .check(harmless)
        .main()
}

/// What an honest learner hands in, with all that a foe may have spoiled: a port, a folder, a child.
fn harmless(cx: &Check) -> Verdict {
    let folder = cx.folder()?.to_owned();
    let peer = cx.listens("127.0.0.1:7007".parse().expect("an address"))?;
    let subject = cx.subject(move || {
        std::fs::write(folder.join("file"), "mine").map_err(|e| e.to_string())?;
        let child = calls::fork_to(|| {});
        calls::wait_for(child);
        let stream = std::net::TcpStream::connect("127.0.0.1:7007").map_err(|e| e.to_string())?;
        drop(stream);
        Ok::<_, String>(5_u32)
    })?;
    peer.accepts()?;
    subject.returns(Ok(5))?;
    PASS
}
