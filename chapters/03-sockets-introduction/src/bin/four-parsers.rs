//! Which texts does each parser take for an IPv4 address, and for which?

use std::ffi::CString;
use std::io::Write;
use std::net::Ipv4Addr;
use std::process::ExitCode;

use introduction::program::{Outcome, run};
use sockets_introduction::text::{by_inet_addr, by_inet_aton, to_ip};

const USAGE: &str = "usage: four-parsers [TEXT...]";

const TEXTS: &[&str] = &[
    "192.0.2.1",
    "255.255.255.255",
    "127.1",
    "010.0.0.1",
    "0x7f000001",
    "2130706433",
    "192.0.2.1 x",
    "192.0.2.256",
];

fn main() -> ExitCode {
    run(USAGE, work)
}

fn work(arguments: &[&str], out: &mut dyn Write) -> Outcome {
    let texts = if arguments.is_empty() { TEXTS } else { arguments };
    writeln!(
        out,
        "{:16} {:16} {:16} {:16} std",
        "", "inet_addr", "inet_aton", "inet_pton"
    )?;
    for text in texts {
        let c_text = CString::new(*text)?;
        let addr = by_inet_addr(&c_text);
        let aton = or_dash(by_inet_aton(&c_text));
        let pton = or_dash(to_ip(text));
        let std = or_dash(text.parse::<Ipv4Addr>().ok());
        writeln!(out, "{text:16} {addr:<16} {aton:16} {pton:16} {std}")?;
    }
    Ok(())
}

fn or_dash(address: Option<impl ToString>) -> String {
    address.map_or("-".into(), |address| address.to_string())
}
