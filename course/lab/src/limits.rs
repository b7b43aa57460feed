//! How much of the machine may a subject take?

use std::fs;

use nix::sys::resource::{Resource, setrlimit};

/// Limits on one child process. The defaults are generous for network code and small for the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Address space in bytes (`RLIMIT_AS`). Default 1 GiB.
    pub memory: u64,
    /// Descriptors (`RLIMIT_NOFILE`). Default 256, at most 700.
    pub descriptors: u64,
    /// Processor time in seconds (`RLIMIT_CPU`). Default 10.
    pub cpu_seconds: u64,
    /// Size of a file in bytes (`RLIMIT_FSIZE`). Default 16 MiB.
    pub file_size: u64,
    /// Bytes of output that are kept; the rest is counted and dropped. Default 64 KiB.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory: 1 << 30,
            descriptors: 256,
            cpu_seconds: 10,
            file_size: 16 << 20,
            output: 64 << 10,
        }
    }
}

/// Processes and threads that a check may have at once, all its children counted. Who asks for more
/// gets `EAGAIN`; see [`crate::births`].
pub const PROCESSES: u32 = 256;

/// The last process id in the check's own pid namespace (`kernel.pid_max`, Linux 6.14), should the
/// kernel not let us count. It asks for 301 at least.
pub const LAST_PROCESS: u32 = 320;

/// The next best thing where there is no pid namespace: `RLIMIT_NPROC`, above what the user has
/// running already. It does not bind root.
pub(crate) fn limit_processes_of_user() {
    let uid = nix::unistd::getuid().to_string();
    let mut running = 0;
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_whitespace().nth(1))
        };
        if field("Uid:") == Some(&uid) {
            running += field("Threads:").map_or(1, |n| n.parse().unwrap_or(1));
        }
    }
    let limit = running + u64::from(PROCESSES);
    let _ = setrlimit(Resource::RLIMIT_NPROC, limit, limit);
}

impl Limits {
    /// Puts the limits on the calling process. Lowering cannot fail.
    pub(crate) fn apply(&self) {
        for (resource, value) in [
            (Resource::RLIMIT_AS, self.memory),
            (Resource::RLIMIT_NOFILE, self.descriptors.min(700)),
            (Resource::RLIMIT_CPU, self.cpu_seconds),
            (Resource::RLIMIT_FSIZE, self.file_size),
            (Resource::RLIMIT_CORE, 0),
        ] {
            let _ = setrlimit(resource, value, value);
        }
    }
}
