//! One read brings one line.

use std::io::{self, ErrorKind, Read};

pub struct LineReader<R> {
    source: R,
    limit: usize,
    ahead: Vec<u8>,
}

impl<R: Read> LineReader<R> {
    pub fn new(source: R, limit: usize) -> LineReader<R> {
        let ahead = Vec::new();
        LineReader {
            source,
            limit,
            ahead,
        }
    }

    pub fn read_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if self.ahead.last() == Some(&b'\n') {
                let newline = self.ahead.len() - 1;
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

    pub fn into_rest(self) -> Vec<u8> {
        self.ahead
    }

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
