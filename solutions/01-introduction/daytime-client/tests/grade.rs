//! The exercise's own checks, run on the reference answer.
extern crate daytime_client_solution as daytime_client;
#[path = "../../../../exercises/01-introduction/daytime-client/tests/grade.rs"]
mod grade;
fn main() -> std::process::ExitCode {
    grade::main()
}
