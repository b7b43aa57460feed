//! What does a sender do when its peer does not read?
//!
//! How the bytes are cut into segments differs from run to run, so the record that the book draws is not compared with the wire.
//! Both must keep the same rules.

use std::fs;
use std::net::SocketAddr;
use std::process::ExitCode;

use lab::prelude::*;
use lab::wire::{Flags, Wire};

const PORT: u16 = 7000;
/// What the client writes.
const COUNT: usize = 24_000;
/// What fits into a segment on Ethernet, with timestamps.
const SEGMENT: u32 = 1_448;
const HEAD: &str = "\
# What was on the wire, kept by a test. Another run cuts the bytes otherwise, so this is not compared: both must keep the same rules.
";
const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/wire/slow-reader.wire");

fn main() -> ExitCode {
    Suite::new("window")
        .section("05-tcp-client-server#host-shuts-down")
        .check(a_slow_reader_stops_the_sender)
        .main()
}

/// The receiver's window closes, and opens again as its program reads.
fn a_slow_reader_stops_the_sender(cx: &Check) -> Verdict {
    cx.allows_long_waits();
    let net = cx.lan(&["client", "server"])?;
    net.introduce()?;
    // Little room in the receiver's kernel, and enough in the sender's for all that is written. The segments are large, because the
    // receiver counts the memory that holds them, and for small ones that is several times their data.
    let room = "4096 16384 16384";
    net.host("server").sysctl("net.ipv4.tcp_rmem", room)?;
    let much = "4096 262144 262144";
    net.host("client").sysctl("net.ipv4.tcp_wmem", much)?;
    let address = SocketAddr::from(([10, 0, 0, 2], PORT));
    let listener = cx.on(&net, "server").listens(address)?;
    let client = cx.on(&net, "client").connects(address)?;
    let server = listener.accepts()?;

    client.sends(vec![b'x'; COUNT])?;
    cx.step("write has returned, and the server does not read");
    cx.sees(&net, "a window with no room for a segment", |frame| {
        let tcp = frame.packet.tcp();
        *frame.from == *"server"
            && tcp.is_some_and(|tcp| !tcp.flags.has(Flags::SYN) && tcp.scaled_window < SEGMENT)
    })?;
    let mut read = 0;
    while read < COUNT {
        read += server.receives((COUNT - read).min(4_000))?.len();
    }
    let wire = net.wire()?.tcp(PORT);
    keeps_the_rules(&wire)?;
    let kept = || {
        let text = fs::read_to_string(RECORD).ok()?;
        Wire::from_record(&text).ok()
    };
    let bless = std::env::var_os("LAB_BLESS").is_some_and(|set| set == "1");
    if bless && kept().is_none_or(|kept| keeps_the_rules(&kept).is_err()) {
        let record = wire.record();
        let frames = record.lines().filter(|line| !line.starts_with('#'));
        let frames: Vec<&str> = frames.collect();
        fs::write(RECORD, format!("{HEAD}{}\n", frames.join("\n")))?;
    }
    let kept = kept()
        .ok_or_else(|| Finding::fail("slow-reader.wire cannot be read; LAB_BLESS=1 makes it"))?;
    keeps_the_rules(&kept)?;
    PASS
}

/// All bytes came; at no time was more sent than the receiver had allowed; and the sender had to wait for it.
fn keeps_the_rules(wire: &Wire) -> Result<(), Finding> {
    let count = wire.data("client").len();
    ensure!(count == COUNT, "{count} bytes came of {COUNT}");
    let mut allowed = 0;
    let mut sent = 0;
    let mut least = u32::MAX;
    for frame in wire.frames() {
        let Some(tcp) = frame.packet.tcp() else {
            continue;
        };
        if *frame.from == *"server" {
            allowed = allowed.max(tcp.relative_acknowledgment + tcp.scaled_window);
            if sent > 1 {
                least = least.min(allowed - sent);
            }
        } else {
            sent = sent.max(tcp.relative_sequence + frame.data().len() as u32);
            ensure!(
                tcp.flags.has(Flags::SYN) || sent <= allowed,
                "{sent} bytes were sent where {allowed} were allowed"
            );
        }
    }
    ensure!(
        least < SEGMENT,
        "there was always room for a segment: {least} bytes at the least"
    );
    Ok(())
}
