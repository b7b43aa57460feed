//! The exercise's own checks, run on the reference answer.
extern crate value_result_solution as value_result;
#[path = "../../../../exercises/03-sockets-introduction/value-result/tests/grade.rs"]
mod grade;
fn main() -> std::process::ExitCode {
    grade::main()
}
