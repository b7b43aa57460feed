//! Where does each field of each address structure lie?

use std::io::Write;
use std::process::ExitCode;

use sockets_introduction::layout::LAYOUTS;
use sockets_introduction::program::{Outcome, run_alone};

fn main() -> ExitCode {
    run_alone("usage: addr-layout", work)
}

fn work(out: &mut dyn Write) -> Outcome {
    for layout in LAYOUTS {
        writeln!(
            out,
            "{}: {} bytes, aligned to {}",
            layout.name, layout.size, layout.align
        )?;
        for field in layout.fields {
            writeln!(out, "  {:>3} {:>4}  {}", field.offset, field.size, field.name)?;
        }
    }
    Ok(())
}
