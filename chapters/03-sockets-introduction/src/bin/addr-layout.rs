//! Where does each field of each address structure lie?

use std::io::Write;
use std::process::ExitCode;

use introduction::program::{Outcome, run_alone};
use sockets_introduction::layout::{Field, LAYOUTS, Layout};

fn main() -> ExitCode {
    run_alone("usage: addr-layout", work)
}

fn work(out: &mut dyn Write) -> Outcome {
    for Layout { name, size, align, fields } in LAYOUTS {
        writeln!(out, "{name}: {size} bytes, aligned to {align}")?;
        for Field { name, offset, size } in *fields {
            writeln!(out, "  {offset:>3} {size:>4}  {name}")?;
        }
    }
    Ok(())
}
