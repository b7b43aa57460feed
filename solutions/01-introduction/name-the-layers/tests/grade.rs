//! The exercise's own checks, run on the reference answer.
extern crate name_the_layers_solution as name_the_layers;
#[path = "../../../../exercises/01-introduction/name-the-layers/tests/grade.rs"]
mod grade;
fn main() -> std::process::ExitCode {
    grade::main()
}
