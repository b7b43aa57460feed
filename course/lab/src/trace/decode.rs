//! How are a call's arguments shown to a reader?
//!
//! What the code gives is read when the call begins, what it gets when the call is over.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::calls::table::{Arg, Syscall};
use crate::trace::names;
use crate::trace::ptrace::Stopped;

/// Bytes of data that are shown.
const SHOWN: usize = 24;

/// In the place of what is not there yet.
const LATER: &str = "…";

/// The arguments of a call, in words.
#[derive(Debug, Clone)]
pub struct Words {
    parts: Vec<String>,
}

impl Words {
    /// When the call begins: what it gets is not there yet.
    pub fn of(thread: Stopped, call: &Syscall, arguments: &[u64; 6]) -> Words {
        let parts = call.arguments.iter().enumerate();
        let parts = parts.map(|(i, arg)| given(thread, *arg, arguments, i));
        Words {
            parts: parts.collect(),
        }
    }

    /// When it is over, and well: what it got.
    pub fn complete(&mut self, thread: Stopped, call: &Syscall, arguments: &[u64; 6], result: i64) {
        for (i, arg) in call.arguments.iter().enumerate() {
            if let Some(text) = got(thread, *arg, arguments, i, result) {
                self.parts[i] = text;
            }
        }
    }

    /// What stands between the parentheses. What says nothing at the end is left out.
    pub fn text(&self, call: &Syscall) -> String {
        let mut shown: Vec<&str> = Vec::new();
        let mut last = 0;
        let mut no_address = false;
        for (arg, part) in call.arguments.iter().zip(&self.parts) {
            if *arg == Arg::Hidden {
                continue;
            }
            shown.push(part);
            let idle = match arg {
                Arg::MessageFlags | Arg::SocketFlags | Arg::WaitFlags => part == "0",
                Arg::GotAddress | Arg::GivenAddress | Arg::Pointer => part == "NULL",
                Arg::Size => no_address,
                _ => false,
            };
            no_address = *arg == Arg::GivenAddress && part == "NULL";
            if !idle {
                last = shown.len();
            }
        }
        shown[..last].join(", ")
    }
}

/// The bytes that a call moves: where they are, and how many at most.
pub fn data(thread: Stopped, call: &Syscall, arguments: &[u64; 6]) -> Vec<(u64, u64)> {
    for (i, arg) in call.arguments.iter().enumerate() {
        match arg {
            Arg::Given | Arg::Got => return vec![(arguments[i], arguments[i + 1])],
            Arg::GivenParts | Arg::GotParts => {
                return parts(thread, arguments[i], arguments[i + 1]);
            }
            Arg::GivenMessage | Arg::GotMessage => {
                return Message::at(thread, arguments[i])
                    .map(|m| parts(thread, m.parts, m.count))
                    .unwrap_or_default();
            }
            _ => {}
        }
    }
    Vec::new()
}

/// The first of the bytes at these places, `limit` at most in all.
pub fn bytes(thread: Stopped, places: &[(u64, u64)], limit: u64) -> Vec<u8> {
    let mut left = limit.min(48) as usize;
    let mut found = Vec::new();
    for (at, len) in places {
        let mut part = vec![0; left.min(*len as usize)];
        let n = thread.peek(*at, &mut part);
        found.extend_from_slice(&part[..n]);
        left -= n;
        if left == 0 {
            break;
        }
    }
    found
}

/// The `iovec`s of an array.
pub fn parts(thread: Stopped, at: u64, count: u64) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    for i in 0..count.min(64) {
        let place = at + i * 16;
        let (Some(base), Some(len)) = (thread.word(place), thread.word(place + 8)) else {
            break;
        };
        found.push((base, len));
    }
    found
}

/// A `msghdr`.
pub struct Message {
    name: u64,
    name_len: u64,
    /// The `iovec`s.
    pub parts: u64,
    /// How many there are.
    pub count: u64,
    control: u64,
    control_len: u64,
}

impl Message {
    /// Where its member `msg_iovlen` is.
    pub const COUNT: u64 = 24;

    /// Reads it.
    pub fn at(thread: Stopped, at: u64) -> Option<Message> {
        Some(Message {
            name: thread.word(at)?,
            name_len: thread.int(at + 8)? as u64,
            parts: thread.word(at + 16)?,
            count: thread.word(at + Message::COUNT)?,
            control: thread.word(at + 32)?,
            control_len: thread.word(at + 40)?,
        })
    }

    fn text(&self, thread: Stopped, moved: u64) -> String {
        let places = parts(thread, self.parts, self.count);
        let mut text = String::from("{");
        if self.name != 0 && self.name_len > 0 {
            text += &format!("{}, ", address(thread, self.name, self.name_len));
        }
        let room: u64 = places.iter().map(|(_, len)| *len).sum();
        text += &show(&bytes(thread, &places, moved.min(room)), moved.min(room));
        if places.len() != 1 {
            text += &format!(" in {} parts", places.len());
        }
        if self.control != 0 && self.control_len > 0 {
            text += &format!(", {} bytes of control data", self.control_len);
        }
        text + "}"
    }
}

/// An argument as far as it is known when the call begins.
fn given(thread: Stopped, arg: Arg, arguments: &[u64; 6], i: usize) -> String {
    let value = arguments[i];
    match arg {
        Arg::Folder if value as i32 == libc::AT_FDCWD => "AT_FDCWD".into(),
        Arg::Fd | Arg::Int | Arg::Millis | Arg::Folder => (value as i32).to_string(),
        Arg::Size => value.to_string(),
        Arg::Pointer | Arg::Hidden => pointer(value),
        Arg::Given => {
            let places = [(value, arguments[i + 1])];
            show(&bytes(thread, &places, arguments[i + 1]), arguments[i + 1])
        }
        Arg::GivenParts => {
            let places = parts(thread, value, arguments[i + 1]);
            list(&places, |(at, len)| {
                show(&bytes(thread, &[(at, len)], len), len)
            })
        }
        Arg::GivenMessage => match Message::at(thread, value) {
            Some(message) => message.text(thread, u64::MAX),
            None => pointer(value),
        },
        Arg::GivenAddress | Arg::GotAddress | Arg::GotStatus if value == 0 => "NULL".into(),
        Arg::GivenAddress => address(thread, value, arguments[i + 1]),
        Arg::Path => path(thread, value),
        Arg::MessageFlags => names::message_flags(value),
        Arg::OpenFlags => names::open_flags(value),
        Arg::SocketFlags => names::socket_flags(value),
        Arg::Domain => names::domain(value),
        Arg::SocketType => names::socket_type(value),
        Arg::How => names::how(value),
        Arg::Level => names::level(value),
        Arg::OptionName => names::option(arguments[i - 1], value),
        Arg::GivenInt => match thread.int(value) {
            Some(number) if arguments[i + 1] == 4 => number.to_string(),
            _ if value == 0 => "NULL".into(),
            _ => format!("{} bytes", arguments[i + 1]),
        },
        Arg::Signal => names::signal(value),
        Arg::PollFds => polled(thread, value, arguments[i + 1], false),
        Arg::Time => time(thread, value),
        Arg::FcntlCommand => names::fcntl(value),
        Arg::EpollCommand => names::epoll(value),
        Arg::GivenEvent => match thread.int(value) {
            Some(events) if value != 0 => names::epoll_events(events as u32),
            _ => "NULL".into(),
        },
        Arg::WaitFlags => names::wait_flags(value),
        Arg::CloneFlags => names::clone_flags(value),
        Arg::Got
        | Arg::GotParts
        | Arg::GotMessage
        | Arg::GotAddress
        | Arg::GotPair
        | Arg::GotInt
        | Arg::GotStatus
        | Arg::GotEvents => LATER.into(),
    }
}

/// An argument that is known only when the call is over.
fn got(thread: Stopped, arg: Arg, arguments: &[u64; 6], i: usize, result: i64) -> Option<String> {
    let value = arguments[i];
    let count = result.max(0) as u64;
    Some(match arg {
        Arg::Got => show(&bytes(thread, &[(value, arguments[i + 1])], count), count),
        Arg::GotParts => {
            let places = parts(thread, value, arguments[i + 1]);
            let text = show(&bytes(thread, &places, count), count);
            format!("{text} in {} parts", places.len())
        }
        Arg::GotMessage => Message::at(thread, value)?.text(thread, count),
        Arg::GotAddress if value != 0 => {
            let len = thread.int(*arguments.get(i + 1)?)?;
            address(thread, value, len.max(0) as u64)
        }
        Arg::GotPair => format!("[{}, {}]", thread.int(value)?, thread.int(value + 4)?),
        Arg::GotInt => match arguments[i - 1] as i32 {
            libc::SO_ERROR if arguments[i - 2] as i32 == libc::SOL_SOCKET => {
                match thread.int(value)? {
                    0 => "0".into(),
                    code => names::errno(code),
                }
            }
            _ => thread.int(value)?.to_string(),
        },
        Arg::GotStatus if value != 0 && result > 0 => status(thread.int(value)?),
        Arg::PollFds => polled(thread, value, arguments[i + 1], true),
        Arg::GotEvents => {
            // An epoll_event is packed on x86-64 alone.
            let size = if cfg!(target_arch = "x86_64") { 12 } else { 16 };
            let events = (0..count.min(8)).map(|n| {
                thread
                    .int(value + n * size)
                    .map(|e| names::epoll_events(e as u32))
            });
            format!("[{}]", events.collect::<Option<Vec<_>>>()?.join(", "))
        }
        _ => return None,
    })
}

/// The descriptors of a `poll`, with what was asked and what came.
fn polled(thread: Stopped, at: u64, count: u64, done: bool) -> String {
    let mut shown = Vec::new();
    for i in 0..count.min(8) {
        let Some(word) = thread.word(at + i * 8) else {
            break;
        };
        let bytes = word.to_ne_bytes();
        let fd = i32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let asked = names::poll_events(i16::from_ne_bytes([bytes[4], bytes[5]]));
        let came = i16::from_ne_bytes([bytes[6], bytes[7]]);
        shown.push(match (done, came) {
            (true, 0) => format!("{fd} {asked}: nothing"),
            (true, came) => format!("{fd} {asked}: {}", names::poll_events(came)),
            (false, _) => format!("{fd} {asked}"),
        });
    }
    if count > 8 {
        shown.push(LATER.into());
    }
    format!("[{}]", shown.join(", "))
}

/// A status of `wait(2)`.
fn status(status: i32) -> String {
    if libc::WIFEXITED(status) {
        format!("exited with {}", libc::WEXITSTATUS(status))
    } else if libc::WIFSIGNALED(status) {
        format!("killed by {}", names::signal(libc::WTERMSIG(status) as u64))
    } else if libc::WIFSTOPPED(status) {
        format!(
            "stopped by {}",
            names::signal(libc::WSTOPSIG(status) as u64)
        )
    } else {
        "continued".into()
    }
}

fn time(thread: Stopped, at: u64) -> String {
    if at == 0 {
        return "NULL".into();
    }
    match (thread.word(at), thread.word(at + 8)) {
        (Some(seconds), Some(nanos)) => {
            let time = std::time::Duration::new(seconds, nanos as u32 % 1_000_000_000);
            format!("{time:?}")
        }
        _ => pointer(at),
    }
}

fn pointer(value: u64) -> String {
    if value == 0 {
        "NULL".into()
    } else {
        format!("{value:#x}")
    }
}

fn path(thread: Stopped, at: u64) -> String {
    let mut bytes = [0; 96];
    let n = thread.peek(at, &mut bytes);
    let text = &bytes[..n];
    match text.iter().position(|b| *b == 0) {
        Some(end) => format!("{:?}", String::from_utf8_lossy(&text[..end])),
        None if n == 0 => pointer(at),
        None => format!("{:?}…", String::from_utf8_lossy(text)),
    }
}

fn list(places: &[(u64, u64)], show: impl Fn((u64, u64)) -> String) -> String {
    let mut shown: Vec<String> = places.iter().take(4).map(|p| show(*p)).collect();
    if places.len() > 4 {
        shown.push(LATER.into());
    }
    format!("[{}]", shown.join(", "))
}

/// The first bytes: text as text, other things in hexadecimal. `all` is how many there are.
fn show(bytes: &[u8], all: u64) -> String {
    let start = &bytes[..bytes.len().min(SHOWN)];
    let more = if all > start.len() as u64 { LATER } else { "" };
    let texts = |b: &&u8| b.is_ascii_graphic() || b" \r\n\t\0".contains(b);
    if start.iter().filter(texts).count() * 10 >= start.len() * 9 {
        return format!("\"{}\"{more}", start.escape_ascii());
    }
    let start = &start[..start.len().min(12)];
    let more = if all > start.len() as u64 { " …" } else { "" };
    let digits: Vec<String> = start.iter().map(|b| format!("{b:02x}")).collect();
    format!("[{}{more}]", digits.join(" "))
}

/// A socket address as text.
fn address(thread: Stopped, at: u64, len: u64) -> String {
    let mut bytes = vec![0; (len as usize).min(128)];
    let n = thread.peek(at, &mut bytes);
    bytes.truncate(n);
    show_address(&bytes)
}

/// The Internet address that a call gives, if it does.
pub fn internet_address(
    thread: Stopped,
    call: &Syscall,
    arguments: &[u64; 6],
) -> Option<SocketAddr> {
    let i = call
        .arguments
        .iter()
        .position(|arg| *arg == Arg::GivenAddress)?;
    let mut bytes = vec![0; (arguments[i + 1] as usize).min(128)];
    let n = thread.peek(arguments[i], &mut bytes);
    internet(&bytes[..n])
}

/// A `sockaddr_in` or `sockaddr_in6`.
pub fn internet(bytes: &[u8]) -> Option<SocketAddr> {
    let family = u16::from_ne_bytes([*bytes.first()?, *bytes.get(1)?]);
    let port = || Some(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]));
    match i32::from(family) {
        libc::AF_INET => {
            let ip: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
            Some(SocketAddrV4::new(Ipv4Addr::from(ip), port()?).into())
        }
        libc::AF_INET6 => {
            let ip: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
            let scope = bytes.get(24..28).and_then(|s| s.try_into().ok());
            let scope = scope.map_or(0, u32::from_ne_bytes);
            Some(SocketAddrV6::new(Ipv6Addr::from(ip), port()?, 0, scope).into())
        }
        _ => None,
    }
}

fn show_address(bytes: &[u8]) -> String {
    if let Some(address) = internet(bytes) {
        return address.to_string();
    }
    if bytes.len() < 2 {
        return "no address".into();
    }
    let family = u16::from_ne_bytes([bytes[0], bytes[1]]);
    if i32::from(family) != libc::AF_UNIX {
        return names::domain(family.into());
    }
    match &bytes[2..] {
        [] => "unix, without a name".into(),
        [0, name @ ..] => format!("\"\\0{}\"", name.escape_ascii()),
        name => {
            let end = name.iter().position(|b| *b == 0).unwrap_or(name.len());
            format!("{:?}", String::from_utf8_lossy(&name[..end]))
        }
    }
}

/// Whether a call names a file, and its path, as the code says it, ends like this.
pub fn path_ends_with(thread: Stopped, call: &Syscall, arguments: &[u64; 6], end: &str) -> bool {
    let Some(i) = call.arguments.iter().position(|arg| *arg == Arg::Path) else {
        return false;
    };
    let mut bytes = vec![0; libc::PATH_MAX as usize];
    let n = thread.peek(arguments[i], &mut bytes);
    let path = bytes[..n].split(|byte| *byte == 0).next();
    path.is_some_and(|path| path.ends_with(end.as_bytes()))
}
