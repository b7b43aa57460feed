// ANCHOR: address
//! How does one type hold the address of any family?

use std::mem::{size_of, zeroed};
use std::ptr;

use libc::{c_int, sa_family_t, sockaddr, sockaddr_storage, socklen_t};
use nix::errno::Errno;

use introduction::error::{CallError, InCall};

/// A socket address of any family, with its length.
///
/// The two belong together: `bind(2)`, `connect(2)` and `sendto(2)` take both, and a
/// Unix address has no other sign of where it ends.
#[derive(Clone, Copy)]
pub struct Address {
    storage: sockaddr_storage,
    len: socklen_t,
}
// ANCHOR_END: address

// ANCHOR: parts
impl Address {
    /// Where the address begins, as system calls want it. Valid as long as `self` is.
    pub fn as_ptr(&self) -> *const sockaddr {
        (&raw const self.storage).cast()
    }

    /// How many bytes of it count.
    #[expect(clippy::len_without_is_empty, reason = "an address has bytes")]
    pub fn len(&self) -> socklen_t {
        self.len
    }

    /// The bytes that count, as they lie in memory.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `storage` was zeroed before it was filled, so every byte of it is
        // initialized; `len` never exceeds its size; the slice borrows `self`.
        unsafe { std::slice::from_raw_parts(self.as_ptr().cast(), self.len as usize) }
    }

    /// The family, such as `AF_INET`. `AF_UNSPEC`, which is 0, when there is none.
    pub fn family(&self) -> sa_family_t {
        self.storage.ss_family
    }
    // ANCHOR_END: parts

    // ANCHOR: from_bytes
    /// Copies an address from memory. `None` when it is longer than 128 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Address> {
        let mut address = Address::empty();
        if bytes.len() > size_of::<sockaddr_storage>() {
            return None;
        }
        address.len = bytes.len() as socklen_t;
        let memory = address.as_mut_ptr::<u8>();
        // SAFETY: the length was checked, and a new variable overlaps nothing.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), memory, bytes.len()) };
        Some(address)
    }

    fn empty() -> Address {
        // SAFETY: all zeros are a `sockaddr_storage`.
        let storage = unsafe { zeroed() };
        Address { storage, len: 0 }
    }

    fn as_mut_ptr<T>(&mut self) -> *mut T {
        (&raw mut self.storage).cast()
    }
    // ANCHOR_END: from_bytes

    // ANCHOR: filled_by
    /// Lets a system call fill in an address, and returns it with what the call
    /// returned.
    ///
    /// `ask` gets the two arguments by which `accept(2)`, `getsockname(2)`,
    /// `getpeername(2)` and `recvfrom(2)` give an address.
    ///
    /// # Errors
    ///
    /// What the call reports, by returning -1.
    pub fn filled_by(
        call: &'static str,
        ask: impl FnOnce(*mut sockaddr, *mut socklen_t) -> c_int,
    ) -> Result<(c_int, Address), CallError> {
        let mut address = Address::empty();
        let room = size_of::<sockaddr_storage>() as socklen_t;
        let mut len = room; // in: how much room there is
        let returned =
            Errno::result(ask(address.as_mut_ptr(), &raw mut len)).in_call(call)?;
        address.len = len.min(room); // out: how long the address is
        Ok((returned, address))
    }
    // ANCHOR_END: filled_by

    // ANCHOR: view
    /// An address made of a structure.
    pub(crate) fn of<T: Structure>(structure: T) -> Address {
        let mut address = Address::empty();
        address.len = size_of::<T>() as socklen_t;
        // SAFETY: `Structure` promises that a `T` fits, in size and alignment.
        unsafe { address.as_mut_ptr::<T>().write(structure) };
        address
    }

    /// The address of one certain family, if this is one.
    pub(crate) fn view<T: Structure>(&self) -> Option<&T> {
        let whole = self.len as usize >= size_of::<T>();
        // SAFETY: `Structure` promises that a `T` fits, and that any bytes make one.
        (whole && i32::from(self.family()) == T::FAMILY)
            .then(|| unsafe { &*self.as_ptr().cast() })
    }
    // ANCHOR_END: view
}

// ANCHOR: structure
/// A structure that a socket address may be, by its family.
///
/// # Safety
///
/// It begins with the family, any bytes make one, and it is neither larger than
/// `sockaddr_storage` nor aligned more strictly.
pub(crate) unsafe trait Structure {
    /// The family whose addresses have this shape.
    const FAMILY: c_int;
}

// SAFETY: integers and arrays of them. `tests/layout.rs` compares them with C's.
unsafe impl Structure for libc::sockaddr_in {
    const FAMILY: c_int = libc::AF_INET;
}

// SAFETY: as above.
unsafe impl Structure for libc::sockaddr_in6 {
    const FAMILY: c_int = libc::AF_INET6;
}
// ANCHOR_END: structure
