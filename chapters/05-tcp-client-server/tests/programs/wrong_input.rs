//! Bad input gets one line and a status.

use std::net::TcpListener;
use std::path::Path;

use lab::prelude::*;

/// Each program, arguments that it cannot use, and words that its one line must have. TAKEN is the address of
/// somebody who listens, FREE one of nobody.
const CASES: [(&str, &str, &str); 26] = [
    ("tcp-echo-server", "TAKEN", "bind: EADDRINUSE"),
    ("tcp-echo-server", "192.0.2.1:0", "bind: EADDRNOTAVAIL"),
    ("tcp-echo-server", "1 2", "usage: tcp-echo-server"),
    (
        "tcp-echo-server",
        "localhost:7",
        "\"localhost:7\" is no address",
    ),
    ("zombie-server", "/a/path", "a TCP address looks like"),
    ("zombie-server", "1 2", "usage: zombie-server"),
    ("tcp-echo-client", "", "usage: tcp-echo-client"),
    ("tcp-echo-client", "FREE", "connect: ECONNREFUSED"),
    ("tcp-echo-client", "127.0.0.1:65536", "\"65536\" is no port"),
    ("child-states", "", "usage: child-states"),
    ("child-states", "me", "me is not a number"),
    ("child-states", "4000000000", "process 4000000000"),
    ("lost-signals", "x", "usage: lost-signals"),
    ("tcp-sum-server", "--struct vax", "there are x86-64, i386"),
    ("tcp-sum-server", "--struct", "usage: tcp-sum-server"),
    ("tcp-sum-client", "127.0.0.1:7 1", "usage: tcp-sum-client"),
    ("tcp-sum-client", "FREE 1 two", "two is not a number"),
    ("chat", "", "usage: chat"),
    ("chat", "--listen 1 2", "usage: chat"),
    ("port-scan", "127.0.0.1", "usage: port-scan"),
    ("port-scan", "192.0.2.1 80", "--permitted"),
    ("port-scan", "localhost 80", "localhost is no IP address"),
    ("port-scan", "127.0.0.1 9-8", "9-8 is not a port"),
    ("port-scan", "127.0.0.1 0", "0 is not a port"),
    ("port-owner", "http", "http is not a port"),
    ("port-owner", "1", "nobody uses TCP port 1"),
];

pub fn bad_arguments_get_one_line(cx: &Check) -> Verdict {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let taken = listener.local_addr()?.to_string();
    let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    for (name, arguments, words) in CASES {
        let line = arguments.replace("TAKEN", &taken).replace("FREE", &free);
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let path = Path::new(env!("CARGO_BIN_EXE_chat")).with_file_name(name);
        let mut program = cx.program(path, &arguments)?;
        let output = program.exits(1)?;
        let said = program.stderr();
        ensure!(output.is_empty(), "{name} {line} printed {output:?}");
        let one_line = said.starts_with("error: ") && said.trim_end().lines().count() == 1;
        ensure!(
            one_line && said.contains(words),
            "{name} {line} said {said:?}, not {words:?}"
        );
    }
    PASS
}
