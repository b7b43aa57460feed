//! Which fields does a header have, and how many bits does each take?
//!
//! The layouts are those of the RFCs; where a header begins in a frame, and what it is, the lab has found.

use lab::wire::{Frame, Network, Transport};

/// How the value of a field is written.
#[derive(Clone, Copy)]
pub(super) enum As {
    Number,
    Hex,
    Mac,
    Ip,
    /// What an EtherType is.
    EtherType,
    /// What IP carries.
    Protocol,
}

/// A field of a header.
pub(super) struct Field {
    pub name: &'static str,
    pub bits: usize,
    pub shown: As,
}

/// A header in a frame.
pub(super) struct Header {
    /// As a block names it.
    pub key: &'static str,
    pub name: &'static str,
    /// Where in the frame it begins, in bytes.
    pub start: usize,
    pub fields: Vec<Field>,
}

impl Header {
    /// How many bytes it has.
    pub fn length(&self) -> usize {
        self.fields.iter().map(|field| field.bits).sum::<usize>() / 8
    }
}

const fn field(name: &'static str, bits: usize, shown: As) -> Field {
    Field { name, bits, shown }
}

/// The headers of a frame, from the outermost on.
pub(super) fn headers(frame: &Frame) -> Vec<Header> {
    let bytes = &*frame.bytes;
    let mut headers = vec![ethernet()];
    match &frame.packet.network {
        Network::Arp(_) => headers.push(arp()),
        Network::Ip(ip) if ip.source.is_ipv4() => headers.push(ipv4(bytes)),
        Network::Ip(_) => headers.push(ipv6()),
        Network::Other => {}
    }
    let start = frame.packet.segment.start;
    match &frame.packet.transport {
        Transport::Tcp(_) => headers.push(tcp(bytes, start)),
        Transport::Udp(_) => headers.push(Header {
            key: "udp",
            name: "UDP",
            start,
            fields: vec![
                field("source port", 16, As::Number),
                field("destination port", 16, As::Number),
                field("length", 16, As::Number),
                field("checksum", 16, As::Hex),
            ],
        }),
        Transport::Icmp(_) => headers.push(Header {
            key: "icmp",
            name: if frame.packet.ip().is_some_and(|ip| ip.source.is_ipv4()) {
                "ICMP"
            } else {
                "ICMPv6"
            },
            start,
            fields: vec![
                field("type", 8, As::Number),
                field("code", 8, As::Number),
                field("checksum", 16, As::Hex),
                field("rest of header", 32, As::Hex),
            ],
        }),
        Transport::Other => {}
    }
    headers.retain(|header| header.start + header.length() <= bytes.len());
    headers
}

fn ethernet() -> Header {
    Header {
        key: "ethernet",
        name: "Ethernet",
        start: 0,
        fields: vec![
            field("destination", 48, As::Mac),
            field("source", 48, As::Mac),
            field("type", 16, As::EtherType),
        ],
    }
}

fn arp() -> Header {
    Header {
        key: "arp",
        name: "ARP",
        start: 14,
        fields: vec![
            field("hardware type", 16, As::Number),
            field("protocol type", 16, As::EtherType),
            field("hardware length", 8, As::Number),
            field("protocol length", 8, As::Number),
            field("operation", 16, As::Number),
            field("sender's hardware address", 48, As::Mac),
            field("sender's address", 32, As::Ip),
            field("target's hardware address", 48, As::Mac),
            field("target's address", 32, As::Ip),
        ],
    }
}

fn ipv4(bytes: &[u8]) -> Header {
    let mut fields = vec![
        field("version", 4, As::Number),
        field("IHL", 4, As::Number),
        field("DSCP", 6, As::Number),
        field("ECN", 2, As::Number),
        field("total length", 16, As::Number),
        field("identification", 16, As::Hex),
        field("0", 1, As::Number),
        field("DF", 1, As::Number),
        field("MF", 1, As::Number),
        field("fragment offset", 13, As::Number),
        field("time to live", 8, As::Number),
        field("protocol", 8, As::Protocol),
        field("header checksum", 16, As::Hex),
        field("source address", 32, As::Ip),
        field("destination address", 32, As::Ip),
    ];
    let words = usize::from(bytes.get(14).map_or(5, |first| first & 0x0f)).saturating_sub(5);
    fields.extend((0..words).map(|_| field("options", 32, As::Hex)));
    Header {
        key: "ip",
        name: "IPv4",
        start: 14,
        fields,
    }
}

fn ipv6() -> Header {
    Header {
        key: "ip",
        name: "IPv6",
        start: 14,
        fields: vec![
            field("version", 4, As::Number),
            field("traffic class", 8, As::Number),
            field("flow label", 20, As::Hex),
            field("payload length", 16, As::Number),
            field("next header", 8, As::Protocol),
            field("hop limit", 8, As::Number),
            field("source address", 128, As::Ip),
            field("destination address", 128, As::Ip),
        ],
    }
}

fn tcp(bytes: &[u8], start: usize) -> Header {
    let mut fields = vec![
        field("source port", 16, As::Number),
        field("destination port", 16, As::Number),
        field("sequence number", 32, As::Number),
        field("acknowledgment number", 32, As::Number),
        field("data offset", 4, As::Number),
        field("reserved", 4, As::Number),
    ];
    let flags = ["CWR", "ECE", "URG", "ACK", "PSH", "RST", "SYN", "FIN"];
    fields.extend(flags.map(|flag| field(flag, 1, As::Number)));
    fields.extend([
        field("window", 16, As::Number),
        field("checksum", 16, As::Hex),
        field("urgent pointer", 16, As::Number),
    ]);
    let end = start + usize::from(bytes.get(start + 12).map_or(5, |byte| byte >> 4)) * 4;
    let options = bytes.get(start + 20..end).unwrap_or_default();
    fields.extend(tcp_options(options));
    Header {
        key: "tcp",
        name: "TCP",
        start,
        fields,
    }
}

/// The options, each with its kind and length. RFC 9293 section 3.1, RFC 7323, RFC 2018.
fn tcp_options(mut options: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    while let Some(&kind) = options.first() {
        let length = match kind {
            0 | 1 => 1,
            _ => usize::from(options.get(1).copied().unwrap_or(2)).clamp(2, options.len().max(2)),
        };
        match kind {
            0 => fields.push(field("end of options", 8, As::Number)),
            1 => fields.push(field("no operation", 8, As::Number)),
            _ => {
                let (name, parts): (_, &[(&'static str, usize)]) = match kind {
                    2 => ("kind: MSS", &[("maximum segment size", 16)]),
                    3 => ("kind: scale", &[("shift", 8)]),
                    4 => ("kind: SACK ok", &[]),
                    8 => ("kind: times", &[("own time", 32), ("echoed time", 32)]),
                    _ => ("kind", &[]),
                };
                fields.push(field(name, 8, As::Number));
                fields.push(field("length", 8, As::Number));
                let mut rest = (length - 2) * 8;
                for (name, bits) in parts.iter().filter(|(_, bits)| *bits <= (length - 2) * 8) {
                    fields.push(field(name, *bits, As::Number));
                    rest = rest.saturating_sub(*bits);
                }
                fields.extend((0..rest / 8).map(|_| field("value", 8, As::Hex)));
            }
        }
        options = options.get(length..).unwrap_or_default();
    }
    fields
}
