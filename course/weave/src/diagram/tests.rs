//! Drawings on a page: what is drawn, and what is said when it cannot be.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::{Options, Page, weave};

/// Three SYN, of which the last arrives and is refused.
const RECORD: &str = "\
host client eth0 02:00:00:00:00:01 lan 0
host server eth0 02:00:00:00:00:02 lan 0

  client → server  SYN A→7000 seq=0 mss=1460 (lost: cable cut)
    | 1 at 0.000000 on 0, server cut 0.000052 0
    | 02000000000202000000000108004500003cb2ac40004006740d0a0000010a000002ec1a1b5818f9b7e800000000a002
    | faf0b1cb0000020405b40402080a7f2d2fbc000000000103030a
    | 2 at 1.001542 on 0, server cut 1.001594 0
    | 02000000000202000000000108004500003cb2ad40004006740c0a0000010a000002ec1a1b5818f9b7e800000000a002
    | faf0addc0000020405b40402080a7f2d33ab000000000103030a
    | 3 at 3.017541 on 0, server delivered 3.017596 0
    | 02000000000202000000000108004500003cb2ae40004006740b0a0000010a000002ec1a1b5818f9b7e800000000a002
    | faf0a5fc0000020405b40402080a7f2d3b8b000000000103030a
    | 4 at 3.017700 on 1, client delivered 3.017710 0
    | 020000000001020000000002080045000028000040004006\
26ce0a0000020a0000011b58ec1a0000000018f9b7e950140000d5d50000
";

fn course() -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |file: &str, text: &str| {
        let path = dir.path().join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("make the folder");
        fs::write(path, text).expect("write the file");
    };
    write("Cargo.toml", "[workspace]\n");
    write("chapters/05-tcp/Cargo.toml", "[package]\nname = \"tcp\"\n");
    write("chapters/05-tcp/src/lib.rs", "//! TCP.\n");
    write("chapters/05-tcp/wire/nobody-home.wire", RECORD);
    write(
        "chapters/05-tcp/wire/empty.wire",
        "host a eth0 02:00:00:00:00:01 lan 0\n",
    );
    write(
        "chapters/05-tcp/wire/broken.wire",
        "host a eth0 02:00:00:00:00:01 lan 0\n    | 1 at noon on 0\n",
    );
    write(
        "chapters/05-tcp/wire/calm.wire",
        "host a eth0 02:00:00:00:00:01 lan 0\nhost b eth0 02:00:00:00:00:02 lan 0\n\n    | 1 at 0.000000 on 0\n    | 02000000000202000000000188b5\n",
    );
    write(
        "chapters/05-tcp/layout/pairs.layout",
        "pair 8 (1, 1)\n  0 1 kind 01\n  4 4 count 01 00 00 00\nlong 40\n  0 40 all\n",
    );
    write(
        "chapters/05-tcp/plot/reads.plot",
        "x bytes\ny reads\nseries slow\n  4 10\n  8 100\nseries quick\n  4 1\n  8 2\n",
    );
    write("book/src/05-tcp.md", "# TCP {#tcp}\n");
    dir
}

fn woven(text: &str, page: &str) -> Result<String, Vec<String>> {
    let dir = course();
    let page = Page {
        path: page.into(),
        text: text.into(),
    };
    match weave(&Catalog::load(dir.path()), &Options::default(), &[page]) {
        Ok(mut pages) => Ok(pages.remove(0)),
        Err(problems) => Err(problems.0.iter().map(ToString::to_string).collect()),
    }
}

/// A block as authors write it.
fn block(kind: &str, lines: &str) -> String {
    format!("```{kind}\n{lines}\n```\n")
}

#[test]
fn a_record_is_drawn_with_its_waits_states_and_losses() {
    let text = format!(
        "See [it](#wire-nobody-home).\n\n{}\nAfter.\n",
        block("sequence", "record: nobody-home")
    );
    let page = woven(&text, "05-tcp.md").expect("woven");
    let figure =
        &page[page.find("<figure").expect("a figure")..page.find("</figure>").expect("its end")];
    assert!(
        !figure.contains("\n\n"),
        "an empty line would end it: {figure}"
    );
    for part in [
        "<figure class=\"diagram wire\" id=\"wire-nobody-home\" data-module=\"play\">",
        "role=\"img\" aria-labelledby=\"wire-nobody-home-title wire-nobody-home-desc\"",
        "<title id=\"wire-nobody-home-title\">On the wire between client and server: nobody home</title>",
        "4 frames in 3.01 s. 2 of them are lost. 2 of them repeat an earlier one.",
        ">10.0.0.1 port A</text>",
        ">10.0.0.2 port 7000</text>",
        ">1× 1.00 s</text>",
        ">2× 2.01 s</text>",
        ">SYN-SENT</text>",
        "<tspan class=\"again\">frame 1 again</tspan> · <tspan class=\"lost\">lost: cable cut</tspan>",
        "<th class=\"end\">client</th><th class=\"end\">server</th>",
        "<td>before the first</td><td>CLOSED</td><td>CLOSED</td></tr>",
        "<td>RST ACK seq=1 ack=1</td><td>CLOSED</td><td>CLOSED</td></tr>",
        "<code>cargo course wire nobody-home</code>",
        "<button type=\"button\" data-do=\"step\">Step</button>",
    ] {
        assert!(figure.contains(part), "{part} is missing in\n{figure}");
    }
    for frame in 1..=4 {
        assert!(
            figure.contains(&format!("<g data-f=\"{frame}\">")),
            "{frame}"
        );
    }
    assert_eq!(
        figure.matches("l12 12m0 -12l-12 12").count(),
        2,
        "a cross for each that is lost"
    );
    assert_eq!(
        figure.matches("class=\"point\"").count(),
        2,
        "a point for each that arrives"
    );
    // Nobody listened there.
    assert!(
        !figure.contains("SYN-RECEIVED") && !figure.contains(">LISTEN<"),
        "{figure}"
    );
    for forbidden in [" style=", "<script", " onclick"] {
        assert!(!figure.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn a_header_is_drawn_from_the_frames_bytes() {
    let one = block("packet", "record: nobody-home\nframe: 1\nheader: tcp");
    let page = woven(&one, "05-tcp.md").expect("woven");
    for part in [
        ">TCP, 40 bytes</text>",
        "<title id=\"packet-nobody-home-1-tcp-title\">TCP of frame 1 of nobody-home</title>",
        ">7000</text>",
        "<tr><td>47</td><td>TCP</td><td>SYN</td><td>1</td><td>1</td></tr>",
        "<td>maximum segment size</td><td>16</td><td>1460</td>",
        "<td>shift</td><td>8</td><td>10</td>",
    ] {
        assert!(page.contains(part), "{part} is missing in\n{page}");
    }
    let all = block("packet", "record: nobody-home\nframe: 1");
    let whole = woven(&all, "05-tcp.md").expect("woven");
    for header in ["Ethernet, 14 bytes", "IPv4, 20 bytes", "TCP, 40 bytes"] {
        assert!(whole.contains(header), "{header} is missing");
    }
}

#[test]
fn headers_say_what_the_lab_has_decoded() {
    let wire = Wire::from_record(RECORD).expect("a record");
    for frame in wire.frames() {
        let tcp = frame.packet.tcp().expect("TCP");
        let values: Vec<String> = packet::said(frame, "tcp");
        for value in [
            format!("source port {}", tcp.source_port),
            format!("destination port {}", tcp.destination_port),
            format!("sequence number {}", tcp.sequence),
            format!("acknowledgment number {}", tcp.acknowledgment),
            format!("window {}", tcp.window),
            format!("SYN {}", u8::from(tcp.flags.has(lab::wire::Flags::SYN))),
            format!("RST {}", u8::from(tcp.flags.has(lab::wire::Flags::RST))),
        ] {
            assert!(values.contains(&value), "{value}: {values:?}");
        }
        let ip = frame.packet.ip().expect("IP");
        let values = packet::said(frame, "ip");
        assert!(values.contains(&format!("source address {}", ip.source)));
    }
}

#[test]
fn the_states_of_both_ends_are_lit() {
    let page = woven(&block("states", "record: nobody-home"), "05-tcp.md").expect("woven");
    for part in [
        "id=\"states-nobody-home\" data-module=\"play\"",
        "client: CLOSED, SYN-SENT, CLOSED.",
        "data-e=\"CLOSED SYN-SENT\">\n<path class=\"way a\"",
        "data-e=\"TIME-WAIT CLOSED\">\n<path class=\"way\"",
        "<g data-state=\"ESTABLISHED\">",
        "<tr><td>1</td><td>client → server</td><td>SYN seq=0 mss=1460; lost: cable cut</td><td>SYN-SENT</td><td>CLOSED</td></tr>",
    ] {
        assert!(page.contains(part), "{part} is missing in\n{page}");
    }
    assert_eq!(
        page.matches("data-state=\"").count(),
        12,
        "CLOSED stands twice"
    );
}

#[test]
fn waits_are_plotted() {
    let page = woven(&block("plot", "waits: nobody-home"), "05-tcp.md").expect("woven");
    for part in [
        "id=\"waits-nobody-home\"",
        ">1.00 s</text>",
        ">2.01 s</text>",
        "nobody-home (SYN seq=0 mss=1460): 1.00 s, 2.01 s.",
        "<tr><td>nobody-home</td><td>2</td><td>3.01 s</td><td>2.01 s</td></tr>",
    ] {
        assert!(page.contains(part), "{part} is missing in\n{page}");
    }
}

#[test]
fn numbers_that_a_test_counted_are_plotted() {
    let page = woven(&block("plot", "data: reads"), "05-tcp.md").expect("woven");
    for part in [
        "id=\"data-reads\"",
        "<title id=\"data-reads-title\">reads / bytes: slow, quick</title>",
        "slow: 10, 100. quick: 1, 2.",
        "<tr><td>8</td><td>100</td><td>2</td></tr>",
    ] {
        assert!(page.contains(part), "{part} is missing in\n{page}");
    }
}

#[test]
fn a_structure_lies_as_its_file_says() {
    let page = woven(&block("packet", "layout: pairs\nof: pair"), "05-tcp.md").expect("woven");
    for part in [
        "id=\"layout-pairs-pair\"",
        ">pair, 8 bytes</text>",
        "class=\"box none\"",
        "<tr><td>pair</td><td><code>count</code></td><td>4</td><td>4</td><td>01 00 00 00</td></tr>",
    ] {
        assert!(page.contains(part), "{part} is missing in\n{page}");
    }
    assert!(!page.contains("long"), "only what was asked for");
}

#[test]
fn a_numbers_bytes_stand_in_both_orders() {
    let page = woven(&block("bytes", "number: 8000"), "05-tcp.md").expect("woven");
    for part in [
        "<tr class=\"little\"><th scope=\"row\">in memory, little-endian host</th><td>40</td><td>1f</td></tr>",
        "<tr class=\"wire\"><th scope=\"row\">on the wire</th><td>1f</td><td>40</td></tr>",
        "8000 = 0x1f40; read in the other order: 16415 = 0x401f",
    ] {
        assert!(page.contains(part), "{part} is missing in\n{page}");
    }
}

/// Block, lines, on which line something is wrong with them, and what. The block's fence is on line 3.
const WRONG: &[(&str, &str, usize, &str)] = &[
    (
        "sequence",
        "record: nobody-hom",
        4,
        "there is no chapters/05-tcp/wire/nobody-hom.wire; did you mean `nobody-home`?",
    ),
    (
        "sequence",
        "record: empty",
        4,
        "the record chapters/05-tcp/wire/empty.wire is empty",
    ),
    (
        "sequence",
        "record: broken",
        4,
        "chapters/05-tcp/wire/broken.wire:2: not a frame's time and fate",
    ),
    ("sequence", "", 3, "the block has no `record:`"),
    ("sequence", "nobody-home", 4, "write `record: …`"),
    ("sequence", "record:", 4, "`record:` is empty"),
    (
        "sequence",
        "recrd: nobody-home",
        4,
        "did you mean `record`?",
    ),
    (
        "sequence",
        "record: nobody-home\n\nrecord: nobody-home",
        6,
        "`record` stands twice",
    ),
    (
        "sequence wide",
        "record: nobody-home",
        3,
        "nothing behind it",
    ),
    (
        "packet",
        "record: nobody-home",
        3,
        "the block has no `frame:`",
    ),
    (
        "packet",
        "record: nobody-home\nframe: x",
        5,
        "`x` is no frame's number",
    ),
    (
        "packet",
        "record: nobody-home\nframe: 5",
        5,
        "there is no frame 5: nobody-home has 1 to 4",
    ),
    (
        "packet",
        "record: nobody-home\nframe: 1\nheader: udp",
        6,
        "frame 1 of nobody-home has no header `udp`; it has ethernet, ip, tcp",
    ),
    (
        "packet",
        "layout: pairs\nframe: 1",
        5,
        "a block with `layout` has no `frame`",
    ),
    (
        "packet",
        "layout: pairs\nof: pear",
        5,
        "has no structure `pear`; it has pair, long",
    ),
    ("packet", "layout: pear", 4, "there are pairs"),
    (
        "plot",
        "",
        3,
        "one of `waits: NAME, NAME`, `window: NAME` and `data: NAME`",
    ),
    ("plot", "waits: calm", 4, "in calm nothing was sent again"),
    ("states", "record: calm", 4, "not one connection of TCP"),
    ("bytes", "number: -1", 4, "`-1` is no number of 16 bits"),
    ("bytes", "number: 65536", 4, "no number of 16 bits"),
    ("bytes", "number: 1\nbits: 8", 5, "`bits` is 16, 32 or 64"),
];

#[test]
fn what_cannot_be_drawn_is_said_with_its_line() {
    for (kind, lines, at, expected) in WRONG {
        let text = format!("One.\n\n{}", block(kind, lines));
        let found = woven(&text, "05-tcp.md").expect_err(&text);
        assert!(
            found[0].starts_with(&format!("book/src/05-tcp.md:{at}: "))
                && found[0].contains(expected),
            "{text}: {found:#?}"
        );
    }
    let elsewhere = woven(&block("bytes", "number: 1"), "other.md").expect_err("no chapter");
    assert!(
        elsewhere[0].contains("belongs on a chapter's page"),
        "{elsewhere:?}"
    );
    let old = woven("{{#wire nobody-home}}\n", "05-tcp.md").expect_err("no directive");
    assert!(old[0].contains("```sequence"), "{old:?}");
}
