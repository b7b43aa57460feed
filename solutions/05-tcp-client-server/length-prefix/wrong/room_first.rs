//! Room for the message first, then the message.

const PREFIX: usize = size_of::<u32>();

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    TooLong(u32),
    CutShort,
}

pub fn encode(message: &[u8], limit: u32) -> Result<Vec<u8>, Malformed> {
    // What does not even fit into the number is longer than any limit.
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    if message.len() > limit as usize {
        return Err(Malformed::TooLong(length));
    }
    Ok([&length.to_be_bytes(), message].concat())
}

#[derive(Debug)]
pub struct Decoder {
    limit: u32,
    ahead: Vec<u8>,
}

impl Decoder {
    pub fn new(limit: u32) -> Decoder {
        let ahead = Vec::new();
        Decoder { limit, ahead }
    }

    pub fn feed(&mut self, piece: &[u8]) {
        self.ahead.extend_from_slice(piece);
    }

    pub fn next_message(&mut self) -> Result<Option<Vec<u8>>, Malformed> {
        let Some(prefix) = self.ahead.first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*prefix);
        if length > self.limit {
            return Err(Malformed::TooLong(length));
        }
        let end = PREFIX + length as usize;
        let mut message = vec![0; length as usize];
        let Some(body) = self.ahead.get(PREFIX..end) else {
            return Ok(None);
        };
        message.copy_from_slice(body);
        self.ahead.drain(..end);
        Ok(Some(message))
    }

    pub fn end(&self) -> Result<(), Malformed> {
        if self.ahead.is_empty() {
            Ok(())
        } else {
            Err(Malformed::CutShort)
        }
    }
}
