//! What keeps one check from another, and from the machine?
//!
//! Each check runs in namespaces of its own: users (where it is not root), processes, network, mounts,
//! System V and POSIX IPC, host name. Every check may use port 7, sees only its own processes in
//! `/proc`, and leaves nothing: when the namespace's process 1 ends, the kernel ends all the others.
//!
//! Where the machine does not allow that, checks run in the machine's own namespaces on loopback.
//! Then a subreaper and a walk over `/proc` find what was left.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use crate::births::{self, Registry};
use crate::child::End;
use crate::limits::{LAST_PROCESS, limit_processes_of_user};
use crate::system::{self, Fork};

/// What this machine allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Isolation {
    /// Namespaces made as root.
    Root,
    /// Namespaces made through an unprivileged user namespace.
    User,
    /// No namespaces. The reason, and what to do about it.
    Loopback(String),
}

/// Finds out, once, by doing it.
pub fn isolation() -> &'static Isolation {
    static FOUND: OnceLock<Isolation> = OnceLock::new();
    FOUND.get_or_init(|| {
        if std::env::var_os("LAB_ISOLATION").is_some_and(|v| v == "loopback") {
            return Isolation::Loopback("LAB_ISOLATION=loopback is set".into());
        }
        let as_root = nix::unistd::geteuid().is_root();
        if as_root && attempt(false).is_ok() {
            return Isolation::Root;
        }
        match attempt(true) {
            Ok(()) => Isolation::User,
            Err(why) => Isolation::Loopback(why),
        }
    })
}

/// Makes the namespaces in a child that then ends.
fn attempt(new_user: bool) -> Result<(), String> {
    let (reader, writer) = system::pipe().map_err(|e| format!("pipe: {e}"))?;
    // SAFETY: the runner has one thread.
    match unsafe { system::fork() }.map_err(|e| format!("fork: {e}"))? {
        Fork::Child => {
            let result = make(new_user).and_then(|()| {
                // SAFETY: one thread.
                match unsafe { system::fork() }.map_err(|e| format!("fork: {e}"))? {
                    Fork::Child => {
                        let result = furnish(None);
                        let text = result.as_ref().err().cloned().unwrap_or_default();
                        let _ = system::write_all(&writer, text.as_bytes());
                        system::exit_now(0)
                    }
                    Fork::Parent { pid, .. } => {
                        system::reap(pid);
                        Ok(())
                    }
                }
            });
            if let Err(why) = result {
                let _ = system::write_all(&writer, why.as_bytes());
            }
            system::exit_now(0)
        }
        Fork::Parent { pid, .. } => {
            drop(writer);
            system::reap(pid);
            let mut text = [0; 512];
            match system::read_some(&reader, &mut text) {
                0 => Ok(()),
                n => Err(String::from_utf8_lossy(&text[..n]).into_owned()),
            }
        }
    }
}

/// New namespaces for this process's children (processes) and for itself (all others).
fn make(new_user: bool) -> Result<(), String> {
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    let mut flags = CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS;
    flags.set(CloneFlags::CLONE_NEWUSER, new_user);
    unshare(flags).map_err(|e| format!("unshare: {e}"))?;
    if new_user {
        // Map the user to itself: `getuid` looks normal, and capabilities stay until the next exec.
        let map =
            |file: &str, text: String| fs::write(file, text).map_err(|e| format!("{file}: {e}"));
        map("/proc/self/setgroups", "deny".into())?;
        map("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
        map("/proc/self/gid_map", format!("{gid} {gid} 1"))?;
    }
    Ok(())
}

/// How much a check may put into its folder, or into shared memory, together: tmpfs(5).
const ROOM: &str = "size=128m,nr_inodes=16k,mode=0700";

/// Makes the new namespaces livable: a `/proc` that shows them, shared memory and a folder that end with
/// them, loopback up, few processes.
fn furnish(folder: Option<&Path>) -> Result<(), String> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .map_err(|e| format!("making mounts private: {e}"))?;
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), none)
        .map_err(|e| format!("mounting /proc: {e}"))?;
    // Without them a check can be run as well; only what it leaves is then seen by others.
    let memory = Path::new("/dev/shm");
    for place in folder.into_iter().chain([memory]) {
        let _ = mount(
            Some("tmpfs"),
            place,
            Some("tmpfs"),
            MsFlags::empty(),
            Some(ROOM),
        );
    }
    loopback_up().map_err(|e| format!("bringing loopback up: {e}"))?;
    // Older kernels have one pid_max for the whole machine, which root would set for all.
    if kernel() >= (6, 14) {
        let _ = fs::write("/proc/sys/kernel/pid_max", LAST_PROCESS.to_string());
    }
    // Machines differ in their default; captures should not. Not every machine allows every one.
    let control = "/proc/sys/net/ipv4/tcp_congestion_control";
    let _ = fs::write(control, "cubic").or_else(|_| fs::write(control, "reno"));
    Ok(())
}

/// The kernel's version, of which two numbers count. Zeros when it cannot be read.
fn kernel() -> (u32, u32) {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    let mut next = || numbers.next().and_then(|n| n.parse().ok()).unwrap_or(0);
    (next(), next())
}

/// Sets `IFF_UP` on `lo`; see netdevice(7).
pub(crate) fn loopback_up() -> io::Result<()> {
    let socket = std::net::UdpSocket::bind(("0.0.0.0", 0))?;
    // SAFETY: ifreq is plain data, valid as zeros.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = *from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as i16;
    // SAFETY: SIOCSIFFLAGS reads an ifreq with the name and the flags.
    let r = unsafe {
        use std::os::fd::AsRawFd;
        libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request)
    };
    nix::errno::Errno::result(r)?;
    Ok(())
}

/// Runs `check` in the calling process's child, isolated as far as the machine allows, and comes back
/// when it and everything it started has ended. To be called in a process of its own. Its `folder`
/// exists. When a signal ends the check, `lost` is told: the check cannot tell it any more.
pub(crate) fn run(
    isolation: &Isolation,
    folder: &Path,
    check: impl FnOnce(),
    lost: impl Fn(Loss),
) -> io::Result<()> {
    // A signal to the check's whole group must not reach the runner, and at a terminal this one is in
    // the background. A session of its own would cost 10 ms where the kernel shares out by sessions.
    // SAFETY: it takes two numbers.
    unsafe { libc::setpgid(0, 0) };
    let own_namespaces = match isolation {
        Isolation::Root => Some(false),
        Isolation::User => Some(true),
        Isolation::Loopback(_) => None,
    };
    if let Some(new_user) = own_namespaces {
        make(new_user).map_err(io::Error::other)?;
    } else {
        // Orphans of the check come to this process instead of to the machine's init.
        adopt_orphans();
        limit_processes_of_user();
    }
    let mut registry = Registry::open()?;
    // SAFETY: one thread.
    match unsafe { system::fork() }? {
        Fork::Child if own_namespaces.is_some() => {
            let furnished = furnish(Some(folder));
            // Process 1 must not be the check: signals with their default action are dropped there.
            // SAFETY: one thread.
            match unsafe { system::fork() } {
                Ok(Fork::Child) => {
                    if let Err(why) = furnished {
                        eprintln!("{why}");
                        system::exit_now(1);
                    }
                    check();
                    system::exit_now(0)
                }
                Ok(Fork::Parent { pid, pidfd }) => {
                    if let Some(loss) = count_until(pid, &pidfd, &mut registry) {
                        lost(loss);
                    }
                    // Process 1 ends, and the kernel kills whoever is left.
                    system::exit_now(0)
                }
                Err(_) => system::exit_now(1),
            }
        }
        Fork::Child => {
            check();
            system::exit_now(0)
        }
        Fork::Parent { pid, pidfd } => {
            if own_namespaces.is_some() {
                // Process 1 of the namespace counts, and has told.
                reap_until(pid);
                return Ok(());
            }
            let loss = count_until(pid, &pidfd, &mut registry);
            // As long as the registry is there and answers nobody, nobody is born.
            kill_descendants();
            if let Some(loss) = loss {
                lost(loss);
            }
            Ok(())
        }
    }
}

/// How a check was taken away before it could tell its verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// This signal killed it.
    Killed(i32),
    /// This signal stopped it.
    Stopped(i32),
}

/// Reaps children until the one with this id has ended.
fn reap_until(pid: i32) {
    while reap_one(pid, 0).is_continue() {}
}

/// Counts the processes below and reaps children, orphans too, until the one with this id has ended or
/// was stopped. Whether it was a signal.
fn count_until(pid: i32, pidfd: &OwnedFd, registry: &mut Registry) -> Option<Loss> {
    // That the check was stopped is announced by no descriptor.
    const LOOK: Duration = Duration::from_millis(50);
    loop {
        registry.answer(pidfd, LOOK);
        if let ControlFlow::Break(loss) = reap_one(pid, libc::WNOHANG) {
            return loss;
        }
    }
}

/// Reaps a child. Whether it was the one with this id, and what became of it.
fn reap_one(pid: i32, flags: i32) -> ControlFlow<Option<Loss>> {
    let mut status = 0;
    // SAFETY: status is a valid place for an int.
    let r = unsafe { libc::waitpid(-1, &raw mut status, libc::WUNTRACED | flags) };
    if r == pid && libc::WIFSTOPPED(status) {
        return ControlFlow::Break(Some(Loss::Stopped(libc::WSTOPSIG(status))));
    }
    if r == pid {
        return ControlFlow::Break(match End::from_status(status) {
            End::Killed(signal) => Some(Loss::Killed(signal)),
            End::Exited(_) => None,
        });
    }
    if r < 0 && nix::errno::Errno::last() == nix::errno::Errno::ECHILD {
        return ControlFlow::Break(None);
    }
    ControlFlow::Continue(())
}

/// Ends all that is left below this process, in whatever session or group. In a pid namespace nothing is.
pub(crate) fn kill_descendants() {
    loop {
        // All of them before any is waited for: those that turn in circles keep the others from dying.
        let all = births::below(std::process::id());
        for pid in &all {
            system::kill(*pid, libc::SIGKILL);
        }
        if all.is_empty() {
            return;
        }
        // Dying takes a while where many do. Then another look: somebody may have been born meanwhile.
        let mut patience = 50;
        while patience > 0 {
            // SAFETY: no status is asked for.
            match unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } {
                0 => {
                    std::thread::sleep(Duration::from_millis(1));
                    patience -= 1;
                }
                1.. => {}
                _ => break,
            }
        }
    }
}

/// Takes orphans in, from now on, instead of the machine's init.
pub(crate) fn adopt_orphans() {
    // SAFETY: PR_SET_CHILD_SUBREAPER takes a number.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
}
