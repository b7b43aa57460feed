//! Do addresses survive the way into the kernel's form, into text, and back?

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use lab::prelude::*;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use sockets_introduction::address::Address;
use sockets_introduction::parse::NoAddress;
use sockets_introduction::text::{by_inet_addr, by_inet_aton, of_ip, to_ip};
use sockets_introduction::unix::Name;
use sockets_introduction::value_result::{family_of, local_address};

fn main() -> std::process::ExitCode {
    Suite::new("addresses")
        .section("03-sockets-introduction#one-type-for-all")
        .check(std_addresses_come_back)
        .check(fields_are_where_the_kernel_looks)
        .check(short_or_foreign_bytes_are_no_internet_address)
        .check(hosts_and_ports_change_one_by_one)
        .check(the_link_is_part_of_the_host)
        .check(texts_come_back)
        .check(wrong_texts_are_refused)
        .check(text_agrees_with_std)
        .check(python_reads_the_same_bytes)
        .check(python_reads_the_same_scope_id)
        .check(old_functions_are_as_lax_as_the_chapter_says)
        .check(unix_names_come_back_from_the_kernel)
        .check(unix_names_have_108_bytes)
        .main()
}

/// Numbers that look random and are the same in every run (xorshift).
fn numbers() -> impl Iterator<Item = u128> {
    let mut state = 0x0003_1415_9265_3589_u64;
    std::iter::repeat_with(move || {
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            u128::from(state)
        };
        next() << 64 | next()
    })
}

fn std_addresses_come_back(_: &Check) -> Verdict {
    for number in numbers().take(2000) {
        let (port, link) = (number as u16, (number >> 16) as u32);
        let v4 = SocketAddr::from((Ipv4Addr::from(number as u32), port));
        let v6 = SocketAddrV6::new(Ipv6Addr::from(number), port, link ^ 5, link);
        for std in [v4, v6.into()] {
            let back = Address::from(std).to_std();
            ensure!(back == Some(std), "{std:?} comes back as {back:?}");
            let bytes = Address::from(std);
            let copy = Address::from_bytes(bytes.bytes()).and_then(|copy| copy.to_std());
            ensure!(copy == Some(std), "a copy of {std:?} is {copy:?}");
        }
    }
    PASS
}

fn fields_are_where_the_kernel_looks(_: &Check) -> Verdict {
    let v4 = Address::from(SocketAddr::from(([192, 0, 2, 1], 8000)));
    let family = (libc::AF_INET as u16).to_ne_bytes();
    let expected = [&family[..], &[0x1f, 0x40, 192, 0, 2, 1], &[0; 8]].concat();
    ensure!(v4.bytes() == expected, "{v4} is {:02x?}", v4.bytes());

    let v6 = SocketAddrV6::new("fe80::1".parse().unwrap_or(Ipv6Addr::UNSPECIFIED), 80, 0, 7);
    let v6 = Address::from(SocketAddr::from(v6));
    ensure!(
        v6.bytes()[2..4] == [0, 80],
        "the port is {:02x?}",
        &v6.bytes()[2..4]
    );
    ensure!(
        v6.bytes()[8..10] == [0xfe, 0x80],
        "the host is {:02x?}",
        &v6.bytes()[8..]
    );
    ensure!(
        v6.bytes()[24..] == 7_u32.to_ne_bytes(),
        "link: {:02x?}",
        &v6.bytes()[24..]
    );
    PASS
}

fn short_or_foreign_bytes_are_no_internet_address(_: &Check) -> Verdict {
    let v6 = Address::from(SocketAddr::from((Ipv6Addr::LOCALHOST, 80)));
    for length in 0..28 {
        let cut = Address::from_bytes(&v6.bytes()[..length]);
        let read = cut.and_then(|cut| cut.to_std());
        ensure!(
            read.is_none(),
            "{length} bytes of {v6} are read as {read:?}"
        );
    }
    ensure!(
        Address::from_bytes(&[0; 129]).is_none(),
        "129 bytes are too many"
    );
    ensure!(Address::from_bytes(&[0; 128]).is_some(), "128 bytes fit");
    let unix = Address::unix(Path::new("/tmp/x")).and_then(|unix| unix.port());
    ensure!(unix.is_none(), "a path has no port");
    PASS
}

fn hosts_and_ports_change_one_by_one(_: &Check) -> Verdict {
    let before = parsed("[2001:db8::1]:80")?;
    for (after, expected) in [
        (before.with_port(8000), "[2001:db8::1]:8000"),
        (before.with_host(Ipv4Addr::LOCALHOST.into()), "127.0.0.1:80"),
        (before.with_wildcard(), "[::]:80"),
        (parsed("192.0.2.1:80")?.with_wildcard(), "0.0.0.0:80"),
    ] {
        let after = after.map(|after| after.to_string());
        ensure!(
            after.as_deref() == Some(expected),
            "{after:?}, not {expected}"
        );
    }
    ensure!(
        parsed("@name")?.with_port(1).is_none(),
        "a name has no port"
    );
    PASS
}

fn the_link_is_part_of_the_host(_: &Check) -> Verdict {
    let [one, other, far] =
        ["[fe80::1%1]:80", "[fe80::1%2]:80", "[fe80::1%2]:81"].map(str::parse::<Address>);
    let (Ok(one), Ok(other), Ok(far)) = (one, other, far) else {
        return Err(Finding::fail("an index is no scope id"));
    };
    ensure!(!one.same_host(&other), "{one} and {other} are two hosts");
    ensure!(one.same_port(&other), "{one} and {other} have one port");
    ensure!(other.same_host(&far), "{other} and {far} are one host");
    ensure!(!other.same_port(&far), "{other} and {far} have two ports");
    let name = parsed("@name")?;
    ensure!(!name.same_host(&name), "a Unix name has no host");
    ensure!(!name.same_port(&name), "a Unix name has no port");
    PASS
}

fn parsed(text: &str) -> Result<Address, Finding> {
    text.parse()
        .map_err(|error| Finding::fail(format!("{text}: {error}")))
}

fn texts_come_back(_: &Check) -> Verdict {
    for (text, shown) in [
        ("192.0.2.1", "192.0.2.1:0"),
        ("192.0.2.1:65535", "192.0.2.1:65535"),
        ("::", "[::]:0"),
        ("[::1]", "[::1]:0"),
        ("[2001:DB8:0:0::1]:80", "[2001:db8::1]:80"),
        ("::ffff:192.0.2.1", "[::ffff:192.0.2.1]:0"),
        ("fe80::1%lo", "[fe80::1%lo]:0"),
        ("[fe80::1%1]:80", "[fe80::1%lo]:80"),
        ("[fe80::1%4294967295]:80", "[fe80::1%4294967295]:80"),
        ("/tmp/a socket", "/tmp/a socket"),
        ("./x", "./x"),
        ("@", "@"),
        ("@a\0b", "@a\\x00b"),
    ] {
        let seen = parsed(text)?.to_string();
        ensure!(seen == shown, "{text} is shown as {seen}, not {shown}");
    }
    PASS
}

fn wrong_texts_are_refused(_: &Check) -> Verdict {
    let host = |text: &str| (text.to_owned(), NoAddress::Host(text.into()));
    let port = |text: &str, port: &str| (text.to_owned(), NoAddress::Port(port.into()));
    let link = |text: &str, link: &str| (text.to_owned(), NoAddress::Link(link.into()));
    let long = "@".repeat(109);
    for (text, expected) in [
        host(""),
        host("localhost"),
        host("1.2.3"),
        host("010.0.0.1"),
        host("1.2.3.4%lo"),
        host("[1.2.3.4]:80"),
        host("[::1"),
        host("[::1]80"),
        host("::1::"),
        host("1.2.3.4\0"),
        port("1.2.3.4:", ""),
        port("1.2.3.4:65536", "65536"),
        port("[::1]:+80", "+80"),
        port("[::1]:-1", "-1"),
        link("fe80::1%", ""),
        link("fe80::1%no-such-link", "no-such-link"),
        link("fe80::1%4294967296", "4294967296"),
        link("fe80::1%+1", "+1"),
        (long.clone(), NoAddress::Unix(long)),
        (
            format!("/{}", "a".repeat(108)),
            NoAddress::Unix(format!("/{}", "a".repeat(108))),
        ),
        ("/a\0".into(), NoAddress::Unix("/a\0".into())),
    ] {
        match text.parse::<Address>() {
            Ok(address) => return Err(Finding::fail(format!("{text:?} is {address}"))),
            Err(error) => ensure!(error == expected, "{text:?} gives {error:?}"),
        }
    }
    PASS
}

fn text_agrees_with_std(_: &Check) -> Verdict {
    for number in numbers().take(2000) {
        // Half of the groups are zero, so that there is something for `::` to leave out.
        let groups = (0..8).map(|at| (number >> (16 * at)) as u16);
        let mut v6 = [0; 8];
        for (group, random) in v6.iter_mut().zip(groups) {
            *group = if random & 1 == 0 { 0 } else { random };
        }
        let hosts = [
            Ipv4Addr::from(number as u32).into(),
            Ipv6Addr::from(v6).into(),
        ];
        for host in hosts {
            let text = of_ip(host, 46).map_err(|error| Finding::fail(error.to_string()))?;
            ensure!(
                to_ip(&text) == Some(host),
                "{text} is read as {:?}",
                to_ip(&text)
            );
            ensure!(
                text.parse() == Ok(host),
                "std does not read {text} as {host}"
            );
            ensure!(to_ip(&host.to_string()) == Some(host), "{host} is not read");
        }
    }
    PASS
}

/// What python3's `inet_pton` makes of a text is what lies in our structure.
fn python_reads_the_same_bytes(cx: &Check) -> Verdict {
    let texts = [
        "192.0.2.1",
        "255.255.255.255",
        "::",
        "2001:db8::1",
        "1:2:3:4:5:6:7:8",
        "::ffff:1.2.3.4",
    ];
    let script = "
import socket, sys
for text in sys.argv[1:]:
    family = socket.AF_INET6 if ':' in text else socket.AF_INET
    print(socket.inet_pton(family, text).hex())";
    let arguments = [&["-c", script][..], &texts].concat();
    let output = cx.tool("python3", &arguments)?.exits(0)?;
    for (index, text) in texts.iter().enumerate() {
        let address = parsed(text)?;
        let bytes = match address.bytes() {
            v4 @ [.., _] if v4.len() == 16 => &v4[4..8],
            v6 => &v6[8..24],
        };
        let theirs = from_hex(output.lines().nth(index).unwrap_or_default());
        ensure!(
            theirs == bytes,
            "{text}: python3 has {theirs:02x?}, we have {bytes:02x?}"
        );
    }
    PASS
}

fn from_hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    let pairs = pairs.filter_map(|pair| std::str::from_utf8(pair).ok());
    pairs
        .filter_map(|pair| u8::from_str_radix(pair, 16).ok())
        .collect()
}

/// Whom python3 takes `fe80::1%lo` for, we take it for.
fn python_reads_the_same_scope_id(cx: &Check) -> Verdict {
    let script = "
import socket
flags = socket.AI_NUMERICHOST
found = socket.getaddrinfo('fe80::1%lo', 8000, type=socket.SOCK_STREAM, flags=flags)
print('%s %d %d %d' % (found[0][4][0].split('%')[0], *found[0][4][1:]))";
    let theirs = cx.tool("python3", &["-c", script])?.exits(0)?;
    let Some(SocketAddr::V6(v6)) = parsed("[fe80::1%lo]:8000")?.to_std() else {
        return Err(Finding::fail("fe80::1 is no IPv6 address"));
    };
    let ours = format!(
        "{} {} {} {}",
        v6.ip(),
        v6.port(),
        v6.flowinfo(),
        v6.scope_id()
    );
    ensure!(
        theirs.trim() == ours,
        "python3 has {theirs:?}, we have {ours:?}"
    );
    PASS
}

fn old_functions_are_as_lax_as_the_chapter_says(_: &Check) -> Verdict {
    for (text, expected) in [
        (c"127.1", Some([127, 0, 0, 1])),
        (c"010.0.0.1", Some([8, 0, 0, 1])),
        (c"2130706433", Some([127, 0, 0, 1])),
        (c"255.255.255.255", Some([255; 4])),
        (c"192.0.2.256", None),
    ] {
        let expected = expected.map(Ipv4Addr::from);
        let aton = by_inet_aton(text);
        ensure!(aton == expected, "inet_aton makes {aton:?} of {text:?}");
        let addr = by_inet_addr(text);
        let no = Ipv4Addr::BROADCAST;
        ensure!(
            addr == expected.unwrap_or(no),
            "inet_addr makes {addr} of {text:?}"
        );
    }
    PASS
}

/// Binds to an address, and asks the kernel what the socket is called.
fn bound(address: &Address) -> Result<Address, Finding> {
    let kind = SockType::Datagram;
    let socket: OwnedFd = socket(AddressFamily::Unix, kind, SockFlag::SOCK_CLOEXEC, None)?;
    let fd = std::os::fd::AsRawFd::as_raw_fd(&socket);
    // SAFETY: an `Address` has as many bytes as it says.
    let result = unsafe { libc::bind(fd, address.as_ptr(), address.len()) };
    Errno::result(result)?;
    local_address(&socket).map_err(|error| Finding::fail(error.to_string()))
}

fn unix_names_come_back_from_the_kernel(cx: &Check) -> Verdict {
    std::env::set_current_dir(cx.folder()?)?;
    let name = b"a\0name\0of this check";
    let address = Address::unix_abstract(name).ok_or_else(|| Finding::fail("refused"))?;
    let seen = bound(&address)?;
    ensure!(
        seen.unix_name() == Some(Name::Abstract(name)),
        "{address} came back as {seen}"
    );
    ensure!(
        seen.len() == address.len(),
        "{} bytes became {}",
        address.len(),
        seen.len()
    );

    let path = Path::new("socket");
    let address = Address::unix(path).ok_or_else(|| Finding::fail("refused"))?;
    let seen = bound(&address)?;
    ensure!(
        seen.unix_name() == Some(Name::Path(path)),
        "{address} came back as {seen}"
    );
    ensure!(path.exists(), "there is no file {address}");

    let (one, _other) = UnixDatagram::pair()?;
    let error = |error: introduction::error::CallError| Finding::fail(error.to_string());
    let seen = local_address(&one).map_err(error)?;
    ensure!(
        seen.unix_name() == Some(Name::Unnamed),
        "a pair's end is called {seen}"
    );
    let family = family_of(&one).map_err(error)?;
    ensure!(i32::from(family) == libc::AF_UNIX, "its family is {family}");
    PASS
}

fn unix_names_have_108_bytes(cx: &Check) -> Verdict {
    std::env::set_current_dir(cx.folder()?)?;
    for length in [1, 107, 108] {
        let path = "p".repeat(length);
        let Some(address) = Address::unix(Path::new(&path)) else {
            return Err(Finding::fail(format!(
                "a path of {length} bytes is refused"
            )));
        };
        // With its zero, where there is room for one.
        let expected = 2 + (length + 1).min(108);
        ensure!(
            address.len() as usize == expected,
            "{length}: ours has {} bytes",
            address.len()
        );
        let seen = bound(&address)?;
        let name = seen.unix_name();
        ensure!(
            name == Some(Name::Path(Path::new(&path))),
            "{path} came back as {name:?}"
        );
        // Family, path, and the zero that the kernel adds where we had no room for it.
        let expected = 2 + length + 1;
        ensure!(
            seen.len() as usize == expected,
            "{length}: {} bytes",
            seen.len()
        );
    }
    ensure!(
        Address::unix(Path::new(&"p".repeat(109))).is_none(),
        "109 bytes do not fit"
    );
    ensure!(
        Address::unix(Path::new("")).is_none(),
        "an empty path is no name"
    );
    ensure!(
        Address::unix_abstract(&[b'n'; 107]).is_some(),
        "107 bytes and a zero fit"
    );
    ensure!(
        Address::unix_abstract(&[b'n'; 108]).is_none(),
        "108 and a zero do not"
    );
    PASS
}
