//! Does the runner tell the four outcomes apart, and say why?
//!
//! It runs `examples/specimen.rs`, whose checks end in every way there is, and reads the report.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use lab::prelude::*;

fn main() -> ExitCode {
    Suite::new("runner")
        .check(each_end_has_its_outcome_and_its_reason)
        .time(std::time::Duration::from_secs(60))
        .check(a_hang_is_recognized_long_before_the_deadline)
        .check(nothing_is_left_behind)
        .check(a_failure_shows_steps_reason_and_where_to_read)
        .check(a_failure_on_hosts_shows_the_wire)
        .check(the_command_line_is_libtests)
        .check(not_run_is_a_failure_where_everything_is_required)
        .check(without_namespaces_the_same_is_found_on_loopback)
        .check(a_report_that_cannot_be_written_is_said)
        .check(a_reader_that_goes_away_ends_the_run_quietly)
        .main()
}

/// The example binary, which cargo puts beside the test's folder.
fn specimen() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let target = test
        .parent()
        .and_then(Path::parent)
        .expect("target/debug/deps");
    target.join("examples/specimen")
}

fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(specimen());
    for name in [
        "LAB_REPORT",
        "LAB_REQUIRE",
        "LAB_ISOLATION",
        "LAB_TIME_SCALE",
    ] {
        command.env_remove(name);
    }
    command.envs(environment.iter().copied()).args(arguments);
    command.output().expect("the specimen can be run")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The member of a line of the report, which is flat and escapes no quotes in what is asked for here.
fn member(line: &str, key: &str) -> String {
    let start = format!("\"{key}\":\"");
    let rest = line.split_once(&start).map_or("", |(_, rest)| rest);
    rest.split_once("\",\"")
        .map_or(rest, |(value, _)| value)
        .to_string()
}

/// Runs with a report: check → (outcome, why).
fn reported(
    cx: &Check,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Result<HashMap<String, (String, String)>, Finding> {
    let path = cx.folder()?.join("report");
    let _ = std::fs::remove_file(&path);
    let path_text = path.to_str().expect("a temporary path is UTF-8");
    run(
        arguments,
        &[environment, &[("LAB_REPORT", path_text)]].concat(),
    );
    let report = std::fs::read_to_string(&path)?;
    ensure!(
        report
            .lines()
            .last()
            .is_some_and(|l| l.starts_with(r#"{"event":"end""#)),
        "the report has no end: {report}"
    );
    let checks = report
        .lines()
        .filter(|l| l.starts_with(r#"{"event":"check""#));
    Ok(checks
        .map(|l| (member(l, "check"), (member(l, "outcome"), member(l, "why"))))
        .collect())
}

/// Name, outcome, phrase of the reason.
const ENDS: &[(&str, &str, &str)] = &[
    ("passes", "pass", ""),
    (
        "returns_another_value",
        "fail",
        "to return Ok(5), it returned Ok(3)",
    ),
    ("panics", "fail", "sums are hard"),
    (
        "exits_with_zero",
        "fail",
        "ended the process (exit status 0) before it returned",
    ),
    (
        "exits_from_a_thread",
        "fail",
        "ended the process (exit status 0) before it returned",
    ),
    (
        "prints_a_faked_result",
        "fail",
        "ended the process (exit status 0) before it returned",
    ),
    (
        "fakes_a_frame_on_every_descriptor",
        "fail",
        "ended the process",
    ),
    ("closes_every_descriptor", "fail", "ended the process"),
    ("segfaults", "fail", "killed by SIGSEGV"),
    ("aborts", "fail", "killed by SIGABRT"),
    ("is_killed_by_sigpipe", "fail", "killed by SIGPIPE"),
    ("overflows_its_stack", "fail", "killed by SIG"),
    (
        "takes_all_memory",
        "fail",
        "more memory than a check may have",
    ),
    ("takes_all_descriptors", "fail", "EMFILE"),
    ("prints_without_end", "fail", "the flood was survived"),
    ("loops_without_end", "fail", "your code is still running"),
    (
        "hangs_in_read",
        "fail",
        "waits in read(fd 4: unix stream socket, 0 bytes to read)",
    ),
    ("hangs_in_accept", "fail", "listening"),
    ("hangs_in_a_mutex", "fail", "waits in futex"),
    ("hangs_in_poll", "fail", "waits in "),
    (
        "hangs_with_the_peer_waiting",
        "fail",
        "expected peer to receive 5 bytes",
    ),
    ("leaks_a_descriptor", "fail", "left descriptor"),
    ("leaks_a_child", "fail", "left a child process running"),
    ("leaks_a_zombie", "fail", "a zombie"),
    (
        "returns_from_the_forked_child_too",
        "fail",
        "came back twice",
    ),
    (
        "needs_what_is_not_there",
        "not-run",
        "needs the program no-such-program",
    ),
    ("breaks_itself", "fault", "No such file or directory"),
    ("panics_itself", "fault", "the check itself panicked"),
    ("exits_itself", "fault", "ended without a verdict"),
];

/// Ends that only a pid namespace can see or bound.
const ENDS_IN_NAMESPACES: &[(&str, &str, &str)] = &[
    ("forks_without_end", "fail", "left a child process running"),
    (
        "leaves_a_daemon",
        "fail",
        "has no parent any more (lab-daemon)",
    ),
];

fn compare(
    seen: &HashMap<String, (String, String)>,
    ends: &[(&str, &str, &str)],
) -> Result<(), Finding> {
    for (name, outcome, phrase) in ends {
        let Some((was, why)) = seen.get(*name) else {
            return Err(Finding::fail(format!("{name} was not reported")));
        };
        ensure!(was == outcome, "{name}: {was} ({why}), expected {outcome}");
        ensure!(
            why.contains(phrase),
            "{name}: {why:?} does not say {phrase:?}"
        );
    }
    Ok(())
}

fn each_end_has_its_outcome_and_its_reason(cx: &Check) -> Verdict {
    let seen = reported(cx, &[], &[])?;
    compare(&seen, ENDS)?;
    if !matches!(lab::isolation(), lab::Isolation::Loopback(_)) {
        compare(&seen, ENDS_IN_NAMESPACES)?;
    }
    PASS
}

fn a_hang_is_recognized_long_before_the_deadline(cx: &Check) -> Verdict {
    let began = std::time::Instant::now();
    let seen = reported(cx, &["hangs"], &[])?;
    let took = began.elapsed();
    ensure!(seen.len() == 5, "{} hangs were reported", seen.len());
    // Five hangs with 10 seconds each. A fifth of one deadline would do for all of them.
    ensure!(took.as_secs() < 10, "five hangs took {took:?}");
    PASS
}

fn nothing_is_left_behind(cx: &Check) -> Verdict {
    // This check has a `/proc` of its own, so what is seen here was started here.
    reported(cx, &["forks_without_end"], &[])?;
    reported(cx, &["leaves_a_daemon"], &[])?;
    reported(cx, &["leaks_a_child"], &[])?;
    let mut left = Vec::new();
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let comm = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        if ["specimen", "lab-daemon"].contains(&comm.trim()) {
            left.push(entry.file_name());
        }
    }
    ensure!(left.is_empty(), "processes are left: {left:?}");
    PASS
}

fn a_failure_shows_steps_reason_and_where_to_read(_: &Check) -> Verdict {
    let shown = text(&run(&["returns_another_value", "panics"], &[]));
    for phrase in [
        "specimen: returns another value",
        "1. peer sends b\"hel\"",
        "x. expected your code to return Ok(5), it returned Ok(3)",
        "A stream has no message boundaries.",
        "read on: 03-sockets-introduction#value-result",
        "also failed: panics",
        "test result: FAILED. 0 passed; 3 failed",
    ] {
        ensure!(shown.contains(phrase), "{phrase:?} is not in:\n{shown}");
    }
    PASS
}

fn a_failure_on_hosts_shows_the_wire(cx: &Check) -> Verdict {
    if let lab::Isolation::Loopback(why) = lab::isolation() {
        return Err(Finding::needs(format!("hosts ({why})")));
    }
    let folder = cx.folder()?.to_str().expect("a temporary path is UTF-8");
    let shown = text(&run(&["loses_on_the_wire"], &[("LAB_CAPTURES", folder)]));
    for phrase in [
        "client",
        "server",
        "SYN",
        "seq=1 len=3",
        "it returned Ok(3)",
    ] {
        ensure!(shown.contains(phrase), "{phrase:?} is not in:\n{shown}");
    }
    let capture = std::fs::read(cx.folder()?.join("loses_on_the_wire.pcapng"))?;
    ensure!(
        capture.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]),
        "that is no pcapng"
    );
    PASS
}

fn the_command_line_is_libtests(_: &Check) -> Verdict {
    let listed = text(&run(&["--list", "--format", "terse", "hangs_in_p"], &[]));
    ensure!(
        listed == "hangs_in_poll: test\n",
        "--list printed {listed:?}"
    );
    let ignored = text(&run(&["--list", "--format", "terse", "--ignored"], &[]));
    ensure!(ignored.is_empty(), "--ignored lists {ignored:?}");
    let exact = run(&["passes", "--exact"], &[]);
    ensure!(
        exact.status.success() && text(&exact).contains("1 passed; 0 failed; 0 ignored"),
        "{}",
        text(&exact)
    );
    let unknown = run(&["--frobnicate"], &[]);
    let line = String::from_utf8_lossy(&unknown.stderr).into_owned();
    ensure!(
        unknown.status.code() == Some(2) && line.contains("--frobnicate"),
        "{line}"
    );
    PASS
}

fn not_run_is_a_failure_where_everything_is_required(_: &Check) -> Verdict {
    let usual = run(&["needs_what_is_not_there"], &[]);
    ensure!(usual.status.success(), "{}", text(&usual));
    ensure!(
        text(&usual).contains("0 failed; 1 ignored"),
        "{}",
        text(&usual)
    );
    let strict = run(&["needs_what_is_not_there"], &[("LAB_REQUIRE", "all")]);
    ensure!(strict.status.code() == Some(101), "{}", text(&strict));
    PASS
}

fn without_namespaces_the_same_is_found_on_loopback(cx: &Check) -> Verdict {
    let seen = reported(
        cx,
        &[
            "passes",
            "returns_another",
            "exits_with",
            "hangs_in_read",
            "hangs_in_accept",
            "leaks",
            "leaves_a_daemon",
            "breaks_itself",
        ],
        &[("LAB_ISOLATION", "loopback")],
    )?;
    let ends: Vec<_> = ENDS
        .iter()
        .filter(|(name, ..)| seen.contains_key(*name))
        .copied()
        .collect();
    ensure!(ends.len() == 9, "{} ends were looked at", ends.len());
    compare(&seen, &ends)?;
    // The daemon is not seen here, but it is ended all the same.
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let comm = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        ensure!(comm.trim() != "lab-daemon", "the daemon lives on");
    }
    PASS
}

fn a_report_that_cannot_be_written_is_said(_: &Check) -> Verdict {
    let nowhere = run(&["passes"], &[("LAB_REPORT", "/no/such/folder/report")]);
    let line = String::from_utf8_lossy(&nowhere.stderr).into_owned();
    ensure!(
        nowhere.status.code() == Some(2) && line.contains("/no/such/folder/report"),
        "{line}"
    );
    let full = run(&["passes"], &[("LAB_REPORT", "/dev/full")]);
    let line = String::from_utf8_lossy(&full.stderr).into_owned();
    ensure!(
        full.status.code() == Some(2) && line.contains("No space left"),
        "{line}"
    );
    PASS
}

fn a_reader_that_goes_away_ends_the_run_quietly(cx: &Check) -> Verdict {
    let (reader, writer) = std::io::pipe()?;
    drop(reader);
    let done = Command::new(specimen())
        .arg("passes")
        .stdout(writer)
        .output()?;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    cx.step("the specimen writes into a pipe without a reader");
    ensure!(said.is_empty(), "it complained: {said}");
    PASS
}
