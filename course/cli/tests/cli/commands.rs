//! Each command, doing what its help says.

use std::fs;

use crate::support::{Course, RIGHT, SUM, WRONG};

#[test]
fn without_a_terminal_it_shows_where_one_stands() {
    let course = Course::new();
    let out = course.ok("");
    assert!(
        out.starts_with("03 Sockets  ────────────────────  0 of 2\n"),
        "{out}"
    );
    assert!(
        out.contains("exercises/03-sockets/order/src/lib.rs:7\n"),
        "{out}"
    );
    assert!(
        out.contains("book/src/03-sockets.md:3  “A stream has no edges”"),
        "{out}"
    );
    assert!(!course.path(".course").exists(), "looking writes nothing");
}

#[test]
fn grading_explains_the_first_failure_and_moves_on_after_a_pass() {
    let course = Course::new();
    course.answer(WRONG);
    let failed = course.run("grade");
    assert_eq!(failed.code, Some(1));
    assert!(
        failed.out.contains("✗ order  0 of 3 points"),
        "{}",
        failed.out
    );
    assert!(
        failed.out.contains("1. called\n    x. wire(7): got 01 07"),
        "the first failure is in full: {}",
        failed.out
    );
    assert!(
        failed.out.contains("✗ large  wire(65535): got 01 ff\n"),
        "the other is a line: {}",
        failed.out
    );
    assert_eq!(failed.out.matches("1. called").count(), 1);
    assert!(failed.out.contains("cargo course hint order"));
    let all = course.run("grade --all").out;
    assert_eq!(all.matches("1. called").count(), 2, "{all}");

    course.answer(RIGHT);
    let passed = course.ok("grade");
    assert!(
        passed.contains("✓ order  3 of 3 points  passed"),
        "{passed}"
    );
    assert!(
        passed.contains("Now you may compare: cargo course solution order"),
        "{passed}"
    );
    assert!(passed.contains("Next: total  Count what came"), "{passed}");
    assert!(course.ok("").contains("total"));
}

#[test]
fn the_list_follows_what_was_graded() {
    let course = Course::new();
    let standing = |slug: &str| {
        let list: serde_json::Value = serde_json::from_str(&course.ok("list --json")).unwrap();
        let found = list
            .as_array()
            .unwrap()
            .iter()
            .find(|exercise| exercise["slug"] == slug)
            .unwrap()
            .clone();
        found["standing"].as_str().unwrap().to_owned()
    };
    course.run("grade order");
    assert_eq!(
        standing("order"),
        "new",
        "an untouched stub is not held against anybody"
    );
    course.answer(WRONG);
    course.run("grade order");
    assert_eq!(standing("order"), "failing");
    course.answer(RIGHT);
    course.ok("grade order");
    assert_eq!(standing("order"), "done");
    course.answer(WRONG);
    assert_eq!(standing("order"), "changed");
    assert_eq!(standing("total"), "new");
    let list = course.ok("list");
    assert!(
        list.contains("~ order") && list.contains("changed since it passed"),
        "{list}"
    );
    assert!(list.contains("1 of 2"), "{list}");
}

#[test]
fn several_are_graded_by_chapter_or_all_of_them() {
    let course = Course::new();
    course.answer(RIGHT);
    let ran = course.run("grade 03");
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.out.contains("✓ order")
            && ran.out.contains("✗ total")
            && ran.out.contains("1 of 2 exercises passed.")
    );
    course.write("exercises/03-sockets/total/src/lib.rs", SUM);
    let report: serde_json::Value = serde_json::from_str(&course.ok("grade all --json")).unwrap();
    assert_eq!(report[1]["slug"], "total");
    assert_eq!(
        (&report[1]["points"], &report[1]["of"], &report[1]["passed"]),
        (&3.into(), &3.into(), &true.into())
    );
    assert!(course.ok("").contains("All 2 exercises pass."));
}

#[test]
fn what_was_not_run_is_said_and_neither_passes_nor_fails() {
    let course = Course::new();
    course.answer(RIGHT);
    let grader = "exercises/03-sockets/order/tests/grade.rs";
    course.edit(
        grader,
        "    expect(7, [0, 7])",
        "    Err(\"not run: needs hosts\".into())",
    );
    let out = course.ok("grade");
    assert!(
        out.contains("✓ order  2 of 3 points  passed  1 check not run"),
        "{out}"
    );
    assert!(
        out.contains("○ seven  not run: needs hosts") && out.contains("cargo course doctor"),
        "{out}"
    );
    assert!(course.ok("list").contains("done, 2 of 3 points run here"));
}

#[test]
fn exit_0_is_not_a_pass() {
    let course = Course::new();
    course.answer("pub fn wire(_: u16) -> [u8; 2] {\n    println!(\"test result: ok\");\n    std::process::exit(0)\n}\n");
    let ran = course.run("grade");
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.out
            .contains("The grader did not finish: it ended before its report did"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("cargo test -p order"), "{}", ran.out);
}

#[test]
fn warnings_are_counted_until_it_passes_and_shown_then() {
    let course = Course::new();
    course.answer(&format!("use std::io;\n{WRONG}"));
    let out = course.run("grade").out;
    assert!(
        out.contains("1 warning from the compiler: cargo check -p order")
            && !out.contains("unused import"),
        "{out}"
    );
    course.answer(&format!("use std::io;\n{RIGHT}"));
    assert!(
        course
            .ok("grade")
            .contains("warning: unused import: `std::io`")
    );
}

#[test]
fn each_time_there_is_one_more_hint() {
    let course = Course::new();
    assert!(
        course
            .ok("hint")
            .contains("hint 1 of 3\n  Which of the two bytes")
    );
    assert!(course.ok("hint order").contains("hint 2 of 3"));
    assert!(course.ok("hint").contains("hint 3 of 3"));
    let last = course.ok("hint");
    assert!(
        last.contains("hint 3 of 3\n  to_be_bytes") && last.contains("That was the last."),
        "{last}"
    );
    let all = course.ok("hint total --all");
    assert!(all.contains("hint 1") && all.contains("hint 2"), "{all}");
}

#[test]
fn next_moves_on_and_goes_where_it_is_told() {
    let course = Course::new();
    assert!(course.ok("next").starts_with("total"));
    assert!(course.ok("next").starts_with("order"), "it goes round");
    assert!(
        course
            .ok("next exercises/03-sockets/total/")
            .starts_with("total"),
        "a path will do"
    );
    assert!(course.ok("").contains("total  Count what came"));
}

#[test]
fn the_solution_is_for_those_who_have_passed_or_ask_twice() {
    let course = Course::new();
    let early = course.run("solution order");
    assert_eq!(early.code, Some(1));
    assert_eq!(
        early.err,
        "error: order has not passed yet; to look all the same: cargo course solution order --peek\n"
    );
    assert!(
        course
            .ok("solution order --peek")
            .contains("port.to_be_bytes()")
    );
    course.answer(RIGHT);
    course.ok("grade order");
    assert!(course.ok("solution order").contains("port.to_be_bytes()"));
    let path = course.ok("solution order --path");
    assert!(
        fs::exists(path.trim()).unwrap()
            && path.ends_with("solutions/03-sockets/order/src/lib.rs\n"),
        "{path}"
    );
}

#[test]
fn reset_keeps_what_was_there_and_says_where() {
    let course = Course::new();
    assert!(course.ok("reset order").contains("nothing to reset"));
    let mut kept = Vec::new();
    for answer in [RIGHT, WRONG, SUM] {
        course.answer(answer);
        course.write("exercises/03-sockets/order/src/more.rs", answer);
        let out = course.ok("reset order");
        kept.push(
            out.split("Your files are in ")
                .nth(1)
                .unwrap()
                .trim()
                .to_owned(),
        );
    }
    for (backup, answer) in kept.iter().zip([RIGHT, WRONG, SUM]) {
        assert!(backup.starts_with(".course/backup/order/"), "{backup}");
        assert_eq!(course.read(&format!("{backup}/lib.rs")), answer);
        assert_eq!(course.read(&format!("{backup}/more.rs")), answer);
    }
    assert!(
        course
            .read("exercises/03-sockets/order/src/lib.rs")
            .contains("todo!")
    );
    assert!(
        !course
            .path("exercises/03-sockets/order/src/more.rs")
            .exists()
    );
}

#[test]
fn claims_show_recorded_beside_seen() {
    let course = Course::new();
    let out = course.ok("claims");
    assert!(
        out.contains("✓ 03.1  true\n") && out.contains("seen as recorded: 00 07"),
        "{out}"
    );
    assert!(
        out.contains("by authority: RFC 6335 6") && out.contains("2 as recorded, 1 by authority."),
        "{out}"
    );
    let one = course.ok("claims 03.2");
    assert!(one.contains("03.2") && !one.contains("03.1"), "{one}");

    course.edit(
        "chapters/03-sockets/src/lib.rs",
        "to_be_bytes",
        "to_le_bytes",
    );
    let other = course.run("claims 3");
    assert_eq!(other.code, Some(1));
    assert!(
        other.out.contains("recorded: 00 07\n    seen: 07 00"),
        "{}",
        other.out
    );
    assert!(
        other
            .out
            .contains("1 as recorded, 1 different here, 1 by authority."),
        "{}",
        other.out
    );
}

#[test]
fn the_doctor_ends_with_what_will_not_be_run() {
    let course = Course::new();
    let ran = course.run("doctor");
    assert!(ran.out.contains("✓ Rust           rustc 1."), "{}", ran.out);
    assert!(ran.out.contains("Programs to test against"), "{}", ran.out);
    let last = ran.out.trim_end().rsplit("\n\n").next().unwrap();
    assert!(last.starts_with("Everything "), "{last}");
    // What is not on the path is not there, and one is told how to get it.
    let bare = course
        .command("doctor")
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    let bare = String::from_utf8(bare.stdout).unwrap();
    assert!(
        bare.contains("✗ Rust           rustc is not on your PATH"),
        "{bare}"
    );
    assert!(bare.contains("○ socat"), "{bare}");
    assert!(
        bare.ends_with("Nothing can be graded here before there is Rust.\n"),
        "{bare}"
    );
}

#[test]
fn help_and_version_need_no_course() {
    let course = Course::new();
    for arguments in [
        "help",
        "--help",
        "-h",
        "help grade",
        "reset --help",
        "--version",
    ] {
        let output = course.command(arguments).current_dir("/").output().unwrap();
        assert!(output.status.success(), "{arguments}");
        assert!(
            !output.stdout.is_empty() && output.stderr.is_empty(),
            "{arguments}"
        );
    }
    assert!(
        course
            .ok("help")
            .contains("  reset     Make an exercise what it was at first")
    );
}
