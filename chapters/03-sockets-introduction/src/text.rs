// ANCHOR: extern
//! How does an address turn into text, and back?

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use libc::{in_addr, in_addr_t, socklen_t};
use nix::errno::Errno;

use crate::address::Address;
use crate::scope;
use crate::unix::Name;
use introduction::error::{CallError, InCall};

// The C library has these five. `std` has its own way, and needs none of them.
unsafe extern "C" {
    fn inet_pton(family: c_int, text: *const c_char, bytes: *mut c_void) -> c_int;
    fn inet_ntop(
        family: c_int,
        bytes: *const c_void,
        text: *mut c_char,
        room: socklen_t,
    ) -> *const c_char;
    fn inet_addr(text: *const c_char) -> in_addr_t;
    fn inet_aton(text: *const c_char, bytes: *mut in_addr) -> c_int;
    fn inet_ntoa(address: in_addr) -> *mut c_char;
}
// ANCHOR_END: extern

// ANCHOR: pton
/// The address that `text` spells, by `inet_pton(3)`. `None` when it spells none.
pub fn to_ip(text: &str) -> Option<IpAddr> {
    let text = CString::new(text).ok()?;
    let (mut v4, mut v6) = ([0_u8; 4], [0_u8; 16]);
    // SAFETY: `text` ends with a zero, and AF_INET writes four bytes.
    if unsafe { inet_pton(libc::AF_INET, text.as_ptr(), v4.as_mut_ptr().cast()) } == 1
    {
        return Some(v4.into());
    }
    // SAFETY: as above, and AF_INET6 writes sixteen.
    let found =
        unsafe { inet_pton(libc::AF_INET6, text.as_ptr(), v6.as_mut_ptr().cast()) };
    (found == 1).then(|| v6.into())
}
// ANCHOR_END: pton

// ANCHOR: ntop
/// The usual text for an address, by `inet_ntop(3)`, in a buffer of `room` bytes.
///
/// # Errors
///
/// `ENOSPC` when text and final zero need more room. 16 bytes are enough for IPv4
/// (`INET_ADDRSTRLEN`) and 46 for both (`INET6_ADDRSTRLEN`).
pub fn of_ip(ip: IpAddr, room: usize) -> Result<String, CallError> {
    let mut text = vec![0_u8; room];
    let (buffer, size) = (text.as_mut_ptr().cast(), room as socklen_t);
    let (family, bytes) = match ip {
        IpAddr::V4(v4) => (libc::AF_INET, v4.octets().to_vec()),
        IpAddr::V6(v6) => (libc::AF_INET6, v6.octets().to_vec()),
    };
    // SAFETY: `bytes` is what the family reads, and `buffer` has `size` bytes.
    let end = unsafe { inet_ntop(family, bytes.as_ptr().cast(), buffer, size) };
    if end.is_null() {
        return Err(Errno::last()).in_call("inet_ntop");
    }
    let text = CStr::from_bytes_until_nul(&text)
        .expect("inet_ntop ends its text with a zero");
    Ok(text.to_string_lossy().into_owned())
}
// ANCHOR_END: ntop

// ANCHOR: old
/// What `inet_addr(3)` makes of `text`. 255.255.255.255 is also its way to say no.
pub fn by_inet_addr(text: &CStr) -> Ipv4Addr {
    // SAFETY: a `CStr` ends with a zero.
    unsafe { inet_addr(text.as_ptr()) }.to_ne_bytes().into()
}

/// What `inet_aton(3)` makes of `text`.
pub fn by_inet_aton(text: &CStr) -> Option<Ipv4Addr> {
    let mut address = in_addr { s_addr: 0 };
    // SAFETY: a `CStr` ends with a zero, and `address` is one.
    let found = unsafe { inet_aton(text.as_ptr(), &raw mut address) };
    (found != 0).then(|| address.s_addr.to_ne_bytes().into())
}

/// The text that `inet_ntoa(3)` makes. It lives until this thread makes the next one.
pub fn by_inet_ntoa(ip: Ipv4Addr) -> *const c_char {
    // SAFETY: the call takes its argument by value.
    unsafe { inet_ntoa(in_addr { s_addr: u32::from_ne_bytes(ip.octets()) }) }
}
// ANCHOR_END: old

// ANCHOR: display
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.to_std(), self.unix_name()) {
            (Some(SocketAddr::V6(v6)), _) if v6.scope_id() != 0 => {
                let index = v6.scope_id();
                let link = scope::name_of(index).unwrap_or_else(|| index.to_string());
                write!(f, "[{}%{link}]:{}", v6.ip(), v6.port())
            }
            (Some(std), _) => write!(f, "{std}"),
            (_, Some(Name::Path(path))) => write!(f, "{}", path.display()),
            (_, Some(Name::Abstract(name))) => write!(f, "@{}", name.escape_ascii()),
            (_, Some(Name::Unnamed)) => f.write_str("(unnamed)"),
            _ => write!(f, "(family {}, {} bytes)", self.family(), self.len()),
        }
    }
}
// ANCHOR_END: display
