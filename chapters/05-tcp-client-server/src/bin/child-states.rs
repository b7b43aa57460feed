//! Which children does a process have, and in what state are they?

use std::io::Write;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use introduction::program::{Outcome, run};
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
    let look = || children_of(pid).map_err(|error| format!("process {pid}: {error}"));
    let mut children = look()?;
    // A process that runs is about to sleep or to end. Its state is worth a little patience.
    for _ in 0..100 {
        if children.iter().all(|child| child.state != 'R') {
            break;
        }
        sleep(Duration::from_millis(10));
        children = look()?;
    }
    for Child { pid, state, name } in &children {
        writeln!(out, "{pid} {state} {name}")?;
    }
    writeln!(out, "children: {}", children.len())?;
    Ok(())
}
