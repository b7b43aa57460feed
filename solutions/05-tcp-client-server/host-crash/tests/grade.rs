//! The exercise's own checks, run on the reference answer.
extern crate host_crash_solution as host_crash;
#[path = "../../../../exercises/05-tcp-client-server/host-crash/tests/grade.rs"]
mod grade;
fn main() -> std::process::ExitCode {
    grade::main()
}
