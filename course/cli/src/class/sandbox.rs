//! How is a program run that may do anything? What is to be said of it, and how it ended.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::process::{self, Cancel};

/// The argument that makes this program a jail.
pub const JAIL: &str = "--jail";

/// The descriptor through which a grader reports. The lab's own begin at 700, and its subjects hold none of those.
pub const REPORT_FD: RawFd = 900;

/// What a program sees of the files outside `/usr` and `/etc`.
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    /// A file or folder.
    ReadOnly(PathBuf),
    /// A folder to write to.
    Writable(PathBuf),
    /// An empty folder in the place of this one.
    Hidden(PathBuf),
}

/// What to run, and within which bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// With namespaces; without, only the limits hold.
    pub sandboxed: bool,
    /// An empty folder, for the new root to be built on.
    pub root: PathBuf,
    /// In this order.
    pub shown: Vec<Shown>,
    /// Its path.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub environment: Vec<(String, String)>,
    /// Its working directory.
    pub directory: PathBuf,
    /// Time by the clock.
    pub wall: Duration,
    /// Time on a processor, each process for itself.
    pub cpu: Duration,
    /// Address space of a process, in bytes.
    pub memory: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Bytes of a file.
    pub file_size: u64,
    /// Without a sandbox: whether root's program stays root's. A compiler may have to, to be found.
    pub keeps_identity: bool,
}

/// How it ended.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    /// Its exit status.
    pub status: Option<i32>,
    /// The signal that killed it.
    pub signal: Option<i32>,
    /// Whether it was ended because it was too slow.
    pub too_slow: bool,
    /// Processor time of all its processes.
    pub cpu: Duration,
    /// What it wrote, both streams.
    pub output: String,
}

impl Ended {
    /// Whether it ended by itself, with status 0.
    pub fn success(&self) -> bool {
        self.status == Some(0)
    }

    /// After "it": `ended with exit status 1`.
    pub fn how(&self) -> String {
        match (self.status, self.signal) {
            _ if self.too_slow => "took too long and was ended".to_owned(),
            (_, Some(signal)) => match nix::sys::signal::Signal::try_from(signal) {
                Ok(signal) => format!("was killed by {signal}"),
                Err(_) => format!("was killed by signal {signal}"),
            },
            (Some(status), _) => format!("ended with exit status {status}"),
            (None, None) => "ended".to_owned(),
        }
    }
}

impl Order {
    /// Runs it, to its end.
    ///
    /// # Errors
    ///
    /// When the sandbox itself cannot be made; never because of what the program does.
    pub fn run(&self, report: Option<&File>) -> Result<Ended> {
        let mut command = Command::new("/proc/self/exe");
        command.arg0("cargo-course").arg(JAIL).arg(self.write());
        command.env_clear();
        if let Some(report) = report.map(AsRawFd::as_raw_fd) {
            // SAFETY: dup2 is async-signal-safe, and takes two numbers.
            unsafe {
                command.pre_exec(move || {
                    if libc::dup2(report, REPORT_FD) < 0 {
                        return Err(io::Error::last_os_error());
                    }
                    Ok(())
                });
            }
        }
        // The jail has its own clock; this one is for a jail that is stuck.
        let patience = self.wall + Duration::from_mins(2);
        let finished = process::run(&mut command, patience, &Cancel::default(), |_| {})
            .context("the sandbox does not start")?;
        let end = finished.stdout.iter().position(|byte| *byte == b'\n');
        let (line, output) = match end {
            Some(end) if finished.success() => {
                (&finished.stdout[..end], &finished.stdout[end + 1..])
            }
            _ => bail!(
                "the sandbox failed: {}",
                String::from_utf8_lossy(&finished.stderr).trim_end()
            ),
        };
        let end: Value = serde_json::from_slice(line).context("the sandbox's account")?;
        if let Some(broken) = end["broken"].as_str() {
            bail!("the sandbox cannot be made: {broken}");
        }
        let number = |key: &str| end[key].as_i64().map(|number| number as i32);
        Ok(Ended {
            status: number("exited"),
            signal: number("killed"),
            too_slow: end["too_slow"] == true,
            cpu: Duration::from_millis(end["cpu_ms"].as_u64().unwrap_or(0)),
            output: readable(output),
        })
    }

    fn write(&self) -> String {
        let shown = self.shown.iter().map(|shown| match shown {
            Shown::ReadOnly(path) => json!(["ro", path]),
            Shown::Writable(path) => json!(["rw", path]),
            Shown::Hidden(path) => json!(["no", path]),
        });
        json!({
            "sandboxed": self.sandboxed, "root": self.root, "shown": shown.collect::<Vec<_>>(),
            "program": self.program, "arguments": self.arguments, "environment": self.environment,
            "directory": self.directory, "wall": self.wall.as_millis() as u64, "cpu": self.cpu.as_secs(),
            "memory": self.memory, "processes": self.processes, "file_size": self.file_size,
            "keeps_identity": self.keeps_identity,
        })
        .to_string()
    }

    /// The other side of what is passed to the jail.
    pub fn parse(text: &str) -> Option<Order> {
        let value: Value = serde_json::from_str(text).ok()?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let path = |value: &Value| value.as_str().map(PathBuf::from);
        let shown = value["shown"].as_array()?.iter().map(|one| {
            Some(match one[0].as_str()? {
                "ro" => Shown::ReadOnly(path(&one[1])?),
                "rw" => Shown::Writable(path(&one[1])?),
                _ => Shown::Hidden(path(&one[1])?),
            })
        });
        let environment = value["environment"].as_array()?.iter();
        Some(Order {
            sandboxed: value["sandboxed"].as_bool()?,
            root: path(&value["root"])?,
            shown: shown.collect::<Option<_>>()?,
            program: text(&value["program"])?,
            arguments: value["arguments"]
                .as_array()?
                .iter()
                .map(text)
                .collect::<Option<_>>()?,
            environment: environment
                .map(|pair| Some((text(&pair[0])?, text(&pair[1])?)))
                .collect::<Option<_>>()?,
            directory: path(&value["directory"])?,
            wall: Duration::from_millis(value["wall"].as_u64()?),
            cpu: Duration::from_secs(value["cpu"].as_u64()?),
            memory: value["memory"].as_u64()?,
            processes: value["processes"].as_u64()?,
            file_size: value["file_size"].as_u64()?,
            keeps_identity: value["keeps_identity"].as_bool()?,
        })
    }
}

/// Text without terminal escapes: what a submission prints must not color, move or retitle a teacher's terminal.
pub fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars()
        .filter(|c| !c.is_control() || "\n\t".contains(*c))
        .collect()
}

/// Whether sandboxes can be made here; if not, why.
///
/// # Errors
///
/// What the kernel refuses, in a line.
pub fn probe(root: &Path) -> Result<()> {
    let order = Order {
        sandboxed: true,
        root: root.to_owned(),
        shown: Vec::new(),
        program: "/bin/true".to_owned(),
        arguments: Vec::new(),
        environment: Vec::new(),
        directory: "/".into(),
        wall: Duration::from_mins(1),
        cpu: Duration::from_secs(10),
        memory: 1 << 30,
        processes: 64,
        file_size: 1 << 20,
        keeps_identity: false,
    };
    let ended = order.run(None)?;
    if !ended.success() {
        bail!("/bin/true {}: {}", ended.how(), ended.output.trim());
    }
    Ok(())
}

/// A jail, when this program was started as one.
pub fn serve() -> Option<std::process::ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().as_deref() != Some(OsStr::new(JAIL)) {
        return None;
    }
    let order = arguments.next().unwrap_or_default();
    Some(super::jail::serve(&order.to_string_lossy()))
}
