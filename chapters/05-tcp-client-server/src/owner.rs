// ANCHOR: owner
//! Which processes have this socket?

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// A process, and the number by which it knows a socket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// Its process id.
    pub pid: u32,
    /// The program's name, at most 15 bytes of it.
    pub name: String,
    /// The descriptor's number.
    pub descriptor: u32,
}

/// Every process that has the socket with this inode number, as far as you may look into it.
///
/// After `fork` that is more than one. Other users' processes show nothing unless you are root.
pub fn owners_of(inode: u64) -> Vec<Owner> {
    let mut owners = Vec::new();
    for (pid, process) in numbers_in("/proc") {
        for (descriptor, file) in numbers_in(process.join("fd")) {
            // `stat(2)` follows the link, and the file behind it is the socket itself.
            let Ok(stat) = fs::metadata(file) else {
                continue;
            };
            if stat.ino() == inode && stat.file_type().is_socket() {
                let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
                let name = name.trim_end().to_owned();
                owners.push(Owner {
                    pid,
                    name,
                    descriptor,
                });
            }
        }
    }
    owners.sort();
    owners
}

/// The entries of a folder whose names are numbers. None when it cannot be read.
fn numbers_in(folder: impl AsRef<Path>) -> Vec<(u32, std::path::PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let numbered = entries.filter_map(|entry| {
        let number = entry.file_name().to_str()?.parse().ok()?;
        Some((number, entry.path()))
    });
    numbered.collect()
}
// ANCHOR_END: owner
