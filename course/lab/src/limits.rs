//! How much of the machine may a subject take?

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

/// Processes that a check may have at once, all its children counted.
///
/// Enforced by `kernel.pid_max` of the check's own pid namespace (Linux 6.14), because `RLIMIT_NPROC`
/// does not bind root and counts a user's other processes. Linux asks for 301 at least.
pub const PROCESSES: u32 = 320;

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
