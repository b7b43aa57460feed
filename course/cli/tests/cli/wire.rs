//! Records and terminals, as far as they need no lab: what is shown, what is refused, what verify says of them.

use crate::support::Course;

const RECORD: &str = "\
host client eth0 02:00:00:00:00:01 lan 0
host server eth0 02:00:00:00:00:02 lan 0

  client → server  SYN A→7000 seq=0 mss=1460 (lost: cable cut)
    | 1 at 0.000000 on 0, server cut 0.000052 0
    | 02000000000202000000000108004500003cb2ac40004006740d0a0000010a000002ec1a1b5818f9b7e800000000a002
    | faf0b1cb0000020405b40402080a7f2d2fbc000000000103030a
";

fn with_record() -> Course {
    let course = Course::new();
    std::fs::create_dir_all(course.path("chapters/03-sockets/wire")).unwrap();
    course.write("chapters/03-sockets/wire/nobody-home.wire", RECORD);
    course
}

#[track_caller]
fn refused(course: &Course, arguments: &str, code: i32, said: &str) {
    let ran = course.run(arguments);
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
fn a_record_is_a_ladder_and_a_file_for_wireshark() {
    let course = with_record();
    let out = course.ok("wire nobody-home --out talk.pcapng");
    let ladder = "|--------------SYN seq=0 mss=1460 (lost: cable cut)------------X  |";
    assert!(out.contains(ladder), "{out}");
    assert!(out.ends_with("written: talk.pcapng\n"), "{out}");
    let bytes = std::fs::read(course.path("talk.pcapng")).unwrap();
    assert_eq!(bytes[..4], 0x0a0d_0d0a_u32.to_ne_bytes());
    assert_eq!(
        course.ok("wire 03-sockets/nobody-home"),
        course.ok("wire nobody-home.wire")
    );
}

#[test]
fn what_cannot_be_shown_is_said_in_a_line() {
    let course = with_record();
    refused(&course, "wire", 2, "which one? cargo course wire ");
    refused(
        &course,
        "wire nobody-hom",
        2,
        "no record, exercise, check or program is called `nobody-hom`; did you mean nobody-home?",
    );
    refused(
        &course,
        "wire zzzz",
        2,
        "no record, exercise, check or program is called `zzzz`; `cargo course help wire`",
    );
    refused(
        &course,
        "wire nobody-home other",
        2,
        "`other` is one word too many",
    );
    refused(&course, "wire nobody-home --out", 2, "--out needs a file");
    course.write(
        "chapters/03-sockets/wire/broken.wire",
        "    | 1 at noon on 0\n",
    );
    refused(
        &course,
        "wire broken",
        1,
        "chapters/03-sockets/wire/broken.wire:1: not a frame's time and fate",
    );
    refused(
        &course,
        "verify --bless",
        2,
        "which chapter? cargo course verify --bless 3",
    );
    refused(
        &course,
        "verify --bless order",
        2,
        "there is no chapter `order`",
    );
}

#[test]
fn a_record_that_no_test_compares_is_found() {
    let course = with_record();
    let ran = course.run("verify 3");
    let wanted = "✗ chapters/03-sockets/wire/nobody-home.wire: no test of the chapter compares it";
    assert!(
        ran.code == Some(1) && ran.out.contains(wanted),
        "{}{}",
        ran.out,
        ran.err
    );
}

#[test]
fn what_is_not_replayed_is_counted_and_what_cannot_be_is_found() {
    let course = Course::new();
    let page = course.read("book/src/03-sockets.md");
    course.write(
        "book/src/03-sockets.md",
        &format!("{page}\n```console unverified=\"needs a modem\"\n$ cu\n```\n"),
    );
    let out = course.ok("verify 3");
    assert!(
        out.contains("✓ 03-sockets  0 sections of terminals replayed, 1 block unverified"),
        "{out}"
    );
    assert!(out.contains(": needs a modem"), "{out}");
    course.write(
        "book/src/03-sockets.md",
        &format!("{page}\n```console\n$ kill [PID]\n```\n"),
    );
    let ran = course.run("verify 3");
    assert!(
        ran.code == Some(1) && ran.out.contains("`[PID]` is not known yet"),
        "{}{}",
        ran.out,
        ran.err
    );
}
