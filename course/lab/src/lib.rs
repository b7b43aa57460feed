//! A network on a bench, and the learner's code as its subject.
//!
//! Graders, chapter tests and claims all run on this library, so that all of them see the same
//! hosts and the same wire, and report in the same words.
//!
//! - A test binary (`harness = false`) lists its checks in a [`Suite`] or a [`Grader`] and hands over
//!   to `main`. The runner has one thread and never runs the learner's code.
//! - Each [`Check`] is a plain function. It runs in a process of its own, in namespaces of its own
//!   where the machine allows it: its own loopback, ports, processes and `/proc`.
//! - The learner's code is a [`Subject`]: a child process with a deadline and limits. Its result comes
//!   back sealed over a pipe, so only a normal return can pass.
//! - [`net`] builds hosts and links, [`wire`] shows what crossed them.
//!
//! A check ends in one of four ways: pass, fail, not run, grader fault. See [`Finding`].

mod args;
mod bench;
mod births;
pub mod calls;
mod capability;
mod check;
mod child;
pub mod fault;
mod finding;
mod hang;
mod isolation;
mod kept;
mod limits;
pub mod net;
mod paint;
mod peer;
mod place;
mod process;
mod program;
mod render;
mod report;
mod runner;
mod scratch;
mod seal;
mod sealed;
mod shield;
mod spawner;
mod steps;
mod subject;
mod suite;
mod system;
mod terminal;
pub mod timeline;
mod trace;
pub mod trial;
mod waiting;
pub mod wire;

pub use calls::{Call, CallRecord, Calls};
pub use check::Check;
pub use fault::{Faults, Gate, Kind};
pub use finding::{Because, Finding, PASS, Pass, Verdict};
pub use isolation::{Isolation, isolation};
pub use limits::Limits;
pub use peer::{ListeningPeer, Peer};
pub use place::Place;
pub use program::Program;
pub use sealed::{Sealed, Shown};
pub use spawner::Spawner;
pub use subject::{Outcome, Subject};
pub use suite::{Grader, Suite};
pub use trace::tracing;

/// What a grader or a chapter's test needs, in one line.
pub mod prelude {
    pub use crate::ensure;
    pub use crate::{
        Because, Call, Calls, Check, Faults, Finding, Gate, Grader, Limits, Outcome, PASS, Pass,
        Peer, Place, Program, Sealed, Subject, Suite, Verdict,
    };
    pub use nix::errno::Errno;
}
