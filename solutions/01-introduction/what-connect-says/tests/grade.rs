//! The exercise's own checks, run on the reference answer.
extern crate what_connect_says_solution as what_connect_says;
#[path = "../../../../exercises/01-introduction/what-connect-says/tests/grade.rs"]
mod grade;
fn main() -> std::process::ExitCode {
    grade::main()
}
