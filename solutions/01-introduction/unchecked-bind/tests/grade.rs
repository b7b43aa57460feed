//! The exercise's own checks, run on the reference answer.
extern crate unchecked_bind_solution as unchecked_bind;
#[path = "../../../../exercises/01-introduction/unchecked-bind/tests/grade.rs"]
mod grade;
fn main() -> std::process::ExitCode {
    grade::main()
}
