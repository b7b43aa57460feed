//! How does a check end?
//!
//! A check is a function that returns a [`Verdict`]. `Ok` is a pass. A [`Finding`] is one of the other
//! three outcomes: the subject did something wrong, the machine lacks something the check needs, or
//! the check itself broke.

use std::fmt;
use std::io;
use std::panic::Location;

/// What a check returns.
pub type Verdict = Result<Pass, Finding>;

/// The token of a check that came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass;

/// Everything was as demanded. The last line of a check.
pub const PASS: Verdict = Ok(Pass);

/// Which of the outcomes other than a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The subject did something other than what the check demands.
    Fail,
    /// The machine lacks something. Never a pass, and never the learner's fault.
    NotRun,
    /// The check itself broke: an error of ours, not of the learner.
    Fault,
}

impl Kind {
    /// As the report names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Fail => "fail",
            Kind::NotRun => "not-run",
            Kind::Fault => "fault",
        }
    }
}

/// Why a check did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub(crate) kind: Kind,
    pub(crate) what: String,
    pub(crate) because: Option<String>,
    pub(crate) detail: Vec<String>,
}

impl Finding {
    /// The subject did `what` instead of what was demanded.
    pub fn fail(what: impl Into<String>) -> Finding {
        Finding::new(Kind::Fail, what.into())
    }

    /// The check cannot run here: it needs `what`.
    pub fn needs(what: impl Into<String>) -> Finding {
        Finding::new(Kind::NotRun, format!("needs {}", what.into()))
    }

    /// The check itself broke.
    pub fn fault(what: impl Into<String>) -> Finding {
        Finding::new(Kind::Fault, what.into())
    }

    /// Adds a block of text that is printed under the step log: a wire, a call log, a diff.
    #[must_use]
    pub fn with_detail(mut self, block: impl Into<String>) -> Finding {
        self.detail.push(block.into());
        self
    }

    /// What was seen, in a line.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Whether this is the subject's failing, not the machine's and not the grader's.
    pub fn is_failure(&self) -> bool {
        self.kind == Kind::Fail
    }

    fn new(kind: Kind, what: String) -> Finding {
        Finding {
            kind,
            what,
            because: None,
            detail: Vec::new(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Finding {}

/// An error of the grader's own calls is a fault of the grader, never a failure of the learner.
impl From<io::Error> for Finding {
    #[track_caller]
    fn from(error: io::Error) -> Finding {
        let at = Location::caller();
        Finding::fault(format!("{error} ({}:{})", at.file(), at.line()))
    }
}

impl From<nix::errno::Errno> for Finding {
    #[track_caller]
    fn from(errno: nix::errno::Errno) -> Finding {
        let at = Location::caller();
        Finding::fault(format!(
            "{errno}: {} ({}:{})",
            errno.desc(),
            at.file(),
            at.line()
        ))
    }
}

/// Says why a demand is what it is. The reason is printed when the demand is not met.
pub trait Because {
    /// The reason, in a sentence or two that teach.
    #[must_use]
    fn because(self, reason: impl Into<String>) -> Self;
}

impl<T> Because for Result<T, Finding> {
    fn because(mut self, reason: impl Into<String>) -> Self {
        if let Err(finding) = &mut self
            && finding.kind == Kind::Fail
            && finding.because.is_none()
        {
            finding.because = Some(reason.into());
        }
        self
    }
}

/// Fails the check unless the condition holds: `ensure!(n == 5, "read gave {n} bytes, not 5")`.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($what:tt)+) => {
        if !$condition {
            return ::std::result::Result::Err($crate::Finding::fail(format!($($what)+)));
        }
    };
}
