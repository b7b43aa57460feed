//! Grades `parse-address`.

use std::ffi::CString;
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6, TcpStream};

use lab::prelude::*;
use parse_address::{parse, text};

pub fn main() -> std::process::ExitCode {
    Grader::new("parse-address")
        .section("03-sockets-introduction#scope-ids")
        .check(1, reads_ipv4)
        .see("03-sockets-introduction#text-to-address")
        .check(1, reads_ipv6_in_brackets)
        .see("03-sockets-introduction#text-to-address")
        .check(1, a_scope_may_be_a_number)
        .check(2, a_scope_may_be_a_name)
        .check(1, an_unknown_interface_is_an_error)
        .check(1, a_port_is_digits_and_fits)
        .see("03-sockets-introduction#text-to-address")
        .check(1, refuses_what_only_looks_like_ipv4)
        .see("03-sockets-introduction#text-to-address")
        .check(2, refuses_everything_else)
        .see("03-sockets-introduction#text-to-address")
        .check(1, an_error_quotes_what_is_wrong)
        .check(1, text_is_read_back)
        .check(1, reaches_a_link_local_peer)
        .main()
}

/// An IPv4 address and a port.
fn reads_ipv4(cx: &Check) -> Verdict {
    const WHY: &str = "Four decimal numbers with dots between them, a colon, and the port.";
    read(cx, "192.0.2.1:80", "192.0.2.1:80", 0, WHY)?;
    read(cx, "0.0.0.0:0", "0.0.0.0:0", 0, WHY)?;
    read(cx, "255.255.255.255:65535", "255.255.255.255:65535", 0, WHY)
}

/// An IPv6 address in brackets, and a port.
fn reads_ipv6_in_brackets(cx: &Check) -> Verdict {
    const WHY: &str = "An IPv6 address is full of colons. The brackets say which of them belong to the address; the one \
         behind the closing bracket is before the port.";
    for text in [
        "[2001:db8::1]:80",
        "[::]:0",
        "[::1]:65535",
        "[1:2:3:4:5:6:7:8]:443",
    ] {
        read(cx, text, text, 0, WHY)?;
    }
    read(cx, "[::ffff:192.0.2.1]:80", "[::ffff:192.0.2.1]:80", 0, WHY)?;
    read(cx, "[2001:DB8:0:0::1]:80", "[2001:db8::1]:80", 0, WHY)
}

/// A scope id in digits is the scope id, whether there is such an interface or not.
fn a_scope_may_be_a_number(cx: &Check) -> Verdict {
    const WHY: &str = "A link-local address is the same on every link. The scope id says on which, and it is part of the \
         socket address: the field sin6_scope_id. Without it the kernel has to refuse.";
    for scope in [2, 1, 7_654_321, u32::MAX] {
        read(
            cx,
            &format!("[fe80::1%{scope}]:80"),
            "[fe80::1]:80",
            scope,
            WHY,
        )?;
    }
    PASS
}

/// A scope id that is the name of an interface is that interface's index.
fn a_scope_may_be_a_name(cx: &Check) -> Verdict {
    const WHY: &str = "The kernel knows interfaces by their index, people by their name. if_nametoindex(3) asks the \
         kernel which is which, on this machine and now.";
    for (name, index) in interfaces()? {
        read(
            cx,
            &format!("[fe80::1%{name}]:80"),
            "[fe80::1]:80",
            index,
            WHY,
        )?;
        read(
            cx,
            &format!("[ff02::fb%{name}]:5353"),
            "[ff02::fb]:5353",
            index,
            WHY,
        )?;
    }
    PASS
}

/// The name of an interface that is not there is an error, and so is no name at all.
fn an_unknown_interface_is_an_error(cx: &Check) -> Verdict {
    refused(
        cx,
        &[
            "[fe80::1%nosuch0]:80",
            "[fe80::1%]:80",
            "[fe80::1%a-name-longer-than-any-interface-has]:80",
        ],
        "if_nametoindex(3) returns 0 when there is no such interface, and 0 is no index: as a scope id it means \
         that none was given. Who asked for an interface must not get any other.",
    )?;
    refused(
        cx,
        &[
            "[fe80::1%4294967296]:80",
            "[fe80::1%-1]:80",
            "[fe80::1%+2]:80",
            "[fe80::1%2 ]:80",
            "[fe80::1%%lo]:80",
            "[fe80::1%lo\0]:80",
        ],
        "A scope is all digits, and fits into 32 bits, or it is the name of an interface just as it stands. A zero byte \
         cannot be part of a name.",
    )
}

/// A port is digits and nothing else, and at most 65535.
fn a_port_is_digits_and_fits(cx: &Check) -> Verdict {
    read(
        cx,
        "192.0.2.1:65535",
        "192.0.2.1:65535",
        0,
        "65535 is the largest port: sixteen bits.",
    )?;
    const WHY: &str = "A port is sixteen bits, written in digits. str::parse reads a plus sign, too: look at the digits yourself.";
    for host in ["192.0.2.1", "[2001:db8::1]"] {
        let ports = [
            "65536",
            "99999999999999999999",
            "+80",
            "-1",
            "",
            " 80",
            "80 ",
            "80x",
            "0x50",
            "http",
            "80:",
            ":80",
        ];
        let texts = ports.map(|port| format!("{host}:{port}"));
        refused(cx, &texts.each_ref().map(String::as_str), WHY)?;
    }
    PASS
}

/// Old and short forms of IPv4 addresses are none.
fn refuses_what_only_looks_like_ipv4(cx: &Check) -> Verdict {
    // An answer that refuses everything does not pass.
    read(
        cx,
        "10.0.0.1:80",
        "10.0.0.1:80",
        0,
        "Four decimal numbers with dots between them, a colon, and the port.",
    )?;
    refused(
        cx,
        &[
            "1.2:80",
            "010.0.0.1:80",
            "0x7f.0.0.1:80",
            "2130706433:80",
            "1.2.3:80",
            "1.2.3.4.5:80",
            "256.0.0.1:80",
            "1..2.3:80",
            ".1.2.3:80",
        ],
        "inet_aton(3) takes 1.2 for 1.0.0.2 and 010 for eight. A filter that reads 010.0.0.1 as ten and a kernel that is \
         told eight disagree on who was let in. inet_pton(3) and Ipv4Addr take four decimal numbers.",
    )
}

/// Whatever is not one of the forms is an error, and never a panic.
fn refuses_everything_else(cx: &Check) -> Verdict {
    read(cx, "[::1]:80", "[::1]:80", 0, "This one is an address.")?;
    refused(
        cx,
        &[
            "192.0.2.1",
            "[::1]",
            "2001:db8::1",
            "2001:db8::1:80",
            "::1:80",
            "[::1]80",
            "[::1:80",
            "::1]:80",
            "[::1]]:80",
            "[[::1]]:80",
        ],
        "A port is part of a socket address. Without brackets nobody can tell the last group of an IPv6 address from a \
         port, so the brackets are no decoration.",
    )?;
    refused(
        cx,
        &[
            "[192.0.2.1]:80",
            "192.0.2.1%2:80",
            "[]:80",
            "[%2]:80",
            "[1::2::3]:80",
            "[12345::1]:80",
            "[1:2:3:4:5:6:7:8:9]:80",
            "[::g]:80",
        ],
        "Brackets and scope belong to IPv6. In an IPv6 address :: stands once at most, and a group has four digits at most.",
    )?;
    refused(
        cx,
        &[
            "",
            ":",
            ":80",
            "[",
            "]",
            "[]",
            "]:80[",
            "%",
            "localhost:80",
            " 192.0.2.1:80",
            "192.0.2.1 :80",
            "192.0.2.1:80\n",
            "[::1] :80",
            "[ ::1]:80",
            "[::1%2%2]:80",
            "١٩٢.0.2.1:80",
            "192.0.2.1:٨٠",
            "é[::1]:80",
        ],
        "Nothing comes before, between or behind the parts, and the text may come from anybody: look before you cut.",
    )
}

/// The error has the part of the text in it that is wrong.
fn an_error_quotes_what_is_wrong(cx: &Check) -> Verdict {
    const WHY: &str = "\"invalid address\" sends the user looking. Say which part it was: the port, the interface, the address.";
    for (given, part) in [
        ("192.0.2.1:65536", "65536"),
        ("[fe80::1%nosuch0]:80", "nosuch0"),
        ("300.0.2.1:80", "300.0.2.1"),
        ("[2001:db8::fffff]:80", "2001:db8::fffff"),
    ] {
        match parsed(cx, given).because(WHY)? {
            Err(said) if said.contains(part) => {}
            Err(said) => {
                return Err(Finding::fail(format!(
                    "the error for {given:?} is {said:?}; it does not have {part:?} in it"
                )))
                .because(WHY);
            }
            Ok(address) => {
                return Err(Finding::fail(format!(
                    "parse({given:?}) gave {}, expected an error",
                    shown(&address)
                )))
                .because(WHY);
            }
        }
    }
    PASS
}

/// What `text` writes, `parse` reads; a scope id is shown by the name of its interface.
fn text_is_read_back(cx: &Check) -> Verdict {
    const WHY: &str = "Who reads %1 has to look up which interface that is. if_indextoname(3) does it for them; where there is no \
         such interface, the number is all there is to show.";
    let local = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
    let scoped = |scope| SocketAddr::from(SocketAddrV6::new(local, 80, 0, scope));
    let mut wanted: Vec<(SocketAddr, String)> = ["192.0.2.1:80", "[2001:db8::1]:443", "[::]:0"]
        .map(|text| (text.parse().expect("an address"), text.to_string()))
        .into();
    wanted.push((scoped(0), "[fe80::1]:80".into()));
    for (name, index) in interfaces()? {
        wanted.push((scoped(index), format!("[fe80::1%{name}]:80")));
    }
    wanted.push((scoped(7_654_321), "[fe80::1%7654321]:80".into()));
    for (address, wanted) in wanted {
        let subject = cx.spawner().named("text").subject(move || text(&address))?;
        let said = subject.value().because(WHY)?;
        if said != wanted {
            return Err(Finding::fail(format!(
                "text of {} gave {said:?}, expected {wanted:?}",
                shown(&address)
            )))
            .because(WHY);
        }
        let back = parsed(cx, &said).because(WHY)?;
        if back != Ok(address) {
            let back =
                back.map_or_else(|error| format!("the error {error:?}"), |back| shown(&back));
            return Err(Finding::fail(format!(
                "parse({said:?}), which text wrote for {}, gave {back}",
                shown(&address)
            )))
            .because(WHY);
        }
    }
    PASS
}

/// On a real link: the address of a neighbor as people type it, with the name of the interface, leads there.
fn reaches_a_link_local_peer(cx: &Check) -> Verdict {
    const WHY: &str = "The kernel has the same link-local network on every interface. Only the scope id tells it which one to \
         ask; without one, connect(2) is EINVAL, and with another, nobody is there.";
    let net = cx.lan(&["neighbor", "home"])?;
    let (neighbor, home) = (net.host("neighbor"), net.host("home"));
    let at = SocketAddrV6::new(neighbor.link_local(), 0, 0, neighbor.index());
    let listener = cx.on(&net, "neighbor").listens(at.into())?;
    let port = listener.address()?.port();
    let typed = format!("[{}%{}]:{port}", neighbor.link_local(), home.device());
    cx.step(format!(
        "your code is on a host with the interface {}; parse({typed:?})",
        home.device()
    ));
    let subject = cx.on(&net, "home").subject(move || {
        let address = parse(&typed)?;
        let connection = TcpStream::connect(address)
            .map_err(|error| format!("connect to {address}: {error}"))?;
        connection.peer_addr().map_err(|error| error.to_string())
    })?;
    let reached = SocketAddrV6::new(neighbor.link_local(), port, 0, home.index());
    subject.returns(Ok(reached.into())).because(WHY)?;
    PASS
}

/// What `parse` makes of it.
fn parsed(cx: &Check, given: &str) -> Result<Result<SocketAddr, String>, Finding> {
    let subject = cx
        .spawner()
        .named(&format!("parse({given:?})"))
        .subject(|| parse(given))?;
    subject.value()
}

/// Demands that `parse` reads `given` as `address`, which has no scope, with this scope.
fn read(cx: &Check, given: &str, address: &str, scope: u32, why: &str) -> Verdict {
    let mut wanted: SocketAddr = address.parse().expect("an address");
    if let SocketAddr::V6(wanted) = &mut wanted {
        wanted.set_scope_id(scope);
    }
    let got = match parsed(cx, given).because(why)? {
        Ok(got) if got == wanted => return PASS,
        Ok(got) => shown(&got),
        Err(error) => format!("the error {error:?}"),
    };
    Err(Finding::fail(format!(
        "parse({given:?}) gave {got}, expected {}",
        shown(&wanted)
    )))
    .because(why)
}

/// Demands that `parse` gives an error for each of these.
fn refused(cx: &Check, all: &[&str], why: &str) -> Verdict {
    // One process for all of them. What goes wrong is done once more in one of its own, so that its text is told.
    let given: Vec<String> = all.iter().map(ToString::to_string).collect();
    let subject = cx
        .spawner()
        .named("parse")
        .subject(move || given.iter().map(|text| parse(text)).collect::<Vec<_>>())?;
    // It comes to this only when a text was taken for an address, or the process did not get to its end.
    let again = match subject.outcome()? {
        Outcome::Returned(said) => match said.iter().position(Result::is_ok) {
            Some(at) => &all[at..=at],
            None => return PASS,
        },
        _ => all,
    };
    for given in again {
        if let Ok(address) = parsed(cx, given).because(why)? {
            return Err(Finding::fail(format!(
                "parse({given:?}) gave {}, expected an error",
                shown(&address)
            )))
            .because(why);
        }
    }
    PASS
}

/// An address with its scope, which `Display` would leave out when it is 0.
fn shown(address: &SocketAddr) -> String {
    match address {
        SocketAddr::V6(v6) => {
            let (ip, port, scope) = (v6.ip(), v6.port(), v6.scope_id());
            format!("{ip}, port {port}, scope {scope}")
        }
        SocketAddr::V4(v4) => format!("{}, port {}", v4.ip(), v4.port()),
    }
}

/// The interfaces that this process sees, with their indices.
fn interfaces() -> Result<Vec<(String, u32)>, Finding> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc/sys/net/ipv6/conf")
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        let c_name = CString::new(name.clone()).expect("a file's name");
        // SAFETY: the name ends with a zero byte.
        let index = unsafe { libc::if_nametoindex(c_name.as_ptr()) };
        if index != 0 {
            found.push((name, index));
        }
    }
    if found.is_empty() {
        return Err(Finding::needs("a network interface"));
    }
    Ok(found)
}
