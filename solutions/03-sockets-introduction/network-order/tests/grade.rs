//! The exercise's own checks, run on the reference answer.
extern crate network_order_solution as network_order;
#[path = "../../../../exercises/03-sockets-introduction/network-order/tests/grade.rs"]
mod grade;
fn main() -> std::process::ExitCode {
    grade::main()
}
