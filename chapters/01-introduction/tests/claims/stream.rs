//! What does a stream promise, and what not?

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::thread;

use introduction::client::Connection;
use lab::net::{Match, Rule};
use lab::prelude::*;
use lab::trial::{said, saw};

/// Two ends of a connection on loopback.
fn pair() -> std::io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let one = TcpStream::connect(listener.local_addr()?)?;
    Ok((one, listener.accept()?.0))
}

/// More than the receiver has room for.
pub fn one_write_is_many_reads(cx: &Check) -> Verdict {
    const SIZE: usize = 8_000_000;
    let (mut near, mut far) = pair()?;
    let writer = thread::spawn(move || near.write(&vec![b'x'; SIZE]));
    let (mut bytes, mut reads, mut buffer) = (0, 0, vec![0; SIZE]);
    loop {
        match far.read(&mut buffer)? {
            0 => break,
            count => (bytes, reads) = (bytes + count, reads + 1),
        }
    }
    let written = writer
        .join()
        .map_err(|_| Finding::fault("the writer panicked"))??;
    saw(cx, "bytes in one write", written).is(SIZE)?;
    saw(cx, "bytes that arrived", bytes).is(SIZE)?;
    saw(cx, "in more than one read", reads > 1).is(true)?;
    PASS
}

/// The three ways in which a read comes back when there is nothing to read any more.
pub fn the_end_is_0_and_a_reset_is_an_error(cx: &Check) -> Verdict {
    let (mut near, far) = pair()?;
    drop(far);
    let mut buffer = [0; 8];
    saw(cx, "read after the peer closed", near.read(&mut buffer)?).is(0)?;
    saw(cx, "and once more", near.read(&mut buffer)?).is(0)?;

    let (near, far) = cx.tcp_pair()?;
    let mut far = TcpStream::from(far);
    near.resets()?;
    saw(
        cx,
        "read after the peer reset",
        said(&far.read(&mut buffer)).as_str(),
    )
    .is("ECONNRESET")?;
    saw(cx, "and once more", said(&far.read(&mut buffer)).as_str()).is("ok")?;
    PASS
}

/// Not just any negative number. What it was is in `errno`.
pub fn an_error_is_minus_one(cx: &Check) -> Verdict {
    let (near, far) = cx.tcp_pair()?;
    near.resets()?;
    let mut buffer = [0_u8; 8];
    // SAFETY: the kernel writes at most eight bytes, and `buffer` has eight.
    let count = unsafe { libc::read(far.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
    let errno = Errno::last();
    saw(cx, "read returns", count).is(-1)?;
    saw(cx, "errno", format!("{errno:?}").as_str()).is("ECONNRESET")?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let connection =
        Connection::to(listener.local_addr()?).map_err(|e| Finding::fault(e.to_string()))?;
    drop(listener.accept()?);
    let end = connection
        .read(&mut buffer)
        .map_err(|e| Finding::fault(e.to_string()))?;
    saw(cx, "at the end it returns", end).is(0)?;
    PASS
}

/// As much as there is room for.
pub fn a_write_may_take_less(cx: &Check) -> Verdict {
    const SIZE: usize = 64 << 20;
    let (mut near, _far) = pair()?;
    saw(cx, "26 bytes in one write", near.write(&[b'x'; 26])?).is(26)?;
    near.set_nonblocking(true)?;
    let written = near.write(&vec![0; SIZE])?;
    saw(cx, "of 64 MiB, not blocking, all of them", written == SIZE).is(false)?;
    saw(cx, "but some", written > 0).is(true)?;
    PASS
}

/// What TCP mends, and what its sum of 16 bits cannot see.
pub fn order_is_kept_and_two_wrongs_make_a_right_checksum(cx: &Check) -> Verdict {
    let sent: Vec<u8> = (0..200_000_u32).map(|i| (i / 7) as u8).collect();
    let rules = |rule: Rule| vec![rule];
    let to_server = || Match::tcp().from("client").with_data();
    let every_third = Rule::on(to_server()).every(3).overtaken_by(2);
    let arrived = through(cx, rules(every_third), &sent)?;
    saw(
        cx,
        "segments overtaken, the data is intact",
        arrived.0 == sent,
    )
    .is(true)?;
    let arrived = through(cx, rules(Rule::on(to_server()).every(2).duplicate()), &sent)?;
    saw(
        cx,
        "segments duplicated, the data is intact",
        arrived.0 == sent,
    )
    .is(true)?;

    // 0x41 and 0xbe are each other's complements: to flip all bits of both is to swap them.
    let sent = *b"A.\xbe.";
    let first_data = || Rule::on(to_server()).nth(1);
    let (arrived, errors) = through(cx, vec![first_data().corrupt_data(0)], &sent)?;
    saw(cx, "one byte changed, the data is intact", arrived == sent).is(true)?;
    saw(cx, "InCsumErrors", errors).is(1)?;
    let both = vec![first_data().corrupt_data(0), first_data().corrupt_data(2)];
    let (arrived, errors) = through(cx, both, &sent)?;
    saw(cx, "two bytes changed, the data is intact", arrived == sent).is(false)?;
    saw(cx, "they are swapped", arrived == *b"\xbe.A.").is(true)?;
    saw(cx, "InCsumErrors", errors).is(0)?;
    PASS
}

/// Sends `data` from host to host while these rules are in force. Returns what arrived, and how many segments the receiver
/// threw away for their checksum.
fn through(cx: &Check, rules: Vec<Rule>, data: &[u8]) -> Result<(Vec<u8>, u64), Finding> {
    let net = cx.lan(&["client", "server"])?;
    let server = net.host("server");
    let listener = server.run(|| TcpListener::bind(SocketAddr::new(server.v4().into(), 0)))?;
    let at = listener.local_addr()?;
    let sender = net.host("client").run(|| TcpStream::connect(at))?;
    let (mut receiver, _) = listener.accept()?;
    for rule in rules {
        net.rule(rule)?;
    }
    let data = data.to_vec();
    // A thread of the check itself: nothing is forked after this.
    let sender = thread::spawn(move || (&sender).write_all(&data));
    let mut arrived = Vec::new();
    receiver.read_to_end(&mut arrived)?;
    sender
        .join()
        .map_err(|_| Finding::fault("the sender panicked"))??;
    let errors = server.run(in_csum_errors)?;
    Ok((arrived, errors))
}

/// The counter of this network namespace: the last column of the second line that begins with `Tcp:`.
fn in_csum_errors() -> std::io::Result<u64> {
    let table = std::fs::read_to_string("/proc/thread-self/net/snmp")?;
    let mut rows = table.lines().filter_map(|line| line.strip_prefix("Tcp:"));
    let (names, values) = (
        rows.next().unwrap_or_default(),
        rows.next().unwrap_or_default(),
    );
    let mut both = names.split_whitespace().zip(values.split_whitespace());
    let value = both
        .find(|(name, _)| *name == "InCsumErrors")
        .map(|(_, value)| value);
    value
        .and_then(|value| value.parse().ok())
        .ok_or_else(|| std::io::Error::other("no InCsumErrors"))
}
