//! The exercise's own checks, run on the reference answer.
extern crate accept_errors_solution as accept_errors;
#[path = "../../../../exercises/05-tcp-client-server/accept-errors/tests/grade.rs"]
mod grade;
fn main() -> std::process::ExitCode {
    grade::main()
}
