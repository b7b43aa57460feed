//! Which programs that nobody here wrote can the tests talk to?

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::system::Distribution;
use crate::course::Course;
use crate::paint::{bold, cyan, dim, green, yellow};
use crate::sources::files_below;

/// A program, and the package that has it on Debian and Ubuntu, on Fedora, and on Arch.
const PROGRAMS: [(&str, [&str; 3]); 14] = [
    ("curl", ["curl", "curl", "curl"]),
    ("dig", ["bind9-dnsutils", "bind-utils", "bind"]),
    ("gcc", ["gcc", "gcc", "gcc"]),
    ("ip", ["iproute2", "iproute", "iproute2"]),
    ("logger", ["bsdutils", "util-linux", "util-linux"]),
    ("nc", ["netcat-openbsd", "netcat", "openbsd-netcat"]),
    ("ncat", ["ncat", "nmap-ncat", "nmap"]),
    ("ping", ["iputils-ping", "iputils", "iputils"]),
    ("python3", ["python3", "python3", "python"]),
    ("socat", ["socat", "socat", "socat"]),
    ("ss", ["iproute2", "iproute", "iproute2"]),
    ("strace", ["strace", "strace", "strace"]),
    ("tcpdump", ["tcpdump", "tcpdump", "tcpdump"]),
    ("tshark", ["tshark", "wireshark-cli", "wireshark-cli"]),
];

/// A program that may be there.
pub struct Peer {
    /// Its name.
    pub program: &'static str,
    /// Whether it is on the path.
    pub there: bool,
    /// The chapters whose tests name it.
    pub chapters: Vec<u32>,
    packages: [&'static str; 3],
}

/// Looks for every program, and for the chapters that use it.
pub fn examine(course: &Course) -> Vec<Peer> {
    let tests: Vec<(u32, String)> = course
        .catalog
        .chapters
        .iter()
        .map(|chapter| {
            (
                chapter.number,
                all_text(&course.catalog.at(chapter.path.join("tests"))),
            )
        })
        .collect();
    PROGRAMS
        .iter()
        .map(|(program, packages)| Peer {
            program,
            there: is_on_path(program),
            chapters: tests
                .iter()
                .filter(|(_, text)| text.contains(&format!("{program:?}")))
                .map(|(number, _)| *number)
                .collect(),
            packages: *packages,
        })
        .collect()
}

fn all_text(dir: &Path) -> String {
    let files = if dir.is_dir() {
        files_below(dir).unwrap_or_default()
    } else {
        Vec::new()
    };
    files
        .iter()
        .filter_map(|file| fs::read_to_string(dir.join(file)).ok())
        .collect()
}

fn is_on_path(program: &str) -> bool {
    // `ip` is in sbin, which is not on every user's path.
    let path = env::var_os("PATH").unwrap_or_default();
    let dirs = env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    dirs.into_iter().any(|dir| dir.join(program).is_file())
}

/// Those that are there in a line, the others with how to get them.
pub fn show(peers: &[Peer]) -> String {
    let mut text = format!("\n{}\n", bold("Programs to test against"));
    let there: Vec<&str> = peers
        .iter()
        .filter(|peer| peer.there)
        .map(|peer| peer.program)
        .collect();
    if !there.is_empty() {
        let _ = writeln!(text, "  {} {}", green("✓"), there.join(" "));
    }
    let missing: Vec<&Peer> = peers.iter().filter(|peer| !peer.there).collect();
    for peer in &missing {
        let chapters = peer
            .chapters
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        let used = if chapters.is_empty() {
            "for looking".to_owned()
        } else {
            format!("chapter {chapters}")
        };
        let _ = writeln!(text, "  {} {:14} {}", yellow("○"), peer.program, dim(used));
    }
    if !missing.is_empty() {
        for (distribution, command) in Distribution::here_or_all() {
            let mut packages: Vec<&str> = missing
                .iter()
                .map(|peer| peer.packages[distribution as usize])
                .collect();
            packages.dedup();
            let _ = writeln!(
                text,
                "      {}",
                cyan(format_args!("{command} {}", packages.join(" ")))
            );
        }
    }
    text
}
