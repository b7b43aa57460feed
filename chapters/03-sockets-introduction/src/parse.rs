// ANCHOR: error
//! Which address does a text mean?

use std::fmt;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::path::Path;
use std::str::FromStr;

use crate::address::Address;
use crate::{scope, text};

/// Why a text is no address. Its message says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAddress {
    /// No host, in any form.
    Host(String),
    /// No port.
    Port(String),
    /// No interface of this host.
    Link(String),
    /// No name for a Unix socket.
    Unix(String),
}

impl std::error::Error for NoAddress {}

impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, why) = match self {
            NoAddress::Host(text) => (
                text,
                "no address: write 192.0.2.1, 192.0.2.1:80, 2001:db8::1, \
                 [2001:db8::1]:80, /a/path or @name",
            ),
            NoAddress::Port(text) => {
                (text, "no port: write a number from 0 to 65535")
            }
            NoAddress::Link(text) => {
                (text, "no interface: `ip link` lists those of this host")
            }
            NoAddress::Unix(text) => {
                (text, "no Unix name: write 1 to 108 bytes, no zero among them")
            }
        };
        write!(f, "{text:?} is {why}")
    }
}
// ANCHOR_END: error

// ANCHOR: parse
impl FromStr for Address {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Address, NoAddress> {
        if let Some(name) = text.strip_prefix('@') {
            return Address::unix_abstract(name.as_bytes())
                .ok_or(NoAddress::Unix(text.into()));
        }
        if text.contains('/') {
            return Address::unix(Path::new(text))
                .ok_or(NoAddress::Unix(text.into()));
        }
        let bad = || NoAddress::Host(text.into());
        let (host, port) = split(text).ok_or_else(bad)?;
        let port = port
            .map_or(Ok(0), |port| number(port).ok_or(NoAddress::Port(port.into())))?;
        let (ip, link) = match host.split_once('%') {
            Some((ip, link)) => (ip, Some(link)),
            None => (host, None),
        };
        match (text::to_ip(ip).ok_or_else(bad)?, link) {
            (IpAddr::V6(v6), Some(link)) => {
                let index =
                    scope::index_of(link).ok_or(NoAddress::Link(link.into()))?;
                Ok(SocketAddr::from(SocketAddrV6::new(v6, port, 0, index)).into())
            }
            (IpAddr::V4(_), link) if link.is_some() || text.starts_with('[') => {
                Err(bad())
            }
            (ip, _) => Ok(SocketAddr::new(ip, port).into()),
        }
    }
}
// ANCHOR_END: parse

// ANCHOR: split
/// Host and port, at the colon that parts them.
fn split(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(inside) = text.strip_prefix('[') {
        let (host, rest) = inside.split_once(']')?;
        return match rest {
            "" => Some((host, None)),
            _ => Some((host, Some(rest.strip_prefix(':')?))),
        };
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => Some((host, Some(port))),
        _ => Some((text, None)), // no colon, or the many colons of IPv6
    }
}

/// A number in decimal digits. `str::parse` alone would take `+80` too.
pub(crate) fn number<T: FromStr>(digits: &str) -> Option<T> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}
// ANCHOR_END: split
