//! Do numbers get onto the wire and back?

use lab::prelude::*;
use sockets_introduction::byte_order::{Order, from_wire, to_wire};

fn main() -> std::process::ExitCode {
    Suite::new("byte_order")
        .section("03-sockets-introduction#host-and-network-order")
        .check(this_host_is_what_it_was_compiled_for)
        .check(every_port_comes_back)
        .check(wide_numbers_come_back)
        .check(what_does_not_fit_is_refused)
        .check(python_finds_the_same_ports)
        .main()
}

fn this_host_is_what_it_was_compiled_for(_: &Check) -> Verdict {
    let compiled = if cfg!(target_endian = "little") {
        Order::Little
    } else {
        Order::Big
    };
    let seen = Order::of_this_host();
    ensure!(
        seen == compiled,
        "memory looks {seen:?}, the target is {compiled:?}"
    );
    PASS
}

fn every_port_comes_back(_: &Check) -> Verdict {
    for port in 0..=u16::MAX {
        let wire = to_wire::<2>(port.into());
        ensure!(
            wire == Some(port.to_be_bytes()),
            "{port} is {wire:?} on the wire"
        );
        let htons = libc::htons(port).to_ne_bytes();
        ensure!(
            wire == Some(htons),
            "{port} is {wire:?}, but htons says {htons:?}"
        );
        let back = from_wire(&port.to_be_bytes());
        ensure!(back == port.into(), "{port} comes back as {back}");
    }
    PASS
}

fn wide_numbers_come_back(_: &Check) -> Verdict {
    // One bit at a time, and its neighbors: what a wrong shift or width shows in.
    for bit in 0..64 {
        for number in [1_u64 << bit, (1 << bit) - 1, !(1 << bit)] {
            let wire = to_wire::<8>(number);
            ensure!(
                wire == Some(number.to_be_bytes()),
                "{number:#x} is {wire:02x?}"
            );
            let back = from_wire(&number.to_be_bytes());
            ensure!(back == number, "{number:#x} comes back as {back:#x}");
        }
    }
    for number in [0, 1, 0x0102_0304, u32::MAX] {
        let wire = to_wire::<4>(number.into());
        ensure!(
            wire == Some(number.to_be_bytes()),
            "{number:#x} is {wire:02x?}"
        );
    }
    PASS
}

fn what_does_not_fit_is_refused(_: &Check) -> Verdict {
    ensure!(to_wire::<2>(0xffff).is_some(), "65535 is a port");
    ensure!(to_wire::<2>(0x1_0000).is_none(), "65536 is no port");
    ensure!(to_wire::<4>(1 << 32).is_none(), "2^32 has five bytes");
    ensure!(to_wire::<1>(256).is_none(), "256 has two bytes");
    ensure!(
        to_wire::<8>(u64::MAX).is_some(),
        "every u64 has eight bytes"
    );
    PASS
}

/// python3's `socket.htons` gives a number. In memory it must have our bytes.
fn python_finds_the_same_ports(cx: &Check) -> Verdict {
    let script = "
import socket, sys
for port in range(0, 65536, 97):
    print(port, socket.htons(port).to_bytes(2, sys.byteorder).hex())";
    let output = cx.tool("python3", &["-c", script])?.exits(0)?;
    ensure!(
        output.lines().count() == 676,
        "python3 says only {output:?}"
    );
    for line in output.lines() {
        let number = line.split(' ').next().and_then(|port| port.parse().ok());
        let Some([high, low]) = number.and_then(to_wire::<2>) else {
            return Err(Finding::fault(format!("python3 says {line:?}")));
        };
        let ours = format!("{high:02x}{low:02x}");
        ensure!(line.ends_with(&ours), "python3 says {line}, we say {ours}");
    }
    PASS
}
