// ANCHOR: slowly
//! How do you read a line from a stream that has none?

use std::io::{self, ErrorKind, Read};

/// Reads one line, newline included, a byte at a time.
///
/// Returns an empty line at the end of the stream, and a line without a newline when
/// the stream ends in the middle of one.
///
/// # Errors
///
/// `InvalidData` when `limit` bytes hold no newline; what reading reports.
pub fn read_line_slowly(mut source: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut byte = [0];
    while line.last() != Some(&b'\n') {
        if line.len() == limit {
            return Err(too_long(limit));
        }
        match source.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => line.push(byte[0]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(line)
}

fn too_long(limit: usize) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("no newline in {limit} bytes"))
}
// ANCHOR_END: slowly

// ANCHOR: reader
/// Reads lines through a buffer, and keeps what it read too much for the next time.
#[derive(Debug)]
pub struct LineReader<R> {
    source: R,
    ahead: Vec<u8>,
    limit: usize,
}

impl<R: Read> LineReader<R> {
    /// Will read lines of at most `limit` bytes, newline included.
    pub fn new(source: R, limit: usize) -> LineReader<R> {
        LineReader { source, ahead: Vec::new(), limit }
    }

    /// Reads one line. It ends as [`read_line_slowly`] has it.
    ///
    /// # Errors
    ///
    /// As [`read_line_slowly`]. What was read stays [`ahead`](LineReader::ahead).
    pub fn read_line(&mut self) -> io::Result<Vec<u8>> {
        let mut searched = 0;
        loop {
            let newline =
                self.ahead[searched..].iter().position(|&byte| byte == b'\n');
            let end = newline.map(|at| searched + at + 1);
            match end {
                Some(end) if end <= self.limit => {
                    return Ok(self.ahead.drain(..end).collect());
                }
                None if self.ahead.len() < self.limit => {}
                _ => return Err(too_long(self.limit)),
            }
            searched = self.ahead.len();
            if self.read_ahead()? == 0 {
                return Ok(std::mem::take(&mut self.ahead));
            }
        }
    }

    /// What has been read from the stream and has not been asked for yet.
    pub fn ahead(&self) -> &[u8] {
        &self.ahead
    }

    fn read_ahead(&mut self) -> io::Result<usize> {
        let mut chunk = [0; 4096];
        loop {
            match self.source.read(&mut chunk) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(count) => {
                    self.ahead.extend_from_slice(&chunk[..count]);
                    return Ok(count);
                }
            }
        }
    }
}
// ANCHOR_END: reader
