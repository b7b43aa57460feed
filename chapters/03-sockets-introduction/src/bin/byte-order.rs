//! How does a number lie in memory, and how on the wire?

use std::io::Write;
use std::process::ExitCode;

use introduction::program::{Outcome, run};
use sockets_introduction::byte_order::{Order, from_wire, to_wire};

const USAGE: &str =
    "usage: byte-order [NUMBER], 64 bits at most, for example 8000 or 0x1f40";

fn main() -> ExitCode {
    run(USAGE, work)
}

fn work(arguments: &[&str], out: &mut dyn Write) -> Outcome {
    let number = match arguments {
        [] => Ok(0x0102_0304),
        [text] => match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => text.parse(),
        },
        _ => return Err(USAGE.into()),
    };
    let number = number.map_err(|_| USAGE)?;

    // ANCHOR: layouts
    let wire = match number {
        0..=0xffff => to_wire::<2>(number).map(Vec::from),
        0x1_0000..=0xffff_ffff => to_wire::<4>(number).map(Vec::from),
        _ => to_wire::<8>(number).map(Vec::from),
    };
    let wire = wire.expect("each arm has room for its numbers");
    let reversed: Vec<u8> = wire.iter().rev().copied().collect();
    let (name, memory) = match Order::of_this_host() {
        Order::Little => ("little-endian", &reversed),
        Order::Big => ("big-endian", &wire),
    };
    // ANCHOR_END: layouts

    let misread = from_wire(&reversed);
    writeln!(out, "this host is {name}")?;
    writeln!(out, "number       {number} = {number:#x}, in {} bytes", wire.len())?;
    writeln!(out, "in memory    {memory:02x?}")?;
    writeln!(out, "on the wire  {wire:02x?}")?;
    writeln!(out, "misread      {misread} = {misread:#x}")?;
    Ok(())
}
