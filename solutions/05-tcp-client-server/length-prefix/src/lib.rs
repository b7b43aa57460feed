//! **First how long, then what.** The reference answer.
//!
//! What has come and is not yet a message is kept in one buffer, and looked at from its front. The limit is
//! asked before anything else is done with a length.

/// How many bytes a length takes.
const PREFIX: usize = size_of::<u32>();

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// A message has more bytes than the limit allows, or announces so many. This many.
    TooLong(u32),
    /// The stream ended in the middle of a message, or in the middle of its length.
    CutShort,
}

/// The bytes that stand for `message` in the stream.
///
/// # Errors
///
/// [`Malformed::TooLong`] when it is longer than `limit`. A message of `limit` bytes is fine.
pub fn encode(message: &[u8], limit: u32) -> Result<Vec<u8>, Malformed> {
    // What does not even fit into the number is longer than any limit.
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    if message.len() > limit as usize {
        return Err(Malformed::TooLong(length));
    }
    Ok([&length.to_be_bytes(), message].concat())
}

/// Finds the messages in a stream, piece by piece.
#[derive(Debug)]
pub struct Decoder {
    /// The most bytes that a message may have.
    limit: u32,
    /// What has come and was not taken.
    ahead: Vec<u8>,
}

impl Decoder {
    /// Nothing has come yet. A message may have `limit` bytes.
    pub fn new(limit: u32) -> Decoder {
        let ahead = Vec::new();
        Decoder { limit, ahead }
    }

    /// Takes what one `read` has brought.
    pub fn feed(&mut self, piece: &[u8]) {
        self.ahead.extend_from_slice(piece);
    }

    /// The next message that is complete, or `None` when more bytes are needed.
    ///
    /// It does not set memory aside for bytes that have not come.
    ///
    /// # Errors
    ///
    /// [`Malformed::TooLong`] as soon as the four bytes of a length are there that is above the limit. From
    /// then on nobody knows where the next message begins, so the error is given again each time. The
    /// messages before it are given before it.
    pub fn next_message(&mut self) -> Result<Option<Vec<u8>>, Malformed> {
        let Some(prefix) = self.ahead.first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*prefix);
        if length > self.limit {
            return Err(Malformed::TooLong(length));
        }
        let end = PREFIX + length as usize;
        let Some(message) = self.ahead.get(PREFIX..end) else {
            return Ok(None);
        };
        let message = message.to_vec();
        self.ahead.drain(..end);
        Ok(Some(message))
    }

    /// The stream has ended, and all messages were taken.
    ///
    /// # Errors
    ///
    /// [`Malformed::CutShort`] when a message had begun.
    pub fn end(&self) -> Result<(), Malformed> {
        if self.ahead.is_empty() {
            Ok(())
        } else {
            Err(Malformed::CutShort)
        }
    }
}
