// ANCHOR: framing
//! Where does one message end and the next begin, when the stream does not say?

pub mod delimited;
pub mod fixed;
pub mod length;
pub mod tagged;

use std::fmt;

/// A way to put messages into a stream of bytes and to find them again.
pub trait Framing {
    /// The bytes that stand for `message` in the stream.
    ///
    /// # Errors
    ///
    /// [`Malformed`] when this framing cannot carry such a message.
    fn encode(&self, message: &[u8]) -> Result<Vec<u8>, Malformed>;

    /// The first message in `received`, and how many bytes of `received` it took.
    ///
    /// `None` when its end has not come yet. Whoever asks keeps the bytes and asks again when
    /// there are more.
    ///
    /// # Errors
    ///
    /// [`Malformed`] when no more bytes can make a message of this. The stream is then lost: nobody
    /// knows where the next message begins.
    fn decode(&self, received: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Malformed>;
}

/// Why bytes are no message, or a message cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Malformed {
    /// It is longer than this end is willing to keep.
    TooLong {
        /// How many bytes there are, or are announced.
        bytes: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Not the one length that messages have.
    NotThisLong(usize),
    /// A byte that has no meaning where it stands.
    Meaningless(u8),
    /// The stream ended in the middle of a message, after so many bytes of it.
    CutOff(usize),
}

impl std::error::Error for Malformed {}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::TooLong { bytes, limit } => {
                write!(f, "{bytes} bytes where {limit} are the limit")
            }
            Malformed::NotThisLong(bytes) => {
                write!(f, "{bytes} bytes is not the size of a message")
            }
            Malformed::Meaningless(byte) => write!(f, "byte {byte:#04x} means nothing here"),
            Malformed::CutOff(bytes) => write!(f, "the stream ended {bytes} bytes into a message"),
        }
    }
}
// ANCHOR_END: framing

// ANCHOR: receiver
/// Takes the pieces that a stream comes in, and gives the messages.
pub struct Receiver<'f> {
    framing: &'f dyn Framing,
    ahead: Vec<u8>,
}

impl<'f> Receiver<'f> {
    /// Nothing has come yet.
    pub fn new(framing: &'f dyn Framing) -> Receiver<'f> {
        let ahead = Vec::new();
        Receiver { framing, ahead }
    }

    /// What one `read` has brought: as many messages as it completes, perhaps none.
    ///
    /// # Errors
    ///
    /// As [`Framing::decode`]. Close the connection.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<Vec<u8>>, Malformed> {
        self.ahead.extend_from_slice(piece);
        let mut messages = Vec::new();
        while let Some((message, took)) = self.framing.decode(&self.ahead)? {
            self.ahead.drain(..took);
            messages.push(message);
        }
        Ok(messages)
    }

    /// `read` has returned 0.
    ///
    /// # Errors
    ///
    /// `CutOff` when a message had begun.
    pub fn end(&self) -> Result<(), Malformed> {
        match self.ahead.len() {
            0 => Ok(()),
            bytes => Err(Malformed::CutOff(bytes)),
        }
    }
}
// ANCHOR_END: receiver
