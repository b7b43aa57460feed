//! `cargo course` as its readers use it: the real program on a small course in a temporary directory.
//!
//! The course is in `tests/fixture`. Its exercises have no dependency, so each builds in a moment; its runner writes the
//! lab's report. One test, in `real_lab`, runs on the course itself.

mod bad_input;
mod commands;
mod real_lab;
mod support;
mod trace;
mod verify;
mod watch;
mod wire;
