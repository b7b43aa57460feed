//! How is a frame told in one line?
//!
//! `client → server  SYN seq=0 win=64240 mss=1460`: who to whom on this link, then what it says, the important first. Sequence
//! numbers are relative.

use std::fmt;
use std::net::Ipv6Addr;

use super::{Arp, Frame, Icmp, Ip, Network, Tcp, TcpOption, Transport};

impl Frame {
    /// Who is to read it: a host's name, `*` for several, else a hardware address that nobody has.
    pub fn addressee(&self) -> String {
        match &self.to {
            Some(host) => host.to_string(),
            None if self.packet.destination_mac.is_multicast() => "*".to_owned(),
            None => self.packet.destination_mac.to_string(),
        }
    }

    /// What it says, in words, the important first.
    pub(super) fn words(&self) -> Vec<String> {
        let packet = &*self.packet;
        match (&packet.network, &packet.transport) {
            (Network::Arp(arp), _) => vec![arp_words(arp)],
            (_, Transport::Tcp(tcp)) => tcp_words(tcp, packet.data.len()),
            (_, Transport::Udp(udp)) => {
                vec![
                    format!("UDP {} → {}", udp.source_port, udp.destination_port),
                    format!("len={}", packet.data.len()),
                ]
            }
            (Network::Ip(ip), Transport::Icmp(icmp)) => {
                icmp_words(ip, icmp, &self.bytes, packet.segment.start)
            }
            (Network::Ip(ip), Transport::Other) => {
                vec![ip_words(ip), format!("len={}", packet.data.len())]
            }
            (Network::Other, _) => vec![
                format!("type 0x{:04x}", packet.ethertype),
                format!("len={}", self.length),
            ],
        }
    }

    /// What it says, and what is not as it should be.
    pub fn summary(&self) -> String {
        let words = self.words().join(" ");
        let remark = self.remark();
        if remark.is_empty() {
            words
        } else {
            format!("{words} ({remark})")
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} → {}  {}",
            self.from,
            self.addressee(),
            self.summary()
        )
    }
}

fn arp_words(arp: &Arp) -> String {
    match arp.operation {
        1 => format!("ARP who has {}?", arp.target),
        2 => format!("ARP {} is at {}", arp.sender, arp.sender_mac),
        other => format!("ARP operation {other}"),
    }
}

fn tcp_words(tcp: &Tcp, length: usize) -> Vec<String> {
    let flags = tcp.flags.to_string();
    let mut words = vec![if flags.is_empty() {
        "TCP without flags".to_owned()
    } else {
        flags
    }];
    words.push(format!("seq={}", tcp.relative_sequence));
    if length > 0 {
        words.push(format!("len={length}"));
    }
    if tcp.flags.has(super::Flags::ACK) {
        words.push(format!("ack={}", tcp.relative_acknowledgment));
    }
    words.push(format!("win={}", tcp.scaled_window));
    if tcp.flags.has(super::Flags::URG) {
        words.push(format!("urg={}", tcp.urgent_pointer));
    }
    for option in &tcp.options {
        match option {
            TcpOption::MaximumSegmentSize(size) => words.push(format!("mss={size}")),
            TcpOption::WindowScale(bits) => words.push(format!("wscale={bits}")),
            TcpOption::Sack(blocks) => {
                // Counted as the acknowledgment is.
                let first = tcp.acknowledgment.wrapping_sub(tcp.relative_acknowledgment);
                for (from, to) in blocks {
                    words.push(format!(
                        "sack={}..{}",
                        from.wrapping_sub(first),
                        to.wrapping_sub(first)
                    ));
                }
            }
            // In every segment, or in every SYN: they would hide what differs.
            TcpOption::SackPermitted | TcpOption::Timestamp(..) => {}
        }
    }
    words
}

/// Names of ICMP's messages that a network of today sends. RFC 792, RFC 1191, RFC 4443, RFC 4861, RFC 2710, RFC 3810.
fn icmp_words(ip: &Ip, icmp: &Icmp, bytes: &[u8], start: usize) -> Vec<String> {
    let number = u32::from_be_bytes(icmp.rest);
    let target = || {
        let octets = bytes
            .get(start + 8..start + 24)
            .and_then(|octets| <[u8; 16]>::try_from(octets).ok());
        octets.map_or(Ipv6Addr::UNSPECIFIED, Ipv6Addr::from)
    };
    let (name, text) = if ip.source.is_ipv4() {
        let text = match (icmp.kind, icmp.code) {
            (0, _) => "echo reply".to_owned(),
            (3, 0) => "net unreachable".to_owned(),
            (3, 1) => "host unreachable".to_owned(),
            (3, 2) => "protocol unreachable".to_owned(),
            (3, 3) => "port unreachable".to_owned(),
            (3, 4) => format!("fragmentation needed mtu={}", number & 0xffff),
            (3, code) => format!("unreachable code={code}"),
            (5, _) => "redirect".to_owned(),
            (8, _) => "echo request".to_owned(),
            (11, 0) => "time exceeded".to_owned(),
            (11, _) => "reassembly time exceeded".to_owned(),
            (12, _) => "parameter problem".to_owned(),
            (kind, code) => format!("type={kind} code={code}"),
        };
        ("ICMP", text)
    } else {
        let text = match (icmp.kind, icmp.code) {
            (1, 0) => "no route".to_owned(),
            (1, 1) => "prohibited".to_owned(),
            (1, 3) => "address unreachable".to_owned(),
            (1, 4) => "port unreachable".to_owned(),
            (1, code) => format!("unreachable code={code}"),
            (2, _) => format!("packet too big mtu={number}"),
            (3, 0) => "time exceeded".to_owned(),
            (3, _) => "reassembly time exceeded".to_owned(),
            (4, _) => "parameter problem".to_owned(),
            (128, _) => "echo request".to_owned(),
            (129, _) => "echo reply".to_owned(),
            (130, _) => "multicast listener query".to_owned(),
            (131 | 143, _) => "multicast listener report".to_owned(),
            (132, _) => "multicast listener done".to_owned(),
            (133, _) => "router solicitation".to_owned(),
            (134, _) => "router advertisement".to_owned(),
            (135, _) => format!("neighbor solicitation: who has {}?", target()),
            (136, _) => format!("neighbor advertisement: {} is here", target()),
            (kind, code) => format!("type={kind} code={code}"),
        };
        ("ICMPv6", text)
    };
    vec![format!("{name} {text}")]
}

fn ip_words(ip: &Ip) -> String {
    let version = if ip.source.is_ipv4() { 4 } else { 6 };
    match (ip.fragment, ip.protocol) {
        (true, _) => format!("IPv{version} fragment id={}", ip.identification),
        (false, 2) => "IGMP".to_owned(),
        (false, protocol) => format!("IPv{version} protocol={protocol}"),
    }
}

/// What a frame is that hosts send for the network's own sake, not for a program's.
pub(super) fn is_upkeep(frame: &Frame) -> bool {
    let v6 = frame.packet.ip().is_some_and(|ip| ip.source.is_ipv6());
    frame.packet.arp().is_some()
        || frame
            .packet
            .icmp()
            .is_some_and(|icmp| v6 && (130..=143).contains(&icmp.kind))
        || frame.packet.ip().is_some_and(|ip| ip.protocol == 2)
}
