//! What is handed in, in whatever form, is found, graded and written down.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::Value;

use crate::room::{ORDER, Room};
use crate::support::{BROKEN, RIGHT, WRONG};

#[test]
fn a_class_of_all_sorts() {
    let room = Room::new();
    let lib = format!("{ORDER}/src/lib.rs");
    let stub = room.course.read(&lib);
    room.hands_in("fork", &lib, RIGHT)
        .hands_in("package", "src/lib.rs", RIGHT)
        .hands_in("flat", "lib.rs", RIGHT)
        .hands_in("wrapped", "my-answer-main/order/src/lib.rs", RIGHT)
        .hands_in("wrong", "src/lib.rs", WRONG)
        .hands_in("broken", "src/lib.rs", BROKEN)
        .hands_in("stub", &lib, &stub)
        .hands_in("twice", "one/order/src/lib.rs", RIGHT)
        .hands_in("twice", "two/order/src/lib.rs", RIGHT)
        .hands_in(
            "modules",
            "src/lib.rs",
            "mod inner;\npub use inner::wire;\n",
        )
        .hands_in("modules", "src/inner.rs", RIGHT)
        .hands_in("=1+1", "lib.rs", RIGHT)
        .hands_in("scores.csv", "lib.rs", RIGHT);
    fs::create_dir(room.path("empty")).unwrap();
    let Some(ran) = room.grade("--jobs 3") else {
        return;
    };
    for student in [
        "fork",
        "package",
        "flat",
        "wrapped",
        "modules",
        "=1+1",
        "scores.csv-2",
    ] {
        room.is(student, "passed", 3, "");
    }
    room.is("wrong", "failed", 0, "seven: wire(7): got 01 07");
    room.is("broken", "does-not-compile", 0, "mismatched types");
    assert!(
        room.result("broken")["output"]
            .as_str()
            .unwrap()
            .contains("src/lib.rs:2:5")
    );
    room.is("stub", "untouched", 0, "as it was handed out");
    room.is(
        "twice",
        "refused",
        0,
        "several answers: one/order, two/order",
    );
    room.is("empty", "missing", 0, "no answer");
    assert!(
        ran.out.contains("wrong: order: failed, 0 of 3\n"),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .contains("7 passed, 1 failed, 1 does-not-compile, 1 refused, 1 untouched, 1 missing"),
        "{}",
        ran.out
    );

    let scores = room.course.read("results/scores.csv");
    assert!(
        scores.starts_with("\"student\",\"points\",\"of\",\"order\",\"order: outcome\"\n"),
        "{scores}"
    );
    assert!(
        scores.contains("\n\"'=1+1\",3,3,3,\"passed\"\n"),
        "{scores}"
    );
    assert!(
        scores.contains("\n\"wrong\",0,3,0,\"failed\"\n"),
        "{scores}"
    );

    others_can_read_it(&room);
}

/// Gradescope's file, and the one for JUnit's readers.
fn others_can_read_it(room: &Room) {
    let junit = room.course.read("results/junit.xml");
    let parsed = Command::new("python3")
        .args([
            "-c",
            "import sys, xml.dom.minidom as m; m.parseString(sys.argv[1])",
            &junit,
        ])
        .output();
    assert!(
        parsed.is_err() || parsed.unwrap().status.success(),
        "{junit}"
    );
    assert!(
        junit.contains("<failure message=\"wire(7): got 01 07\">"),
        "{junit}"
    );

    let gradescope: Value =
        serde_json::from_str(&room.course.read("results/fork/results.json")).unwrap();
    assert_eq!(gradescope["score"], 3);
    let tests = gradescope["tests"].as_array().unwrap();
    let scores: Vec<_> = tests
        .iter()
        .map(|test| (test["score"].as_u64(), test["max_score"].as_u64()))
        .collect();
    assert_eq!(scores, [(Some(1), Some(1)), (Some(2), Some(2))]);
    assert_eq!(tests[1]["name"], "order: large");
}

#[test]
fn only_what_may_be_edited_is_taken() {
    let room = Room::new();
    let grader = "fn main() { println!(\"test result: ok. 2 passed\"); }";
    let manifest = room.course.read(&format!("{ORDER}/Cargo.toml"));
    room.hands_in("editor", &format!("{ORDER}/src/lib.rs"), WRONG)
        .hands_in("editor", &format!("{ORDER}/tests/grade.rs"), grader)
        .hands_in(
            "editor",
            &format!("{ORDER}/build.rs"),
            "fn main() { std::process::exit(1) }",
        )
        .hands_in(
            "editor",
            &format!("{ORDER}/Cargo.toml"),
            &(manifest + "\n[profile.dev]\n"),
        )
        .hands_in(
            "editor",
            &format!("{ORDER}/.cargo/config.toml"),
            "[build]\nrustc-wrapper = \"/bin/false\"\n",
        )
        .hands_in("editor", &format!("{ORDER}/src/notes.txt"), "mine")
        .hands_in("editor", "runner.rs", "nonsense")
        .hands_in(
            "editor",
            ".cargo/config.toml",
            "[build]\nrustc = \"/bin/false\"\n",
        );
    if room.grade("").is_none() {
        return;
    }
    room.is("editor", "failed", 0, "seven: wire(7)");
    let result = room.result("editor");
    assert_eq!(result["files"], serde_json::json!(["src/lib.rs"]));
    let ignored: Vec<_> = result["ignored"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["file"].as_str().unwrap())
        .collect();
    assert_eq!(
        ignored,
        [
            ".cargo/config.toml",
            "Cargo.toml",
            "build.rs",
            "src/notes.txt",
            "tests/grade.rs"
        ]
    );
}

#[test]
fn what_is_no_plain_file_is_named_and_not_followed() {
    let room = Room::new();
    for student in [
        "link",
        "folder-link",
        "way-link",
        "fifo",
        "huge",
        "odd-name",
    ] {
        fs::create_dir_all(room.path(student).join("src")).unwrap();
    }
    room.hands_in("right", "src/lib.rs", RIGHT)
        .hands_in("odd-name", "src/lib.rs", RIGHT);
    symlink(
        room.course.path("solutions/03-sockets/order/src/lib.rs"),
        room.path("link").join("src/lib.rs"),
    )
    .unwrap();
    room.hands_in("folder-link", "src/lib.rs", RIGHT);
    symlink("/etc", room.path("folder-link").join("src/etc")).unwrap();
    fs::remove_dir(room.path("way-link").join("src")).unwrap();
    symlink(
        room.path("right").join("src"),
        room.path("way-link").join("src"),
    )
    .unwrap();
    symlink(room.path("right"), room.path("alias")).unwrap();
    let fifo = std::ffi::CString::new(room.path("fifo").join("src/lib.rs").as_os_str().as_bytes())
        .unwrap();
    // SAFETY: the name is a C string.
    assert_eq!(unsafe { libc::mkfifo(fifo.as_ptr(), 0o600) }, 0);
    room.hands_in("huge", "src/lib.rs", &"// more\n".repeat(200_000));
    fs::write(
        room.path("odd-name")
            .join("src")
            .join(std::ffi::OsStr::from_bytes(b"odd\xff.rs")),
        "",
    )
    .unwrap();
    if room.grade("").is_none() {
        return;
    }
    room.is("right", "passed", 3, "");
    room.is("link", "refused", 0, "src/lib.rs is a symbolic link");
    room.is("folder-link", "refused", 0, "src/etc is a symbolic link");
    room.is("way-link", "refused", 0, "src is a symbolic link");
    room.is("alias", "refused", 0, "the folder is a symbolic link");
    room.is(
        "fifo",
        "refused",
        0,
        "src/lib.rs is neither a file nor a folder",
    );
    room.is("huge", "refused", 0, "src/lib.rs has 1600000 bytes");
    room.is("odd-name", "refused", 0, "the name is not UTF-8");
}

#[test]
fn a_dirty_course_does_not_leak_into_grades() {
    let room = Room::new();
    room.hands_in("right", "lib.rs", RIGHT);
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "-c",
            "commit.gpgsign=false",
        ]);
        let output = command
            .args(arguments)
            .current_dir(room.course.path(""))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "the course"]);
    // A grader that passes nobody, and a teacher who tries an answer.
    room.course
        .edit(&format!("{ORDER}/tests/grade.rs"), "[0, 7]", "[9, 9]");
    room.course.answer("not Rust at all");
    let Some(ran) = room.grade("") else { return };
    room.is("right", "passed", 3, "");
    assert!(ran.out.contains("against git tree "), "{}", ran.out);
}

#[test]
fn without_a_slug_every_exercise_that_was_handed_in_is_graded() {
    let room = Room::new();
    room.hands_in("ann", &format!("{ORDER}/src/lib.rs"), RIGHT)
        .hands_in(
            "ann",
            "exercises/03-sockets/total/src/lib.rs",
            crate::support::SUM,
        )
        .hands_in("bob", &format!("{ORDER}/src/lib.rs"), WRONG)
        .hands_in("eve", "src/lib.rs", RIGHT);
    let output = room
        .course
        .command("class grade class --out results")
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    if err.contains("no sandbox can be made here") && std::env::var_os("LAB_REQUIRE").is_none() {
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    assert!(
        out.contains("ann: total: passed") && out.contains("bob: total: missing"),
        "{out}"
    );
    let scores = room.course.read("results/scores.csv");
    assert!(scores.contains("\"bob\",0,"), "{scores}");
}
