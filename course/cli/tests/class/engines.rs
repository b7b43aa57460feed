//! The files for engines that grade classes.

use std::os::unix::fs::PermissionsExt;

use crate::support::Course;

#[test]
fn an_engines_files_are_written_and_what_was_there_is_kept() {
    let course = Course::new();
    for (engine, files) in [
        (
            "github-classroom",
            [".github/workflows/classroom.yml", "README.md"].as_slice(),
        ),
        (
            "gradescope",
            &["course.conf", "setup.sh", "run_autograder", "README.md"],
        ),
        ("kubernetes", &["job.yaml", "Dockerfile", "README.md"]),
    ] {
        let out = course.ok(&format!("class files {engine} --out {engine}"));
        let shown: Vec<_> = out.lines().map(str::to_owned).collect();
        let wanted: Vec<_> = files
            .iter()
            .map(|file| format!("{engine}/{file}"))
            .collect();
        assert_eq!(shown, wanted);
    }
    for program in ["setup.sh", "run_autograder"] {
        let file = course.path("gradescope").join(program);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o111, 0o111);
    }
    for program in ["setup.sh", "run_autograder"] {
        let file = course.path("gradescope").join(program);
        let mut read = std::process::Command::new("bash");
        assert!(
            read.arg("-n").arg(file).status().unwrap().success(),
            "{program}"
        );
    }
    course.write("gradescope/setup.sh", "mine");
    course.ok("class files gradescope --out gradescope");
    assert_eq!(course.read("gradescope/setup.sh~"), "mine");
    assert!(!course.path("gradescope/run_autograder~").exists());
}
