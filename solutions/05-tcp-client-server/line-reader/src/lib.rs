//! **Line by line.** The reference answer.
//!
//! One buffer holds what was read and not given. The newline is looked for before more is read, and the
//! limit is asked whether there is one or not.

use std::io::{self, ErrorKind, Read};

/// Reads lines from a stream.
pub struct LineReader<R> {
    source: R,
    limit: usize,
    /// What was read and not given.
    ahead: Vec<u8>,
}

impl<R: Read> LineReader<R> {
    /// Nothing has been read yet. A line may have `limit` bytes; its end does not count.
    pub fn new(source: R, limit: usize) -> LineReader<R> {
        let ahead = Vec::new();
        LineReader {
            source,
            limit,
            ahead,
        }
    }

    /// The next line without its end, or `None` when the stream has ended.
    ///
    /// A `\r` that stands anywhere but right before the `\n` belongs to the line, as every other byte does.
    /// What stands between the last `\n` and the end of the stream is a line, too, unless it is nothing.
    ///
    /// When a whole line is there it is given, and nothing more is read for it.
    ///
    /// # Errors
    ///
    /// `InvalidData` as soon as it is certain that a line has more than `limit` bytes. What the source
    /// reports, except `Interrupted`, after which it reads on.
    pub fn read_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(newline) = self.ahead.iter().position(|byte| *byte == b'\n') {
                let line = &self.ahead[..newline];
                let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
                self.check(line.len())?;
                self.ahead.drain(..=newline);
                return Ok(Some(line));
            }
            // A \r at the very end may turn out to belong to the end of the line.
            let certain = self.ahead.strip_suffix(b"\r").unwrap_or(&self.ahead);
            self.check(certain.len())?;
            if self.read_more()? == 0 {
                break;
            }
        }
        self.check(self.ahead.len())?;
        let rest = std::mem::take(&mut self.ahead);
        Ok((!rest.is_empty()).then_some(rest))
    }

    /// What was read and is in no line that was given: the beginning of whatever follows the lines.
    pub fn into_rest(self) -> Vec<u8> {
        self.ahead
    }

    /// One read, and how many bytes it brought.
    fn read_more(&mut self) -> io::Result<usize> {
        let mut piece = [0; 512];
        loop {
            match self.source.read(&mut piece) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(count) => {
                    self.ahead.extend_from_slice(&piece[..count]);
                    return Ok(count);
                }
            }
        }
    }

    fn check(&self, length: usize) -> io::Result<()> {
        if length > self.limit {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "the line is too long",
            ));
        }
        Ok(())
    }
}
