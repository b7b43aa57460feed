// ANCHOR: types
//! Where does each field of each socket address structure lie?

use std::mem::{align_of, offset_of, size_of};

/// One structure, as this machine's C library lays it out. All sizes are in bytes.
#[derive(Debug)]
pub struct Layout {
    /// Its name in C, without the word `struct`.
    pub name: &'static str,
    /// Its size.
    pub size: usize,
    /// Its alignment.
    pub align: usize,
    /// Its public fields, in order.
    pub fields: &'static [Field],
}

/// One field of a structure.
#[derive(Debug)]
pub struct Field {
    /// Its name in C.
    pub name: &'static str,
    /// Where it begins, counted from the start of the structure.
    pub offset: usize,
    /// Its size.
    pub size: usize,
}
// ANCHOR_END: types

// ANCHOR: table
/// Every structure of this chapter.
pub const LAYOUTS: &[Layout] = &[
    layout!(sockaddr { sa_family, sa_data }),
    layout!(in_addr { s_addr }),
    layout!(sockaddr_in { sin_family, sin_port, sin_addr, sin_zero }),
    layout!(in6_addr { s6_addr }),
    layout!(sockaddr_in6 {
        sin6_family,
        sin6_port,
        sin6_flowinfo,
        sin6_addr,
        sin6_scope_id
    }),
    layout!(sockaddr_un { sun_family, sun_path }),
    layout!(sockaddr_storage { ss_family }),
];
// ANCHOR_END: table

// ANCHOR: of_family
/// The structure that addresses of `family` are read with.
pub fn of_family(family: libc::sa_family_t) -> &'static Layout {
    let name = match i32::from(family) {
        libc::AF_INET => "sockaddr_in",
        libc::AF_INET6 => "sockaddr_in6",
        libc::AF_UNIX => "sockaddr_un",
        _ => "sockaddr",
    };
    LAYOUTS
        .iter()
        .find(|layout| layout.name == name)
        .expect("every name above is in the table")
}
// ANCHOR_END: of_family

// ANCHOR: macro
/// Asks the compiler, so that no number in the table is typed by hand.
macro_rules! layout {
    ($name:ident { $($field:ident),+ }) => {
        Layout {
            name: stringify!($name),
            size: size_of::<libc::$name>(),
            align: align_of::<libc::$name>(),
            fields: &[$(Field {
                name: stringify!($field),
                offset: offset_of!(libc::$name, $field),
                size: size_of_field(|whole: &libc::$name| &whole.$field),
            }),+],
        }
    };
}
use layout;

const fn size_of_field<Whole, Part>(_: fn(&Whole) -> &Part) -> usize {
    size_of::<Part>()
}
// ANCHOR_END: macro
