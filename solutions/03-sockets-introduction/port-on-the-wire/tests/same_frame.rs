//! Is the frame that the grader reads the frame that the task shows?

/// Every line of the dump stands in the task.
#[test]
fn the_task_shows_the_graders_frame() {
    let task = include_str!("../stub/lib.rs");
    let dump = include_str!(
        "../../../../exercises/03-sockets-introduction/port-on-the-wire/tests/frame.txt"
    );
    let lines: Vec<String> = dump.lines().map(|line| format!("//! {line}\n")).collect();
    assert!(
        task.contains(&lines.concat()),
        "the dump in the task differs from frame.txt"
    );
}
