//! What went over the wire?

mod frame;
mod history;
mod packet;

use std::sync::Arc;
use std::time::SystemTime;

pub use frame::{Fate, Frame, Name, What};
pub(crate) use history::{History, Socket};
pub use packet::*;

/// Frames, in the order in which the switch took them.
#[derive(Clone, Debug)]
pub struct Wire {
    frames: Vec<Arc<Frame>>,
    sockets: Arc<[Socket]>,
    began: SystemTime,
}

impl Wire {
    /// The frames.
    pub fn frames(&self) -> &[Arc<Frame>] {
        &self.frames
    }
}
