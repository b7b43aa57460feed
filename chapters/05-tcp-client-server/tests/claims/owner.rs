//! Which process has a file or a port?
//!
//! fuser asks the kernel over netlink, and waits there if the kernel is busy: that is no hang.

use std::net::{SocketAddr, TcpListener};

use lab::prelude::*;
use lab::trial::saw;

/// What `fuser -v` says of a process that has this file in one way or another.
fn access(cx: &Check, file: &std::path::Path) -> Result<String, Finding> {
    let mut fuser = cx.tool("fuser", &["-v".as_ref(), file.as_os_str()])?;
    fuser.exits(0)?;
    let said = fuser.stderr();
    // USER PID ACCESS COMMAND, under a title; the PID is on the other stream.
    let column = said.lines().filter_map(|line| {
        line.split_whitespace()
            .find(|word| word.len() == 5 && word.chars().all(|c| ".cefFrm".contains(c)))
    });
    Ok(column.collect::<Vec<_>>().join(" "))
}

/// A letter says how the file is used. What kind of file it is, it does not say.
pub fn fuser_shows_how_a_file_is_used(cx: &Check) -> Verdict {
    cx.allows_long_waits();
    let folder = cx.folder()?.to_owned();
    for (name, writes, wanted) in [("read", false, "f...."), ("written", true, "F....")] {
        let path = folder.join(name);
        std::fs::write(&path, "text")?;
        let open = path.clone();
        let (go, held) = std::io::pipe()?;
        let subject = cx.subject(move || {
            let file = std::fs::OpenOptions::new()
                .read(!writes)
                .write(writes)
                .open(open);
            nix::unistd::read(&go, &mut [0]).is_ok() && file.is_ok()
        })?;
        subject.waits_in(&["read"])?;
        // Which letter stands where is fuser's business; that they differ is ours.
        let letters: String = access(cx, &path)?.chars().filter(|c| *c != '.').collect();
        saw(cx, &format!("a file that is {name}"), letters).is(wanted.trim_end_matches('.'))?;
        nix::unistd::write(&held, b"!")?;
        subject.returns(true)?;
    }
    let (go, held) = std::io::pipe()?;
    let home = folder.clone();
    let subject = cx.subject(move || {
        std::env::set_current_dir(home).is_ok() && nix::unistd::read(&go, &mut [0]).is_ok()
    })?;
    subject.waits_in(&["read"])?;
    let letters: String = access(cx, &folder)?.chars().filter(|c| *c != '.').collect();
    saw(cx, "a working directory", letters).is("c")?;
    nix::unistd::write(&held, b"!")?;
    subject.returns(true)?;
    PASS
}

/// A listener in a process of its own, which waits until the other end is dropped.
fn listening(cx: &Check) -> Result<(Subject<bool>, SocketAddr, std::io::PipeWriter), Finding> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let at = listener.local_addr()?;
    let (go, held) = std::io::pipe()?;
    let subject = cx.subject(move || {
        let _open = &listener;
        nix::unistd::read(&go, &mut [0]).is_ok()
    })?;
    subject.waits_in(&["read"])?;
    Ok((subject, at, held))
}

/// The process id, on standard output; the rest, for people, is on the other stream.
pub fn fuser_finds_who_has_a_port(cx: &Check) -> Verdict {
    cx.allows_long_waits();
    let (subject, at, held) = listening(cx)?;
    let port = at.port().to_string();
    let said = cx.tool("fuser", &["-n", "tcp", &port])?.exits(0)?;
    let pid = said
        .split_whitespace()
        .next()
        .and_then(|pid| pid.parse().ok());
    saw(
        cx,
        "fuser -n tcp prints the process that listens",
        pid == Some(subject.pid()),
    )
    .is(true)?;
    nix::unistd::write(&held, b"!")?;
    subject.returns(true)?;
    let mut fuser = cx.tool("fuser", &["-n", "tcp", &port])?;
    fuser.exits(1)?;
    cx.evidence("when it has ended, fuser exits with: 1");
    PASS
}

/// strace watches fuser look.
pub fn fuser_reads_proc(cx: &Check) -> Verdict {
    cx.allows_long_waits();
    let (subject, at, held) = listening(cx)?;
    let trace = cx.folder()?.join("trace");
    let trace = trace
        .to_str()
        .ok_or_else(|| Finding::fault("the folder's path is not UTF-8"))?;
    let port = at.port().to_string();
    let arguments = [
        "-f", "-qq", "-o", trace, "-s", "256", "fuser", "-n", "tcp", &port,
    ];
    cx.tool("strace", &arguments)?.exits(0)?;
    let calls = std::fs::read_to_string(trace)?;
    saw(
        cx,
        "it reads /proc/net/tcp",
        calls.contains("/proc/net/tcp\""),
    )
    .is(true)?;
    let descriptors = format!("/proc/{}/fd", subject.pid());
    saw(
        cx,
        "and each process's /proc/PID/fd",
        calls.contains(&descriptors),
    )
    .is(true)?;
    nix::unistd::write(&held, b"!")?;
    subject.returns(true)?;
    PASS
}
