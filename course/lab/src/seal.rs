//! What does a subject send when its function returns, and who can open it?
//!
//! A frame through a pipe, behind a number that only the check and the lab's part of the child know.
//! Output, an early exit, or bytes written to every descriptor are never taken for it.

use crate::sealed::Sealed;
use crate::system;

/// The number, new for each subject.
#[derive(Debug, Clone, Copy)]
pub struct Seal([u8; 16]);

/// What came of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// It returned.
    Value {
        /// The value as messages show it.
        shown: String,
        /// The value, encoded.
        bytes: Vec<u8>,
        /// What it left behind: descriptors, children.
        left: Vec<String>,
    },
    /// It panicked, with this message.
    Panic(String),
    /// It has begun to panic. The last word only of one that aborts.
    Panicking(String),
    /// It returned in a process that it had forked.
    Stray,
}

impl Seal {
    /// A number that nobody can guess.
    pub fn new() -> Seal {
        Seal(system::nonce())
    }

    /// The frame in bytes.
    pub fn close(&self, frame: &Frame) -> Vec<u8> {
        let mut out = self.0.to_vec();
        match frame {
            Frame::Value { shown, bytes, left } => {
                1_u8.encode(&mut out);
                shown.encode(&mut out);
                bytes.encode(&mut out);
                left.encode(&mut out);
            }
            Frame::Panic(message) => {
                2_u8.encode(&mut out);
                message.encode(&mut out);
            }
            Frame::Stray => 3_u8.encode(&mut out),
            Frame::Panicking(message) => {
                4_u8.encode(&mut out);
                message.encode(&mut out);
            }
        }
        out
    }

    /// The frame that came, if one did and it is whole. A stray one outweighs the others.
    pub fn open(&self, mut bytes: &[u8]) -> Option<Frame> {
        let mut found = None;
        while let Some(rest) = bytes.strip_prefix(&self.0) {
            bytes = rest;
            found = Some(match u8::decode(&mut bytes)? {
                1 => Frame::Value {
                    shown: Sealed::decode(&mut bytes)?,
                    bytes: Sealed::decode(&mut bytes)?,
                    left: Sealed::decode(&mut bytes)?,
                },
                2 => Frame::Panic(Sealed::decode(&mut bytes)?),
                4 => Frame::Panicking(Sealed::decode(&mut bytes)?),
                _ => return Some(Frame::Stray),
            });
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_seal_opens_a_frame() {
        let frame = Frame::Value {
            shown: "5".into(),
            bytes: vec![5],
            left: vec![],
        };
        let seal = Seal::new();
        let closed = seal.close(&frame);
        assert_eq!(seal.open(&closed), Some(frame));
        assert_eq!(Seal::new().open(&closed), None);
        assert_eq!(seal.open(&closed[..closed.len() - 1]), None);
        assert_eq!(seal.open(b""), None);
    }

    #[test]
    fn a_stray_return_outweighs_a_value() {
        let seal = Seal::new();
        let value = seal.close(&Frame::Panic("x".into()));
        let both = [value, seal.close(&Frame::Stray)].concat();
        assert_eq!(seal.open(&both), Some(Frame::Stray));
    }
}
