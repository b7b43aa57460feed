// ANCHOR: tagged
//! Each piece says what it is and how long, so that a message need not be known before it is sent,
//! and a peer may send what this end has never heard of.

use super::{Framing, Malformed};

/// More of the message follows.
const MORE: u8 = b'M';
/// This is the last of the message.
const LAST: u8 = b'L';

/// Messages in chunks: a kind, a length of two bytes in network order, the bytes.
///
/// Kinds in lower case may be left unread by those who do not know them. Others must be understood.
pub struct Tagged {
    /// The most bytes in one chunk, 1 to 65,535.
    pub chunk: u16,
    /// The most bytes that a message may take in the stream, with all its chunks.
    pub limit: usize,
}

impl Framing for Tagged {
    fn encode(&self, message: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut bytes = Vec::new();
        let mut rest = message;
        loop {
            let (chunk, after) = rest.split_at(rest.len().min(self.chunk.max(1).into()));
            bytes.push(if after.is_empty() { LAST } else { MORE });
            bytes.extend((chunk.len() as u16).to_be_bytes());
            bytes.extend(chunk);
            if after.is_empty() {
                break;
            }
            rest = after;
        }
        self.check(bytes.len())?;
        Ok(bytes)
    }

    fn decode(&self, received: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Malformed> {
        let mut message = Vec::new();
        let mut rest = received;
        while let Some((&[kind, high, low], after)) = rest.split_first_chunk() {
            let length = usize::from(u16::from_be_bytes([high, low]));
            // Chunks count, not only what is in them: empty ones could come for ever.
            let took = received.len() - after.len() + length;
            self.check(took)?;
            let Some((chunk, next)) = after.split_at_checked(length) else {
                return Ok(None);
            };
            match kind {
                MORE | LAST => message.extend(chunk),
                b'a'..=b'z' => {}
                _ => return Err(Malformed::Meaningless(kind)),
            }
            if kind == LAST {
                return Ok(Some((message, took)));
            }
            rest = next;
        }
        Ok(None)
    }
}

impl Tagged {
    fn check(&self, bytes: usize) -> Result<(), Malformed> {
        let limit = self.limit;
        if bytes > limit {
            Err(Malformed::TooLong { bytes, limit })
        } else {
            Ok(())
        }
    }
}
// ANCHOR_END: tagged
