//! What cannot be graded is named in a line.

use std::fs;
use std::process::Command;

use crate::room::Room;
use crate::support::RIGHT;

#[track_caller]
fn fails(room: &Room, arguments: &str, code: i32, says: &str) {
    let ran = room.course.run(arguments);
    assert_eq!(ran.code, Some(code), "{}{}", ran.out, ran.err);
    assert!(
        ran.err.starts_with("error: ") && ran.err.lines().count() == 1 && ran.err.contains(says),
        "{}",
        ran.err
    );
}

#[test]
fn one_line_says_what_was_wrong() {
    let room = Room::new();
    fails(&room, "class grade nowhere", 1, "nowhere: No such file");
    fails(
        &room,
        "class grade Cargo.toml",
        1,
        "Cargo.toml is a file; name a folder",
    );
    fails(&room, "class grade class", 1, "class has no folders");
    fails(&room, "class grade class --exercise ordre", 2, "order");
    fails(
        &room,
        "class grade class --jobs 0",
        2,
        "--jobs needs 1 to 64",
    );
    fails(&room, "class grade", 2, "cargo course class");
    fails(&room, "class mark class", 2, "`class mark` means nothing");
    fails(
        &room,
        "class files moodle --out x",
        2,
        "`moodle` is none of github-classroom, gradescope, kubernetes",
    );
    fails(&room, "class files gradescope", 2, "--out DIR");
    fs::create_dir(room.path("ann")).unwrap();
    room.course.write("results", "a file");
    fails(&room, "class grade class --exercise order", 1, "results");
}

#[test]
fn without_sandboxes_it_says_so_and_does_nothing() {
    let room = Room::new();
    room.hands_in("ann", "lib.rs", RIGHT);
    let course = room.command("");
    // In a user namespace that may have no other in it, as on machines that forbid them.
    let confined = |options: &[&str]| {
        let mut command = Command::new("unshare");
        command.args([
            "--user",
            "--map-root-user",
            "sh",
            "-c",
            "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\" \"$@\"",
        ]);
        command
            .arg(course.get_program())
            .args(course.get_args())
            .args(options);
        for (name, value) in course.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
            .current_dir(course.get_current_dir().unwrap())
            .output()
    };
    let Ok(output) = confined(&[]) else { return };
    let err = String::from_utf8(output.stderr).unwrap();
    if err.contains("unshare: unshare failed") && std::env::var_os("LAB_REQUIRE").is_none() {
        return;
    }
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(
        err.contains("no sandbox can be made here (") && err.contains("say --unsandboxed"),
        "{err}"
    );
    assert!(!room.course.path("results/ann").exists());
    let output = confined(&["--unsandboxed"]).unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    room.is("ann", "passed", 3, "");
}
