//! Calls on a time line: of a program that runs here, of a course's checks, and what cannot be shown.

use std::process::Command;

use crate::support::{Course, RIGHT};

#[track_caller]
fn refused(arguments: &str, code: i32, said: &str) {
    let ran = Course::new().run(arguments);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (Some(code), ""),
        "{}",
        ran.err
    );
    assert!(
        ran.err.lines().count() == 1 && ran.err.starts_with(&format!("error: {said}")),
        "{}",
        ran.err
    );
}

#[test]
fn what_cannot_be_traced_is_said_in_a_line() {
    refused("trace", 2, "which one? cargo course trace ");
    refused(
        "trace ordr",
        2,
        "no record, exercise, check or program is called `ordr`; did you mean order?",
    );
    refused("trace order -- word", 2, "no program is called `order`");
    refused("trace order --svg", 2, "--svg needs a file");
    refused(
        "trace /bin/echo --svg x.svg",
        2,
        "--svg draws what checks do",
    );
    refused(
        "list -- word",
        2,
        "`list` runs no program, and takes no words after `--`",
    );
    refused("trace order more", 2, "`more` is one word too many");
}

#[test]
fn checks_that_call_nothing_are_said_so() {
    let course = Course::new();
    course.answer(RIGHT);
    let ran = course.run("trace order");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(
        ran.err
            .contains("error: nothing was called: the checks of `order`"),
        "{}",
        ran.err
    );
}

#[test]
fn a_program_runs_here_and_its_calls_are_told_beside_its_output() {
    let ran = Course::new().run("trace /bin/echo -- hello");
    if is_not_permitted(&ran.err) {
        return;
    }
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (Some(0), "hello\n"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains(" ms  write(1, \"hello\\n\", 6) = 6\n"),
        "{}",
        ran.err
    );
    // Neither the loader's files nor the lab's own calls are in it.
    assert!(
        !ran.err.contains("832") && !ran.err.contains("prctl"),
        "{}",
        ran.err
    );
}

#[test]
fn a_program_that_fails_or_is_not_there_is_a_failure() {
    let ran = Course::new().run("trace /bin/false --");
    if is_not_permitted(&ran.err) {
        return;
    }
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{}", ran.err);
}

#[test]
fn a_machine_that_does_not_trace_says_what_to_do() {
    let output = Course::new()
        .command("trace /bin/echo -- hello")
        .env("LAB_TRACING", "none")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: needs system call tracing (LAB_TRACING=none is set), see cargo course doctor\n"
    );
}

/// With the real lab: a check of the course itself, as text and as a drawing.
#[test]
fn a_check_of_the_course_is_shown_and_drawn() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let folder = tempfile::tempdir().unwrap();
    let drawing = folder.path().join("talk.svg");
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-course"))
        .args(["trace", "read_n_leaves_what_follows", "--svg"])
        .arg(&drawing)
        .current_dir(root)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    if is_not_permitted(&err) {
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    assert!(
        out.starts_with("read_n_leaves_what_follows\n") && out.contains("\"hello\", 5) = 5"),
        "{out}{err}"
    );
    let drawing = std::fs::read_to_string(drawing).unwrap();
    assert!(drawing.starts_with("<svg ") && drawing.trim_end().ends_with("</svg>"));
}

/// Whether the machine does not trace; where everything is required, that is an error.
fn is_not_permitted(err: &str) -> bool {
    let refused = err.contains("needs system call tracing");
    assert!(
        !refused || std::env::var("LAB_REQUIRE").is_err(),
        "LAB_REQUIRE: {err}"
    );
    refused
}
