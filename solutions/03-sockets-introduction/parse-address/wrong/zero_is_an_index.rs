//! if_nametoindex returns the index.

use std::ffi::CStr;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Reads a socket address from text, in one of the forms above.
///
/// # Errors
///
/// A line for the user, which quotes the part of the text that is wrong: `"65536"` for a port that is
/// too large, `"eth7"` for an interface that is not there.
pub fn parse(text: &str) -> Result<SocketAddr, String> {
    let Some(bracketed) = text.strip_prefix('[') else {
        let (host, port) = text
            .split_once(':')
            .ok_or_else(|| format!("no port in {text:?}"))?;
        let host: Ipv4Addr = host
            .parse()
            .map_err(|_| format!("{host:?} is not an IPv4 address"))?;
        return Ok(SocketAddrV4::new(host, self::port(port)?).into());
    };
    let (host, port) = bracketed
        .split_once("]:")
        .ok_or_else(|| format!("no \"]:\" and port in {text:?}"))?;
    let (host, scope) = match host.split_once('%') {
        Some((host, scope)) => (host, self::scope(scope)?),
        None => (host, 0),
    };
    let host: Ipv6Addr = host
        .parse()
        .map_err(|_| format!("{host:?} is not an IPv6 address"))?;
    Ok(SocketAddrV6::new(host, self::port(port)?, 0, scope).into())
}

/// Reads a port: digits only, which `str::parse` would not insist on.
fn port(text: &str) -> Result<u16, String> {
    let wrong = || format!("{text:?} is not a port from 0 to 65535");
    digits(text)
        .then(|| text.parse().ok())
        .flatten()
        .ok_or_else(wrong)
}

/// Reads a scope: a number as it is, a name as the index of its interface.
fn scope(text: &str) -> Result<u32, String> {
    if digits(text) {
        return text
            .parse()
            .map_err(|_| format!("{text:?} is not a scope id of 32 bits"));
    }
    let name = std::ffi::CString::new(text).map_err(|_| format!("{text:?} is not a name"))?;
    // SAFETY: the name ends with a zero byte.
    Ok(unsafe { libc::if_nametoindex(name.as_ptr()) })
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Writes a socket address so that [`parse`] reads it back. A scope id other than 0 is shown as the
/// name of the interface with that index, or as a number if there is none.
pub fn text(address: &SocketAddr) -> String {
    match address {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => {
            let scope = name(v6.scope_id()).unwrap_or_else(|| v6.scope_id().to_string());
            format!("[{}%{scope}]:{}", v6.ip(), v6.port())
        }
        other => other.to_string(),
    }
}

/// The name of the interface with this index, if there is one.
fn name(index: u32) -> Option<String> {
    let mut name = [0; libc::IF_NAMESIZE];
    // SAFETY: the buffer has the room that the function asks for.
    let found = unsafe { libc::if_indextoname(index, name.as_mut_ptr().cast()) };
    if found.is_null() {
        return None;
    }
    CStr::from_bytes_until_nul(&name)
        .ok()?
        .to_str()
        .ok()
        .map(String::from)
}
