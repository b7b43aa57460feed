//! More than the usual for a child process: where, under which name, with which limits and privileges.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::rc::Rc;

use crate::bench::Bench;
use crate::calls::Call;
use crate::capability;
use crate::check::{Check, find_tool};
use crate::fault::Faults;
use crate::finding::Finding;
use crate::limits::Limits;
use crate::program::{self, Program};
use crate::sealed::Sealed;
use crate::subject::{self, Subject};
use crate::system;
use crate::timeline;
use crate::trace::Attach;

/// Settings for a child process.
pub struct Spawner<'c> {
    check: &'c Check,
    pub(crate) name: String,
    pub(crate) limits: Limits,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) may_leak: bool,
    pub(crate) faults: Option<Faults>,
    host: String,
    privileged: bool,
    pub(crate) looks_around: bool,
    inside: Option<Box<dyn Fn() -> io::Result<()> + 'c>>,
}

impl<'c> Spawner<'c> {
    pub(crate) fn new(check: &'c Check) -> Spawner<'c> {
        Spawner {
            check,
            name: "your code".into(),
            limits: Limits::default(),
            environment: Vec::new(),
            may_leak: false,
            faults: None,
            host: String::new(),
            privileged: false,
            looks_around: false,
            inside: None,
        }
    }

    /// What messages call the subject. The usual is `your code`.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// Other limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// A variable for the environment of a program.
    #[must_use]
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.environment.push((key.into(), value.into()));
        self
    }

    /// The subject may leave descriptors and children open.
    #[must_use]
    pub fn may_leak(mut self) -> Self {
        self.may_leak = true;
        self
    }

    /// The child keeps what privileges the check has over its own hosts: raw sockets, interfaces.
    #[must_use]
    pub fn privileged(mut self) -> Self {
        self.privileged = true;
        self
    }

    /// The subject may look into other processes: at their descriptors in `/proc`, say. Only for a task that is about
    /// that: it takes the shield from all files, too.
    #[must_use]
    pub fn looks_around(mut self) -> Self {
        self.looks_around = true;
        self
    }

    /// Makes calls of the subject go wrong as planned, and writes them down.
    #[must_use]
    pub fn faults(mut self, plan: Faults) -> Self {
        let recorded = self.faults.take().unwrap_or_default().recorded;
        self.faults = Some(plan.records(&recorded));
        self
    }

    /// Writes these calls down: `&[Call::Read, Call::Write]`, or [`Call::NETWORK`].
    #[must_use]
    pub fn records(mut self, calls: &[Call]) -> Self {
        self.faults = Some(self.faults.take().unwrap_or_default().records(calls));
        self
    }

    /// What the host is called in which the child will be.
    pub(crate) fn in_host(mut self, name: &str) -> Self {
        self.host = name.into();
        self
    }

    /// The child calls this first: to enter a host, say.
    #[must_use]
    pub fn inside(mut self, enter: impl Fn() -> io::Result<()> + 'c) -> Self {
        self.inside = Some(Box::new(enter));
        self
    }

    /// Starts a closure.
    ///
    /// # Errors
    ///
    /// A grader fault when no process can be had.
    pub fn subject<T: Sealed>(self, f: impl FnOnce() -> T) -> Result<Subject<T>, Finding> {
        subject::spawn(&self, f)
    }

    /// Starts a program.
    ///
    /// # Errors
    ///
    /// A grader fault when no process can be had.
    pub fn program(
        self,
        path: impl AsRef<Path>,
        arguments: &[impl AsRef<OsStr>],
    ) -> Result<Program, Finding> {
        program::spawn(&self, path.as_ref(), arguments)
    }

    /// Starts a program of the machine's, found by name.
    ///
    /// # Errors
    ///
    /// *Not run* when it is not installed.
    pub fn tool(self, name: &str, arguments: &[impl AsRef<OsStr>]) -> Result<Program, Finding> {
        self.program(find_tool(name)?, arguments)
    }

    /// The check's folder, where its children may write.
    pub(crate) fn folder(&self) -> &Path {
        &self.check.folder
    }

    /// The tracer, where one is asked for.
    pub(crate) fn tracer(&self, whose: &str) -> Result<Option<Attach>, Finding> {
        let mut faults = self.faults.clone();
        if timeline::is_wanted() {
            faults = Some(faults.unwrap_or_default().records(timeline::RECORDED));
        }
        faults
            .map(|faults| Attach::new(&self.check.bench, whose, &self.host, &faults))
            .transpose()
    }

    pub(crate) fn bench(&self) -> Rc<Bench> {
        self.check.bench.clone()
    }

    /// In the child, before its code: its signals, its host, its privileges, its limits.
    pub(crate) fn settle(&self) -> io::Result<()> {
        system::fresh_signals();
        if let Some(enter) = &self.inside {
            enter()?;
        }
        if self.privileged {
            capability::keep_over_exec();
        } else {
            capability::drop_all()?;
        }
        self.limits.apply();
        Ok(())
    }
}
