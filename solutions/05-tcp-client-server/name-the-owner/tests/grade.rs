//! The exercise's own checks, run on the reference answer.
extern crate name_the_owner_solution as name_the_owner;
#[path = "../../../../exercises/05-tcp-client-server/name-the-owner/tests/grade.rs"]
mod grade;
fn main() -> std::process::ExitCode {
    grade::main()
}
