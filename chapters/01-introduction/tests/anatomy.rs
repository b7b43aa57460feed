//! Does the decoder say what is there, whatever is there?

use std::process::ExitCode;

use introduction::anatomy::{Dissection, dissect};
use introduction::capture::frames;
use lab::prelude::*;

const DAYTIME: &[u8] = include_bytes!("../captures/daytime.pcap");
const DAYTIME_IPV6: &[u8] = include_bytes!("../captures/daytime-ipv6.pcap");
const BYTE_A_WRITE: &[u8] = include_bytes!("../captures/byte-a-write.pcap");
const NOBODY_THERE: &[u8] = include_bytes!("../captures/nobody-there.pcap");
const ALL: [&[u8]; 4] = [DAYTIME, DAYTIME_IPV6, BYTE_A_WRITE, NOBODY_THERE];

fn main() -> ExitCode {
    Suite::new("anatomy")
        .section("01-introduction#what-was-on-the-wire")
        .check(the_headers_cover_the_whole_frame)
        .check(every_checksum_in_the_captures_is_right)
        .check(a_changed_byte_makes_a_checksum_wrong)
        .check(padding_is_not_data)
        .check(options_of_ip_move_what_follows)
        .check(only_the_first_piece_has_a_tcp_header)
        .check(a_cut_frame_says_where_it_ends)
        .check(no_frame_is_too_strange)
        .check(no_file_is_too_strange)
        .check(pcapng_and_both_byte_orders_of_pcap_are_read)
        .check(tcpdump_sees_the_same)
        .main()
}

/// The frame with this number.
fn frame(capture: &[u8], number: usize) -> Result<Vec<u8>, Finding> {
    let frames = frames(capture).map_err(|error| Finding::fail(error.to_string()))?;
    Ok(frames[number - 1].to_vec())
}

fn outline(dissection: &Dissection) -> String {
    let headers = dissection.headers.iter();
    let headers: Vec<String> = headers
        .map(|h| format!("{} {}", h.name, h.bytes.len()))
        .collect();
    headers.join(", ")
}

fn says<'d>(dissection: &'d Dissection, header: &str, field: &str) -> &'d str {
    let header = dissection.headers.iter().find(|h| h.name == header);
    let field = header.and_then(|h| h.fields.iter().find(|f| f.name == field));
    field.map_or("(not there)", |field| &field.says)
}

/// No byte is left out, and none is in two fields.
fn the_headers_cover_the_whole_frame(_: &Check) -> Verdict {
    for capture in ALL {
        for frame in frames(capture).map_err(|error| Finding::fail(error.to_string()))? {
            let dissection = dissect(frame);
            let mut at = 0;
            for header in &dissection.headers {
                ensure!(header.bytes.start == at, "a gap before {header:?}");
                for field in &header.fields {
                    ensure!(field.bytes.start == at, "a gap before {field:?}");
                    at = field.bytes.end;
                }
                at = header.bytes.end;
            }
            ensure!(
                at == frame.len(),
                "{} bytes of {} are told",
                at,
                frame.len()
            );
        }
    }
    PASS
}

/// The captures come from a kernel that computed them.
fn every_checksum_in_the_captures_is_right(_: &Check) -> Verdict {
    let mut count = 0;
    for capture in ALL {
        for frame in frames(capture).map_err(|error| Finding::fail(error.to_string()))? {
            for header in dissect(frame).headers {
                for field in header
                    .fields
                    .iter()
                    .filter(|field| field.name == "checksum")
                {
                    ensure!(field.says == "right", "{}: {}", header.name, field.says);
                    count += 1;
                }
            }
        }
    }
    ensure!(count > 40, "only {count} checksums were looked at");
    PASS
}

/// One bit of the data.
fn a_changed_byte_makes_a_checksum_wrong(_: &Check) -> Verdict {
    for capture in [DAYTIME, DAYTIME_IPV6] {
        let mut changed = frame(capture, 6)?;
        let last = changed.len() - 1;
        changed[last] ^= 0x10;
        let checksum = says(&dissect(&changed), "TCP", "checksum").to_owned();
        ensure!(checksum == "wrong", "the checksum is {checksum}");
    }
    let mut changed = frame(DAYTIME, 6)?;
    changed[22] -= 1;
    let checksum = says(&dissect(&changed), "IPv4", "checksum").to_owned();
    ensure!(
        checksum == "wrong",
        "with another time to live, the checksum is {checksum}"
    );
    PASS
}

/// Ethernet has frames of 60 bytes at least. IP says where its packet ends.
fn padding_is_not_data(_: &Check) -> Verdict {
    for (capture, number, headers) in [
        (DAYTIME, 1, "Ethernet 14, ARP 28, padding 18"),
        (
            NOBODY_THERE,
            3,
            "Ethernet 14, IPv4 20, UDP 8, data 16, padding 2",
        ),
    ] {
        let mut padded = frame(capture, number)?;
        padded.resize(60, 0);
        let told = outline(&dissect(&padded));
        ensure!(told == headers, "it reads {told}, not {headers}");
    }
    PASS
}

/// Four bytes of options: the header's length is in the header.
fn options_of_ip_move_what_follows(_: &Check) -> Verdict {
    let mut with_options = frame(NOBODY_THERE, 3)?;
    with_options.splice(34..34, [1, 1, 1, 0]);
    with_options[14] = 0x46;
    with_options[17] += 4;
    let dissection = dissect(&with_options);
    let told = outline(&dissection);
    ensure!(
        told == "Ethernet 14, IPv4 24, UDP 8, data 16",
        "it reads {told}"
    );
    ensure!(
        says(&dissection, "UDP", "destination port") == "13",
        "the port is elsewhere"
    );
    PASS
}

/// In a later piece, what stands behind the IP header is the middle of something.
fn only_the_first_piece_has_a_tcp_header(_: &Check) -> Verdict {
    let mut piece = frame(DAYTIME, 6)?;
    (piece[20], piece[21]) = (0x00, 0xb9);
    let told = outline(&dissect(&piece));
    ensure!(told == "Ethernet 14, IPv4 20, data 58", "it reads {told}");
    PASS
}

/// The name of the header in which nothing more comes.
fn a_cut_frame_says_where_it_ends(_: &Check) -> Verdict {
    let whole = frame(DAYTIME, 6)?;
    for (length, header) in [
        (0, "Ethernet"),
        (13, "Ethernet"),
        (14, "IPv4"),
        (33, "IPv4"),
    ] {
        let summary = dissect(&whole[..length]).summary;
        let wanted = format!("broken off in the header of {header}");
        ensure!(
            summary.ends_with(&wanted),
            "of {length} bytes it says {summary:?}"
        );
    }
    PASS
}

/// Every beginning of every frame, and every frame with any byte changed.
fn no_frame_is_too_strange(_: &Check) -> Verdict {
    for capture in ALL {
        for frame in frames(capture).map_err(|error| Finding::fail(error.to_string()))? {
            for length in 0..frame.len() {
                dissect(&frame[..length]);
            }
            for at in 0..frame.len() {
                for value in [0x00, 0x01, 0x0f, 0x4f, 0x7f, 0x80, 0xf0, 0xff] {
                    let mut changed = frame.to_vec();
                    changed[at] = value;
                    dissect(&changed);
                }
            }
        }
    }
    PASS
}

/// The same for files.
fn no_file_is_too_strange(_: &Check) -> Verdict {
    for file in [NOBODY_THERE, &pcapng(&[b"frame", b"x"])] {
        for length in 0..file.len() {
            let _ = frames(&file[..length]);
            for value in [0x00, 0x01, 0x80, 0xff] {
                let mut changed = file.to_vec();
                changed[length] = value;
                let _ = frames(&changed);
            }
        }
    }
    PASS
}

/// The two ways to write a pcap file, and the newer format.
fn pcapng_and_both_byte_orders_of_pcap_are_read(_: &Check) -> Verdict {
    let words = |order: fn(u32) -> [u8; 4]| {
        let words = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1, 0, 0, 5, 5];
        [words.map(order).concat(), b"frame".to_vec()].concat()
    };
    for file in [
        words(u32::to_le_bytes),
        words(u32::to_be_bytes),
        pcapng(&[b"frame"]),
    ] {
        let read = frames(&file);
        ensure!(read == Ok(vec![&b"frame"[..]]), "it reads {read:?}");
    }
    PASS
}

/// A section, an interface, and a block for each frame.
fn pcapng(frames: &[&[u8]]) -> Vec<u8> {
    let block = |kind: u32, body: &[u8]| {
        let padded = body.len().next_multiple_of(4);
        let length = (padded as u32 + 12).to_le_bytes();
        let mut block = [&kind.to_le_bytes(), &length, body].concat();
        block.resize(8 + padded, 0);
        [&block[..], &length].concat()
    };
    let mut file = block(
        0x0a0d_0d0a,
        &[
            0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255,
        ],
    );
    file.extend(block(1, &[1, 0, 0, 0, 0, 0, 4, 0]));
    for frame in frames {
        let length = (frame.len() as u32).to_le_bytes();
        let body = [&[0; 12][..], &length, &length, frame].concat();
        file.extend(block(6, &body));
    }
    file
}

/// A decoder that nobody here wrote.
fn tcpdump_sees_the_same(cx: &Check) -> Verdict {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/captures/daytime.pcap");
    // Started by root, it would become somebody else, whom the namespace does not know.
    let arguments = ["-n", "-t", "-Z", "root", "-r", file];
    let mut tcpdump = cx.spawner().privileged().tool("tcpdump", &arguments)?;
    let printed = tcpdump.exits(0)?;
    let mut flags = Vec::new();
    for (line, number) in printed.lines().zip(1..) {
        let dissection = dissect(&frame(DAYTIME, number)?);
        if line.starts_with("ARP") {
            let words = dissection
                .summary
                .replace('?', "")
                .replace("who has", "who-has")
                .replace("is at", "is-at");
            let theirs = line.to_lowercase().replace(',', "");
            ensure!(
                theirs.contains(&words),
                "tcpdump says {line:?}, we say {words:?}"
            );
            continue;
        }
        let port = |name| says(&dissection, "TCP", name);
        let ends = format!(
            "IP {}.{} > {}.{}:",
            says(&dissection, "IPv4", "source"),
            port("source port"),
            says(&dissection, "IPv4", "destination"),
            port("destination port"),
        );
        ensure!(
            line.starts_with(&ends),
            "tcpdump says {line:?}, we say {ends:?}"
        );
        let letters = port("flags")
            .split(' ')
            .map(|flag| if flag == "ACK" { "." } else { &flag[..1] });
        let ours = format!("Flags [{}]", letters.collect::<String>());
        ensure!(
            line.contains(&ours),
            "tcpdump says {line:?}, we say {ours:?}"
        );
        flags.push(ours);
    }
    ensure!(flags.len() == 8, "tcpdump printed:\n{printed}");
    PASS
}
