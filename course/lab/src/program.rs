//! A program in a process of its own: one of the chapter's, the learner's, or a peer that nobody here
//! wrote.

use std::ffi::{CString, OsStr};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::bench::{Bench, SharedChild, Wake};
use crate::calls::Calls;
use crate::child::{Capture, Child, End, plain};
use crate::finding::Finding;
use crate::spawner::Spawner;
use crate::system::{self, Fork};
use crate::trace::{Attach, Begin};

const STDOUT: usize = 0;
const STDERR: usize = 1;

/// A running program. Dropping it ends the process.
pub struct Program {
    bench: Rc<Bench>,
    child: SharedChild,
    stdin: Option<OwnedFd>,
    /// How much of the standard output has been taken as lines.
    read: usize,
}

/// Starts `path` with `arguments`.
pub(crate) fn spawn(
    spawner: &Spawner<'_>,
    path: &Path,
    arguments: &[impl AsRef<OsStr>],
) -> Result<Program, Finding> {
    let bench = spawner.bench();
    let shown: Vec<_> = arguments
        .iter()
        .map(|a| a.as_ref().to_string_lossy())
        .collect();
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    bench.step(format!("start {name} {}", shown.join(" ")).trim_end());

    let c_string =
        |s: &OsStr| CString::new(s.as_bytes()).map_err(|e| Finding::fault(e.to_string()));
    let mut argv = vec![c_string(path.as_os_str())?];
    for argument in arguments {
        argv.push(c_string(argument.as_ref())?);
    }
    let mut environment = Vec::new();
    for (key, value) in std::env::vars_os() {
        if !spawner.environment.iter().any(|(k, _)| k.as_str() == key) {
            let both = [key.as_bytes(), b"=", value.as_bytes()].concat();
            environment.push(c_string(OsStr::from_bytes(&both))?);
        }
    }
    for (key, value) in &spawner.environment {
        environment.push(c_string(OsStr::new(&format!("{key}={value}")))?);
    }

    let (stdin_end, stdin) = system::pipe()?;
    let (stdout, stdout_end) = system::pipe()?;
    let (stderr, stderr_end) = system::pipe()?;
    let tracer = spawner.tracer(&name)?;
    // SAFETY: the check has one thread.
    match unsafe { system::fork() }? {
        Fork::Child => {
            system::install(&stdin_end, 0);
            system::install(&stdout_end, 1);
            system::install(&stderr_end, 2);
            let joined = spawner
                .settle()
                .and_then(|()| tracer.as_ref().map(Attach::joins).transpose());
            let traced = joined.unwrap_or_else(|error| {
                eprintln!("the lab could not prepare this process: {error}");
                system::exit_now(125)
            });
            // Rust ignores SIGPIPE, and an ignored signal stays ignored over exec. A program that is
            // started from a shell begins with the default.
            // SAFETY: SIG_DFL is a valid disposition.
            unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
            if let Some(traced) = &traced {
                traced.begin(Begin::AtExec);
            }
            let Err(errno) = nix::unistd::execve(&argv[0], &argv, &environment);
            eprintln!("exec {}: {}", path.display(), errno.desc());
            system::exit_now(127)
        }
        Fork::Parent { pid, pidfd } => {
            let captures = vec![
                Capture::new(stdout, spawner.limits.output),
                Capture::new(stderr, spawner.limits.output),
            ];
            let mut child = Child::new(name, pid, pidfd, captures, None);
            child.watch = tracer.map(|tracer| tracer.ready(&bench)).transpose()?;
            Ok(Program {
                child: bench.adopt(child),
                bench,
                stdin: Some(stdin),
                read: 0,
            })
        }
    }
}

/// Where `name` is, as a shell would find it, and in the folders for administrators.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let mut files = folders.map(|folder| folder.join(name));
    files.find(|file| {
        nix::unistd::access(file, nix::unistd::AccessFlags::X_OK).is_ok() && file.is_file()
    })
}

impl Program {
    /// The next line of standard output, without its end.
    ///
    /// # Errors
    ///
    /// A failure when the program ends or closes its output first.
    pub fn line(&mut self) -> Result<String, Finding> {
        let name = self.name();
        let line = {
            let child = &self.child;
            let read = self.read;
            self.bench.wait(Wake::Tick, || {
                let mut child = child.borrow_mut();
                let ended = child.end().is_some();
                child.captures[STDOUT].pump();
                let rest = &child.captures[STDOUT].kept()[read..];
                match rest.iter().position(|b| *b == b'\n') {
                    Some(end) => Some(Some(rest[..end].to_vec())),
                    None if ended || child.captures[STDOUT].source().is_none() => Some(None),
                    None => None,
                }
            })
        };
        let wanted = format!("{name} to print a line");
        let Some(line) = line.map_err(|s| s.finding(&wanted))? else {
            let errors = self.stderr();
            return Err(Finding::fail(format!("expected {wanted}, but it ended"))
                .with_detail(format!("its standard error: {errors}")));
        };
        self.read += line.len() + 1;
        let line = plain(&String::from_utf8_lossy(&line));
        self.bench.step(format!("{name} prints {line:?}"));
        Ok(line)
    }

    /// Waits for a line that begins with `start`, and gives the rest of it: the port, say.
    ///
    /// # Errors
    ///
    /// A failure when the program ends first.
    pub fn line_after(&mut self, start: &str) -> Result<String, Finding> {
        loop {
            if let Some(rest) = self.line()?.strip_prefix(start) {
                return Ok(rest.to_string());
            }
        }
    }

    /// Writes to the program's standard input.
    ///
    /// # Errors
    ///
    /// A failure when the program has closed it.
    pub fn types(&mut self, text: impl AsRef<[u8]>) -> Result<(), Finding> {
        let text = text.as_ref();
        self.bench.step(format!(
            "{} is typed {}",
            self.name(),
            crate::sealed::show_bytes(text)
        ));
        let Some(stdin) = &self.stdin else {
            return Err(Finding::fault("its standard input was closed by the check"));
        };
        system::write_all(stdin, text)
            .map_err(|e| Finding::fail(format!("{} reads no input: {}", self.name(), e.desc())))
    }

    /// Closes the program's standard input: it reads end-of-file.
    pub fn ends_input(&mut self) {
        self.stdin = None;
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        self.bench.step(format!("{} gets {signal}", self.name()));
        system::kill(self.child.borrow().pid, signal as i32);
    }

    /// The program's process id, as the check sees it.
    pub fn pid(&self) -> i32 {
        self.child.borrow().pid
    }

    /// Demands that the program ends with this exit status, and gives what it printed on standard
    /// output. Its standard input is closed first.
    ///
    /// # Errors
    ///
    /// A failure when it ends otherwise, or not at all.
    pub fn exits(&mut self, status: i32) -> Result<String, Finding> {
        let name = self.name();
        match self.end()? {
            End::Exited(s) if s == status => {
                self.bench.step(format!("{name} exits with {status}"));
                Ok(self.stdout())
            }
            other => Err(Finding::fail(format!(
                "expected {name} to exit with {status}, but it {other}"
            ))
            .with_detail(format!("its standard error: {}", self.stderr()))),
        }
    }

    /// Demands that this signal ends the program.
    ///
    /// # Errors
    ///
    /// A failure when it ends otherwise, or not at all.
    pub fn dies_of(&mut self, signal: nix::sys::signal::Signal) -> Result<(), Finding> {
        let name = self.name();
        match self.end()? {
            End::Killed(s) if s == signal as i32 => Ok(()),
            other => Err(Finding::fail(format!(
                "expected {signal} to end {name}, but it {other}"
            ))),
        }
    }

    /// How the program ended, as a shell has it in `$?`: its exit status, or 128 and the number of the signal that ended it.
    /// Nothing while it runs.
    pub fn status(&self) -> Option<i32> {
        let mut child = self.child.borrow_mut();
        child.collect().ok()?;
        Some(match child.end()? {
            End::Exited(status) => status,
            End::Killed(number) => 128 + number,
        })
    }

    /// All of standard output so far.
    pub fn stdout(&self) -> String {
        self.text(STDOUT)
    }

    /// All of standard error so far.
    pub fn stderr(&self) -> String {
        self.text(STDERR)
    }

    fn text(&self, which: usize) -> String {
        let mut child = self.child.borrow_mut();
        child.captures[which].pump();
        child.captures[which].text()
    }

    /// The calls that the program made, for one with [`faults`](Spawner::faults) or
    /// [`records`](Spawner::records). May be asked for at once; it always shows what is there by then.
    ///
    /// # Errors
    ///
    /// A grader fault when nothing is recorded.
    pub fn calls(&self) -> Result<Calls, Finding> {
        Calls::of_child(&self.child.borrow())
    }

    fn name(&self) -> String {
        self.child.borrow().name.clone()
    }

    fn end(&mut self) -> Result<End, Finding> {
        self.ends_input();
        let wanted = format!("{} to end", self.name());
        let end = self.bench.wait_for_end(&self.child);
        let end = end.map_err(|stalled| stalled.finding(&wanted))?;
        if end == End::Killed(libc::SIGKILL)
            && let Some(lost) = self.child.borrow().was_lost()
        {
            return Err(lost);
        }
        Ok(end)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.borrow_mut().kill();
    }
}
