//! What do the toolchain and the kernel allow?

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lab::Isolation;

use super::Finding;
use crate::process::{self, Cancel};

/// A family of Linux distributions, as an index into lists of package names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// Debian, Ubuntu and what is made from them.
    Debian = 0,
    /// Fedora, RHEL and what is made from them.
    Fedora = 1,
    /// Arch and what is made from it.
    Arch = 2,
}

const INSTALL: [(Distribution, &str); 3] = [
    (Distribution::Debian, "sudo apt install"),
    (Distribution::Fedora, "sudo dnf install"),
    (Distribution::Arch, "sudo pacman -S"),
];

impl Distribution {
    /// This machine's way to install packages; all of them, where it cannot be told.
    pub fn here_or_all() -> Vec<(Distribution, &'static str)> {
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        match Distribution::of(&release) {
            Some(here) => INSTALL
                .into_iter()
                .filter(|(distribution, _)| *distribution == here)
                .collect(),
            None => INSTALL.to_vec(),
        }
    }

    fn of(release: &str) -> Option<Distribution> {
        let value = |key: &str| {
            release
                .lines()
                .find_map(|line| line.strip_prefix(key))
                .unwrap_or_default()
                .replace('"', "")
        };
        let names = format!("{} {}", value("ID="), value("ID_LIKE="));
        names.split_whitespace().find_map(|name| match name {
            "debian" | "ubuntu" => Some(Distribution::Debian),
            "fedora" | "rhel" | "centos" => Some(Distribution::Fedora),
            "arch" | "archlinux" => Some(Distribution::Arch),
            _ => None,
        })
    }
}

/// Everything, in the order in which a learner will need it.
pub fn examine() -> Vec<Finding> {
    // These fork, and come first: a program that was run leaves a thread behind for a moment.
    let (namespaces, tracing) = (namespaces(), tracing());
    vec![
        rust(),
        linker(),
        headers(),
        kernel(),
        namespaces,
        hosts(),
        tracing,
    ]
}

fn rust() -> Finding {
    let version = first_line("rustc", &["--version"]);
    Finding {
        name: "Rust",
        there: version.is_some(),
        what: version.unwrap_or_else(|| "rustc is not on your PATH".into()),
        without: "",
        cure: Vec::new(),
    }
}

fn linker() -> Finding {
    let version = first_line("cc", &["--version"]);
    let there = version.is_some();
    Finding {
        name: "a C linker",
        there,
        what: version.unwrap_or_else(|| "cc is not on your PATH; Rust needs it to link".into()),
        without: "",
        cure: install(there, ["gcc libc6-dev", "gcc", "gcc"]),
    }
}

fn headers() -> Finding {
    let there = first_line(
        "cc",
        &[
            "-fsyntax-only",
            "-include",
            "sys/socket.h",
            "-x",
            "c",
            "/dev/null",
        ],
    )
    .is_some();
    Finding {
        name: "C headers",
        there,
        what: if there {
            "sys/socket.h"
        } else {
            "no sys/socket.h"
        }
        .into(),
        without: "headers",
        cure: install(there, ["libc6-dev", "glibc-devel", "glibc"]),
    }
}

fn kernel() -> Finding {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release = release.trim();
    let mut numbers = release
        .split(['.', '-'])
        .map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let there = version >= (5, 10);
    Finding {
        name: "Linux",
        there,
        what: if there {
            release.into()
        } else {
            format!("{release}: the lab needs 5.10 or later")
        },
        without: "",
        cure: Vec::new(),
    }
}

fn namespaces() -> Finding {
    let isolation = lab::isolation();
    let (there, what, cure) = match isolation {
        Isolation::Root => (true, "yes, as root".to_owned(), Vec::new()),
        Isolation::User => (true, "yes, through a user namespace".to_owned(), Vec::new()),
        Isolation::Loopback(why) => (false, format!("no: {why}"), namespace_cure()),
    };
    Finding {
        name: "namespaces",
        there,
        what,
        without: "hosts",
        cure,
    }
}

/// Why namespaces are refused, as far as the system says it, and what to do.
fn namespace_cure() -> Vec<String> {
    let setting = |path: &str| {
        fs::read_to_string(path)
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let mut cure = Vec::new();
    if setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1" {
        cure.push("AppArmor restricts them (Ubuntu 23.10 and later). Until the next boot:".into());
        cure.push("`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`".into());
    }
    if setting("/proc/sys/kernel/unprivileged_userns_clone") == "0" {
        cure.push("They are for root only. Until the next boot:".into());
        cure.push("`sudo sysctl -w kernel.unprivileged_userns_clone=1`".into());
    }
    if setting("/proc/sys/user/max_user_namespaces") == "0" {
        cure.push("None are allowed. Until the next boot:".into());
        cure.push("`sudo sysctl -w user.max_user_namespaces=15000`".into());
    }
    if Path::new("/.dockerenv").exists() || Path::new("/run/.containerenv").exists() {
        cure.push("This is a container. Start it with:".into());
        cure.push(
            "`--security-opt seccomp=unconfined --security-opt systempaths=unconfined --cap-add SYS_ADMIN --cap-add NET_ADMIN --device /dev/net/tun`"
                .into(),
        );
    }
    if cure.is_empty() {
        cure.push("Running as root may help: `sudo -E cargo course`".into());
    }
    cure
}

/// Builds a host, for opening the device says little: a namespace may refuse what the machine allows.
fn hosts() -> Finding {
    let built = lab::net::probe();
    let there = built.is_ok();
    let cure = if there || Path::new("/dev/net/tun").exists() {
        // What the namespaces' own line advises holds for hosts as well.
        Vec::new()
    } else {
        vec![
            "/dev/net/tun is missing. On a machine: `sudo modprobe tun`".into(),
            "In a container: `--device /dev/net/tun`".into(),
        ]
    };
    Finding {
        name: "hosts",
        there,
        what: built.map_or_else(|why| why, |()| "one was built".into()),
        without: "hosts",
        cure,
    }
}

fn tracing() -> Finding {
    let traced = lab::tracing();
    let there = traced.is_ok();
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    let cure = match (there, scope.trim()) {
        (true, _) => Vec::new(),
        (false, "3") => {
            vec!["Yama forbids it until the next boot: kernel.yama.ptrace_scope is 3".into()]
        }
        (false, _) => {
            vec!["In a container: `--security-opt seccomp=unconfined --cap-add SYS_PTRACE`".into()]
        }
    };
    Finding {
        name: "tracing",
        there,
        what: traced.map_or_else(
            |why| format!("not permitted: {why}"),
            |()| "a program was traced".into(),
        ),
        without: "tracing",
        cure,
    }
}

fn install(there: bool, packages: [&str; 3]) -> Vec<String> {
    if there {
        return Vec::new();
    }
    let commands = Distribution::here_or_all();
    commands
        .into_iter()
        .map(|(distribution, command)| format!("`{command} {}`", packages[distribution as usize]))
        .collect()
}

/// The first line that a program writes; `None` when it is not there, or fails.
fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let limit = Duration::from_secs(20);
    let finished = process::run(
        Command::new(program).args(arguments),
        limit,
        &Cancel::default(),
        |_| {},
    )
    .ok()?;
    let text = String::from_utf8_lossy(&finished.stdout).into_owned();
    finished
        .success()
        .then(|| text.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_is_known_by_its_family() {
        let index = |release: &str| Distribution::of(release).map(|found| found as usize);
        assert_eq!(index("ID=debian\n"), Some(0));
        assert_eq!(
            index("NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"),
            Some(0)
        );
        assert_eq!(
            index("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n"),
            Some(1)
        );
        assert_eq!(index("ID=arch\n"), Some(2));
        assert_eq!(index("ID=nixos\n"), None);
    }
}
