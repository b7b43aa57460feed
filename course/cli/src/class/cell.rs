//! What does a program see of the machine? A file system that is built for it, of what it was shown and nothing else.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

use super::sandbox::{Order, Shown};

/// The machine's own programs and libraries.
const SYSTEM: [&str; 6] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"];

/// What programs look up there. No keys, no passwords.
const CONFIGURATION: [&str; 10] = [
    "alternatives",
    "ethertypes",
    "gai.conf",
    "host.conf",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "nsswitch.conf",
    "protocols",
    "services",
];

/// What it says of users and hosts: nothing of the machine's own.
const INVENTED: [(&str, &str); 3] = [
    (
        "passwd",
        "root:x:0:0:root:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n",
    ),
    ("group", "root:x:0:\nnogroup:x:65534:\n"),
    ("hosts", "127.0.0.1 localhost\n::1 localhost\n"),
];

const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "net/tun"];

/// Makes the first namespaces: processes, mounts, and users where the caller is not root.
pub fn enter_first() -> Result<(), String> {
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    let mut flags = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWPID;
    flags.set(CloneFlags::CLONE_NEWUSER, !uid.is_root());
    unshare(flags).map_err(|errno| format!("unshare: {errno}"))?;
    if !uid.is_root() {
        map(uid.as_raw(), gid.as_raw())?;
    }
    Ok(())
}

/// Whether this is a user namespace that was made here: the caller's root has all numbers.
pub fn is_mapped() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().nth(2) == Some("1")
}

/// Makes this process root of its new user namespace; outside it stays user and group `outside`.
pub fn map_self(outside: u32) -> Result<(), String> {
    map(outside, outside)
}

fn map(uid: u32, gid: u32) -> Result<(), String> {
    let write = |file: &str, text: String| {
        fs::write(file, text).map_err(|error| format!("{file}: {error}"))
    };
    write("/proc/self/setgroups", "deny".into())?;
    write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    write("/proc/self/gid_map", format!("0 {gid} 1"))
}

/// Builds the file system and makes it the root. To be called by process 1 of the first namespaces.
pub fn build(order: &Order) -> Result<(), String> {
    let none = None::<&str>;
    let root = order.root.as_path();
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .map_err(|errno| format!("making mounts private: {errno}"))?;
    memory(root, "16m")?;
    let inside = |path: &Path| root.join(path.strip_prefix("/").unwrap_or(path));
    for path in SYSTEM.map(Path::new) {
        match fs::read_link(path) {
            Ok(target) => symlink(target, inside(path)).map_err(|error| named(path, &error))?,
            Err(_) if path.exists() => bind(path, &inside(path), false)?,
            Err(_) => {}
        }
    }
    for name in CONFIGURATION {
        let path = Path::new("/etc").join(name);
        if path.exists() {
            bind(&path, &inside(&path), false)?;
        }
    }
    make_dir(&root.join("etc"))?;
    for (name, text) in INVENTED {
        let path = root.join("etc").join(name);
        fs::write(&path, text).map_err(|error| named(&path, &error))?;
    }
    for name in DEVICES {
        let path = Path::new("/dev").join(name);
        if path.exists() {
            bind(&path, &inside(&path), true)?;
        }
    }
    for (name, target) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        let _ = symlink(target, root.join("dev").join(name));
    }
    for dir in ["proc", "run", "dev/shm", "tmp"] {
        make_dir(&root.join(dir))?;
    }
    memory(&root.join("dev/shm"), "64m")?;
    memory(&root.join("tmp"), "256m")?;
    for shown in &order.shown {
        match shown {
            Shown::ReadOnly(path) => bind(path, &inside(path), false)?,
            Shown::Writable(path) => bind(path, &inside(path), true)?,
            Shown::Hidden(path) => memory(&inside(path), "1m")?,
        }
    }
    mount(
        Some("proc"),
        &root.join("proc"),
        Some("proc"),
        MsFlags::empty(),
        none,
    )
    .map_err(|errno| format!("mounting /proc: {errno}"))?;
    std::env::set_current_dir(root).map_err(|error| named(root, &error))?;
    // The old root lies over the new one, and is taken off.
    nix::unistd::pivot_root(".", ".").map_err(|errno| format!("pivot_root: {errno}"))?;
    umount2(".", MntFlags::MNT_DETACH).map_err(|errno| format!("leaving the old root: {errno}"))?;
    std::env::set_current_dir("/").map_err(|error| named(Path::new("/"), &error))?;
    attributes(Path::new("/"), libc::MOUNT_ATTR_RDONLY, false)
}

/// A file system in memory.
fn memory(at: &Path, size: &str) -> Result<(), String> {
    make_dir(at)?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    let options = format!("size={size},nr_inodes=16k,mode=1777");
    mount(
        Some("class"),
        at,
        Some("tmpfs"),
        flags,
        Some(options.as_str()),
    )
    .map_err(|errno| format!("mounting {}: {errno}", at.display()))
}

/// Shows what is at `from` also at `to`, with all that is mounted below.
fn bind(from: &Path, to: &Path, writable: bool) -> Result<(), String> {
    let info = fs::metadata(from).map_err(|error| named(from, &error))?;
    if info.is_dir() {
        make_dir(to)?;
    } else {
        if let Some(parent) = to.parent() {
            make_dir(parent)?;
        }
        fs::write(to, "").map_err(|error| named(to, &error))?;
    }
    let none = None::<&str>;
    mount(
        Some(from),
        to,
        none,
        MsFlags::MS_BIND | MsFlags::MS_REC,
        none,
    )
    .map_err(|errno| format!("showing {}: {errno}", from.display()))?;
    let device = from.starts_with("/dev");
    let mut wanted = libc::MOUNT_ATTR_NOSUID;
    if !device {
        wanted |= libc::MOUNT_ATTR_NODEV;
    }
    if !writable {
        wanted |= libc::MOUNT_ATTR_RDONLY;
    }
    attributes(to, wanted, true)
}

/// `mount_setattr(2)`, Linux 5.12.
fn attributes(at: &Path, wanted: u64, below: bool) -> Result<(), String> {
    let name = std::ffi::CString::new(at.as_os_str().as_encoded_bytes())
        .map_err(|_| format!("{}: a zero byte in a path", at.display()))?;
    let attr = libc::mount_attr {
        attr_set: wanted,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    let flags = if below { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the name is a C string, and the attributes have the size that is given.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            name.as_ptr(),
            flags,
            &raw const attr,
            size_of::<libc::mount_attr>(),
        )
    };
    if result < 0 {
        return Err(format!(
            "mount_setattr {}: {}",
            at.display(),
            io::Error::last_os_error()
        ));
    }
    Ok(())
}

fn make_dir(path: &Path) -> Result<(), String> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(path)
        .map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}
