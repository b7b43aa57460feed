// ANCHOR: scope
//! Which link? An interface has a name for you and a number for the kernel.

use std::ffi::CStr;

use nix::net::if_::if_nametoindex;

use crate::parse::number;

/// The index of the interface that is called `name`, or whose index `name` spells.
///
/// `None` when it is neither. An index is taken as it is: no interface need have it.
pub fn index_of(name: &str) -> Option<u32> {
    if_nametoindex(name).ok().or_else(|| number(name))
}

/// The name of the interface with this index. `None` when there is no such interface.
pub fn name_of(index: u32) -> Option<String> {
    let mut name = [0_u8; libc::IF_NAMESIZE];
    // SAFETY: the call writes at most IF_NAMESIZE bytes, its final zero included.
    let found = unsafe { libc::if_indextoname(index, name.as_mut_ptr().cast()) };
    if found.is_null() {
        return None;
    }
    let name = CStr::from_bytes_until_nul(&name).ok()?;
    Some(name.to_string_lossy().into_owned())
}
// ANCHOR_END: scope
