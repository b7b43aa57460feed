//! What may a check demand of the calls that were made?

use std::os::fd::AsRawFd;
use std::rc::Rc;

use nix::errno::Errno;

use crate::calls::{Call, CallRecord};
use crate::child::Child;
use crate::finding::Finding;
use crate::trace::Watch;

type Fits = Rc<dyn Fn(&CallRecord) -> bool>;

/// The calls of a subject, or those of them that fit. From [`Subject::calls`](crate::Subject::calls).
/// They are looked at when something is demanded, not before.
#[derive(Clone)]
pub struct Calls {
    watch: Rc<Watch>,
    fits: Vec<Fits>,
    /// What is left, in words: `write`.
    name: String,
    /// The rest: ` at descriptor 3 in its child`.
    where_: String,
}

impl Calls {
    pub(crate) fn of_child(child: &Child) -> Result<Calls, Finding> {
        let nothing = "the check asks for calls of a subject that it does not record";
        let watch = child.watch.clone();
        Ok(Calls {
            watch: watch.ok_or_else(|| Finding::fault(nothing))?,
            fits: Vec::new(),
            name: "anything".into(),
            where_: String::new(),
        })
    }

    fn with(&self, where_: &str, fits: impl Fn(&CallRecord) -> bool + 'static) -> Calls {
        let mut calls = self.clone();
        calls.where_ += where_;
        calls.fits.push(Rc::new(fits));
        calls
    }

    /// Those of this family, or with this name.
    #[must_use]
    pub fn of(&self, call: Call) -> Calls {
        let mut calls = self.with("", move |record| match call {
            Call::Exact(name) => record.name == name,
            family => record.call == family,
        });
        calls.name = call.name().into();
        calls
    }

    /// Those at this descriptor, by its number.
    #[must_use]
    pub fn at(&self, fd: &impl AsRawFd) -> Calls {
        self.at_number(fd.as_raw_fd())
    }

    /// Those at the descriptor with this number.
    #[must_use]
    pub fn at_number(&self, fd: i32) -> Calls {
        self.with(&format!(" at descriptor {fd}"), move |record| {
            record.fd == Some(fd)
        })
    }

    /// Those of the subject's first process.
    #[must_use]
    pub fn in_parent(&self) -> Calls {
        self.with(" in its first process", |record| record.process == 0)
    }

    /// Those of the processes that the subject has forked.
    #[must_use]
    pub fn in_child(&self) -> Calls {
        self.with(" in a process that it forked", |record| record.process > 0)
    }

    /// Those that came to this error.
    #[must_use]
    pub fn failed_with(&self, errno: Errno) -> Calls {
        self.with(&format!(" with the result {errno:?}"), move |record| {
            record.errno() == Some(errno)
        })
    }

    /// Those that succeeded.
    #[must_use]
    pub fn succeeded(&self) -> Calls {
        self.with(" with success", |record| record.value().is_some())
    }

    /// Those that fit; `said` completes "expected your code to call read …".
    #[must_use]
    pub fn that(&self, said: &str, fits: impl Fn(&CallRecord) -> bool + 'static) -> Calls {
        self.with(&format!(" {said}"), fits)
    }

    /// The calls, in the order in which they began.
    pub fn list(&self) -> Vec<CallRecord> {
        let (entries, _) = self.watch.entries();
        let records = entries
            .iter()
            .filter_map(|e| CallRecord::new(e, &self.watch));
        let fits = |record: &CallRecord| self.fits.iter().all(|fits| fits(record));
        records.filter(fits).collect()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.list().len()
    }

    /// Demands that there is exactly one, and gives it.
    ///
    /// # Errors
    ///
    /// A failure when there are none or more.
    pub fn once(&self) -> Result<CallRecord, Finding> {
        let mut found = self.list();
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => Ok(only),
            (last, _) => Err(self.failure("once", found.len() + usize::from(last.is_some()))),
        }
    }

    /// Demands that there are so many.
    ///
    /// # Errors
    ///
    /// A failure when there are fewer or more.
    pub fn times(&self, n: usize) -> Result<(), Finding> {
        self.demand(&times(n), |found| found == n)
    }

    /// Demands that there are so many or fewer.
    ///
    /// # Errors
    ///
    /// A failure when there are more.
    pub fn at_most(&self, n: usize) -> Result<(), Finding> {
        self.demand(&format!("{} at most", times(n)), |found| found <= n)
    }

    /// Demands that there are so many or more.
    ///
    /// # Errors
    ///
    /// A failure when there are fewer.
    pub fn at_least(&self, n: usize) -> Result<(), Finding> {
        self.demand(&format!("{} at least", times(n)), |found| found >= n)
    }

    /// Demands that there is none.
    ///
    /// # Errors
    ///
    /// A failure when there is one.
    pub fn never(&self) -> Result<(), Finding> {
        match self.list().first() {
            None => Ok(()),
            Some(first) => Err(Finding::fail(format!(
                "expected {} never to call {}{}, but it called {} {}",
                self.watch.whose,
                self.name,
                self.where_,
                first.said(),
                first.came_to()
            ))),
        }
    }

    /// Demands that nothing is read from a descriptor once it has given end-of-file, unless it was
    /// closed in between.
    ///
    /// # Errors
    ///
    /// A failure that names the read after the end.
    pub fn never_after_end_of_file(&self) -> Result<(), Finding> {
        let mut ended: Vec<(i32, i32)> = Vec::new();
        for record in self.list() {
            let Some(fd) = record.fd else { continue };
            let place = (record.pid, fd);
            match record.call {
                Call::Close => ended.retain(|p| *p != place),
                Call::Read if ended.contains(&place) => {
                    return Err(Finding::fail(format!(
                        "expected {} never to read from descriptor {fd} again after end-of-file, but it \
                         called {} {}",
                        self.watch.whose,
                        record.said(),
                        record.came_to()
                    )));
                }
                // A read of no bytes tells nothing.
                Call::Read if record.value() == Some(0) && !record.arguments.ends_with(", 0") => {
                    ended.push(place);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Demands that a process which the subject forked closes its copy of this descriptor.
    ///
    /// # Errors
    ///
    /// A failure when none does.
    pub fn closes_in_child(&self, fd: &impl AsRawFd) -> Result<(), Finding> {
        let fd = fd.as_raw_fd();
        self.of(Call::Close).at_number(fd).in_child().at_least(1)
    }

    /// Demands that the subject's first process closes its copy of this descriptor.
    ///
    /// # Errors
    ///
    /// A failure when it does not.
    pub fn closes_in_parent(&self, fd: &impl AsRawFd) -> Result<(), Finding> {
        let fd = fd.as_raw_fd();
        self.of(Call::Close).at_number(fd).in_parent().at_least(1)
    }

    /// Demands that each line of the fault plan took place: a check whose fault never happened has
    /// shown nothing.
    ///
    /// # Errors
    ///
    /// A failure that names the call that was never made.
    pub fn met_every_fault(&self) -> Result<(), Finding> {
        match self.watch.idle_lines().first() {
            None => Ok(()),
            Some(line) => Err(Finding::fail(format!(
                "expected {} to come to {line}, where the check has something in store; it never did",
                self.watch.whose
            ))),
        }
    }

    fn demand(&self, wanted: &str, well: impl Fn(usize) -> bool) -> Result<(), Finding> {
        let found = self.count();
        if well(found) {
            return Ok(());
        }
        Err(self.failure(wanted, found))
    }

    fn failure(&self, wanted: &str, found: usize) -> Finding {
        let did = match found {
            0 => "it never did".into(),
            n => format!("it did so {}", times(n)),
        };
        let Calls { name, where_, .. } = self;
        let whose = &self.watch.whose;
        Finding::fail(format!(
            "expected {whose} to call {name}{where_} {wanted}, {did}"
        ))
    }
}

fn times(n: usize) -> String {
    match n {
        0 => "never".into(),
        1 => "once".into(),
        2 => "twice".into(),
        n => format!("{n} times"),
    }
}
