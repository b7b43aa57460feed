//! With the real lab: one experiment of the course itself.

use std::process::Command;

#[test]
fn an_experiment_of_the_course_is_run_by_the_lab_and_read_here() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-course"));
    let output = command
        .args(["claims", "03.17"])
        .current_dir(root)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    assert!(
        out.contains("✓ 03.17") && out.ends_with("1 as recorded.\n"),
        "{out}{err}"
    );
}
