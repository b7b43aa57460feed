//! Which types of sockets are there, and what do they promise?

use std::net::UdpSocket;
use std::os::fd::OwnedFd;

use lab::prelude::*;
use lab::trial::saw;
use libc::{
    AF_INET, AF_PACKET, AF_UNIX, IPPROTO_ICMP, IPPROTO_TCP, PF_INET, SOCK_DGRAM, SOCK_RAW,
    SOCK_SEQPACKET, SOCK_STREAM,
};
use nix::sys::socket::{setsockopt, sockopt};

/// The receiver has room for few and reads none until all are sent.
pub fn datagrams_are_lost_without_an_error(cx: &Check) -> Verdict {
    let receiver = UdpSocket::bind("127.0.0.1:0")?;
    setsockopt(&receiver, sockopt::RcvBuf, &4096)?;
    let sender = UdpSocket::bind("127.0.0.1:0")?;
    sender.connect(receiver.local_addr()?)?;
    let mut sent = 0;
    for number in 0..1000_u32 {
        sent += u32::from(sender.send(&number.to_be_bytes()).is_ok());
    }
    receiver.set_nonblocking(true)?;
    let mut received = 0;
    while receiver.recv(&mut [0; 8]).is_ok() {
        received += 1;
    }
    saw(cx, "sent without an error", sent).is(1000)?;
    saw(cx, "some arrived", received > 0).is(true)?;
    saw(cx, "all arrived", received == 1000).is(false)?;
    PASS
}

/// A socket of this kind, opened by a process without privileges.
fn opens(cx: &Check, what: &str, family: i32, kind: i32, protocol: i32) -> Result<String, Finding> {
    let opened = move || {
        // SAFETY: the call takes no pointers.
        match unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, protocol) } {
            -1 => format!("{:?}", Errno::last()),
            fd => {
                // SAFETY: the descriptor is new, and nobody else knows its number.
                drop(unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(fd) });
                "ok".into()
            }
        }
    };
    let said = cx.subject(opened)?.value()?;
    cx.evidence(format!("{what}: {said}"));
    Ok(said)
}

/// Each type once, as an ordinary user opens it.
pub fn raw_is_not_for_everybody_and_not_the_last(cx: &Check) -> Verdict {
    for (what, family, kind, protocol, wanted) in [
        (
            "PF_INET, SOCK_STREAM, IPPROTO_TCP",
            PF_INET,
            SOCK_STREAM,
            IPPROTO_TCP,
            "ok",
        ),
        ("AF_INET, SOCK_DGRAM", AF_INET, SOCK_DGRAM, 0, "ok"),
        (
            "AF_INET, SOCK_RAW, IPPROTO_ICMP",
            AF_INET,
            SOCK_RAW,
            IPPROTO_ICMP,
            "EPERM",
        ),
        ("AF_UNIX, SOCK_SEQPACKET", AF_UNIX, SOCK_SEQPACKET, 0, "ok"),
        ("AF_PACKET, SOCK_DGRAM", AF_PACKET, SOCK_DGRAM, 0, "EPERM"),
        (
            "AF_INET, SOCK_SEQPACKET",
            AF_INET,
            SOCK_SEQPACKET,
            0,
            "ESOCKTNOSUPPORT",
        ),
    ] {
        let said = opens(cx, what, family, kind, protocol)?;
        ensure!(said == wanted, "{what}: {said}; the verdict says {wanted}");
    }
    // SAFETY: the call takes no pointers; the descriptor ends with this process.
    let raw = unsafe { libc::socket(AF_INET, SOCK_RAW | libc::SOCK_CLOEXEC, IPPROTO_ICMP) };
    if lab::isolation() != &lab::Isolation::Root && raw < 0 {
        return Err(Finding::needs(
            "privileges in a network namespace of its own",
        ));
    }
    saw(
        cx,
        "SOCK_RAW with CAP_NET_RAW",
        if raw < 0 { "refused" } else { "ok" },
    )
    .is("ok")?;
    PASS
}
