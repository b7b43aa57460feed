//! What do experiments on claims have in common?
//!
//! [`saw`] records what an experiment sees and demands what the verdict rests on, in one line. [`C`]
//! asks the C compiler, for claims about C.

mod c;
mod evidence;

pub use c::{C, Compiled};
pub use evidence::{Sight, hex, little_endian_machine, said, saw};
