//! What is wrong is said in a line, with what to do; nothing is lost.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::{BROKEN, Course, RIGHT, WRONG};

/// What is said of a command that cannot be understood, or done.
#[track_caller]
fn refused(course: &Course, arguments: &str, code: i32) -> String {
    let ran = course.run(arguments);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (Some(code), ""),
        "{}",
        ran.err
    );
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    ran.err.trim_end().to_owned()
}

#[test]
fn unknown_names_are_answered_with_the_nearest() {
    let course = Course::new();
    let unknown = refused(&course, "grade oder", 2);
    assert!(
        unknown.starts_with("error: no exercise or chapter is called `oder`; did you mean order?"),
        "{unknown}"
    );
    assert!(refused(&course, "hint totl", 2).contains("did you mean total?"));
    assert!(refused(&course, "grade qqqqqqqq", 2).contains("`cargo course list` shows them all"));
    assert!(refused(&course, "claims 03.33", 2).contains("did you mean 03.3"));
    assert_eq!(
        refused(&course, "grdae", 2),
        "error: there is no command `grdae`; did you mean `cargo course grade`?"
    );
    assert_eq!(
        refused(&course, "list --jsn", 2),
        "error: `list` does not take --jsn: cargo course list [--json]"
    );
    assert_eq!(
        refused(&course, "reset", 2),
        "error: which one? cargo course reset slug"
    );
}

#[test]
fn outside_of_a_course_it_says_where_to_go() {
    let course = Course::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let output = course
        .command("list")
        .current_dir(elsewhere.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.starts_with("error: there is no course at ") && said.lines().count() == 1,
        "{said}"
    );
    // Deep inside of one is inside of one.
    let inside = course
        .command("list")
        .current_dir(course.path("exercises/03-sockets/order/src"))
        .output()
        .unwrap();
    assert!(inside.status.success());
}

#[test]
fn what_does_not_compile_shows_the_compilers_message_and_nothing_else() {
    let course = Course::new();
    course.answer(BROKEN);
    let ran = course.run("grade");
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    let cargo = Command::new("cargo")
        .args(["build", "--quiet", "--offline", "--package", "order"])
        .current_dir(course.path(""))
        .env("CARGO_TARGET_DIR", course.path("target"))
        .env("CARGO_TERM_COLOR", "never")
        .output()
        .unwrap();
    let cargo = String::from_utf8(cargo.stderr).unwrap();
    let compiler = cargo.split("error: could not compile").next().unwrap();
    assert!(
        compiler.contains("error[E0308]: mismatched types"),
        "{compiler}"
    );
    assert_eq!(ran.err, compiler);
}

#[test]
fn broken_metadata_is_named_by_file_and_line_and_leaves_the_rest_alone() {
    let course = Course::new();
    course.edit(
        "exercises/03-sockets/order/Cargo.toml",
        "level = 1",
        "level = 7",
    );
    let place = "exercises/03-sockets/order/Cargo.toml:17: ";
    let list = course.run("list");
    assert_eq!(list.code, Some(0));
    assert!(
        list.err.starts_with(&format!("note: {place}")),
        "{}",
        list.err
    );
    assert!(
        list.out.contains("total") && !list.out.contains("order  "),
        "{}",
        list.out
    );
    let named = refused(&course, "grade order", 1);
    assert!(named.contains(place), "{named}");

    // TOML that cargo cannot read: what cargo says, and no more.
    course.write("exercises/03-sockets/total/Cargo.toml", "[package\n");
    let ran = course.run("list");
    assert!(
        ran.err
            .contains("exercises/03-sockets/total/Cargo.toml:1: "),
        "{}",
        ran.err
    );
    let none = course.run("");
    assert_eq!(none.code, Some(2));
    assert!(
        none.err.contains("no exercise can be read: "),
        "{}",
        none.err
    );
}

#[test]
fn progress_that_cannot_be_kept_is_said_once_and_grading_goes_on() {
    let course = Course::new();
    course.answer(RIGHT);
    course.write(".course", "a file is in the way");
    let ran = course.run("grade all");
    assert!(ran.out.contains("✓ order  3 of 3 points"), "{}", ran.out);
    assert_eq!(ran.err.matches("note: cannot ").count(), 1, "{}", ran.err);
    assert_eq!(course.read(".course"), "a file is in the way");
}

#[test]
fn progress_that_cannot_be_read_is_named_and_never_lost() {
    let course = Course::new();
    fs::create_dir(course.path(".course")).unwrap();
    course.write(".course/progress.txt", "current total\nthis is mine\n");
    let ran = course.run("hint");
    assert!(ran.out.starts_with("total"), "{}", ran.out);
    assert_eq!(
        ran.err,
        "note: .course/progress.txt:2: cannot read `this is mine`; the line is kept\n"
    );
    let kept = course.read(".course/progress.txt");
    assert!(
        kept.contains("this is mine\n") && kept.contains("hints   total  1\n"),
        "{kept}"
    );
}

#[test]
fn without_a_backup_nothing_is_reset() {
    let course = Course::new();
    course.answer(WRONG);
    course.write(".course", "a file is in the way");
    let said = course.run("reset order");
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("nothing was changed"), "{}", said.err);
    assert_eq!(course.read("exercises/03-sockets/order/src/lib.rs"), WRONG);
}

#[test]
fn a_full_disk_and_a_reader_that_leaves_are_survived() {
    let course = Course::new();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = course.command("list").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.starts_with("error: cannot write the output: No space left"),
        "{said}"
    );

    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = course
        .command("list")
        .stdout(Stdio::from(writer))
        .output()
        .unwrap();
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), &b""[..])
    );
}

#[test]
fn a_missing_cargo_is_said() {
    let course = Course::new();
    let output = course
        .command("grade")
        .env("CARGO", "/nowhere/cargo")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.starts_with("error: cannot run cargo: is the Rust toolchain on your PATH?"),
        "{said}"
    );
}
