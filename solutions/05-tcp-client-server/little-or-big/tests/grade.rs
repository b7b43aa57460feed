//! The exercise's own checks, run on the reference answer.
extern crate little_or_big_solution as little_or_big;
#[path = "../../../../exercises/05-tcp-client-server/little-or-big/tests/grade.rs"]
mod grade;
fn main() -> std::process::ExitCode {
    grade::main()
}
