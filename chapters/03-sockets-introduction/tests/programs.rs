//! Do the programs print what the chapter shows, and do they understand peers that nobody here wrote?

use std::net::SocketAddr;

use lab::prelude::*;

const ADDRESS_TOOL: &str = env!("CARGO_BIN_EXE_address-tool");
const ADDR_LAYOUT: &str = env!("CARGO_BIN_EXE_addr-layout");
const BIND_SIZES: &str = env!("CARGO_BIN_EXE_bind-sizes");
const BYTE_ORDER: &str = env!("CARGO_BIN_EXE_byte-order");
const FOUR_PARSERS: &str = env!("CARGO_BIN_EXE_four-parsers");
const LINE_COST: &str = env!("CARGO_BIN_EXE_line-cost");
const NTOA_TWICE: &str = env!("CARGO_BIN_EXE_ntoa-twice");
const ONE_READ: &str = env!("CARGO_BIN_EXE_one-read");
const SHORT_ROOM: &str = env!("CARGO_BIN_EXE_short-room");
const SLOW_WRITER: &str = env!("CARGO_BIN_EXE_slow-writer");
const TWO_WRITES: &str = env!("CARGO_BIN_EXE_two-writes");
const WRONG_PORT: &str = env!("CARGO_BIN_EXE_wrong-port");

const NONE: &[&str] = &[];

fn main() -> std::process::ExitCode {
    Suite::new("programs")
        .section("03-sockets-introduction#run-something-first")
        .check(wrong_port_binds_the_swapped_port)
        .check(byte_order_shows_both_orders)
        .check(addr_layout_lists_every_structure)
        .check(address_tool_names_each_byte)
        .check(bind_sizes_finds_every_fate)
        .check(short_room_shows_both_ways)
        .check(four_parsers_disagree)
        .check(ntoa_twice_says_one_address_twice)
        .check(two_writes_become_one_read)
        .check(line_cost_counts_reads)
        .check(one_read_takes_what_python_sent_first)
        .check(one_read_waits_for_all)
        .check(one_read_needs_a_link_for_a_link_local_host)
        .check(python_reads_slow_writer_in_pieces)
        .check(a_closed_output_is_an_end)
        .check(bad_input_gets_one_line)
        .main()
}

/// What a program prints, when all goes well.
fn output(cx: &Check, program: &str, arguments: &[&str]) -> Result<String, Finding> {
    cx.program(program, arguments)?.exits(0)
}

fn wrong_port_binds_the_swapped_port(cx: &Check) -> Verdict {
    // A port whose swapped neighbor is free: the kernel picks the neighbor, and it is free again.
    let free = std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port();
    let asked = free.swap_bytes().to_string();
    let seen = output(cx, WRONG_PORT, &[&asked])?;
    let free = if cfg!(target_endian = "little") {
        free
    } else {
        free.swap_bytes()
    };
    let expected = format!("asked for port {asked}\nbound to 127.0.0.1:{free}\n");
    ensure!(seen == expected, "it prints {seen:?}, not {expected:?}");
    PASS
}

fn byte_order_shows_both_orders(cx: &Check) -> Verdict {
    let seen = output(cx, BYTE_ORDER, &["8000"])?;
    for line in [
        "number       8000 = 0x1f40, in 2 bytes",
        "on the wire  [1f, 40]",
        "misread      16415 = 0x401f",
    ] {
        ensure!(
            seen.lines().any(|seen| seen == line),
            "{line:?} is not in {seen:?}"
        );
    }
    if cfg!(target_endian = "little") {
        ensure!(seen.contains("in memory    [40, 1f]"), "it prints {seen:?}");
    }
    for (number, wire) in [
        ("0xffff", "[ff, ff]"),
        ("0x10000", "[00, 01, 00, 00]"),
        ("4294967296", "[00, 00, 00, 01, 00, 00, 00, 00]"),
    ] {
        let seen = output(cx, BYTE_ORDER, &[number])?;
        let line = format!("on the wire  {wire}\n");
        ensure!(seen.contains(&line), "{line:?} is not in {seen:?}");
    }
    PASS
}

fn addr_layout_lists_every_structure(cx: &Check) -> Verdict {
    let seen = output(cx, ADDR_LAYOUT, NONE)?;
    let part =
        "sockaddr_in: 16 bytes, aligned to 4\n    0    2  sin_family\n    2    2  sin_port\n";
    ensure!(seen.contains(part), "it prints {seen}");
    ensure!(
        seen.lines().count() == 23,
        "it prints {} lines",
        seen.lines().count()
    );
    PASS
}

fn address_tool_names_each_byte(cx: &Check) -> Verdict {
    let order = u16::to_ne_bytes;
    let family = |family: i32| {
        let [first, second] = order(family as u16);
        format!("{first:02x} {second:02x}")
    };
    let seen = output(
        cx,
        ADDRESS_TOOL,
        &["[fe80::1%lo]:8000", "/tmp/socket", "@name"],
    )?;
    let [one, zero, .., last] = 1_u32.to_ne_bytes();
    let expected = format!(
        "[fe80::1%lo]:8000: sockaddr_in6, 28 bytes
    0  sin6_family    {}
    2  sin6_port      1f 40
    4  sin6_flowinfo  00 00 00 00
    8  sin6_addr      fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01
   24  sin6_scope_id  {one:02x} {zero:02x} 00 {last:02x}
/tmp/socket: sockaddr_un, 14 bytes
    0  sun_family     {un}
    2  sun_path       2f 74 6d 70 2f 73 6f 63 6b 65 74 00
@name: sockaddr_un, 7 bytes
    0  sun_family     {un}
    2  sun_path       00 6e 61 6d 65
",
        family(libc::AF_INET6),
        un = family(libc::AF_UNIX),
    );
    ensure!(seen == expected, "it prints\n{seen}\nnot\n{expected}");

    let long = output(cx, ADDRESS_TOOL, &[&format!("/{}", "a".repeat(20))])?;
    ensure!(
        long.contains("\n   18                 61 61 61 61 61 00\n"),
        "it prints\n{long}"
    );
    PASS
}

fn bind_sizes_finds_every_fate(cx: &Check) -> Verdict {
    let folder = cx.folder()?.to_string_lossy().into_owned();
    let spawner = cx.spawner().env("TMPDIR", &folder);
    let seen = spawner.program(BIND_SIZES, NONE)?.exits(0)?;
    for line in [
        "AF_INET          8  EINVAL: Invalid argument",
        "AF_INET         15  EINVAL: Invalid argument",
        "AF_INET        129  EINVAL: Invalid argument",
        "AF_UNIX          3  ok, 4 bytes: f",
        "AF_UNIX          8  ok, 9 bytes: foo.so",
        "AF_UNIX         12  ok, 13 bytes: foo.socket",
        "AF_UNIX         13  ok, 13 bytes: foo.socket",
        "AF_UNIX        110  ok, 13 bytes: foo.socket",
        "AF_UNIX        111  EINVAL: Invalid argument",
        "abstract        13  ok, 13 bytes: @bind-sizes",
        "abstract       110  ok, 110 bytes: @bind-sizes\\x00\\x00\\",
    ] {
        ensure!(
            seen.lines().any(|seen| seen == line),
            "{line:?} is not in\n{seen}"
        );
    }
    for start in [
        "AF_INET         16  ok, 16 bytes: 127.0.0.1:",
        "AF_INET        128  ok, 16 bytes: 127.0.0.1:",
        "AF_UNIX          2  ok, 8 bytes: @",
    ] {
        ensure!(
            seen.lines().any(|seen| seen.starts_with(start)),
            "no {start:?} in\n{seen}"
        );
    }
    let left = std::fs::read_dir(&folder)?.count();
    ensure!(left == 0, "it leaves {left} files behind");
    PASS
}

fn short_room_shows_both_ways(cx: &Check) -> Verdict {
    let mut program = cx.program(SHORT_ROOM, NONE)?;
    let expected = "\
getsockname, room 128: 28 bytes of 28
getsockname, room  28: 28 bytes of 28
getsockname, room  16: 16 bytes of 28
getsockname, room   0: 0 bytes of 28
inet_ntop,   room  46: ::1
inet_ntop,   room   4: ::1
inet_ntop,   room   3: ENOSPC: No space left on device
";
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return Err(Finding::needs("IPv6 on the loopback interface"));
    }
    let seen = program.exits(0)?;
    ensure!(seen == expected, "it prints\n{seen}");
    PASS
}

fn four_parsers_disagree(cx: &Check) -> Verdict {
    let seen = output(cx, FOUR_PARSERS, NONE)?;
    let columns = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for line in [
        "192.0.2.1 192.0.2.1 192.0.2.1 192.0.2.1 192.0.2.1",
        "127.1 127.0.0.1 127.0.0.1 - -",
        "010.0.0.1 8.0.0.1 8.0.0.1 - -",
        "2130706433 127.0.0.1 127.0.0.1 - -",
        "192.0.2.256 255.255.255.255 - - -",
    ] {
        let found = seen.lines().any(|seen| columns(seen) == columns(line));
        ensure!(found, "{line:?} is not in\n{seen}");
    }
    PASS
}

fn ntoa_twice_says_one_address_twice(cx: &Check) -> Verdict {
    let seen = output(cx, NTOA_TWICE, NONE)?;
    ensure!(
        seen == "client 192.0.2.80, server 192.0.2.80\n",
        "it prints {seen:?}"
    );
    PASS
}

fn two_writes_become_one_read(cx: &Check) -> Verdict {
    let seen = output(cx, TWO_WRITES, NONE)?;
    ensure!(
        seen == "stream    helloworld\ndatagram  hello\n",
        "it prints {seen:?}"
    );
    PASS
}

fn line_cost_counts_reads(cx: &Check) -> Verdict {
    let seen = output(cx, LINE_COST, NONE)?;
    let expected = "a byte at a time  6001 reads\nthrough a buffer     3 reads\n";
    ensure!(seen == expected, "it prints {seen:?}");
    PASS
}

/// A server that says `hel`, and no more until its standard input ends.
const SERVER: &str = "
import socket, sys
listener = socket.create_server(('127.0.0.1', 0))
print(listener.getsockname()[1], flush=True)
peer, _ = listener.accept()
peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
peer.sendall(b'hel')
sys.stdin.read()
peer.sendall(b'lo')";

fn one_read_takes_what_python_sent_first(cx: &Check) -> Verdict {
    let mut server = cx.tool("python3", &["-c", SERVER])?;
    let address = format!("127.0.0.1:{}", server.line()?);
    let seen = output(cx, ONE_READ, &[&address])?;
    ensure!(
        seen == "asked for 5 bytes, got 3: \"hel\"\n",
        "it prints {seen:?}"
    );
    PASS
}

/// The rest is sent when the first piece has been read, and not before.
fn one_read_waits_for_all(cx: &Check) -> Verdict {
    let listener = cx.listens(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let address = listener.address()?.to_string();
    let mut client = cx.program(ONE_READ, &["--all", &address])?;
    let server = listener.accepts()?;
    server.sends("hel")?;
    server.sends_once_read("lo")?;
    let seen = client.exits(0)?;
    ensure!(
        seen == "asked for 5 bytes, got 5: \"hello\"\n",
        "it prints {seen:?}"
    );
    PASS
}

fn one_read_needs_a_link_for_a_link_local_host(cx: &Check) -> Verdict {
    let mut client = cx.program(ONE_READ, &["[fe80::1]:8000"])?;
    client.exits(1)?;
    let seen = client.stderr();
    if seen.contains("os error 97") {
        return Err(Finding::needs("IPv6"));
    }
    let expected = "error: connect: Invalid argument (os error 22)\n";
    ensure!(seen == expected, "it says {seen:?}");
    PASS
}

fn python_reads_slow_writer_in_pieces(cx: &Check) -> Verdict {
    let mut server = cx.program(SLOW_WRITER, NONE)?;
    let address = server.line_after("listening on ")?;
    let Ok(SocketAddr::V4(address)) = address.parse() else {
        return Err(Finding::fail(format!("{address:?} is no address")));
    };
    let script = "
import socket, sys
peer = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
print(peer.getsockname()[1], peer.recv(5), peer.recv(5), peer.recv(5), flush=True)
sys.stdin.read()";
    let port = address.port().to_string();
    let mut python = cx.tool("python3", &["-c", script, &port])?;
    let seen = python.line()?;
    let caller = server.line_after("127.0.0.1:")?;
    let expected = format!("{} b'hel' b'lo' b''", caller.trim_end_matches(" is here"));
    ensure!(seen == expected, "python3 reads {seen:?}, not {expected:?}");
    python.exits(0)?;
    PASS
}

/// What a program can say to nobody any more is no failure. What it cannot write is one.
fn a_closed_output_is_an_end(cx: &Check) -> Verdict {
    let script = "
import os, subprocess, sys
reader, writer = os.pipe()
os.close(reader)
ended = subprocess.run([sys.argv[1]], stdout=writer, stderr=subprocess.PIPE)
print(ended.returncode, ended.stderr)";
    for program in [ADDR_LAYOUT, BIND_SIZES, FOUR_PARSERS] {
        let seen = cx.tool("python3", &["-c", script, program])?.exits(0)?;
        ensure!(seen == "0 b''\n", "{program} ends with {seen:?}");
    }
    let line = "\"$0\" > /dev/full; echo $?";
    let mut shell = cx.tool("sh", &["-c", line, ADDR_LAYOUT])?;
    let status = shell.exits(0)?;
    ensure!(status == "1\n", "with a full disk it exits with {status:?}");
    let seen = shell.stderr();
    ensure!(
        seen.starts_with("error: No space left"),
        "with a full disk it says {seen:?}"
    );
    PASS
}

fn bad_input_gets_one_line(cx: &Check) -> Verdict {
    for (program, arguments, part) in [
        (WRONG_PORT, &["70000"][..], "a number from 0 to 65535"),
        (WRONG_PORT, &["1", "2"], "usage"),
        (BYTE_ORDER, &["eight"], "for example 8000"),
        (BYTE_ORDER, &["18446744073709551616"], "64 bits at most"),
        (ADDR_LAYOUT, &["x"], "usage: addr-layout"),
        (ADDRESS_TOOL, NONE, "for example 192.0.2.1:80"),
        (ADDRESS_TOOL, &["1.2.3"], "write 192.0.2.1"),
        (ADDRESS_TOOL, &["1.2.3.4:x"], "a number from 0 to 65535"),
        (ADDRESS_TOOL, &["fe80::1%no-such-link"], "`ip link` lists"),
        (ONE_READ, &["/tmp/socket"], "for example 127.0.0.1:8000"),
        (ONE_READ, &["127.0.0.1:0"], "connect: "),
    ] {
        let mut program = cx.program(program, arguments)?;
        let out = program.exits(1)?;
        let seen = program.stderr();
        ensure!(out.is_empty(), "it prints {out:?} and fails");
        let one_line = seen.starts_with("error: ") && seen.lines().count() == 1;
        ensure!(
            one_line && seen.contains(part),
            "{arguments:?}: it says {seen:?}"
        );
    }
    let help = output(cx, ADDRESS_TOOL, &["--help"])?;
    ensure!(
        help.starts_with("usage: address-tool"),
        "--help prints {help:?}"
    );
    PASS
}
