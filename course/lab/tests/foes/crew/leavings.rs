//! Submissions that leave something behind: for the next check, for the user, for the machine.

use std::fs;
use std::io;

use lab::prelude::*;

use super::calls::{self, done};

/// Returns what is right and leaves a daemon that holds a port.
pub fn leaves_a_daemon_on_a_port(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        let listener = std::net::TcpListener::bind("127.0.0.1:7007").expect("the port is free");
        calls::daemon(|| {
            std::mem::forget(listener);
            calls::sleep_on();
        });
        5_u32
    })?;
    subject.returns(5)?;
    PASS
}

/// Segments, semaphores and queues of System V and of POSIX live until they are removed.
pub fn leaves_ipc_objects(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        // SAFETY: numbers, and names that live; the queue's attributes are the default ones.
        unsafe {
            done(libc::shmget(7007, 4096, libc::IPC_CREAT | 0o600).into())?;
            done(libc::semget(7007, 1, libc::IPC_CREAT | 0o600).into())?;
            done(libc::msgget(7007, libc::IPC_CREAT | 0o600).into())?;
            let none = std::ptr::null::<libc::c_void>();
            let flags = libc::O_CREAT | libc::O_RDWR;
            done(libc::mq_open(c"/foe-7007".as_ptr(), flags, 0o600, none).into())?;
        }
        Ok::<_, Errno>(0_u32)
    })?;
    subject.returns(Ok(5))?;
    PASS
}

pub fn leaves_shared_memory(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        fs::write("/dev/shm/foe-7007", "left")?;
        Ok::<_, io::Error>(0_u32)
    })?;
    subject.returns(Ok(5))?;
    PASS
}

pub fn leaves_files(cx: &Check) -> Verdict {
    let folder = cx.folder()?.to_owned();
    let subject = cx.subject(move || {
        let deep = folder.join("a/b/c");
        fs::create_dir_all(&deep)?;
        fs::write(deep.join("file"), "left")?;
        std::os::unix::fs::symlink("/", folder.join("root"))?;
        std::os::unix::net::UnixListener::bind(folder.join("socket"))?;
        // No one may look into it, not even its owner.
        let none = std::os::unix::fs::PermissionsExt::from_mode(0o000);
        fs::set_permissions(folder.join("a/b"), none)?;
        Ok::<_, io::Error>(0_u32)
    })?;
    subject.returns(Ok(5))?;
    PASS
}

pub fn leaves_files_elsewhere(cx: &Check) -> Verdict {
    let temporary = std::env::temp_dir();
    let subject = cx.subject(move || {
        let one = fs::write(temporary.join("foe-7007"), "left");
        let two = fs::write("foe-7007", "left");
        one.and(two).map(|()| 0_u32)
    })?;
    subject.returns(Ok(5))?;
    PASS
}

/// The folder in which the tests run is the exercise's.
pub fn edits_its_grader(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        let mut last = Ok(());
        for (file, text) in [
            ("tests/grade.rs", "fn main() {}"),
            ("Cargo.toml", "[package]"),
            ("build.rs", "fn main() {}"),
            (
                ".cargo/config.toml",
                "[target.x86_64-unknown-linux-gnu]\nrunner = \"true\"\n",
            ),
        ] {
            last = last.and(fs::write(file, text));
        }
        last.map(|()| 0_u32)
    })?;
    subject.returns(Ok(5))?;
    PASS
}

pub fn removes_its_grader(cx: &Check) -> Verdict {
    let subject = cx.subject(|| {
        let one = fs::remove_file("tests/grade.rs");
        let two = fs::rename("Cargo.toml", "gone");
        one.and(two).map(|()| 0_u32)
    })?;
    subject.returns(Ok(5))?;
    PASS
}

/// Gives the terminal a mode in which it neither echoes nor understands Ctrl-C, by every name it has.
pub fn leaves_the_terminal_raw(cx: &Check) -> Verdict {
    let terminal = std::env::var("FOES_TERMINAL").unwrap_or_default();
    let subject = cx.subject(move || {
        let mut last = Err(io::Error::from_raw_os_error(libc::ENXIO));
        for path in ["/dev/tty", terminal.as_str()] {
            // SAFETY: the terminal's settings are read into a valid structure and written from it.
            last = last.or(fs::OpenOptions::new()
                .read(true)
                .write(true)
                .open(path)
                .and_then(|tty| unsafe {
                    use std::os::fd::AsRawFd;
                    libc::signal(libc::SIGTTOU, libc::SIG_IGN);
                    let mut settings: libc::termios = std::mem::zeroed();
                    done(libc::tcgetattr(tty.as_raw_fd(), &raw mut settings).into())?;
                    libc::cfmakeraw(&raw mut settings);
                    done(
                        libc::tcsetattr(tty.as_raw_fd(), libc::TCSANOW, &raw const settings).into(),
                    )?;
                    Ok(0_u32)
                }));
        }
        last
    })?;
    subject.returns(Ok(5))?;
    PASS
}

/// A namespace lives on in a process, or where it is mounted.
pub fn leaves_namespaces(cx: &Check) -> Verdict {
    let folder = cx.folder()?.to_owned();
    let subject = cx.subject(move || {
        let mount = folder.join("namespace");
        fs::write(&mount, "")?;
        calls::daemon(|| {
            // SAFETY: unshare takes a number.
            unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET | libc::CLONE_NEWNS) };
            let none = None::<&str>;
            let flags = nix::mount::MsFlags::MS_BIND;
            let _ = nix::mount::mount(Some("/proc/self/ns/net"), &mount, none, flags, none);
        });
        Ok::<_, io::Error>(5_u32)
    })?;
    subject.returns(Ok(5))?;
    PASS
}
