//! The exercise's own checks, run on the reference answer.
extern crate sigpipe_solution as sigpipe;
#[path = "../../../../exercises/05-tcp-client-server/sigpipe/tests/grade.rs"]
mod grade;
fn main() -> std::process::ExitCode {
    grade::main()
}
