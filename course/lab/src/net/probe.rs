//! Can this machine build a network, and if not, what is to be done?

use std::io;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

use super::{Net, context};
use crate::system::{self, Fork};

/// Was this error of [`Net::lan`] or [`Net::two_lans`] the machine's, that does not allow hosts? Its text says what to do.
pub fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
}

/// Builds a host in a child process, to see whether it can be done. It takes a few milliseconds; keep the answer.
///
/// # Errors
/// What is missing and what to do about it, in a sentence or two.
pub fn probe() -> Result<(), String> {
    let (reader, writer) = system::pipe().map_err(|e| format!("pipe: {e}"))?;
    // SAFETY: the caller's process has one thread, as the documentation of this module demands.
    match unsafe { system::fork() }.map_err(|e| format!("fork: {e}"))? {
        Fork::Child => {
            let built = own_namespaces()
                .map_err(explain)
                .and_then(|()| Net::lan(&["probe"]));
            let verdict = built
                .err()
                .map_or_else(|| "ok".to_owned(), |error| error.to_string());
            let _ = system::write_all(&writer, verdict.as_bytes());
            system::exit_now(0)
        }
        Fork::Parent { pid, .. } => {
            drop(writer);
            let mut text = [0; 1024];
            let length = system::read_some(&reader, &mut text);
            system::reap(pid);
            match &text[..length] {
                b"ok" => Ok(()),
                b"" => Err("the process that tried to build a host died".to_owned()),
                why => Err(String::from_utf8_lossy(why).into_owned()),
            }
        }
    }
}

/// A user namespace in which this process may do everything, unless it may already.
fn own_namespaces() -> io::Result<()> {
    if unshare(CloneFlags::CLONE_NEWNET).is_ok() {
        return Ok(());
    }
    let (user, group) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)
        .map_err(io::Error::from)
        .map_err(context("unshare(CLONE_NEWUSER)"))?;
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    std::fs::write("/proc/self/gid_map", format!("{group} {group} 1"))
}

/// Turns an error that means "not on this machine" into one that says what to do.
pub(super) fn explain(error: io::Error) -> io::Error {
    let text = error.to_string();
    let advice = match error.kind() {
        io::ErrorKind::NotFound if text.starts_with("/dev/net/tun") => {
            "load the module (sudo modprobe tun), or give a container the device (docker run --device /dev/net/tun)"
        }
        io::ErrorKind::PermissionDenied if text.starts_with("/dev/net/tun") => {
            "let everybody make devices of their own (sudo chmod 666 /dev/net/tun)"
        }
        io::ErrorKind::NotFound if text.starts_with("/proc/sys/net/ipv6") => {
            "boot the kernel with IPv6 (without ipv6.disable=1)"
        }
        io::ErrorKind::NotFound | io::ErrorKind::ReadOnlyFilesystem
            if text.starts_with("/proc/") =>
        {
            "let the container write below /proc/sys (docker run --privileged, or --security-opt systempaths=unconfined)"
        }
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::Unsupported
        | io::ErrorKind::StorageFull => {
            "run as root, or allow unprivileged user namespaces (on Ubuntu: sudo sysctl -w \
             kernel.apparmor_restrict_unprivileged_userns=0; in Docker: --security-opt seccomp=unconfined --cap-add SYS_ADMIN \
             --cap-add NET_ADMIN --device /dev/net/tun)"
        }
        _ => match error.raw_os_error() {
            Some(libc::ENODEV | libc::ENXIO | libc::ENOSYS | libc::EINVAL) => {
                "this kernel lacks network namespaces or TAP devices (CONFIG_NET_NS, CONFIG_TUN)"
            }
            _ => return error,
        },
    };
    io::Error::new(
        io::ErrorKind::Unsupported,
        format!("no hosts here: {text}; {advice}"),
    )
}
