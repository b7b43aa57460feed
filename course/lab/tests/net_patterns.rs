//! Does a pattern find what it says, and does a demand that is not met say so?

mod net_support;

use std::io::Write;
use std::process::ExitCode;

use lab::prelude::*;
use net_support::{connection, read};

fn main() -> ExitCode {
    Suite::new("net_patterns")
        .check(patterns_find_frames)
        .check(a_demand_not_met_shows_the_wire)
        .main()
}

fn patterns_find_frames(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    let (mut ours, mut theirs) = connection(net.host("client"), net.host("server"))?;
    ours.write_all(b"hello")?;
    read(&mut theirs, 5)?;
    let wire = net.wire()?;
    for (pattern, count) in [
        ("SYN", 1),
        ("SYN ACK", 1),
        ("client -> server: SYN", 1),
        ("server → client: SYN", 0),
        ("* → client: SYN ACK", 1),
        ("ACK", 2),
        ("data", 1),
        ("PSH", 1),
        ("ACK data", 1),
        ("len=5", 1),
        ("len=55", 0),
        ("FIN", 0),
        ("client → *: ARP", 1),
        ("who has", 1),
        ("dropped", 0),
    ] {
        let found = wire.find(pattern)?.frames().len();
        ensure!(
            found == count,
            "{pattern:?} finds {found} frames, not {count}, of\n{wire}"
        );
    }
    ensure!(wire.find("").is_err(), "an empty pattern is no mistake");
    PASS
}

fn a_demand_not_met_shows_the_wire(cx: &Check) -> Verdict {
    let net = cx.lan(&["client", "server"])?;
    connection(net.host("client"), net.host("server"))?;
    let wire = net.wire()?.tcp(7);
    let what = |result: Result<(), Finding>| {
        result
            .err()
            .map(|finding| (finding.is_failure(), finding.what().to_owned()))
    };
    let missed = what(wire.expect(&["client → server: SYN", "client → server: RST"]));
    let expected = "nothing on the wire is \"client → server: RST\" after \"client → server: SYN\"";
    ensure!(
        missed == Some((true, expected.into())),
        "the finding is {missed:?}"
    );
    let differs = what(wire.expect_exactly(&["client → server: ACK"]));
    ensure!(
        differs.is_some_and(|(_, what)| what.starts_with("frame 1 is not")),
        "a difference is not told"
    );
    let early = what(wire.find("SYN")?.expect_exactly(&["SYN", "SYN ACK"]));
    ensure!(
        early.is_some_and(|(_, what)| what.contains("ends before \"SYN ACK\"")),
        "an early end is not told"
    );
    let more = what(wire.expect_none("SYN ACK"));
    ensure!(
        more.is_some_and(|(_, what)| what.contains("server → client")),
        "a frame too many is not told"
    );
    PASS
}
