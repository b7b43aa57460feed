//! Replaying transcripts: pages that are right, pages that are wrong in each way there is, and programs that do not end.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// What came of the section: `pass`, `fail` and so on, why, and what stood on the terminals by then.
struct Seen {
    outcome: String,
    why: String,
    shown: Vec<String>,
}

/// A course with this page, and with programs that are scripts.
struct Course(TempDir);

impl Course {
    fn new(page: &str) -> Course {
        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path();
        fs::create_dir_all(root.join("book/src")).expect("a folder");
        fs::write(root.join("book/src/page.md"), page).expect("the page");
        fs::write(root.join("notes.txt"), "a file of the course\n").expect("a file");
        script(root, "server", "echo listening, as process $$; exec cat");
        script(
            root,
            "stubborn",
            "echo ready; trap 'echo interrupted; exit 3' INT; while :; do read line && echo \"got $line\"; done",
        );
        script(
            root,
            "mixed",
            "echo one; echo two >&2; echo three; printf four",
        );
        Course(dir)
    }

    /// Plays the page.
    fn play(&self, settings: &[(&str, &str)]) -> Seen {
        let root = self.0.path();
        let report = root.join("report");
        let programs: Vec<String> = ["server", "stubborn", "mixed"]
            .iter()
            .map(|name| format!("{name}={}", root.join(name).display()))
            .collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_weave-replay"));
        command
            .env("REPLAY_ROOT", root)
            .env("REPLAY_PAGE", "book/src/page.md")
            .env("REPLAY_PROGRAMS", programs.join("\n"))
            .env("REPLAY_PATIENCE", "2")
            .env("LAB_REPORT", &report)
            .envs(settings.iter().copied());
        let ran = command.output().expect("the player runs");
        let text = fs::read_to_string(&report).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        _ = fs::remove_file(&report);
        let mut events = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let check = events
            .rfind(|event| event["event"] == "check")
            .expect("a section was played");
        let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Seen {
            outcome: string(&check["outcome"]),
            why: string(&check["why"]),
            shown: check["evidence"]
                .as_array()
                .into_iter()
                .flatten()
                .map(string)
                .collect(),
        }
    }

    fn page(&self) -> String {
        fs::read_to_string(self.0.path().join("book/src/page.md")).expect("the page")
    }
}

fn script(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a program");
}

#[track_caller]
fn passes(page: &str) {
    let seen = Course::new(page).play(&[]);
    assert_eq!(
        seen.outcome,
        "pass",
        "{}\n{}",
        seen.why,
        seen.shown.join("\n")
    );
}

#[track_caller]
fn fails(page: &str, why: &str) -> Vec<String> {
    let seen = Course::new(page).play(&[]);
    assert_eq!(seen.outcome, "fail", "{}", seen.why);
    assert!(seen.why.contains(why), "{}", seen.why);
    seen.shown
}

const SERVER: &str =
    "```console terminal=server\n$ cargo run -q --bin server\nlistening, as process [PID]\n```\n\n";

#[test]
fn two_terminals_know_the_same_names() {
    passes(&format!(
        "{SERVER}```console terminal=other\n$ cat /proc/[PID]/comm\ncat\n$ kill [PID]\n$ cat notes.txt\na file of the course\n```\n\n\
         ```console terminal=server\n$ echo $?\n143\n```\n"
    ));
}

#[test]
fn what_is_typed_is_read_and_the_end_ends() {
    passes(&format!(
        "{SERVER}```console terminal=server\n> hello [PID]\nhello [PID]\n> \n\n> ^D\n$ echo over\nover\n```\n"
    ));
}

#[test]
fn the_interrupt_key_interrupts() {
    passes(
        "```console\n$ cargo run --bin stubborn\nready\n> a\ngot a\n> ^C\ninterrupted\n$ echo $?\n3\n```\n",
    );
}

#[test]
fn output_and_errors_come_in_order_and_may_be_left_out() {
    passes("```console\n$ cargo run --bin mixed\none\ntwo\nthree\nfour\n```\n");
    passes(
        "```console\n$ cargo run --bin mixed\n...\nthree\n...\n$ cargo run --bin mixed 2>/dev/null | tail -2\nth[..]\n[WORD]\n```\n",
    );
}

#[test]
fn nothing_is_left_in_the_course() {
    let course = Course::new("```console\n$ echo x > made; cat made\nx\n```\n");
    assert_eq!(course.play(&[]).outcome, "pass");
    assert!(!course.0.path().join("made").exists());
}

#[test]
fn another_line_is_a_failure_with_what_was_shown() {
    let shown = fails(
        &format!(
            "# A {{#a}}\n\n{SERVER}```console terminal=client\n$ echo got [PID]x\ngot [PID]\n```\n"
        ),
        "book/src/page.md:10: expected \"got [PID]\" where [PID] is ",
    );
    assert_eq!(shown.len(), 4);
    assert_eq!(shown[2], "  client | $ echo got [PID]x");
    assert!(
        shown[1].starts_with("  server | listening, as process "),
        "{shown:?}"
    );
}

#[test]
fn a_line_that_never_comes_is_a_failure() {
    fails(
        "```console\n$ cargo run --bin mixed\none\ntwo\nthree\nfour\nfive\n```\n",
        "page.md:7: expected \"five\", but `cargo run --bin mixed` ended without it",
    );
    fails(
        &format!("{SERVER}```console terminal=server\nmore\n```\n"),
        "page.md:7: expected \"more\", but `cargo run -q --bin server` printed nothing more for 2 s",
    );
}

#[test]
fn what_is_not_shown_is_a_failure() {
    let why = "page.md:3: `cargo run --bin mixed` prints more than is shown: \"two\"";
    fails("```console\n$ cargo run --bin mixed\none\n```\n", why);
    fails(
        "```console\n$ cargo run --bin mixed\none\n$ true\n```\n",
        why,
    );
}

#[test]
fn a_program_that_runs_on_leaves_no_room_for_a_command() {
    fails(
        &format!("{SERVER}```console terminal=server\n$ true\n```\n"),
        "page.md:3: `cargo run -q --bin server` still runs when the next command is given",
    );
}

#[test]
fn a_tool_that_is_not_there_is_not_run() {
    let seen = Course::new("```console\n$ echo | no-such-tool --all\n```\n").play(&[]);
    assert_eq!(
        (seen.outcome.as_str(), seen.why.as_str()),
        ("not-run", "needs the program no-such-tool")
    );
}

#[test]
fn hosts_are_on_one_link() {
    let page = "```console host=server\n$ ip -4 -brief address show eth0\neth0[..]10.0.0.1/24[..]\n```\n\n\
                ```console terminal=shell host=client\n$ ip -4 -brief address show eth0\neth0[..]10.0.0.2/24[..]\n```\n";
    let seen = Course::new(page).play(&[]);
    assert!(
        seen.outcome == "pass" || seen.outcome == "not-run",
        "{}",
        seen.why
    );
}

#[test]
fn blessing_writes_what_is_shown_and_keeps_what_fits() {
    let course = Course::new(
        "# A {#a}\n\n- item\n\n  ```console terminal=server\n  $ cargo run -q --bin server\n  listening, as process [PID]\n  wrong\n  ```\n\n\
         ```console\n$ cargo run --bin mixed\n...\nthree\n$ echo at 127.0.0.1:45678; echo process [PID]; echo '> x'\nold\n```\n\nend\n",
    );
    assert_eq!(course.play(&[("REPLAY_BLESS", "1")]).outcome, "pass");
    let page = course.page();
    let wanted = "# A {#a}\n\n- item\n\n  ```console terminal=server\n  $ cargo run -q --bin server\n  listening, as process [PID]\n  ```\n\n\
                  ```console\n$ cargo run --bin mixed\n...\nthree\nfour\n$ echo at 127.0.0.1:45678; echo process [PID]; echo '> x'\n";
    assert!(page.starts_with(wanted), "{page}");
    assert!(
        page.ends_with("at 127.0.0.1:[PORT]\nprocess [PID]\n\\> x\n```\n\nend\n"),
        "{page}"
    );
}
