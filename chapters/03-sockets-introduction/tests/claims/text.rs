//! How does text become an address, and how strict is each of the functions?

use std::ffi::{CStr, CString, c_char};
use std::mem::MaybeUninit;
use std::ptr;

use lab::prelude::*;
use lab::trial::{hex, saw};
use libc::{AF_INET, AF_INET6, AF_UNIX, addrinfo, c_int, c_void, in_addr, sockaddr_in6, socklen_t};

use crate::sockets::Bytes;

// `libc` leaves these out, as it does with what nobody should begin to use.
unsafe extern "C" {
    fn inet_aton(text: *const c_char, address: *mut in_addr) -> c_int;
    fn inet_addr(text: *const c_char) -> u32;
    safe fn inet_ntoa(address: in_addr) -> *mut c_char;
    fn inet_pton(family: c_int, text: *const c_char, address: *mut c_void) -> c_int;
    fn inet_ntop(
        family: c_int,
        address: *const c_void,
        text: *mut c_char,
        room: socklen_t,
    ) -> *const c_char;
}

/// There and back; and what else is taken for dotted decimal on the way.
pub fn inet_aton_takes_more_than_dotted_decimal(cx: &Check) -> Verdict {
    for (text, wanted) in [
        ("192.168.2.201", "c0 a8 02 c9"),
        ("127.1", "7f 00 00 01"),
        ("0x7f000001", "7f 00 00 01"),
        ("010.0.0.1", "08 00 00 01"),
        ("256.0.0.1", "refused"),
    ] {
        saw(cx, text, aton(text)).is(wanted)?;
    }
    let (back, _) = ntoa([192, 168, 2, 201]);
    saw(cx, "inet_ntoa of c0 a8 02 c9", back).is("192.168.2.201")?;
    PASS
}

/// The text is in a place that belongs to the function.
pub fn inet_ntoa_has_one_buffer(cx: &Check) -> Verdict {
    let (first, place) = ntoa([10, 0, 0, 1]);
    let (second, other_place) = ntoa([10, 0, 0, 2]);
    saw(cx, "the first call says", first).is("10.0.0.1")?;
    saw(cx, "the second says", second).is("10.0.0.2")?;
    saw(cx, "both in the same place", place == other_place).is(true)?;
    // SAFETY: inet_ntoa left a string here, and still keeps one here.
    let now = unsafe { CStr::from_ptr(place) }.to_string_lossy();
    saw(cx, "so the first text is now", now).is("10.0.0.2")?;
    PASS
}

/// It has one number for "error", and that is an address too.
pub fn inet_addr_cannot_say_error(cx: &Check) -> Verdict {
    for (text, wanted, strictly) in [
        ("192.168.2.201", "c0 a8 02 c9", "c0 a8 02 c9"),
        ("255.255.255.255", "ff ff ff ff", "ff ff ff ff"),
        ("junk", "ff ff ff ff", "refused"),
        ("1.2", "01 00 00 02", "refused"),
        ("010.1.1.1", "08 01 01 01", "refused"),
    ] {
        saw(cx, &format!("inet_addr of {text}"), addr(text)).is(wanted)?;
        saw(cx, &format!("inet_pton of {text}"), pton4(text)).is(strictly)?;
    }
    PASS
}

/// Both families, both ways, into memory of the caller, and nothing but the proper form.
pub fn inet_pton_and_inet_ntop_are_strict(cx: &Check) -> Verdict {
    // Whatever comes of multiplying by a large odd number: addresses with each bit in each place.
    let mut number: u128 = 1;
    for _ in 0..1000 {
        number = number
            .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
            .rotate_left(17);
        let six = number.to_be_bytes();
        let back = pton6(&ntop(AF_INET6, &six));
        ensure!(back == hex(&six), "{six:02x?} comes back as {back}");
        let four = &six[..4];
        let back = pton4(&ntop(AF_INET, four));
        ensure!(back == hex(four), "{four:02x?} comes back as {back}");
    }
    cx.evidence("1000 of 1000 addresses of each family come back as they went");

    for text in ["127.1", "0x7f.0.0.1", "010.0.0.1", "1.2.3.4 ", "256.0.0.1"] {
        saw(cx, &format!("inet_pton of \"{text}\""), pton4(text)).is("refused")?;
    }
    let unix = pton::<4>(AF_UNIX, "1.2.3.4");
    saw(cx, "inet_pton with family AF_UNIX", unix).is("EAFNOSUPPORT")?;
    PASS
}

/// One address, six spellings, and one that `inet_ntop` prefers.
pub fn ipv6_text_has_many_forms(cx: &Check) -> Verdict {
    let bytes = *b"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\xc0\x00\x02\x01";
    for text in [
        "2001:0db8:0000:0000:0000:0000:c000:0201",
        "2001:db8:0:0:0:0:c000:201",
        "2001:db8::c000:201",
        "2001:DB8::C000:201",
        "2001:db8:0::0:c000:201",
        "2001:db8::192.0.2.1",
    ] {
        saw(cx, text, pton6(text)).is(hex(&bytes))?;
    }
    let preferred = ntop(AF_INET6, &bytes);
    saw(cx, "inet_ntop says", preferred).is("2001:db8::c000:201")?;
    saw(cx, "with :: twice", pton6("2001::db8::1")).is("refused")?;
    PASS
}

/// The name behind the percent sign is not part of the address. It has no place in the sixteen
/// bytes.
pub fn inet_pton_refuses_a_scope_id(cx: &Check) -> Verdict {
    let bytes = "fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01";
    saw(cx, "inet_pton of fe80::1", pton6("fe80::1")).is(bytes)?;
    saw(cx, "inet_pton of fe80::1%lo", pton6("fe80::1%lo")).is("refused")?;

    // SAFETY: a string that ends in NUL.
    let lo = unsafe { libc::if_nametoindex(c"lo".as_ptr()) };
    ensure!(lo != 0, "there is no interface lo");
    let found = scope_id_of(c"fe80::1%lo")?;
    saw(cx, "getaddrinfo of fe80::1%lo, scope id", found).is(lo)?;
    PASS
}

/// `inet_aton(3)`: the bytes of the address, or `refused`.
fn aton(text: &str) -> String {
    let text = CString::new(text).expect("no NUL");
    let mut address = in_addr { s_addr: 0 };
    // SAFETY: a string that ends in NUL, and room for an address.
    match unsafe { inet_aton(text.as_ptr(), &raw mut address) } {
        0 => "refused".into(),
        _ => hex(address.s_addr.bytes()),
    }
}

/// `inet_addr(3)`: the bytes of the address. It has no way to refuse.
fn addr(text: &str) -> String {
    let text = CString::new(text).expect("no NUL");
    // SAFETY: a string that ends in NUL.
    let address = unsafe { inet_addr(text.as_ptr()) };
    hex(address.bytes())
}

/// `inet_ntoa(3)`: a copy of the text, and where the text itself is.
fn ntoa(address: [u8; 4]) -> (String, *const c_char) {
    let place = inet_ntoa(in_addr {
        s_addr: u32::from_ne_bytes(address),
    });
    // SAFETY: a string that stays until the function's next call, and is copied before that.
    let text = unsafe { CStr::from_ptr(place) };
    (text.to_string_lossy().into_owned(), place)
}

/// `inet_pton(3)` for IPv4.
fn pton4(text: &str) -> String {
    pton::<4>(AF_INET, text)
}

/// `inet_pton(3)` for IPv6.
fn pton6(text: &str) -> String {
    pton::<16>(AF_INET6, text)
}

/// `inet_pton(3)` for a family whose addresses have `N` bytes: the bytes, `refused`, or the name of the errno.
fn pton<const N: usize>(family: c_int, text: &str) -> String {
    let text = CString::new(text).expect("no NUL");
    let mut bytes = [0; N];
    // SAFETY: a string that ends in NUL, and as many bytes of room as the family's addresses have.
    match unsafe { inet_pton(family, text.as_ptr(), bytes.as_mut_ptr().cast()) } {
        1 => hex(&bytes),
        0 => "refused".into(),
        _ => format!("{:?}", Errno::last()),
    }
}

/// `inet_ntop(3)`, with room for the longest text there is.
fn ntop(family: c_int, address: &[u8]) -> String {
    let mut room = [0; 46];
    // SAFETY: an address of the family, and room of the length that stands beside it.
    let text = unsafe {
        inet_ntop(
            family,
            address.as_ptr().cast(),
            room.as_mut_ptr(),
            room.len() as socklen_t,
        )
    };
    assert!(!text.is_null(), "inet_ntop: {}", Errno::last());
    // SAFETY: inet_ntop has put a string there.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

/// What `getaddrinfo(3)` finds in a numeric IPv6 address for `sin6_scope_id`. It asks no server.
fn scope_id_of(text: &CStr) -> Result<u32, Finding> {
    // SAFETY: all zero is how an addrinfo begins: no flags, no list.
    let mut hints: addrinfo = unsafe { MaybeUninit::zeroed().assume_init() };
    hints.ai_flags = libc::AI_NUMERICHOST;
    hints.ai_family = AF_INET6;
    let mut list = ptr::null_mut();
    // SAFETY: a string that ends in NUL, no service, hints, and room for the list.
    let code =
        unsafe { libc::getaddrinfo(text.as_ptr(), ptr::null(), &raw const hints, &raw mut list) };
    ensure!(code == 0, "getaddrinfo ended with {code}");
    // SAFETY: on success there is at least one entry, and it holds an address of the family that was asked for.
    let found = unsafe { (*list).ai_addr.cast::<sockaddr_in6>().read_unaligned() };
    // SAFETY: the list came from getaddrinfo and is not used again.
    unsafe { libc::freeaddrinfo(list) };
    Ok(found.sin6_scope_id)
}
