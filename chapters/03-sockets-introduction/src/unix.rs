// ANCHOR: room
//! How is a socket on this host named: by a file, by bytes, or not at all?

use std::ffi::OsStr;
use std::mem::{offset_of, size_of};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use libc::sockaddr_un;

use crate::address::Address;

/// Bytes in `sun_path`, C's `UNIX_PATH_MAX`: 108 on Linux, 104 on the BSDs.
pub const PATH_MAX: usize =
    size_of::<sockaddr_un>() - offset_of!(sockaddr_un, sun_path);

/// What a Unix address says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name<'a> {
    /// Nothing: one of a `socketpair(2)`, or a client that never called `bind(2)`.
    Unnamed,
    /// A file.
    Path(&'a Path),
    /// Bytes that no file system knows of, Linux only. They may be any, zeros too.
    Abstract(&'a [u8]),
}
// ANCHOR_END: room

// ANCHOR: unix
impl Address {
    /// The address of a socket file. `None` when `path` is empty, longer than 108
    /// bytes, or has a zero byte in it.
    pub fn unix(path: &Path) -> Option<Address> {
        let path = path.as_os_str().as_bytes();
        if path.is_empty() || path.contains(&0) {
            return None;
        }
        let end: &[u8] = if path.len() < PATH_MAX { b"\0" } else { b"" };
        Address::unix_of(&[path, end].concat())
    }

    /// The address of an abstract name. `None` when it is longer than 107 bytes.
    pub fn unix_abstract(name: &[u8]) -> Option<Address> {
        Address::unix_of(&[b"\0", name].concat())
    }

    /// Family and `sun_path`, and not a byte more: the length is part of the name.
    fn unix_of(sun_path: &[u8]) -> Option<Address> {
        let family = (libc::AF_UNIX as libc::sa_family_t).to_ne_bytes();
        let fits = sun_path.len() <= PATH_MAX;
        fits.then(|| Address::from_bytes(&[&family, sun_path].concat()))?
    }
    // ANCHOR_END: unix

    // ANCHOR: unix_name
    /// What this says as a Unix address. `None` when it is of another family.
    pub fn unix_name(&self) -> Option<Name<'_>> {
        if i32::from(self.family()) != libc::AF_UNIX {
            return None;
        }
        Some(
            match self
                .bytes()
                .get(offset_of!(sockaddr_un, sun_path)..)
                .unwrap_or_default()
            {
                [] => Name::Unnamed,
                [0, name @ ..] => Name::Abstract(name),
                path => {
                    let end =
                        path.iter().position(|&byte| byte == 0).unwrap_or(path.len());
                    Name::Path(Path::new(OsStr::from_bytes(&path[..end])))
                }
            },
        )
    }
    // ANCHOR_END: unix_name
}
