//! Grades `name-the-layers`.
//!
//! No answer stands in here: each is read from the frames, by the chapter's own decoder.

use std::net::Ipv4Addr;

use introduction::anatomy::{Dissection, dissect};
use lab::prelude::*;
use name_the_layers as answers;
use name_the_layers::Layer;

pub fn main() -> std::process::ExitCode {
    Grader::new("name-the-layers")
        .section("01-introduction#layer-by-layer")
        .check(1, the_layers_of_a)
        .check(2, where_the_data_of_a_begins)
        .check(2, the_layers_of_b)
        .see("01-introduction#what-goes-wrong")
        .check(2, how_much_data_b_carries)
        .see("01-introduction#what-goes-wrong")
        .check(1, the_layers_of_c)
        .check(1, where_udp_begins_in_c)
        .check(1, the_layers_of_d)
        .see("01-introduction#before-the-first-packet")
        .check(1, whom_d_seeks)
        .see("01-introduction#before-the-first-packet")
        .main()
}

/// The frame of this letter.
fn frame(letter: &str) -> Vec<u8> {
    let text = include_str!("frames.txt");
    let mut blocks = text.split("\n\n");
    let block = blocks.find_map(|block| block.trim_start().strip_prefix(letter));
    let lines = block.expect("a frame of this letter").lines();
    lines
        .flat_map(|line| line.split_whitespace().skip(1))
        .map(|byte| u8::from_str_radix(byte, 16).expect("two hexadecimal digits"))
        .collect()
}

/// The parts of a frame, with the names that the exercise gives them.
fn parts(frame: &Dissection) -> Vec<String> {
    let name = |name| match name {
        "ARP" => "Arp".into(),
        "IPv4" => "Ipv4".into(),
        "IPv6" => "Ipv6".into(),
        "TCP" => "Tcp".into(),
        "UDP" => "Udp".into(),
        "data" => "Data".into(),
        "padding" => "Padding".into(),
        other => other.to_string(),
    };
    frame
        .headers
        .iter()
        .map(|header| name(header.name))
        .collect()
}

/// Where the part of this name begins and ends.
fn part(frame: &Dissection, name: &str) -> Result<std::ops::Range<usize>, Finding> {
    let found = frame.headers.iter().find(|header| header.name == name);
    found
        .map(|header| header.bytes.clone())
        .ok_or_else(|| Finding::fault(format!("no {name} in the frame")))
}

/// Demands the layers of a frame.
fn layers(cx: &Check, letter: &str, answer: fn() -> Vec<Layer>) -> Verdict {
    let subject = cx.subject(move || {
        answer()
            .iter()
            .map(|layer| format!("{layer:?}"))
            .collect::<Vec<_>>()
    })?;
    let said = subject.value()?;
    let bytes = frame(letter);
    let frame = dissect(&bytes);
    let wanted = parts(&frame);
    if said == wanted {
        return PASS;
    }
    let same = said.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
    let says = match wanted.get(same).map(String::as_str) {
        _ if same == 0 => "Every frame on this cable begins with the header of Ethernet.".into(),
        Some("Arp" | "Ipv4" | "Ipv6") => format!(
            "The type of the frame, at its bytes 12 and 13, is {:02x} {:02x}.",
            bytes[12], bytes[13]
        ),
        Some("Tcp" | "Udp" | "Icmp") => {
            "The IP header says what follows it: byte 9 in IPv4, byte 6 in IPv6.".into()
        }
        Some("Padding") => format!(
            "Not all that stands behind the headers is data: the IP header says how long the packet is, and the frame \
             has {} bytes. The rest is Padding.",
            bytes.len()
        ),
        Some("Data") => "Behind the last header stands what a program sent.".into(),
        _ => "Nothing comes after that.".into(),
    };
    let right = match same {
        0 => "the first is not right".to_string(),
        1 => "the first is right".to_string(),
        n => format!("the first {n} are right"),
    };
    let what = format!("frame {letter}: you said {}; {right}", said.join(", "));
    Err(Finding::fail(what)).because(says)
}

/// Frame A, from the outside in.
fn the_layers_of_a(cx: &Check) -> Verdict {
    layers(cx, "A", answers::layers_of_a)
}

/// Behind the header of TCP, with its options.
fn where_the_data_of_a_begins(cx: &Check) -> Verdict {
    let frame = dissect(&frame("A"));
    let wanted = part(&frame, "data")?.start;
    let tcp = part(&frame, "TCP")?;
    let said = cx.subject(answers::data_of_a_begins_at)?.value()?;
    if said == wanted {
        return PASS;
    }
    let what = format!("data_of_a_begins_at() said {said}");
    Err(Finding::fail(what)).because(match said {
        54 => "There stand the options of TCP. Its header is longer than 20 bytes: the upper half of its byte 12 says how many \
               units of four bytes it has."
            .to_string(),
        _ => format!("The header of TCP begins at byte {}. How long it is stands in the upper half of its byte 12.", tcp.start),
    })
}

/// Frame B, from the outside in.
fn the_layers_of_b(cx: &Check) -> Verdict {
    layers(cx, "B", answers::layers_of_b)
}

/// As many as IP says, less its header and that of TCP.
fn how_much_data_b_carries(cx: &Check) -> Verdict {
    let wanted = part(&dissect(&frame("B")), "data")?.len();
    let said = cx.subject(answers::bytes_of_data_in_b)?.value()?;
    if said == wanted {
        return PASS;
    }
    Err(Finding::fail(format!("bytes_of_data_in_b() said {said}"))).because(
        "The frame is 60 bytes long because no frame may be shorter. The packet in it has 43, as bytes 2 and 3 of the \
         IPv4 header say, and 20 of them are that header.",
    )
}

/// Frame C, from the outside in.
fn the_layers_of_c(cx: &Check) -> Verdict {
    layers(cx, "C", answers::layers_of_c)
}

/// Behind the headers of Ethernet and IPv6.
fn where_udp_begins_in_c(cx: &Check) -> Verdict {
    let wanted = part(&dissect(&frame("C")), "UDP")?.start;
    let said = cx.subject(answers::udp_of_c_begins_at)?.value()?;
    if said == wanted {
        return PASS;
    }
    Err(Finding::fail(format!("udp_of_c_begins_at() said {said}"))).because(
        "The header of IPv6 always has 40 bytes: two addresses of 16 bytes each, and 8 bytes before them. The header of \
         Ethernet before it has 14.",
    )
}

/// Frame D, from the outside in.
fn the_layers_of_d(cx: &Check) -> Verdict {
    layers(cx, "D", answers::layers_of_d)
}

/// The address of the target, not that of the sender.
fn whom_d_seeks(cx: &Check) -> Verdict {
    let bytes = frame("D");
    let wanted = Ipv4Addr::new(bytes[38], bytes[39], bytes[40], bytes[41]);
    let said = cx.subject(|| answers::sought_in_d().octets())?.value()?;
    let said = Ipv4Addr::from(said);
    if said == wanted {
        return PASS;
    }
    Err(Finding::fail(format!("sought_in_d() said {said}"))).because(
        "ARP names the sender first, hardware address and IPv4 address, and then the target, in the same way. The \
         hardware address of the target is zero in a question: it is what the question is about.",
    )
}
