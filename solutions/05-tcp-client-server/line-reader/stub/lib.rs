//! **Line by line.** Many protocols talk in lines: SMTP, FTP, HTTP in its headers. Read them.
//!
//! Write [`LineReader`]. A line ends with `\n` or with `\r\n`, both at any place of the piece that a `read`
//! brings, or one in this piece and one in the next. A peer may send ten lines at once, a line byte by
//! byte, or a line that never ends, to see how much memory you have.
//!
//! Do not use `std::io::BufRead` or `BufReader`: they are what you are about to write, and they know no
//! limit. The fields are yours to choose.

use std::io::{self, Read};

/// Reads lines from a stream.
pub struct LineReader<R> {
    source: R,
    limit: usize,
}

impl<R: Read> LineReader<R> {
    /// Nothing has been read yet. A line may have `limit` bytes; its end does not count.
    pub fn new(source: R, limit: usize) -> LineReader<R> {
        LineReader { source, limit }
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
        let mut piece = [0; 512];
        let count = self.source.read(&mut piece)?;
        todo!("a line of at most {} bytes; {count} have come", self.limit)
    }

    /// What was read and is in no line that was given: the beginning of whatever follows the lines.
    pub fn into_rest(self) -> Vec<u8> {
        todo!("all of it, as it came")
    }
}
