// ANCHOR: scope
//! Which link? An interface has a name for you and a number for the kernel.

use nix::net::if_::{if_indextoname, if_nametoindex};

use crate::parse::number;

/// The index of the interface that is called `name`, or whose index `name` spells.
///
/// `None` when it is neither. An index is taken as it is: no interface need have it.
pub fn index_of(name: &str) -> Option<u32> {
    if_nametoindex(name).ok().or_else(|| number(name))
}

/// The name of the interface with this index. `None` when there is no such interface.
pub fn name_of(index: u32) -> Option<String> {
    Some(if_indextoname(index).ok()?.to_string_lossy().into_owned())
}
// ANCHOR_END: scope
