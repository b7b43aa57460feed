//! How does a value come back from another process?
//!
//! A subject's result is written to a pipe and read by the check. The encoding is private to one
//! binary that talks to itself, so it has no version and no self-description. It is written out here
//! rather than taken from a library because every learner compiles it.

use std::fmt::Debug;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::path::PathBuf;
use std::time::Duration;

/// A value that can cross from the subject's process to the check.
///
/// Two values are the same when their encodings are. That gives `io::Error` an equality: the same
/// `errno`, or the same kind and text.
pub trait Sealed: Sized {
    /// Appends the value to `out`.
    fn encode(&self, out: &mut Vec<u8>);

    /// Takes a value from the front of `from`. `None` when the bytes are not one.
    fn decode(from: &mut &[u8]) -> Option<Self>;

    /// The value as a failure message shows it.
    fn show(&self) -> String;

    /// A slice of such values as a failure message shows it. Bytes have a form of their own.
    fn show_slice(items: &[Self]) -> String {
        let items: Vec<String> = items.iter().map(Sealed::show).collect();
        format!("[{}]", items.join(", "))
    }

    /// Whether both are the same value.
    fn same(&self, other: &Self) -> bool {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        self.encode(&mut a);
        other.encode(&mut b);
        a == b
    }
}

/// Takes `n` bytes from the front.
fn take<'a>(from: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (head, tail) = from.split_at_checked(n)?;
    *from = tail;
    Some(head)
}

macro_rules! numbers {
    ($($t:ty)*) => {$(
        impl Sealed for $t {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
            fn decode(from: &mut &[u8]) -> Option<Self> {
                take(from, size_of::<$t>()).map(|b| <$t>::from_le_bytes(b.try_into().unwrap()))
            }
            fn show(&self) -> String {
                format!("{self:?}")
            }
        }
    )*};
}
numbers!(i8 i16 u16 i32 u32 i64 u64 i128 u128 usize isize f32 f64);

impl Sealed for u8 {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }
    fn decode(from: &mut &[u8]) -> Option<Self> {
        take(from, 1).map(|b| b[0])
    }
    fn show(&self) -> String {
        format!("{self}")
    }
    fn show_slice(items: &[u8]) -> String {
        show_bytes(items)
    }
}

/// Bytes as a byte string where they are text, as hexadecimal where they are not.
pub(crate) fn show_bytes(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(16)];
    let printable = start
        .iter()
        .filter(|b| b.is_ascii_graphic() || b" \r\n\t\0".contains(b))
        .count();
    let (shown, mut text) = if printable * 10 >= start.len() * 9 {
        let shown = bytes.len().min(48);
        (shown, format!("b\"{}\"", bytes[..shown].escape_ascii()))
    } else {
        let hex: Vec<String> = start.iter().map(|b| format!("{b:02x}")).collect();
        (start.len(), format!("[{}]", hex.join(" ")))
    };
    if bytes.len() > shown {
        text += &format!("… ({} bytes)", bytes.len());
    }
    text
}

impl Sealed for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn decode(from: &mut &[u8]) -> Option<Self> {
        u8::decode(from).map(|b| b != 0)
    }
    fn show(&self) -> String {
        format!("{self}")
    }
}

impl Sealed for char {
    fn encode(&self, out: &mut Vec<u8>) {
        u32::from(*self).encode(out);
    }
    fn decode(from: &mut &[u8]) -> Option<Self> {
        u32::decode(from).and_then(char::from_u32)
    }
    fn show(&self) -> String {
        format!("{self:?}")
    }
}

impl Sealed for () {
    fn encode(&self, _: &mut Vec<u8>) {}
    fn decode(_: &mut &[u8]) -> Option<Self> {
        Some(())
    }
    fn show(&self) -> String {
        "()".into()
    }
}

impl Sealed for String {
    fn encode(&self, out: &mut Vec<u8>) {
        self.len().encode(out);
        out.extend_from_slice(self.as_bytes());
    }
    fn decode(from: &mut &[u8]) -> Option<Self> {
        let n = usize::decode(from)?;
        String::from_utf8(take(from, n)?.to_vec()).ok()
    }
    fn show(&self) -> String {
        format!("{self:?}")
    }
}

/// A result borrowed from the program's text, as constants are.
impl Sealed for &'static str {
    fn encode(&self, out: &mut Vec<u8>) {
        (*self).to_string().encode(out);
    }
    fn decode(from: &mut &[u8]) -> Option<Self> {
        String::decode(from).map(|s| &*s.leak())
    }
    fn show(&self) -> String {
        format!("{self:?}")
    }
}

impl Sealed for PathBuf {
    fn encode(&self, out: &mut Vec<u8>) {
        use std::os::unix::ffi::OsStrExt;
        self.as_os_str().as_bytes().to_vec().encode(out);
    }
    fn decode(from: &mut &[u8]) -> Option<Self> {
        use std::os::unix::ffi::OsStringExt;
        Vec::decode(from).map(|b| std::ffi::OsString::from_vec(b).into())
    }
    fn show(&self) -> String {
        format!("{self:?}")
    }
}

impl<T: Sealed> Sealed for Vec<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.len().encode(out);
        self.iter().for_each(|item| item.encode(out));
    }
    fn decode(from: &mut &[u8]) -> Option<Self> {
        let n = usize::decode(from)?;
        (0..n).map(|_| T::decode(from)).collect()
    }
    fn show(&self) -> String {
        T::show_slice(self)
    }
}

impl<T: Sealed, const N: usize> Sealed for [T; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|item| item.encode(out));
    }
    fn decode(from: &mut &[u8]) -> Option<Self> {
        let items: Option<Vec<T>> = (0..N).map(|_| T::decode(from)).collect();
        items?.try_into().ok()
    }
    fn show(&self) -> String {
        T::show_slice(self)
    }
}

impl<T: Sealed> Sealed for Option<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.is_some().encode(out);
        if let Some(value) = self {
            value.encode(out);
        }
    }
    fn decode(from: &mut &[u8]) -> Option<Self> {
        Some(if bool::decode(from)? {
            Some(T::decode(from)?)
        } else {
            None
        })
    }
    fn show(&self) -> String {
        self.as_ref()
            .map_or("None".into(), |value| format!("Some({})", value.show()))
    }
}

impl<T: Sealed, E: Sealed> Sealed for Result<T, E> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.is_ok().encode(out);
        match self {
            Ok(value) => value.encode(out),
            Err(error) => error.encode(out),
        }
    }
    fn decode(from: &mut &[u8]) -> Option<Self> {
        Some(if bool::decode(from)? {
            Ok(T::decode(from)?)
        } else {
            Err(E::decode(from)?)
        })
    }
    fn show(&self) -> String {
        match self {
            Ok(value) => format!("Ok({})", value.show()),
            Err(error) => format!("Err({})", error.show()),
        }
    }
}

/// The kinds that a learner's own errors have. Others arrive as `Other`.
const KINDS: &[io::ErrorKind] = &[
    io::ErrorKind::UnexpectedEof,
    io::ErrorKind::InvalidData,
    io::ErrorKind::InvalidInput,
    io::ErrorKind::WriteZero,
    io::ErrorKind::TimedOut,
    io::ErrorKind::Interrupted,
    io::ErrorKind::WouldBlock,
    io::ErrorKind::NotFound,
    io::ErrorKind::Unsupported,
    io::ErrorKind::BrokenPipe,
    io::ErrorKind::ConnectionReset,
    io::ErrorKind::ConnectionRefused,
    io::ErrorKind::ConnectionAborted,
    io::ErrorKind::NotConnected,
    io::ErrorKind::AddrInUse,
    io::ErrorKind::PermissionDenied,
    io::ErrorKind::OutOfMemory,
];

impl Sealed for io::Error {
    fn encode(&self, out: &mut Vec<u8>) {
        self.raw_os_error().encode(out);
        if self.raw_os_error().is_none() {
            let kind = KINDS.iter().position(|kind| *kind == self.kind());
            kind.unwrap_or(KINDS.len()).encode(out);
            self.to_string().encode(out);
        }
    }
    fn decode(from: &mut &[u8]) -> Option<Self> {
        Some(if let Some(code) = Option::<i32>::decode(from)? {
            io::Error::from_raw_os_error(code)
        } else {
            let kind = KINDS.get(usize::decode(from)?).copied();
            io::Error::new(kind.unwrap_or(io::ErrorKind::Other), String::decode(from)?)
        })
    }
    fn show(&self) -> String {
        match self.raw_os_error() {
            Some(code) => show_errno(code),
            None => format!("{:?}: {self}", self.kind()),
        }
    }
}

/// `ECONNREFUSED (Connection refused)`.
pub(crate) fn show_errno(code: i32) -> String {
    let errno = nix::errno::Errno::from_raw(code);
    format!("{errno:?} ({})", errno.desc())
}

impl Sealed for nix::errno::Errno {
    fn encode(&self, out: &mut Vec<u8>) {
        (*self as i32).encode(out);
    }
    fn decode(from: &mut &[u8]) -> Option<Self> {
        i32::decode(from).map(nix::errno::Errno::from_raw)
    }
    fn show(&self) -> String {
        show_errno(*self as i32)
    }
}

impl Sealed for Duration {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_nanos().encode(out);
    }
    fn decode(from: &mut &[u8]) -> Option<Self> {
        u128::decode(from).map(|n| Duration::from_nanos(n as u64))
    }
    fn show(&self) -> String {
        format!("{self:?}")
    }
}

/// Addresses cross as numbers, not as text: text would lose the scope and the flow label.
macro_rules! by_parts {
    ($($t:ty: |$value:ident| $parts:expr, $p:ty, |$back:ident| $whole:expr;)*) => {$(
        impl Sealed for $t {
            fn encode(&self, out: &mut Vec<u8>) {
                let $value = self;
                $parts.encode(out);
            }
            fn decode(from: &mut &[u8]) -> Option<Self> {
                <$p>::decode(from).map(|$back| $whole)
            }
            fn show(&self) -> String {
                format!("{self}")
            }
        }
    )*};
}
by_parts! {
    Ipv4Addr: |a| a.to_bits(), u32, |bits| Ipv4Addr::from_bits(bits);
    Ipv6Addr: |a| a.to_bits(), u128, |bits| Ipv6Addr::from_bits(bits);
    SocketAddrV4: |a| (*a.ip(), a.port()), (Ipv4Addr, u16), |p| SocketAddrV4::new(p.0, p.1);
    SocketAddrV6: |a| (*a.ip(), a.port(), a.flowinfo(), a.scope_id()), (Ipv6Addr, u16, u32, u32),
        |p| SocketAddrV6::new(p.0, p.1, p.2, p.3);
}

impl Sealed for IpAddr {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            IpAddr::V4(a) => Ok::<_, Ipv6Addr>(*a),
            IpAddr::V6(a) => Err(*a),
        }
        .encode(out);
    }
    fn decode(from: &mut &[u8]) -> Option<Self> {
        Result::<Ipv4Addr, Ipv6Addr>::decode(from).map(|a| a.map_or_else(IpAddr::V6, IpAddr::V4))
    }
    fn show(&self) -> String {
        format!("{self}")
    }
}

impl Sealed for SocketAddr {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            SocketAddr::V4(a) => Ok::<_, SocketAddrV6>(*a),
            SocketAddr::V6(a) => Err(*a),
        }
        .encode(out);
    }
    fn decode(from: &mut &[u8]) -> Option<Self> {
        Result::<SocketAddrV4, SocketAddrV6>::decode(from)
            .map(|a| a.map_or_else(SocketAddr::V6, SocketAddr::V4))
    }
    fn show(&self) -> String {
        format!("{self}")
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),+))*) => {$(
        impl<$($name: Sealed),+> Sealed for ($($name,)+) {
            fn encode(&self, out: &mut Vec<u8>) {
                $(self.$index.encode(out);)+
            }
            fn decode(from: &mut &[u8]) -> Option<Self> {
                Some(($($name::decode(from)?,)+))
            }
            fn show(&self) -> String {
                format!("({})", [$(self.$index.show()),+].join(", "))
            }
        }
    )*};
}
tuples! { (A 0) (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) (A 0, B 1, C 2, D 3, E 4)
(A 0, B 1, C 2, D 3, E 4, F 5) }

/// A value of the learner's own type, carried as its `Debug` text, for checks that only compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown(pub String);

impl Shown {
    /// The `Debug` text of any value.
    pub fn of(value: &impl Debug) -> Shown {
        Shown(format!("{value:?}"))
    }
}

impl Sealed for Shown {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
    fn decode(from: &mut &[u8]) -> Option<Self> {
        String::decode(from).map(Shown)
    }
    fn show(&self) -> String {
        self.0.clone()
    }
}
