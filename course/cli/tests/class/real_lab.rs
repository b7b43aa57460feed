//! With the real lab, in whose checks an answer is a process of its own: an exercise of the course itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn answers_to_an_exercise_of_the_course_are_graded_by_the_lab() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let solution = root.join("solutions/03-sockets-introduction/network-order");
    let right = fs::read_to_string(solution.join("src/lib.rs")).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let class = scratch.path().join("class");
    // Answers that would be right if they did not first try something.
    let first = |does: &str| {
        right.replacen(
            "pub fn sin_port(port: u16) -> u16 {",
            &format!("pub fn sin_port(port: u16) -> u16 {{ {does};"),
            1,
        )
    };
    let report = "for pid in 1..400 { for fd in [700, 701, 702, 703, 704, 900] { \
                  let _ = std::fs::write(format!(\"/proc/{pid}/fd/{fd}\"), [0_u8; 64]); } }; std::process::exit(0)";
    for (student, answer) in [
        ("right", right.clone()),
        (
            "wrong",
            fs::read_to_string(solution.join("wrong/host_order.rs")).unwrap(),
        ),
        ("leaves", first("std::process::exit(0)")),
        ("forges", first(report)),
    ] {
        fs::create_dir_all(class.join(student).join("src")).unwrap();
        fs::write(class.join(student).join("src/lib.rs"), answer).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-course"))
        .args(["class", "grade", "--exercise", "network-order", "--out"])
        .args([&scratch.path().join("results"), &class])
        .current_dir(root)
        .env("NO_COLOR", "1")
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
    let outcome = |student: &str| {
        let text = fs::read_to_string(
            scratch
                .path()
                .join("results")
                .join(student)
                .join("grade.json"),
        )
        .unwrap();
        let grades: Value = serde_json::from_str(&text).unwrap();
        crate::schema::holds(&grades);
        (
            grades["exercises"][0]["outcome"]
                .as_str()
                .unwrap()
                .to_owned(),
            grades["points"] == grades["of"],
        )
    };
    assert_eq!(outcome("right"), ("passed".to_owned(), true));
    for student in ["wrong", "leaves", "forges"] {
        assert_eq!(
            outcome(student),
            ("failed".to_owned(), false),
            "{student}\n{out}"
        );
    }
}
