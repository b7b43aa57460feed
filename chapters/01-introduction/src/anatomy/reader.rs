// ANCHOR: header
//! Reads a frame from its first byte to its last, and keeps what was said of each.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

/// A field of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Which bytes of the frame it is.
    pub bytes: Range<usize>,
    /// What the RFC calls it.
    pub name: &'static str,
    /// What it says here.
    pub says: String,
}

/// A header, or what stands behind the last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Whose it is: `TCP`. Behind the last header: `data` and `padding`.
    pub name: &'static str,
    /// Which bytes of the frame it is.
    pub bytes: Range<usize>,
    /// Its fields, one behind the other.
    pub fields: Vec<Field>,
}

/// A frame, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dissection {
    /// The headers, the outermost first; then data and padding, where there are any.
    pub headers: Vec<Header>,
    /// What the frame is about, in a line.
    pub summary: String,
}
// ANCHOR_END: header

// ANCHOR: reader
/// The frame ended, or a header was impossible, in the header of this name.
pub(super) struct Ends(&'static str);

/// How far the reading has come.
pub(super) struct Reader<'f> {
    frame: &'f [u8],
    at: usize,
    /// Where the packet ends; what stands behind it in the frame is padding.
    end: usize,
    headers: Vec<Header>,
    summary: String,
    /// From which host to which, once IP has said so.
    pub hosts: Option<(IpAddr, IpAddr)>,
    /// What IP adds to the checksum of TCP, UDP and ICMPv6.
    pub pseudo_header: Vec<u8>,
}

impl<'f> Reader<'f> {
    pub fn new(frame: &'f [u8]) -> Reader<'f> {
        Reader {
            frame,
            at: 0,
            end: frame.len(),
            headers: Vec::new(),
            summary: String::new(),
            hosts: None,
            pseudo_header: Vec::new(),
        }
    }

    /// Begins a header.
    pub fn header(&mut self, name: &'static str) {
        let (bytes, fields) = (self.at..self.at, Vec::new());
        self.headers.push(Header { name, bytes, fields });
    }

    /// Reads a field of so many bytes; `says` puts it into words.
    pub fn field(
        &mut self,
        name: &'static str,
        length: usize,
        says: impl FnOnce(&[u8]) -> String,
    ) -> Result<&'f [u8], Ends> {
        let header = self.headers.last_mut().expect("a field is in a header");
        let bytes = self.at..self.at + length;
        let value = &self.frame[..self.end].get(bytes.clone());
        let value = value.ok_or(Ends(header.name))?;
        let says = says(value);
        (self.at, header.bytes.end) = (bytes.end, bytes.end);
        header.fields.push(Field { bytes, name, says });
        Ok(value)
    }

    /// Reads a field that is a number of one, two or four bytes, its most significant
    /// byte first.
    pub fn number<N: Number>(
        &mut self,
        name: &'static str,
        says: impl FnOnce(N) -> String,
    ) -> Result<N, Ends> {
        let length = size_of::<N>();
        Ok(N::of(self.field(name, length, |bytes| says(N::of(bytes)))?))
    }
    // ANCHOR_END: reader

    // ANCHOR: rest
    /// All bytes of the packet, from the beginning of the header at hand.
    pub fn since_header(&self) -> &'f [u8] {
        let start = self.headers.last().map_or(0, |header| header.bytes.start);
        &self.frame[start..self.end]
    }

    /// Of the header at hand, how many bytes were read.
    pub fn header_length(&self) -> usize {
        self.headers.last().map_or(0, |header| header.bytes.len())
    }

    /// How many bytes of the packet are not yet read.
    pub fn left(&self) -> usize {
        self.end - self.at
    }

    /// The packet ends so many bytes from here: what follows is padding.
    pub fn ends_after(&mut self, length: usize) -> Result<(), Ends> {
        let end = self.at + length;
        if end > self.end {
            return Err(self.impossible());
        }
        self.end = end;
        Ok(())
    }

    /// Something in the header at hand cannot be.
    pub fn impossible(&self) -> Ends {
        Ends(self.headers.last().map_or("frame", |header| header.name))
    }

    /// From whom to whom: hosts, and ports where there are any.
    pub fn ends(&self, ports: Option<(u16, u16)>) -> String {
        match (self.hosts, ports) {
            (Some((from, to)), Some((source, destination))) => {
                let from = SocketAddr::new(from, source);
                format!("{from} to {}", SocketAddr::new(to, destination))
            }
            (Some((from, to)), None) => format!("{from} to {to}"),
            (None, _) => String::new(),
        }
    }

    /// Adds to what the frame is about.
    pub fn about(&mut self, words: &str) {
        if !self.summary.is_empty() && !words.is_empty() {
            self.summary += ", ";
        }
        self.summary += words;
    }

    /// The frame is read: what is left is data, and padding.
    pub fn finish(mut self) -> Dissection {
        if self.summary.is_empty() {
            self.summary = self.ends(None);
        }
        let (end, all) = (self.end, self.frame.len());
        for (name, bytes) in [("data", self.at..end), ("padding", end..all)] {
            if !bytes.is_empty() {
                let fields = Vec::new();
                self.headers.push(Header { name, bytes, fields });
            }
        }
        Dissection { headers: self.headers, summary: self.summary }
    }

    /// The frame cannot be read any further.
    pub fn broken(mut self, ends: Ends) -> Dissection {
        self.summary = self.ends(None);
        self.about(&format!("broken off in the header of {}", ends.0));
        self.end = self.frame.len();
        self.finish()
    }
}
// ANCHOR_END: rest

// ANCHOR: number
/// A number as it stands in a header.
pub(super) trait Number: Copy {
    /// From bytes, as many as it has.
    fn of(bytes: &[u8]) -> Self;
}

impl Number for u8 {
    fn of(bytes: &[u8]) -> u8 {
        bytes[0]
    }
}

impl Number for u16 {
    fn of(bytes: &[u8]) -> u16 {
        u16::from_be_bytes([bytes[0], bytes[1]])
    }
}

impl Number for u32 {
    fn of(bytes: &[u8]) -> u32 {
        u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }
}
// ANCHOR_END: number
