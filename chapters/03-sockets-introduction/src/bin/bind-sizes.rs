// ANCHOR: table
//! What does `bind` make of a length that is wrong?

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::ExitCode;

use introduction::error::{CallError, InCall};
use introduction::program::{Outcome, run_alone};
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use sockets_introduction::address::Address;
use sockets_introduction::unix::Name;
use sockets_introduction::value_result::local_address;

fn main() -> ExitCode {
    run_alone("usage: bind-sizes", work)
}

fn work(out: &mut dyn Write) -> Outcome {
    let folder =
        std::env::temp_dir().join(format!("bind-sizes-{}", std::process::id()));
    fs::create_dir(&folder)?;
    std::env::set_current_dir(&folder)?;
    let table = table(out);
    fs::remove_dir(&folder)?;
    table
}

fn table(out: &mut dyn Write) -> Outcome {
    let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into();
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, 0)).into();
    let path = Address::unix(Path::new("foo.socket")).ok_or("too long")?;
    let name = Address::unix_abstract(b"bind-sizes").ok_or("too long")?;

    let cases: [(_, _, Address, &[_]); 4] = [
        ("AF_INET", AddressFamily::Inet, v4, &[8, 15, 16, 28, 128, 129]),
        ("AF_INET6", AddressFamily::Inet6, v6, &[8, 16, 23, 24, 28, 128, 129]),
        ("AF_UNIX", AddressFamily::Unix, path, &[2, 3, 8, 12, 13, 110, 111]),
        ("abstract", AddressFamily::Unix, name, &[13, 110]),
    ];
    writeln!(out, "family      length  bind says")?;
    for (label, family, address, lengths) in cases {
        for &length in lengths {
            write!(out, "{label:10} {length:>7}  ")?;
            match bind(family, &address, length) {
                Ok(bound) => writeln!(
                    out,
                    "ok, {} bytes: {:.20}",
                    bound.len(),
                    bound.to_string()
                )?,
                Err(error) => writeln!(out, "{}", error.errno)?,
            }
        }
    }
    Ok(())
}
// ANCHOR_END: table

// ANCHOR: bind
/// Binds a new socket with this `length`, and asks what it is called now.
fn bind(
    family: AddressFamily,
    address: &Address,
    length: u32,
) -> Result<Address, CallError> {
    let socket = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)
        .in_call("socket")?;
    let mut memory = [0_u8; 256];
    memory[..address.bytes().len()].copy_from_slice(address.bytes());
    // SAFETY: `memory` has more than `length` bytes.
    let result =
        unsafe { libc::bind(socket.as_raw_fd(), memory.as_ptr().cast(), length) };
    Errno::result(result).in_call("bind")?;

    let bound = local_address(&socket)?;
    if let Some(Name::Path(file)) = bound.unix_name() {
        // What cannot be removed here is reported when its folder goes.
        let _ = fs::remove_file(file);
    }
    Ok(bound)
}
// ANCHOR_END: bind
