//! The exercise's own checks, run on the reference answer.
extern crate bind_length_solution as bind_length;
#[path = "../../../../exercises/03-sockets-introduction/bind-length/tests/grade.rs"]
mod grade;
fn main() -> std::process::ExitCode {
    grade::main()
}
