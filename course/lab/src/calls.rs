//! Which system calls did the learner's code make?
//!
//! A subject that records its calls shows them: a failed check prints them beside its steps, and a check
//! demands things of them:
//!
//! ```ignore
//! let calls = subject.calls()?;
//! subject.returns(Ok(()))?;
//! calls.of(Call::Write).at(&end).once()?;
//! calls.of(Call::Exact("writev")).never()?;
//! calls.of(Call::Read).never_after_end_of_file()?;
//! calls.closes_in_child(&listener)?;
//! ```

mod family;
mod list;
mod record;
mod show;
pub(crate) mod table;

pub use family::Call;
pub use list::Calls;
pub use record::CallRecord;
pub(crate) use show::drawing;
