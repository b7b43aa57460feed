// ANCHOR: length
//! First how long, then what.

use super::{Framing, Malformed};

/// Messages behind their length, a number of four bytes in network order.
pub struct LengthPrefix {
    /// The most bytes that a message may have.
    pub limit: usize,
}

impl Framing for LengthPrefix {
    fn encode(&self, message: &[u8]) -> Result<Vec<u8>, Malformed> {
        let length = self.check(message.len())? as u32;
        Ok([&length.to_be_bytes(), message].concat())
    }

    fn decode(&self, received: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Malformed> {
        let Some((prefix, rest)) = received.split_first_chunk() else {
            return Ok(None);
        };
        // Refused before a byte of it is waited for, and before any memory is set aside.
        let length = self.check(u32::from_be_bytes(*prefix) as usize)?;
        let message = rest.get(..length);
        Ok(message.map(|message| (message.to_vec(), prefix.len() + length)))
    }
}

impl LengthPrefix {
    fn check(&self, bytes: usize) -> Result<usize, Malformed> {
        let limit = self.limit.min(u32::MAX as usize);
        if bytes > limit {
            Err(Malformed::TooLong { bytes, limit })
        } else {
            Ok(bytes)
        }
    }
}
// ANCHOR_END: length
