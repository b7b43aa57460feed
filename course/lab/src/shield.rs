//! What may a subject do to the files of the machine, and to those who watch it?
//!
//! Write in the check's folder and nowhere else, send signals to its own children and to nobody else,
//! and look into no other process. The kernel's Landlock (landlock(7), Linux 5.13) does that for any
//! user, with namespaces or without. What an older kernel cannot do is left out: signals need Linux
//! 6.12, terminals 6.10. Reading is not restricted.

use std::ffi::CString;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;

/// `struct landlock_ruleset_attr`, which libc does not have.
#[repr(C)]
struct Ruleset {
    handled_access_fs: u64,
    handled_access_net: u64,
    scoped: u64,
}

/// `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
struct PathBeneath {
    allowed_access: u64,
    parent_fd: i32,
}

const WRITE_FILE: u64 = 1 << 1;
/// Removing and making of files of every kind: bits 4 to 12 of `LANDLOCK_ACCESS_FS_*`.
const REMOVE_AND_MAKE: u64 = 0b1_1111_1111 << 4;
const REFER: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;
const IOCTL_DEV: u64 = 1 << 15;
/// `LANDLOCK_SCOPE_SIGNAL`.
const SIGNALS: u64 = 1 << 1;
/// `LANDLOCK_CREATE_RULESET_VERSION`.
const ASK_VERSION: u32 = 1;
/// `LANDLOCK_RULE_PATH_BENEATH`.
const BENEATH: u32 = 1;

/// What a version of Landlock can restrict: files, scopes, and the length of its structure in bytes.
fn abilities(version: i64) -> (u64, u64, usize) {
    let mut files = WRITE_FILE | REMOVE_AND_MAKE;
    for (since, access) in [(2, REFER), (3, TRUNCATE), (5, IOCTL_DEV)] {
        if version >= since {
            files |= access;
        }
    }
    match version {
        ..4 => (files, 0, 8),
        4..6 => (files, 0, 16),
        _ => (files, SIGNALS, 24),
    }
}

/// Puts the shield up for the calling process and all that it will start, for ever. It needs
/// `PR_SET_NO_NEW_PRIVS`. Below `folders` everything may be written.
///
/// # Errors
///
/// `ENOSYS` or `EOPNOTSUPP` where the kernel has no Landlock.
pub fn raise(folders: &[&Path]) -> nix::Result<()> {
    // SAFETY: with this flag the call takes no structure.
    let version = Errno::result(unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<Ruleset>(),
            0_usize,
            ASK_VERSION,
        )
    })?;
    let (files, scoped, length) = abilities(version);
    let wanted = Ruleset {
        handled_access_fs: files,
        handled_access_net: 0,
        scoped,
    };
    // SAFETY: the structure begins with what this version knows, and so many bytes are given.
    let rules = Errno::result(unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            &raw const wanted,
            length,
            0,
        )
    })?;
    // SAFETY: the kernel has just given it to us.
    let rules = unsafe { OwnedFd::from_raw_fd(rules as i32) };
    for folder in folders {
        allow(&rules, folder, files);
    }
    let of_files = files & (WRITE_FILE | TRUNCATE | IOCTL_DEV);
    for device in ["/dev/null", "/dev/zero", "/dev/full", "/dev/net/tun"] {
        allow(&rules, Path::new(device), of_files);
    }
    // A process may rename its threads and choose to be killed first.
    allow(&rules, Path::new("/proc/self"), of_files);
    // SAFETY: the descriptor is a ruleset's.
    Errno::result(unsafe {
        libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0)
    })?;
    Ok(())
}

/// Adds a rule. What does not exist needs none.
fn allow(rules: &OwnedFd, path: &Path, access: u64) {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else {
        return;
    };
    // SAFETY: the path lives.
    let opened = unsafe { libc::open(path.as_ptr(), libc::O_PATH | libc::O_CLOEXEC) };
    if opened < 0 {
        return;
    }
    // SAFETY: the kernel has just given it to us.
    let opened = unsafe { OwnedFd::from_raw_fd(opened) };
    let rule = PathBeneath {
        allowed_access: access,
        parent_fd: opened.as_raw_fd(),
    };
    // SAFETY: the rule has the layout that BENEATH asks for.
    unsafe {
        libc::syscall(
            libc::SYS_landlock_add_rule,
            rules.as_raw_fd(),
            BENEATH,
            &raw const rule,
            0,
        )
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_is_asked_for_what_it_knows() {
        assert_eq!(abilities(1), (WRITE_FILE | REMOVE_AND_MAKE, 0, 8));
        assert_eq!(abilities(4).2, 16);
        let (files, scoped, length) = abilities(7);
        assert_eq!(files, 0b1111_1111_1111_0010);
        assert_eq!((scoped, length), (SIGNALS, 24));
    }
}
