//! Records on a page: what is drawn, and what is said when it cannot be.

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

#[test]
fn a_record_is_drawn_with_its_waits_states_and_losses() {
    let page = woven(
        "See [it](#wire-nobody-home).\n\n{{#wire nobody-home}}\n\nAfter.\n",
        "05-tcp.md",
    )
    .expect("woven");
    let figure =
        &page[page.find("<figure").expect("a figure")..page.find("</figure>").expect("its end")];
    assert!(
        !figure.contains("\n\n"),
        "an empty line would end it: {figure}"
    );
    for part in [
        "<figure class=\"wire\" id=\"wire-nobody-home\">",
        "role=\"img\" aria-labelledby=\"wire-nobody-home-title wire-nobody-home-desc\"",
        "<title id=\"wire-nobody-home-title\">On the wire between client and server: nobody home</title>",
        "4 frames in 3.01 s. 2 of them are lost. 2 of them repeat an earlier one. 1: client to server: SYN A→7000",
        ">10.0.0.1 port A</text>",
        ">10.0.0.2 port 7000</text>",
        ">1× 1.00 s</text>",
        ">2× 2.01 s</text>",
        ">SYN-SENT</text>",
        "<tspan class=\"again\">frame 1 again</tspan> · <tspan class=\"lost\">lost: cable cut</tspan>",
        "<td>RST ACK seq=1 ack=1</td><td>client CLOSED</td>",
        "<code>cargo course wire nobody-home</code>",
    ] {
        assert!(figure.contains(part), "{part} is missing in\n{figure}");
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
}

#[test]
fn a_header_is_drawn_from_the_frames_bytes() {
    let page = woven("{{#packet nobody-home 1 tcp}}\n", "05-tcp.md").expect("woven");
    for part in [
        "<p class=\"header\">TCP, 40 bytes</p>",
        "<title id=\"packet-nobody-home-1-tcp-title\">TCP header of frame 1 of nobody home</title>",
        ">7000</text>",
        "<tr><td>47</td><td>TCP</td><td>SYN</td><td>1</td><td>1</td></tr>",
        "<td>maximum segment size</td><td>16</td><td>1460</td>",
        "<td>shift</td><td>8</td><td>10</td>",
    ] {
        assert!(page.contains(part), "{part} is missing in\n{page}");
    }
    let whole = woven("{{#packet nobody-home 1}}\n", "05-tcp.md").expect("woven");
    for header in ["Ethernet, 14 bytes", "IPv4, 20 bytes", "TCP, 40 bytes"] {
        assert!(whole.contains(header), "{header} is missing");
    }
}

#[test]
fn what_cannot_be_drawn_is_said() {
    for (text, page, expected) in [
        (
            "{{#wire nobody-hom}}",
            "05-tcp.md",
            "there is no record chapters/05-tcp/wire/nobody-hom.wire; did you mean `nobody-home`?",
        ),
        (
            "{{#wire empty}}",
            "05-tcp.md",
            "the record chapters/05-tcp/wire/empty.wire is empty",
        ),
        (
            "{{#wire broken}}",
            "05-tcp.md",
            "chapters/05-tcp/wire/broken.wire:2: not a frame's time and fate",
        ),
        ("{{#wire}}", "05-tcp.md", "write `{{#wire name}}`"),
        (
            "{{#wire nobody-home}}",
            "other.md",
            "`{{#wire}}` belongs on a chapter's page",
        ),
        (
            "{{#packet nobody-home}}",
            "05-tcp.md",
            "write `{{#packet name 1}}`",
        ),
        (
            "{{#packet nobody-home x}}",
            "05-tcp.md",
            "`x` is no frame's number",
        ),
        (
            "{{#packet nobody-home 0}}",
            "05-tcp.md",
            "there is no frame 0: nobody-home has 1 to 4",
        ),
        (
            "{{#packet nobody-home 5}}",
            "05-tcp.md",
            "there is no frame 5",
        ),
        (
            "{{#packet nobody-home 1 udp}}",
            "05-tcp.md",
            "frame 1 of nobody-home has no header `udp`; it has ethernet, ip, tcp",
        ),
    ] {
        let found = woven(&format!("One.\n\n{text}\n"), page).expect_err(text);
        assert!(
            found[0].starts_with(&format!("book/src/{page}:3: ")) && found[0].contains(expected),
            "{text}: {found:#?}"
        );
    }
}
