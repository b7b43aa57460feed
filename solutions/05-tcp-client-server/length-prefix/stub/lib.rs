//! **First how long, then what.** A stream has no edges, so put some in: each message goes behind its
//! length, a number of four bytes in network byte order.
//!
//! Write [`encode`] and a [`Decoder`]. The stream comes in pieces, cut anywhere: in the middle of a
//! message, in the middle of a length, after three messages and a half. What the pieces are says nothing.
//!
//! And the length comes from a stranger. It may be 0, which is a message without bytes, and it may be
//! `ff ff ff ff`, which is a try to make you set aside four gigabytes. Both ends know a limit.
//!
//! The decoder's fields are yours to choose.

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
    todo!("the length of {message:?}, if it is at most {limit}, and the message")
}

/// Finds the messages in a stream, piece by piece.
#[derive(Debug)]
pub struct Decoder {
    /// The most bytes that a message may have.
    limit: u32,
}

impl Decoder {
    /// Nothing has come yet. A message may have `limit` bytes.
    pub fn new(limit: u32) -> Decoder {
        Decoder { limit }
    }

    /// Takes what one `read` has brought.
    pub fn feed(&mut self, piece: &[u8]) {
        todo!("keep {piece:?}")
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
        todo!("a message of at most {} bytes", self.limit)
    }

    /// The stream has ended, and all messages were taken.
    ///
    /// # Errors
    ///
    /// [`Malformed::CutShort`] when a message had begun.
    pub fn end(&self) -> Result<(), Malformed> {
        todo!("is anything left?")
    }
}
