//! What the notes of this chapter say about files.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::ptr::null_mut;

use lab::prelude::*;
use lab::trial::saw;
use nix::time::{ClockId, clock_gettime};

use crate::common::{connection, said};

/// `sendfile(2)` of five bytes.
fn sendfile(to: &impl AsRawFd, from: &impl AsRawFd) -> String {
    // SAFETY: null asks to begin where the file stands.
    let sent = unsafe { libc::sendfile(to.as_raw_fd(), from.as_raw_fd(), null_mut(), 5) };
    said(Errno::result(sent))
}

/// From what can be mapped to what can be written, on Linux.
pub fn sendfile_sends_files(cx: &Check) -> Verdict {
    let path = cx.folder()?.join("file");
    fs::write(&path, "hello")?;
    let (client, mut server) = connection()?;
    saw(
        cx,
        "from a file to a socket",
        sendfile(&client, &File::open(&path)?),
    )
    .is("5")?;
    let mut heard = [0; 5];
    server.read_exact(&mut heard)?;
    saw(cx, "the other end reads", heard.escape_ascii().to_string()).is("hello")?;
    server.write_all(b"hello")?;
    let copy = File::create(cx.folder()?.join("copy"))?;
    saw(cx, "from a socket to a file", sendfile(&copy, &client)).is("EINVAL")?;
    let copied = sendfile(&copy, &File::open(&path)?);
    saw(cx, "from a file to a file", copied).is("5")?;
    PASS
}

/// A file that was never given a name has none.
pub fn a_file_has_as_many_links_as_names(cx: &Check) -> Verdict {
    let folder = cx.folder()?;
    let path = folder.join("file");
    fs::write(&path, "text")?;
    saw(cx, "st_nlink of a new file", fs::metadata(&path)?.nlink()).is(1)?;
    fs::hard_link(&path, folder.join("other"))?;
    saw(cx, "with a second name", fs::metadata(&path)?.nlink()).is(2)?;
    let flags = libc::O_TMPFILE;
    let nameless = fs::OpenOptions::new()
        .write(true)
        .custom_flags(flags)
        .open(folder);
    let nameless = nameless
        .map_err(|error| Finding::needs(format!("O_TMPFILE in the folder for files ({error})")))?;
    saw(cx, "opened with O_TMPFILE", nameless.metadata()?.nlink()).is(0)?;
    PASS
}

/// Two sizes of blocks, of which one is always 512 bytes.
pub fn st_blocks_counts_512_bytes(cx: &Check) -> Verdict {
    let path = cx.folder()?.join("file");
    let file = File::create(&path)?;
    file.set_len(1 << 20)?;
    let hole = file.metadata()?.blocks();
    saw(cx, "st_blocks of a megabyte that is all hole", hole).is(0)?;
    fs::write(&path, noise(1 << 20))?;
    File::open(&path)?.sync_all()?;
    let stat = fs::metadata(&path)?;
    ensure!(stat.blksize() >= 512, "st_blksize is {}", stat.blksize());
    saw(cx, "st_blksize is larger than 512", stat.blksize() > 512).is(true)?;
    // A file system may use a little more, for itself.
    let in_512 = stat.blocks() * 512;
    let fits = (1 << 20..(1 << 20) + (1 << 16)).contains(&in_512);
    saw(cx, "of a megabyte, st_blocks * 512 is a megabyte", fits).is(true)?;
    saw(
        cx,
        "st_blocks * st_blksize is",
        stat.blocks() * stat.blksize() == 1 << 20,
    )
    .is(false)?;
    PASS
}

/// Bytes that no file system can make fewer: xorshift.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// The time of the last change of the inode, and the size stands there, too.
pub fn st_ctime_changes_with_the_content(cx: &Check) -> Verdict {
    let path = cx.folder()?.join("file");
    fs::write(&path, "text")?;
    for (what, change, content) in [
        (
            "a write",
            (|path| fs::write(path, "more text")) as fn(&Path) -> std::io::Result<()>,
            true,
        ),
        (
            "a chmod",
            |path| fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)),
            false,
        ),
    ] {
        let before = times(&path)?;
        // The clock of a file system is coarse.
        let after = cx.wait_until("the file's time to move on", || {
            change(&path).ok()?;
            let after = times(&path).ok()?;
            (after.1 > before.1).then_some(after)
        })?;
        saw(cx, &format!("{what} changes st_ctime"), after.1 > before.1).is(true)?;
        saw(cx, &format!("{what} changes st_mtime"), after.0 > before.0).is(content)?;
    }
    PASS
}

/// `st_mtim` and `st_ctim`, in nanoseconds.
fn times(path: &Path) -> std::io::Result<(i64, i64)> {
    let stat = fs::metadata(path)?;
    let nanoseconds = |seconds: i64, rest: i64| seconds * 1_000_000_000 + rest;
    Ok((
        nanoseconds(stat.mtime(), stat.mtime_nsec()),
        nanoseconds(stat.ctime(), stat.ctime_nsec()),
    ))
}

/// Whether a second read, after the first, moves `st_atime`, on a file system mounted in this way.
fn second_read_is_noted(cx: &Check, name: &str, flags: libc::c_ulong) -> Result<bool, Finding> {
    let folder = cx.folder()?.join(name);
    fs::create_dir_all(&folder)?;
    let target = std::ffi::CString::new(folder.as_os_str().as_encoded_bytes())
        .map_err(std::io::Error::from)?;
    let kind = c"tmpfs".as_ptr();
    // SAFETY: all strings end with a zero, and tmpfs needs no data.
    let mounted = unsafe { libc::mount(kind, target.as_ptr(), kind, flags, std::ptr::null()) };
    Errno::result(mounted)
        .map_err(|errno| Finding::needs(format!("to mount a tmpfs ({errno})")))?;
    let _mounted = Mounted(target);

    let path = folder.join("file");
    fs::write(&path, "text")?;
    let read = || {
        let mut text = String::new();
        File::open(&path)?.read_to_string(&mut text)?;
        let stat = fs::metadata(&path)?;
        Ok::<_, std::io::Error>((stat.atime(), stat.atime_nsec()))
    };
    // File systems have a coarse clock. What happens in one tick of it is all one to relatime.
    let moves_on = |time: (i64, i64)| {
        cx.wait_until("the clock of file systems to move on", || {
            let now = clock_gettime(ClockId::CLOCK_REALTIME_COARSE).ok()?;
            ((now.tv_sec(), now.tv_nsec()) > time).then_some(())
        })
    };
    let written = fs::metadata(&path)?;
    moves_on((written.mtime(), written.mtime_nsec()))?;
    let first = read()?;
    moves_on(first)?;
    Ok(read()? != first)
}

/// A file system that is mounted until this is dropped.
struct Mounted(std::ffi::CString);

impl Drop for Mounted {
    fn drop(&mut self) {
        // SAFETY: the string ends with a zero.
        unsafe { libc::umount2(self.0.as_ptr(), libc::MNT_DETACH) };
    }
}

/// To write with every read is expensive, so nobody does.
pub fn st_atime_is_noted_as_the_mount_says(cx: &Check) -> Verdict {
    for (what, flags, wanted) in [
        ("strictatime", libc::MS_STRICTATIME, true),
        ("relatime, the default", libc::MS_RELATIME, false),
        ("noatime", libc::MS_NOATIME, false),
    ] {
        let noted = second_read_is_noted(cx, &what[..7], flags)?;
        saw(cx, &format!("{what}: a second read is noted"), noted).is(wanted)?;
    }
    PASS
}

/// What each member says, of a file and of a device.
pub fn st_mode_is_type_and_permissions(cx: &Check) -> Verdict {
    let path = cx.folder()?.join("file");
    fs::write(&path, "hello")?;
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640))?;
    let file = fs::metadata(&path)?;
    saw(cx, "a file: st_mode", format!("{:o}", file.mode())).is("100640")?;
    saw(cx, "st_size", file.size()).is(5)?;
    saw(cx, "st_rdev", file.rdev()).is(0)?;
    let null = fs::metadata("/dev/null")?;
    saw(
        cx,
        "/dev/null: a character device",
        null.file_type().is_char_device(),
    )
    .is(true)?;
    let device = format!("{}:{}", libc::major(null.rdev()), libc::minor(null.rdev()));
    saw(cx, "st_rdev", device).is("1:3")?;
    let (client, _server) = connection()?;
    let socket = fs::metadata(format!("/proc/self/fd/{}", client.as_raw_fd()))?;
    saw(
        cx,
        "a socket: st_mode says so",
        socket.file_type().is_socket(),
    )
    .is(true)?;
    PASS
}
