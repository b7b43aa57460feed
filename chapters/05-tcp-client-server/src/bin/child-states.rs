//! Which children does a process have, and in what state are they?

use std::io::Write;
use std::process::ExitCode;

use sockets_introduction::program::{Outcome, run};
use tcp_client_server::children::{Child, children_of};

const USAGE: &str = "usage: child-states PID, the number of a process";

fn main() -> ExitCode {
    run(USAGE, work)
}

fn work(arguments: &[&str], out: &mut dyn Write) -> Outcome {
    let [pid] = arguments else {
        return Err(USAGE.into());
    };
    let pid = pid
        .parse()
        .map_err(|_| format!("{pid} is not a number; {USAGE}"))?;
    let children = children_of(pid).map_err(|error| format!("process {pid}: {error}"))?;
    for Child { pid, state, name } in &children {
        writeln!(out, "{pid} {state} {name}")?;
    }
    writeln!(out, "children: {}", children.len())?;
    Ok(())
}
