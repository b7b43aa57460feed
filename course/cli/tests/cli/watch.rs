//! The main job, in a terminal.

use std::fs;

use crate::support::{BROKEN, Course, Hanger, RIGHT, SUM, Terminal, WRONG, is_gone};

fn watch(course: &Course) -> Terminal {
    let mut terminal = Terminal::start(course.command(""));
    terminal.until("q quit");
    terminal
}

#[test]
fn each_save_is_graded_and_a_pass_moves_on() {
    let course = Course::new();
    let mut terminal = watch(&course);
    course.answer(WRONG);
    let shown = terminal.until("Grading order on each save.");
    assert!(shown.contains("x. wire(7): got 01 07"), "{shown}");

    course.answer(BROKEN);
    terminal.until("error[E0308]: mismatched types");
    terminal.until("Grading order on each save.");

    // As editors do it: write beside, and rename.
    course.write("exercises/03-sockets/order/src/.lib.rs.new", RIGHT);
    fs::rename(
        course.path("exercises/03-sockets/order/src/.lib.rs.new"),
        course.path("exercises/03-sockets/order/src/lib.rs"),
    )
    .unwrap();
    let shown = terminal.until("Grading total on each save.");
    assert!(shown.contains("✓ order  3 of 3 points"), "{shown}");
    assert!(shown.contains("Now you may compare"), "{shown}");
    assert!(shown.contains("Next: total"), "{shown}");

    course.write("exercises/03-sockets/total/src/lib.rs", SUM);
    terminal.until("That was the last one: all 2 pass.");
    terminal.press("q");
    assert_eq!(terminal.end().code(), Some(0));
    assert!(terminal.is_as_before());
    let progress = course.read(".course/progress.txt");
    assert!(
        progress.contains("passed  order  3 of 3 points")
            && progress.contains("passed  total  3 of 3"),
        "{progress}"
    );
}

#[test]
fn saving_another_exercise_makes_it_the_current_one() {
    let course = Course::new();
    let mut terminal = watch(&course);
    course.write(
        "exercises/03-sockets/total/src/lib.rs",
        "pub fn total(_: usize, _: usize) -> usize {\n    3\n}\n",
    );
    terminal.until("✗ total");
    terminal.until("Grading total on each save.");
}

#[test]
fn keys_do_what_the_last_line_says() {
    let course = Course::new();
    let mut terminal = watch(&course);
    terminal.press("h");
    terminal.until("hint 1 of 3");
    terminal.press("h");
    terminal.until("hint 2 of 3");
    terminal.press("l");
    terminal.until("› · order");
    terminal.press("s");
    terminal.until("order has not passed yet.");
    terminal.press("n");
    terminal.until("Grading total on each save.");
    terminal.press("\r");
    terminal.until("✗ total  0 of 3 points");
    terminal.press("x");
    terminal.press("q");
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn a_save_ends_the_grader_that_an_older_save_began() {
    let course = Course::new();
    let hanger = Hanger::new(&course);
    let mut terminal = watch(&course);
    course.answer(&hanger.answer());
    let hung = hanger.pid();
    course.answer(RIGHT);
    terminal.until("✓ order  3 of 3 points");
    is_gone(hung);
}

#[test]
fn ctrl_c_ends_all_that_was_begun_and_gives_the_terminal_back() {
    let course = Course::new();
    let hanger = Hanger::new(&course);
    let mut terminal = watch(&course);
    assert!(!terminal.is_as_before(), "keys are taken one by one");
    course.answer(&hanger.answer());
    let hung = hanger.pid();
    terminal.press("\x03");
    assert_eq!(terminal.end().code(), Some(130));
    is_gone(hung);
    assert!(terminal.is_as_before());
    assert_eq!(
        course.read("exercises/03-sockets/order/src/lib.rs"),
        hanger.answer()
    );
}

#[test]
fn ctrl_c_ends_a_plain_grade_too() {
    let course = Course::new();
    let hanger = Hanger::new(&course);
    course.answer(&hanger.answer());
    let mut terminal = Terminal::start(course.command("grade"));
    let hung = hanger.pid();
    terminal.press("\x03");
    assert_eq!(terminal.end().code(), Some(130));
    is_gone(hung);
}

#[test]
fn an_answer_that_is_there_already_is_graded_at_the_start() {
    let course = Course::new();
    course.answer(WRONG);
    let mut terminal = watch(&course);
    terminal.until("x. wire(7): got 01 07");
}
