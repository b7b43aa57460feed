//! The exercise's own checks, run on the reference answer.
extern crate length_prefix_solution as length_prefix;
#[path = "../../../../exercises/05-tcp-client-server/length-prefix/tests/grade.rs"]
mod grade;
fn main() -> std::process::ExitCode {
    grade::main()
}
