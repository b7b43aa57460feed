//! Are the structures what the chapter says, and what C says?

use std::fmt::Write as _;

use lab::prelude::*;
use lab::trial::C;
use sockets_introduction::address::Address;
use sockets_introduction::layout::{LAYOUTS, Layout, of_family};

fn main() -> std::process::ExitCode {
    Suite::new("layout")
        .section("03-sockets-introduction#socket-address-structures")
        .check(sizes_are_those_of_the_chapter)
        .check(fields_neither_overlap_nor_overflow)
        .check(c_has_the_same_structures)
        .check(each_family_has_its_structure)
        .check(the_book_draws_this)
        .main()
}

fn named(name: &str) -> Result<&'static Layout, Finding> {
    LAYOUTS
        .iter()
        .find(|layout| layout.name == name)
        .ok_or_else(|| Finding::fail(format!("the table has no {name}")))
}

/// The numbers that the text speaks of.
fn sizes_are_those_of_the_chapter(_: &Check) -> Verdict {
    for (name, size) in [
        ("sockaddr", 16),
        ("sockaddr_in", 16),
        ("sockaddr_in6", 28),
        ("sockaddr_un", 110),
        ("sockaddr_storage", 128),
        ("in_addr", 4),
        ("in6_addr", 16),
    ] {
        let seen = named(name)?.size;
        ensure!(seen == size, "{name} has {seen} bytes, not {size}");
    }
    PASS
}

/// Each field begins where the one before ends or later, and ends inside the structure.
fn fields_neither_overlap_nor_overflow(_: &Check) -> Verdict {
    for layout in LAYOUTS {
        let mut end = 0;
        for field in layout.fields {
            let name = field.name;
            ensure!(field.offset >= end, "{name} begins before byte {end}");
            end = field.offset + field.size;
            ensure!(
                end <= layout.size,
                "{name} ends at byte {end} of {}",
                layout.size
            );
        }
    }
    PASS
}

/// The C compiler of this machine, with its own headers, finds every number of the table.
fn c_has_the_same_structures(cx: &Check) -> Verdict {
    let compiler = C::compiler(cx)?;
    let mut body = String::new();
    let mut expected = String::new();
    for layout in LAYOUTS {
        let name = layout.name;
        let _ = write!(
            body,
            r#"printf("{name} %zu %zu\n", sizeof(struct {name}), _Alignof(struct {name}));"#
        );
        let _ = writeln!(expected, "{name} {} {}", layout.size, layout.align);
        for field in layout.fields {
            let part = field.name;
            let _ = write!(
                body,
                r#"printf("{part} %zu %zu\n", offsetof(struct {name}, {part}), sizeof(((struct {name} *)0)->{part}));"#
            );
            let _ = writeln!(expected, "{part} {} {}", field.offset, field.size);
        }
    }
    let headers = ["stddef.h", "sys/socket.h", "netinet/in.h", "sys/un.h"];
    let printed = compiler.program(&headers, &body)?.works(cx, "the table")?;
    ensure!(
        printed.trim() == expected.trim(),
        "C says:\n{printed}\nthe table says:\n{expected}"
    );
    PASS
}

/// A family is read with the structure whose first field is named after it.
fn each_family_has_its_structure(_: &Check) -> Verdict {
    for (family, name) in [
        (libc::AF_INET, "sockaddr_in"),
        (libc::AF_INET6, "sockaddr_in6"),
        (libc::AF_UNIX, "sockaddr_un"),
        (libc::AF_NETLINK, "sockaddr"),
    ] {
        let found = of_family(family as libc::sa_family_t).name;
        ensure!(
            found == name,
            "family {family} is read with {found}, not {name}"
        );
    }
    PASS
}

/// The structures with the bytes of an address each, as text that the book draws. `LAB_BLESS=1` keeps it anew.
fn the_book_draws_this(cx: &Check) -> Verdict {
    if cfg!(target_endian = "big") {
        return Err(Finding::needs("a little-endian host, as the book has it"));
    }
    let mut text = String::from(
        "# Where each field of a structure begins, how long it is, and its bytes in one address. Kept by a test.\n",
    );
    for name in ["192.0.2.1:8000", "[fe80::1%1]:8000", "/tmp/socket"] {
        let address: Address = name
            .parse()
            .map_err(|error| Finding::fail(format!("{name} was not understood: {error}")))?;
        let layout = of_family(address.family());
        let _ = writeln!(text, "\n{} {} {name}", layout.name, layout.size);
        for field in layout.fields {
            let end = (field.offset + field.size).min(address.bytes().len());
            let _ = write!(text, "  {} {} {}", field.offset, field.size, field.name);
            for byte in &address.bytes()[field.offset..end] {
                let _ = write!(text, " {byte:02x}");
            }
            text.push('\n');
        }
    }
    cx.kept(
        concat!(env!("CARGO_MANIFEST_DIR"), "/layout/addresses.layout"),
        &text,
    )?;
    PASS
}
