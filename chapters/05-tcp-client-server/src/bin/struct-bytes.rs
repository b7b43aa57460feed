//! One structure, three compilers: where does each put the fields?

use std::ffi::c_long;
use std::io::Write;
use std::mem::{offset_of, size_of};
use std::process::ExitCode;

use introduction::program::{Outcome, run_alone};

fn main() -> ExitCode {
    run_alone("usage: struct-bytes", work)
}

// ANCHOR: work
#[repr(C)]
struct Reading {
    _kind: u8,
    _port: u16,
    _count: c_long,
}

#[repr(C, packed)]
struct PackedReading {
    _kind: u8,
    _port: u16,
    _count: c_long,
}

fn work(out: &mut dyn Write) -> Outcome {
    macro_rules! line {
        ($name:literal, $type:ty) => {
            writeln!(
                out,
                "{:22}  {:4}  {:4}  {:5}  {:4}",
                $name,
                offset_of!($type, _kind),
                offset_of!($type, _port),
                offset_of!($type, _count),
                size_of::<$type>()
            )
        };
    }
    writeln!(out, "{:22}  kind  port  count  size", "")?;
    line!("as C has it, here", Reading)?;
    line!("packed", PackedReading)?;
    // 32 bits, where a `long` takes four bytes and is aligned to four.
    let (kind, port, count) = (0, 2, 4);
    writeln!(
        out,
        "{:22}  {kind:4}  {port:4}  {count:5}  {:4}",
        "as C has it, on i386",
        count + 4
    )?;
    Ok(())
}
// ANCHOR_END: work
