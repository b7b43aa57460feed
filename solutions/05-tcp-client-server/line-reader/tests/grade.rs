//! The exercise's own checks, run on the reference answer.
extern crate line_reader_solution as line_reader;
#[path = "../../../../exercises/05-tcp-client-server/line-reader/tests/grade.rs"]
mod grade;
fn main() -> std::process::ExitCode {
    grade::main()
}
