//! Which TCP ports of a host are open, closed or filtered, as far as `connect` can tell?

use std::io::Write;
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;

use introduction::program::{Outcome, run};
use tcp_client_server::scan::{Pace, State, is_at_home, scan};

const USAGE: &str = "usage: port-scan [--permitted] HOST PORTS, for example 127.0.0.1 22,8000-8100";

fn main() -> ExitCode {
    run(USAGE, work)
}

// ANCHOR: work
fn work(arguments: &[&str], out: &mut dyn Write) -> Outcome {
    let (permitted, host, ports) = match arguments {
        ["--permitted", host, ports] => (true, host, ports),
        [host, ports] => (false, host, ports),
        _ => return Err(USAGE.into()),
    };
    let host: IpAddr = host
        .parse()
        .map_err(|_| format!("{host} is no IP address; {USAGE}"))?;
    if !permitted && !is_at_home(host) {
        // Its owner may take this for the beginning of an attack.
        let advice = "scan what is yours, or say --permitted";
        return Err(format!("{host} is not this host nor in a private network; {advice}").into());
    }
    let ports = parse_ports(ports)?;
    let pace = Pace {
        at_once: 64,
        patience: Duration::from_secs(2),
    };
    let found = scan(host, &ports, pace)?;
    let closed = found
        .iter()
        .filter(|(_, state)| *state == State::Closed)
        .count();
    for (port, state) in found {
        match state {
            State::Open => writeln!(out, "{port} open")?,
            State::Filtered => writeln!(out, "{port} filtered")?,
            State::Closed => {}
        }
    }
    writeln!(out, "closed: {closed} of {}", ports.len())?;
    Ok(())
}

/// `22,8000-8100`: single ports and ranges, each port once.
fn parse_ports(text: &str) -> Result<Vec<u16>, String> {
    let mut ports = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        match (first.parse(), last.parse()) {
            (Ok(first), Ok(last)) if 0_u16 < first && first <= last => ports.extend(first..=last),
            _ => {
                return Err(format!(
                    "{part} is not a port from 1 to 65535 nor a range; {USAGE}"
                ));
            }
        }
    }
    ports.sort_unstable();
    ports.dedup();
    Ok(ports)
}
// ANCHOR_END: work
