//! What does `bind` make of a length that is wrong?

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::ExitCode;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use sockets_introduction::address::Address;
use sockets_introduction::error::{CallError, InCall};
use sockets_introduction::program::{Outcome, run_alone};
use sockets_introduction::unix::Name;
use sockets_introduction::value_result::local_address;

fn main() -> ExitCode {
    run_alone("usage: bind-sizes", work)
}

fn work(out: &mut dyn Write) -> Outcome {
    let folder = std::env::temp_dir().join(format!("bind-sizes-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let table = std::env::set_current_dir(&folder)
        .map_err(Into::into)
        .and_then(|()| table(out));
    fs::remove_dir(&folder)?;
    table
}

// ANCHOR: table
fn table(out: &mut dyn Write) -> Outcome {
    let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into();
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, 0)).into();
    let path = Address::unix(Path::new("foo.socket")).ok_or("too long")?;
    let name = Address::unix_abstract(b"bind-sizes").ok_or("too long")?;

    writeln!(out, "family      length  bind says")?;
    for length in [8, 15, 16, 28, 128, 129] {
        row(out, "AF_INET", AddressFamily::Inet, &v4, length)?;
    }
    for length in [8, 16, 23, 24, 28, 128, 129] {
        row(out, "AF_INET6", AddressFamily::Inet6, &v6, length)?;
    }
    for length in [2, 3, 8, 12, 13, 110, 111] {
        row(out, "AF_UNIX", AddressFamily::Unix, &path, length)?;
    }
    for length in [13, 110] {
        row(out, "abstract", AddressFamily::Unix, &name, length)?;
    }
    Ok(())
}
// ANCHOR_END: table

fn row(
    out: &mut dyn Write,
    label: &str,
    family: AddressFamily,
    address: &Address,
    length: u32,
) -> Outcome {
    match bind(family, address, length) {
        Ok(bound) => writeln!(
            out,
            "{label:10} {length:>7}  ok, {} bytes: {:.20}",
            bound.len(),
            bound.to_string()
        )?,
        Err(error) => writeln!(out, "{label:10} {length:>7}  {}", error.errno)?,
    }
    Ok(())
}

// ANCHOR: bind
/// Binds a new socket, with `length` in place of the right one, and asks what it is called now.
fn bind(family: AddressFamily, address: &Address, length: u32) -> Result<Address, CallError> {
    let socket =
        socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).in_call("socket")?;
    let mut memory = [0_u8; 256];
    memory[..address.bytes().len()].copy_from_slice(address.bytes());
    // SAFETY: `memory` has more than `length` bytes.
    let result = unsafe { libc::bind(socket.as_raw_fd(), memory.as_ptr().cast(), length) };
    Errno::result(result).in_call("bind")?;

    let bound = local_address(&socket)?;
    if let Some(Name::Path(file)) = bound.unix_name() {
        // It lies in a folder of our own; what stays there is reported when the folder goes.
        let _ = fs::remove_file(file);
    }
    Ok(bound)
}
// ANCHOR_END: bind
