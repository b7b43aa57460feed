//! Grades `bind-length`.
//!
//! No answer stands in here: the kernel gives it, one `bind` after the other.

use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

use bind_length as rules;
use bind_length::Family;
use lab::prelude::*;

pub fn main() -> std::process::ExitCode {
    Grader::new("bind-length")
        .section("03-sockets-introduction#socket-address-structures")
        .check(2, every_length_for_ipv4)
        .check(2, every_length_for_ipv6)
        .check(3, every_length_for_a_path)
        .see("03-sockets-introduction#unix-paths")
        .check(2, every_family_on_every_socket)
        .see("03-sockets-introduction#one-type-for-all")
        .main()
}

/// Long enough to pass every limit that the kernel has.
const LENGTHS: RangeInclusive<usize> = 0..=140;

/// What `bind` did, or what a rule says that it does: the name of a file that appears, or an error.
type Said = Result<String, Errno>;

/// The rule for IPv4 says of each length what the kernel does.
fn every_length_for_ipv4(cx: &Check) -> Verdict {
    inet(cx, "ipv4", libc::AF_INET, rules::ipv4)
}

/// The rule for IPv6 says of each length what the kernel does.
fn every_length_for_ipv6(cx: &Check) -> Verdict {
    inet(cx, "ipv6", libc::AF_INET6, rules::ipv6)
}

fn inet(
    cx: &Check,
    name: &str,
    family: libc::c_int,
    rule: fn(usize) -> Result<(), Errno>,
) -> Verdict {
    let predicted = predictions(cx, name, move |length| rule(length).map(|()| String::new()))?;
    let mut seen = Vec::new();
    for length in LENGTHS {
        seen.push(bind(family, &address(family, b"")[..length])?);
    }
    compare(name, "bind succeeds", &predicted, &seen)
}

/// The rule for paths says of each length what the kernel does, and what the file is called.
fn every_length_for_a_path(cx: &Check) -> Verdict {
    let predicted = predictions(cx, "unix", |length| rules::unix(length).map(String::from))?;
    let folder = cx.folder()?;
    // A path in an address would be cut with the address. The current folder is this process's own.
    std::env::set_current_dir(folder)?;
    let mut seen = Vec::new();
    for length in LENGTHS {
        let said = bind(
            libc::AF_UNIX,
            &address(libc::AF_UNIX, b"foo.socket")[..length],
        )?;
        seen.push(match said {
            Ok(_) => Ok(take_file(folder)?),
            Err(errno) => Err(errno),
        });
    }
    compare(
        "unix",
        "bind succeeds, and no file appears",
        &predicted,
        &seen,
    )
}

/// The rule for families says of each pair what the kernel does.
fn every_family_on_every_socket(cx: &Check) -> Verdict {
    const PAIRS: [Family; 4] = [Family::Unspec, Family::Unix, Family::Inet, Family::Inet6];
    let pairs = || {
        PAIRS[1..]
            .iter()
            .flat_map(|socket| PAIRS.map(|address| (*socket, address)))
    };
    let subject = cx.spawner().named("family").subject(|| {
        let said = pairs().map(|(socket, address)| rules::family(socket, address));
        said.collect::<Vec<_>>()
    })?;
    let predicted = subject.value()?;
    let mut wrong = Vec::new();
    let mut why = "";
    for ((socket, address), predicted) in pairs().zip(predicted) {
        let seen = bind(
            number(socket),
            &self::address(number(address), b"")[..size(address)],
        )?
        .map(|_| ());
        if seen != predicted {
            let (predicted, seen) = (told(predicted), told(seen));
            let (on, of) = (called(socket), called(address));
            wrong.push(format!(
                "{of} address on an {on} socket: you say {predicted}, Linux says {seen}"
            ));
            if why.is_empty() {
                why = why_family(socket, address);
            }
        }
    }
    if wrong.is_empty() {
        return PASS;
    }
    let what = format!(
        "family is wrong for {} of 12 pairs. {}",
        wrong.len(),
        wrong[0]
    );
    Err(all(what, &wrong)).because(why)
}

/// What the rule says of each length.
fn predictions(cx: &Check, name: &str, rule: impl Fn(usize) -> Said) -> Result<Vec<Said>, Finding> {
    cx.spawner()
        .named(name)
        .subject(|| LENGTHS.map(rule).collect())?
        .value()
}

/// Compares length by length. Neighbors that are wrong in the same way are told together.
fn compare(rule: &str, nameless: &str, predicted: &[Said], seen: &[Said]) -> Verdict {
    let told = |said: &Said| match said {
        Ok(name) if name.is_empty() => nameless.to_string(),
        Ok(name) => format!("a file {name:?} appears"),
        Err(errno) => format!("{errno:?}"),
    };
    let wrong: Vec<usize> = LENGTHS
        .filter(|length| predicted[*length] != seen[*length])
        .collect();
    let Some(&first) = wrong.first() else {
        return PASS;
    };
    let mut lines: Vec<(RangeInclusive<usize>, String)> = Vec::new();
    for &length in &wrong {
        let line = format!(
            "you say: {}; Linux: {}",
            told(&predicted[length]),
            told(&seen[length])
        );
        match lines.last_mut() {
            Some((range, same)) if *same == line && *range.end() + 1 == length => {
                *range = *range.start()..=length;
            }
            _ => lines.push((length..=length, line)),
        }
    }
    let lines: Vec<String> = lines
        .into_iter()
        .map(|(range, line)| format!("{}: {line}", spoken(&range)))
        .collect();
    let what = format!(
        "{rule} is wrong for {} of {} lengths. {}",
        wrong.len(),
        seen.len(),
        lines[0]
    );
    Err(all(what, &lines)).because(why_length(rule, first, &seen[first]))
}

/// A failure that tells the first difference in its line, and all of them below if there are more.
fn all(what: String, lines: &[String]) -> Finding {
    match lines {
        [_] => Finding::fail(what),
        lines => Finding::fail(what).with_detail(lines.join("\n")),
    }
}

fn spoken(lengths: &RangeInclusive<usize>) -> String {
    match (lengths.start(), lengths.end()) {
        (from, to) if from == to => format!("length {from}"),
        (from, to) => format!("lengths {from} to {to}"),
    }
}

/// Why the kernel did that, told after it did.
fn why_length(rule: &str, length: usize, seen: &Said) -> &'static str {
    match (rule, seen) {
        (_, Err(_)) if length > 128 => {
            "The kernel copies the address to a sockaddr_storage of its own before any family sees it. What is longer \
             than that, 128 bytes, is EINVAL."
        }
        ("ipv4", Err(_)) => {
            "The kernel needs family, port, address and the padding: it asks for all of a sockaddr_in, 16 bytes, although \
             it never looks at the last eight."
        }
        ("ipv6", Err(_)) => {
            "Less than family, port, flow label and address, 24 bytes, is no IPv6 address. A sockaddr of 16 bytes ends in \
             the middle of it."
        }
        ("ipv6", Ok(_)) if length < 28 => {
            "RFC 2133 had no scope id: its sockaddr_in6 was 24 bytes long. Linux takes it still, and the scope is 0."
        }
        ("ipv4" | "ipv6", Ok(_)) => {
            "More than the family needs does no harm: what follows the structure is not looked at, as long as it fits into \
             the 128 bytes of a sockaddr_storage."
        }
        (_, Err(_)) if length < 2 => "Without two bytes there is not even a family.",
        (_, Err(_)) => {
            "A sockaddr_un is 110 bytes: two for the family and 108 for the name. Here the kernel is strict, and \
             longer is EINVAL."
        }
        (_, Ok(name)) if name.is_empty() => {
            "A family without any name asks for autobind: the kernel makes up an abstract name, which is no file. See unix(7)."
        }
        (_, Ok(name)) if name.len() < "foo.socket".len() => {
            "The name is what lies between the family and the length: length minus two bytes. It needs no zero byte at its \
             end, and the kernel cannot know that it was meant to be longer. So the size of a pointer is no error."
        }
        (_, Ok(_)) => {
            "The name ends at its first zero byte, or at the length, and it may fill all 108 bytes of sun_path without any zero \
             byte: 110 bytes with the family."
        }
    }
}

/// Why the kernel did that with this pair, told after it did.
fn why_family(socket: Family, address: Family) -> &'static str {
    match (socket, address) {
        (Family::Unix, Family::Unix) => {
            "A name that begins with a zero byte is abstract, and all the bytes behind it are part of it, zero or not. This \
             one is fine."
        }
        (Family::Unix, _) => {
            "The Unix domain has one error for an address that is not its own: EINVAL."
        }
        (Family::Inet, Family::Unspec) => {
            "Old programs left the family 0. For their sake an AF_INET socket takes AF_UNSPEC, if the address is 0.0.0.0, and \
             for nothing else."
        }
        (Family::Inet6, Family::Unspec | Family::Inet) => {
            "The length is looked at first. 16 bytes are too few for IPv6, whatever family they say: EINVAL."
        }
        (a, b) if a == b => {
            "The family is the socket's own, and all zeros is the wildcard address with port 0. That is fine."
        }
        _ => {
            "The length is enough, but the address is of another family than the socket: EAFNOSUPPORT."
        }
    }
}

/// Binds a new socket to the address, and closes it.
fn bind(family: libc::c_int, address: &[u8]) -> Result<Said, Finding> {
    // SAFETY: no pointers are passed, and the new descriptor is owned by nobody else.
    let socket = unsafe {
        match libc::socket(family, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) {
            -1 if family == libc::AF_INET6 => return Err(Finding::needs("IPv6")),
            -1 => return Err(io::Error::last_os_error().into()),
            fd => OwnedFd::from_raw_fd(fd),
        }
    };
    // SAFETY: the address is as long as is said.
    match unsafe {
        libc::bind(
            socket.as_raw_fd(),
            address.as_ptr().cast(),
            address.len() as libc::socklen_t,
        )
    } {
        0 => Ok(Ok(String::new())),
        _ => Ok(Err(Errno::last())),
    }
}

/// The family, what follows it, and zeros to the end.
fn address(family: libc::c_int, follows: &[u8]) -> [u8; 256] {
    let mut address = [0; 256];
    address[..2].copy_from_slice(&(family as libc::sa_family_t).to_ne_bytes());
    address[2..2 + follows.len()].copy_from_slice(follows);
    address
}

/// The name of the one file in the folder, which is removed; empty when there is none.
fn take_file(folder: &Path) -> io::Result<String> {
    let Some(entry) = fs::read_dir(folder)?.next() else {
        return Ok(String::new());
    };
    let entry = entry?;
    fs::remove_file(entry.path())?;
    Ok(entry.file_name().to_string_lossy().into_owned())
}

fn told(said: Result<(), Errno>) -> String {
    match said {
        Ok(()) => "Ok".into(),
        Err(errno) => format!("{errno:?}"),
    }
}

fn called(family: Family) -> &'static str {
    match family {
        Family::Unspec => "AF_UNSPEC",
        Family::Unix => "AF_UNIX",
        Family::Inet => "AF_INET",
        Family::Inet6 => "AF_INET6",
    }
}

fn number(family: Family) -> libc::c_int {
    match family {
        Family::Unspec => libc::AF_UNSPEC,
        Family::Unix => libc::AF_UNIX,
        Family::Inet => libc::AF_INET,
        Family::Inet6 => libc::AF_INET6,
    }
}

/// The length of an address that says this family.
fn size(family: Family) -> usize {
    match family {
        Family::Unspec | Family::Inet => size_of::<libc::sockaddr_in>(),
        Family::Unix => size_of::<libc::sockaddr_un>(),
        Family::Inet6 => size_of::<libc::sockaddr_in6>(),
    }
}
