//! What went over the wire?

mod frame;
mod packet;
pub use frame::{Fate, Frame, Name, What};
pub use packet::*;
