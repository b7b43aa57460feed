//! Every kernel has IPv6 today.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

const LISTEN: &str = "0A";

pub fn listeners(port: u16) -> io::Result<Vec<u32>> {
    let mut table = fs::read_to_string("/proc/net/tcp")?;
    table += &fs::read_to_string("/proc/net/tcp6")?;
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

fn inode(line: &str, port: u16) -> Option<&str> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (_address, digits) = fields.get(1)?.rsplit_once(':')?;
    let same = u16::from_str_radix(digits, 16) == Ok(port) && *fields.get(3)? == LISTEN;
    if same { fields.get(9).copied() } else { None }
}

fn has_one_of(process: &Path, links: &BTreeSet<String>) -> bool {
    let descriptors = fs::read_dir(process.join("fd"))
        .into_iter()
        .flatten()
        .flatten();
    let mut targets = descriptors.filter_map(|descriptor| fs::read_link(descriptor.path()).ok());
    targets.any(|target| target.to_str().is_some_and(|target| links.contains(target)))
}
