//! The exercise's own checks, run on the reference answer.
extern crate port_on_the_wire_solution as port_on_the_wire;
#[path = "../../../../exercises/03-sockets-introduction/port-on-the-wire/tests/grade.rs"]
mod grade;
fn main() -> std::process::ExitCode {
    grade::main()
}
