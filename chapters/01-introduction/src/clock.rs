// ANCHOR: clock
//! What time is it, in the words of the daytime protocol?

use std::ffi::c_char;
use std::ptr::null_mut;

use libc::time_t;

unsafe extern "C" {
    /// ctime(3): the libc crate leaves it out.
    fn ctime_r(time: *const time_t, text: *mut c_char) -> *mut c_char;
}

/// The line that a daytime server sends: `Sat Nov 21 08:38:14 2026`, a carriage
/// return and a line feed, 26 bytes. RFC 867 leaves the form to the server.
pub fn line() -> String {
    // SAFETY: a null pointer asks for the result only.
    let now = unsafe { libc::time(null_mut()) };
    let mut text = [0_u8; 26];
    // SAFETY: the text of a year before 10000 has 26 bytes, with the zero at its end.
    let written = unsafe { ctime_r(&raw const now, text.as_mut_ptr().cast()) };
    assert!(!written.is_null(), "the year has more than four digits");
    // Of `…2026\n\0` the first 24 bytes are the text.
    String::from_utf8_lossy(&text[..24]).into_owned() + "\r\n"
}
// ANCHOR_END: clock
