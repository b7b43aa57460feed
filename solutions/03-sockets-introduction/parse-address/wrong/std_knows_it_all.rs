//! SocketAddr has a parser already.

use std::ffi::CStr;
use std::net::SocketAddr;

/// Reads a socket address from text, in one of the forms above.
///
/// # Errors
///
/// A line for the user, which quotes the part of the text that is wrong: `"65536"` for a port that is
/// too large, `"eth7"` for an interface that is not there.
pub fn parse(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|error| format!("{text:?}: {error}"))
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
