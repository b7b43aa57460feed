// ANCHOR: delimited
//! A byte that ends a message, and a way to send that byte inside one.

use super::{Framing, Malformed};

const END: u8 = b'\n';
const ESCAPE: u8 = b'\\';

/// Messages that end with a newline. Inside, a newline is sent as `\n` and a backslash as `\\`.
pub struct Delimited {
    /// The most bytes that a message may take in the stream, its end included.
    pub limit: usize,
}

impl Framing for Delimited {
    fn encode(&self, message: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut bytes = Vec::with_capacity(message.len() + 1);
        for &byte in message {
            match byte {
                END => bytes.extend([ESCAPE, b'n']),
                ESCAPE => bytes.extend([ESCAPE, ESCAPE]),
                _ => bytes.push(byte),
            }
        }
        bytes.push(END);
        self.check(bytes.len())?;
        Ok(bytes)
    }

    fn decode(&self, received: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Malformed> {
        let Some(end) = received.iter().position(|&byte| byte == END) else {
            // Whoever never ends a line must not fill the memory.
            self.check(received.len() + 1)?;
            return Ok(None);
        };
        self.check(end + 1)?;
        let mut message = Vec::with_capacity(end);
        let mut bytes = received[..end].iter();
        while let Some(&byte) = bytes.next() {
            message.push(match (byte, byte == ESCAPE) {
                (_, false) => byte,
                _ => match bytes.next() {
                    Some(b'n') => END,
                    Some(&ESCAPE) => ESCAPE,
                    other => return Err(Malformed::Meaningless(*other.unwrap_or(&END))),
                },
            });
        }
        Ok(Some((message, end + 1)))
    }
}

impl Delimited {
    fn check(&self, bytes: usize) -> Result<(), Malformed> {
        let limit = self.limit;
        if bytes > limit {
            Err(Malformed::TooLong { bytes, limit })
        } else {
            Ok(())
        }
    }
}
// ANCHOR_END: delimited
