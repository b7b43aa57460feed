//! The exercise's own checks, run on the reference answer.
extern crate reap_children_solution as reap_children;
#[path = "../../../../exercises/05-tcp-client-server/reap-children/tests/grade.rs"]
mod grade;
fn main() -> std::process::ExitCode {
    grade::main()
}
