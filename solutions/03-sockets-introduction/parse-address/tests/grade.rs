//! The exercise's own checks, run on the reference answer.
extern crate parse_address_solution as parse_address;
#[path = "../../../../exercises/03-sockets-introduction/parse-address/tests/grade.rs"]
mod grade;
fn main() -> std::process::ExitCode {
    grade::main()
}
