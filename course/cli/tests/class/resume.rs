//! A run that was interrupted goes on; what is known is not done again, and nothing of others is overwritten.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::room::Room;
use crate::support::{RIGHT, WRONG};

#[test]
fn what_has_not_changed_is_kept() {
    let room = Room::new();
    room.hands_in("ann", "lib.rs", RIGHT)
        .hands_in("bob", "lib.rs", WRONG)
        .hands_in("cy", "lib.rs", WRONG);
    let Some(first) = room.grade("") else { return };
    assert!(
        first.out.contains("3 answers in ") && first.out.contains(" s, 0 kept"),
        "{}",
        first.out
    );
    let before = room.course.read("results/ann/grade.json");
    // As long as the wrong one, and as old: only the contents tell.
    let right = RIGHT.replace("port.to_be_bytes()", "{ port.to_be_bytes() }");
    room.hands_in("bob", "lib.rs", &right);
    room.course
        .write("results/cy/grade.json", &before[..before.len() / 2]);
    let second = room.grade("").unwrap();
    assert!(
        second.out.contains("ann: order: passed, 3 of 3, kept\n"),
        "{}",
        second.out
    );
    assert!(
        second.out.contains("bob: order: passed, 3 of 3\n"),
        "{}",
        second.out
    );
    assert!(
        second.out.contains("cy: order: failed, 0 of 3\n"),
        "{}",
        second.out
    );
    assert_eq!(room.course.read("results/ann/grade.json"), before);
    // Half a file is not one of ours for sure, so it was kept aside.
    assert!(room.course.path("results/cy").join("grade.json").exists());
}

#[test]
fn an_interrupted_run_goes_on() {
    let room = Room::new();
    let forever =
        "pub fn wire(_: u16) -> [u8; 2] {\n    loop {\n        std::thread::park();\n    }\n}\n";
    room.hands_in("ann", "lib.rs", RIGHT)
        .hands_in("bob", "lib.rs", forever);
    let mut command = room.command("--jobs 1");
    command
        .env("CLASS_RUN_SECONDS", "600")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let Some(Ok(line)) = said.next() else {
        child.wait().unwrap();
        let error = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
        assert!(
            error.contains("no sandbox can be made here")
                && std::env::var_os("LAB_REQUIRE").is_none(),
            "{error}"
        );
        return;
    };
    assert_eq!(line, "ann: order: passed, 3 of 3");
    // SAFETY: a child of ours, not waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    assert_eq!(child.wait().unwrap().code(), Some(130));
    room.is("ann", "passed", 3, "");
    room.hands_in("bob", "lib.rs", WRONG);
    let ran = room.grade("").unwrap();
    assert!(
        ran.out.contains("ann: order: passed, 3 of 3, kept\n"),
        "{}",
        ran.out
    );
    room.is("bob", "failed", 0, "");
}

#[test]
fn files_of_others_are_kept_aside() {
    let room = Room::new();
    room.hands_in("ann", "lib.rs", RIGHT);
    fs::create_dir_all(room.course.path("results/ann")).unwrap();
    for file in ["results/scores.csv", "results/ann/grade.json"] {
        room.course.write(file, "the teacher's own");
    }
    let Some(ran) = room.grade("") else { return };
    assert_eq!(room.course.read("results/scores.csv~"), "the teacher's own");
    assert_eq!(
        room.course.read("results/ann/grade.json~"),
        "the teacher's own"
    );
    assert!(
        ran.err.contains("was not written by this program"),
        "{}",
        ran.err
    );
    room.grade("").unwrap();
    assert!(!room.course.path("results/scores.csv.1~").exists());
}
