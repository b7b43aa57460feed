//! What is there before a foe comes, and what is there when it has gone?
//!
//! The scene is a check's own process id, network and IPC namespace, so all that is seen was brought by
//! the foe: processes, namespaces, ports, objects of IPC, files, the kernel's settings, the clock, the
//! terminal.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use lab::prelude::*;
use nix::mount::{MsFlags, mount};

/// The folders and the terminal that a foe gets.
pub struct Scene {
    /// Stands for an exercise: its grader, its manifest.
    pub project: PathBuf,
    /// Is `TMPDIR`.
    pub temporary: PathBuf,
    /// Where the report goes.
    pub report: PathBuf,
    queues: Option<PathBuf>,
    /// The terminal's other end.
    pub master: OwnedFd,
    /// The terminal.
    pub terminal: OwnedFd,
}

impl Scene {
    /// Sets the scene in a folder. Everybody may write there, whoever the foe runs as.
    pub fn new(folder: &Path) -> Result<Scene, Finding> {
        let project = folder.join("project");
        for sub in ["project/tests", "project/.cargo", "temporary", "reports"] {
            fs::create_dir_all(folder.join(sub))?;
        }
        for file in [
            "tests/grade.rs",
            "Cargo.toml",
            "build.rs",
            ".cargo/config.toml",
        ] {
            fs::write(project.join(file), "as it was handed out\n")?;
        }
        let queues = folder.join("queues");
        fs::create_dir_all(&queues)?;
        let none = None::<&str>;
        let mounted = mount(none, &queues, Some("mqueue"), MsFlags::empty(), none);
        let pty = nix::pty::openpty(None, None)?;
        let scene = Scene {
            temporary: folder.join("temporary"),
            report: folder.join("reports/report"),
            queues: mounted.is_ok().then_some(queues),
            master: pty.master,
            terminal: pty.slave,
            project,
        };
        // Before the mount is entered, whose root has its own rights.
        open_to_all(folder)?;
        Ok(scene)
    }

    /// All there is, a line each.
    pub fn look(&self) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        processes(&mut seen);
        for (kind, file) in [
            ("tcp", "tcp"),
            ("tcp", "tcp6"),
            ("udp", "udp"),
            ("unix", "unix"),
        ] {
            let table = fs::read_to_string(format!("/proc/net/{file}")).unwrap_or_default();
            for line in table.lines().skip(1) {
                let fields: Vec<&str> = line.split_whitespace().collect();
                // Of TCP only who listens: what is closing closes by itself.
                let counts = kind != "tcp" || fields.get(3) == Some(&"0A");
                if counts {
                    seen.insert(format!("{kind} socket {}", fields.get(1).unwrap_or(&"")));
                }
            }
        }
        for kind in ["shm", "sem", "msg"] {
            let table = fs::read_to_string(format!("/proc/sysvipc/{kind}")).unwrap_or_default();
            let keys = table.lines().skip(1);
            let keys = keys.filter_map(|line| line.split_whitespace().next());
            seen.extend(keys.map(|key| format!("System V {kind} {key}")));
        }
        for folder in [Some(Path::new("/dev/shm")), self.queues.as_deref()] {
            files(folder.unwrap_or(Path::new("/nowhere")), &mut seen);
        }
        files(&self.project, &mut seen);
        files(&self.temporary, &mut seen);
        for name in ["pid_max", "hostname", "domainname"] {
            let value = fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap_or_default();
            seen.insert(format!("kernel.{name} {}", value.trim()));
        }
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        seen.extend(mounts.lines().map(|line| format!("mount {line}")));
        let settings = nix::sys::termios::tcgetattr(self.terminal.as_fd());
        seen.insert(format!("terminal {:?}", settings.map(|s| s.local_flags)));
        seen.insert(format!("the year {}", years()));
        seen
    }
}

/// Who lives, and the namespaces they live in.
fn processes(seen: &mut BTreeSet<String>) {
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.parse::<u32>().is_err() {
            continue;
        }
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let Some((head, tail)) = stat.rsplit_once(") ") else {
            continue;
        };
        // Who has ended only waits to be collected by process 1.
        if tail.starts_with(['Z', 'X']) {
            continue;
        }
        seen.insert(format!("process {head})"));
        for link in fs::read_dir(entry.path().join("ns"))
            .into_iter()
            .flatten()
            .flatten()
        {
            if let Ok(to) = fs::read_link(link.path()) {
                seen.insert(format!("namespace {}", to.display()));
            }
        }
    }
}

/// Files with what is in them.
fn files(folder: &Path, seen: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            seen.insert(format!("folder {}", path.display()));
            files(&path, seen);
        } else {
            let start = fs::read(&path).unwrap_or_default();
            let start = String::from_utf8_lossy(&start[..start.len().min(40)]).into_owned();
            seen.insert(format!("file {} {start:?}", path.display()));
        }
    }
}

/// Tens of days are enough to see that somebody has turned the clock.
fn years() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |t| t.as_secs() / 86_400 / 365)
}

fn open_to_all(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == "queues" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            open_to_all(&entry.path())?;
        } else {
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o666))?;
        }
    }
    Ok(())
}
