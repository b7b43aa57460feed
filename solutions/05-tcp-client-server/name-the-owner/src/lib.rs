//! **Who has the port?** The reference answer.
//!
//! First the inode numbers of the sockets, then one walk over all descriptors. What cannot be read on that
//! walk belongs to somebody else, or is gone.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// The state of a socket that listens, as `/proc/net/tcp` writes it.
const LISTEN: &str = "0A";

/// The ids of all processes that have a TCP socket that listens on `port`, at any address, IPv4 or IPv6.
///
/// In ascending order, each once. Processes that cannot be looked into are left out.
///
/// # Errors
///
/// What opening or reading the tables reports. A kernel without IPv6 has no `/proc/net/tcp6`, and that is no error.
pub fn listeners(port: u16) -> io::Result<Vec<u32>> {
    let mut table = fs::read_to_string("/proc/net/tcp")?;
    match fs::read_to_string("/proc/net/tcp6") {
        Ok(more) => table += &more,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let inodes = table.lines().filter_map(|line| inode(line, port));
    let links: BTreeSet<String> = inodes.map(|inode| format!("socket:[{inode}]")).collect();

    let mut found = Vec::new();
    for process in fs::read_dir("/proc")? {
        let process = process?;
        let pid = process
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if let Some(pid) = pid
            && has_one_of(&process.path(), &links)
        {
            found.push(pid);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The inode number, if this line is about a socket that listens on `port`.
fn inode(line: &str, port: u16) -> Option<&str> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (_address, digits) = fields.get(1)?.rsplit_once(':')?;
    let same = u16::from_str_radix(digits, 16) == Ok(port) && *fields.get(3)? == LISTEN;
    if same { fields.get(9).copied() } else { None }
}

/// Whether one of the process's descriptors is one of these. No, if nobody lets us look.
fn has_one_of(process: &Path, links: &BTreeSet<String>) -> bool {
    let descriptors = fs::read_dir(process.join("fd"))
        .into_iter()
        .flatten()
        .flatten();
    let mut targets = descriptors.filter_map(|descriptor| fs::read_link(descriptor.path()).ok());
    targets.any(|target| target.to_str().is_some_and(|target| links.contains(target)))
}
