// ANCHOR: fixed
//! Every message has the same size.

use super::{Framing, Malformed};

/// Messages of exactly so many bytes; at least one.
pub struct Fixed {
    /// Size of a message, in bytes.
    pub size: usize,
}

impl Framing for Fixed {
    fn encode(&self, message: &[u8]) -> Result<Vec<u8>, Malformed> {
        if message.len() != self.size {
            return Err(Malformed::NotThisLong(message.len()));
        }
        Ok(message.to_vec())
    }

    fn decode(&self, received: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Malformed> {
        let message = received.get(..self.size);
        Ok(message.map(|message| (message.to_vec(), self.size)))
    }
}
// ANCHOR_END: fixed
