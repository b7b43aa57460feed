//! What do the bytes of a frame say?
//!
//! A [`Packet`] is a frame decoded: addresses, ports, flags, options, and where the data is. It says what it understood and
//! stops at the first thing it does not. Fragments are not put together: of them only the IP header is read.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::{BitOr, Range};

use etherparse::{
    ArpPacketSlice, LaxNetSlice, LaxSlicedPacket, TcpOptionElement, TcpSlice, TransportSlice,
};

/// A hardware address of Ethernet.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// To everyone on the link.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// To several, broadcast included: the lowest bit of the first byte.
    pub fn is_multicast(self) -> bool {
        self.0[0] & 1 != 0
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.map(|byte| format!("{byte:02x}")).join(":"))
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A frame, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// Who sent the frame, on this link.
    pub source_mac: Mac,
    /// Who is to read the frame, on this link.
    pub destination_mac: Mac,
    /// What the frame carries: 0x0800 IPv4, 0x0806 ARP, 0x86dd IPv6.
    pub ethertype: u16,
    /// What the link carries.
    pub network: Network,
    /// What the IP packet carries.
    pub transport: Transport,
    /// Where in the frame the transport's header and data are.
    pub segment: Range<usize>,
    /// Where in the frame the data is that a program sent: the bytes after the last header that was understood.
    pub data: Range<usize>,
}

/// What the link carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// A question or an answer about hardware addresses.
    Arp(Arp),
    /// IPv4 or IPv6.
    Ip(Ip),
    /// Something else, or too short to say.
    #[default]
    Other,
}

/// What an IP packet carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// A segment.
    Tcp(Tcp),
    /// A datagram.
    Udp(Udp),
    /// A message of the network itself.
    Icmp(Icmp),
    /// Something else, or nothing, or a fragment.
    #[default]
    Other,
}

/// ARP, RFC 826.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arp {
    /// 1 asks, 2 answers.
    pub operation: u16,
    /// Hardware address of who speaks.
    pub sender_mac: Mac,
    /// IPv4 address of who speaks.
    pub sender: Ipv4Addr,
    /// Hardware address of who is spoken to; zeros in a question.
    pub target_mac: Mac,
    /// IPv4 address that is asked for, or to whom the answer goes.
    pub target: Ipv4Addr,
}

/// The header of IPv4 (RFC 791) or IPv6 (RFC 8200).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ip {
    /// Who sent the packet.
    pub source: IpAddr,
    /// Who is to have it.
    pub destination: IpAddr,
    /// How many more routers it may cross: TTL, or hop limit.
    pub ttl: u8,
    /// The eight bits of DSCP and ECN: type of service, or traffic class.
    pub traffic_class: u8,
    /// What it carries: 1 ICMP, 2 IGMP, 6 TCP, 17 UDP, 58 ICMPv6.
    pub protocol: u8,
    /// IPv4: the packet's number, which its fragments share.
    pub identification: u16,
    /// IPv4: routers must not cut it in pieces. Always so in IPv6.
    pub dont_fragment: bool,
    /// It is a piece of a packet.
    pub fragment: bool,
}

/// The header of TCP, RFC 9293 section 3.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tcp {
    /// The sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
    /// Number of the first byte of data, or of the SYN, as on the wire.
    pub sequence: u32,
    /// Number of the byte that is expected next, as on the wire.
    pub acknowledgment: u32,
    /// `sequence`, counted from the connection's first: its SYN is 0, the first byte of data is 1.
    pub relative_sequence: u32,
    /// `acknowledgment`, counted in the same way; 0 without the flag ACK.
    pub relative_acknowledgment: u32,
    /// What the segment is for.
    pub flags: Flags,
    /// How many bytes the sender is ready to receive, as on the wire.
    pub window: u16,
    /// The same in bytes, if both ends' SYN told the scale; else as on the wire.
    pub scaled_window: u32,
    /// Offset of the byte after the urgent data, if the flag URG is set.
    pub urgent_pointer: u16,
    /// The options, padding left out.
    pub options: Vec<TcpOption>,
}

/// An option of TCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TcpOption {
    /// The longest segment that the sender wants to receive. RFC 9293 section 3.7.1.
    MaximumSegmentSize(u16),
    /// Windows are to be shifted left by so many bits. RFC 7323 section 2.
    WindowScale(u8),
    /// Selective acknowledgments are understood. RFC 2018 section 2.
    SackPermitted,
    /// Blocks received beyond the acknowledgment: first byte, byte after the last. RFC 2018 section 3.
    Sack(Vec<(u32, u32)>),
    /// The sender's clock, and the last clock it saw of the receiver. RFC 7323 section 3.
    Timestamp(u32, u32),
}

/// The header of UDP, RFC 768.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Udp {
    /// The sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
    /// Bytes of header and data, as the header says.
    pub length: u16,
}

/// ICMP (RFC 792) or ICMPv6 (RFC 4443).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Icmp {
    /// Type of the message; the numbers of ICMP and ICMPv6 differ.
    pub kind: u8,
    /// Kind of that type.
    pub code: u8,
    /// The four bytes after the checksum, which depend on the type: identifier and sequence number, or an MTU.
    pub rest: [u8; 4],
}

/// A set of TCP's flags.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// The sender will send no more.
    pub const FIN: Self = Self(0x01);
    /// Begins a connection.
    pub const SYN: Self = Self(0x02);
    /// Ends a connection at once.
    pub const RST: Self = Self(0x04);
    /// The receiver's program is to have the data without delay.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgment number is valid.
    pub const ACK: Self = Self(0x10);
    /// The urgent pointer is valid.
    pub const URG: Self = Self(0x20);

    const NAMES: [(Self, &str); 6] = [
        (Self::SYN, "SYN"),
        (Self::FIN, "FIN"),
        (Self::RST, "RST"),
        (Self::PSH, "PSH"),
        (Self::URG, "URG"),
        (Self::ACK, "ACK"),
    ];

    /// Are all these set?
    pub fn has(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Is one of these set?
    pub fn intersects(self, flags: Self) -> bool {
        self.0 & flags.0 != 0
    }

    /// The flag of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(flag, _)| *flag)
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for Flags {
    /// As in `SYN ACK`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Self::NAMES
            .iter()
            .filter(|(flag, _)| self.has(*flag))
            .map(|(_, name)| *name)
            .collect();
        f.write_str(&names.join(" "))
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Packet {
    /// Reads as much of a frame as it understands.
    pub fn decode(bytes: &[u8]) -> Self {
        let mut packet = Self {
            data: 0..0,
            ..Self::default()
        };
        let Ok(sliced) = LaxSlicedPacket::from_ethernet(bytes) else {
            return packet;
        };
        packet.destination_mac = Mac(std::array::from_fn(|i| bytes[i]));
        packet.source_mac = Mac(std::array::from_fn(|i| bytes[6 + i]));
        packet.ethertype = u16::from_be_bytes([bytes[12], bytes[13]]);
        match &sliced.net {
            Some(LaxNetSlice::Arp(arp)) => packet.network = arp_of(arp),
            Some(LaxNetSlice::Ipv4(ip)) => {
                let header = ip.header();
                packet.network = Network::Ip(Ip {
                    source: header.source_addr().into(),
                    destination: header.destination_addr().into(),
                    ttl: header.ttl(),
                    traffic_class: header.slice()[1],
                    protocol: ip.payload_ip_number().0,
                    identification: header.identification(),
                    dont_fragment: header.dont_fragment(),
                    fragment: ip.is_payload_fragmented(),
                });
                packet.segment = range_of(bytes, ip.payload().payload);
            }
            Some(LaxNetSlice::Ipv6(ip)) => {
                let header = ip.header();
                packet.network = Network::Ip(Ip {
                    source: header.source_addr().into(),
                    destination: header.destination_addr().into(),
                    ttl: header.hop_limit(),
                    traffic_class: header.traffic_class(),
                    protocol: ip.payload().ip_number.0,
                    identification: 0,
                    dont_fragment: true,
                    fragment: ip.is_payload_fragmented(),
                });
                packet.segment = range_of(bytes, ip.payload().payload);
            }
            None => {}
        }
        packet.data = packet.segment.clone();
        if let Some(transport) = &sliced.transport {
            packet.read_transport(bytes, transport);
        }
        packet
    }

    fn read_transport(&mut self, bytes: &[u8], transport: &TransportSlice<'_>) {
        let data;
        (self.transport, data) = match transport {
            TransportSlice::Tcp(tcp) => (Transport::Tcp(tcp_of(tcp)), tcp.payload()),
            TransportSlice::Udp(udp) => (
                Transport::Udp(Udp {
                    source_port: udp.source_port(),
                    destination_port: udp.destination_port(),
                    length: udp.length(),
                }),
                udp.payload(),
            ),
            TransportSlice::Icmpv4(icmp) => (
                Transport::Icmp(Icmp {
                    kind: icmp.type_u8(),
                    code: icmp.code_u8(),
                    rest: icmp.bytes5to8(),
                }),
                icmp.payload(),
            ),
            TransportSlice::Icmpv6(icmp) => (
                Transport::Icmp(Icmp {
                    kind: icmp.type_u8(),
                    code: icmp.code_u8(),
                    rest: icmp.bytes5to8(),
                }),
                icmp.payload(),
            ),
            TransportSlice::Igmp(igmp) => (Transport::Other, igmp.slice()),
        };
        self.data = range_of(bytes, data);
    }

    /// The question or answer about hardware addresses, if it is one.
    pub fn arp(&self) -> Option<&Arp> {
        if let Network::Arp(arp) = &self.network {
            Some(arp)
        } else {
            None
        }
    }

    /// The header of IPv4 or IPv6.
    pub fn ip(&self) -> Option<&Ip> {
        if let Network::Ip(ip) = &self.network {
            Some(ip)
        } else {
            None
        }
    }

    /// The header of TCP.
    pub fn tcp(&self) -> Option<&Tcp> {
        if let Transport::Tcp(tcp) = &self.transport {
            Some(tcp)
        } else {
            None
        }
    }

    /// The header of UDP.
    pub fn udp(&self) -> Option<&Udp> {
        if let Transport::Udp(udp) = &self.transport {
            Some(udp)
        } else {
            None
        }
    }

    /// The header of ICMP or ICMPv6.
    pub fn icmp(&self) -> Option<&Icmp> {
        if let Transport::Icmp(icmp) = &self.transport {
            Some(icmp)
        } else {
            None
        }
    }

    /// The sender's and the receiver's port of TCP or UDP.
    pub fn ports(&self) -> Option<(u16, u16)> {
        match &self.transport {
            Transport::Tcp(tcp) => Some((tcp.source_port, tcp.destination_port)),
            Transport::Udp(udp) => Some((udp.source_port, udp.destination_port)),
            _ => None,
        }
    }

    /// Are the checksums of the IPv4 header and of TCP, UDP or ICMP right? `bytes` is the frame. A UDP checksum of 0 over IPv4
    /// means that there is none (RFC 768), which is right. What cannot be checked, as a fragment, is not wrong.
    pub fn checksums_are_right(&self, bytes: &[u8]) -> bool {
        let Some(ip) = self.ip() else {
            return true;
        };
        if ip.source.is_ipv4() {
            let header_length = usize::from(bytes[14] & 0x0f) * 4;
            if ones_complement_sum(&[&bytes[14..14 + header_length]]) != 0xffff {
                return false;
            }
        }
        let segment = &bytes[self.segment.clone()];
        let without_checksum =
            ip.source.is_ipv4() && self.udp().is_some() && segment[6..8] == [0, 0];
        if ip.fragment || without_checksum || self.transport == Transport::Other {
            return true;
        }
        let length = (segment.len() as u32).to_be_bytes();
        let protocol = [0, ip.protocol];
        let pseudo_header = match (ip.source, ip.destination) {
            (IpAddr::V4(_), _) if self.icmp().is_some() => vec![],
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                [&from.octets()[..], &to.octets(), &protocol, &length].concat()
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                [&from.octets()[..], &to.octets(), &protocol, &length].concat()
            }
            _ => return true,
        };
        ones_complement_sum(&[&pseudo_header, segment]) == 0xffff
    }
}

/// The sum of 16-bit words with the carry added back, RFC 1071. Every part but the last has an even length.
fn ones_complement_sum(parts: &[&[u8]]) -> u16 {
    let mut sum: u32 = 0;
    for word in parts.iter().flat_map(|part| part.chunks(2)) {
        sum += u32::from(u16::from_be_bytes([word[0], *word.get(1).unwrap_or(&0)]));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

fn arp_of(arp: &ArpPacketSlice<'_>) -> Network {
    let bytes = arp.slice();
    // Hardware type, protocol type, the two lengths, operation; then, for IPv4 on Ethernet, 6 + 4 + 6 + 4 bytes.
    if bytes.len() < 28 || bytes[4..6] != [6, 4] {
        return Network::Other;
    }
    let mac = |at: usize| Mac(std::array::from_fn(|i| bytes[at + i]));
    let ip = |at: usize| Ipv4Addr::from(std::array::from_fn::<u8, 4, _>(|i| bytes[at + i]));
    Network::Arp(Arp {
        operation: u16::from_be_bytes([bytes[6], bytes[7]]),
        sender_mac: mac(8),
        sender: ip(14),
        target_mac: mac(18),
        target: ip(24),
    })
}

fn tcp_of(tcp: &TcpSlice<'_>) -> Tcp {
    let options = tcp
        .options_iterator()
        .filter_map(|option| match option.ok()? {
            TcpOptionElement::Noop => None,
            TcpOptionElement::MaximumSegmentSize(size) => Some(TcpOption::MaximumSegmentSize(size)),
            TcpOptionElement::WindowScale(bits) => Some(TcpOption::WindowScale(bits)),
            TcpOptionElement::SelectiveAcknowledgementPermitted => Some(TcpOption::SackPermitted),
            TcpOptionElement::SelectiveAcknowledgement(first, more) => Some(TcpOption::Sack(
                [Some(first)].into_iter().chain(more).flatten().collect(),
            )),
            TcpOptionElement::Timestamp(own, echo) => Some(TcpOption::Timestamp(own, echo)),
        });
    let acknowledgment = if tcp.ack() {
        tcp.acknowledgment_number()
    } else {
        0
    };
    Tcp {
        source_port: tcp.source_port(),
        destination_port: tcp.destination_port(),
        sequence: tcp.sequence_number(),
        acknowledgment,
        relative_sequence: tcp.sequence_number(),
        relative_acknowledgment: acknowledgment,
        flags: Flags(tcp.header_slice()[13] & 0x3f),
        window: tcp.window_size(),
        scaled_window: tcp.window_size().into(),
        urgent_pointer: tcp.urgent_pointer(),
        options: options.collect(),
    }
}

/// Where in `whole` the slice `part` of it lies. An empty slice may point anywhere.
fn range_of(whole: &[u8], part: &[u8]) -> Range<usize> {
    if part.is_empty() {
        return whole.len()..whole.len();
    }
    let start = part.as_ptr().addr() - whole.as_ptr().addr();
    start..start + part.len()
}
