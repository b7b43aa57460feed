//! `cargo course class` as a teacher uses it: the real program, on small courses and small classes.
//!
//! Where the machine allows no sandbox, there is nothing to test but that it says so; `LAB_REQUIRE=all` makes that a failure.

mod bad_input;
mod engines;
mod grades;
mod hostile;
mod limits;
mod real_lab;
mod resume;
mod room;
mod schema;
#[path = "../cli/support.rs"]
#[allow(dead_code)]
mod support;
