//! The exercise's own checks, run on the reference answer.
extern crate readn_writen_solution as readn_writen;
#[path = "../../../../exercises/03-sockets-introduction/readn-writen/tests/grade.rs"]
mod grade;
fn main() -> std::process::ExitCode {
    grade::main()
}
