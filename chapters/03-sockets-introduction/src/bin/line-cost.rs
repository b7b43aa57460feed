//! How many reads do a hundred lines take?

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use introduction::program::{Outcome, run_alone};
use sockets_introduction::line::{LineReader, read_line_slowly};

fn main() -> ExitCode {
    run_alone("usage: line-cost", work)
}

fn work(out: &mut dyn Write) -> Outcome {
    let mut source = sixty_byte_lines()?;
    while !read_line_slowly(&mut source, 80)?.is_empty() {}
    writeln!(out, "a byte at a time  {:4} reads", source.reads)?;

    let mut source = sixty_byte_lines()?;
    let mut lines = LineReader::new(&mut source, 80);
    while !lines.read_line()?.is_empty() {}
    writeln!(out, "through a buffer  {:4} reads", source.reads)?;
    Ok(())
}

/// A socket with 100 lines in it, at its end.
fn sixty_byte_lines() -> io::Result<Counted> {
    let (here, mut there) = UnixStream::pair()?;
    for number in 0..100 {
        there.write_all(format!("{number:059}\n").as_bytes())?;
    }
    Ok(Counted { source: here, reads: 0 })
}

/// Counts how often it is read.
struct Counted {
    source: UnixStream,
    reads: usize,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        self.source.read(buffer)
    }
}
