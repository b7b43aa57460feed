//! How do the check and its tracer see the same memory, and the learner's code does not?

use std::io;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// Zeroed memory that a forked child shares, unless it is kept from it.
pub struct Shared<T> {
    at: NonNull<T>,
    what: PhantomData<T>,
}

impl<T> Shared<T> {
    /// Maps it. `T` must be made of atomics and plain numbers, for which zeros are a value.
    pub fn new() -> io::Result<Shared<T>> {
        // SAFETY: a new anonymous mapping; nothing is replaced.
        let at = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                size_of::<T>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let at = NonNull::new(at.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Shared {
            at,
            what: PhantomData,
        })
    }

    /// The memory.
    pub fn get(&self) -> &T {
        // SAFETY: mapped with the size of T until self is dropped, and aligned to a page.
        unsafe { self.at.as_ref() }
    }

    /// Where it is, for what the tracer alone writes.
    pub fn pointer(&self) -> *mut T {
        self.at.as_ptr()
    }

    /// Whether children that are forked from now on get it.
    pub fn give_to_children(&self, give: bool) {
        let advice = if give {
            libc::MADV_DOFORK
        } else {
            libc::MADV_DONTFORK
        };
        // SAFETY: the range is this mapping.
        unsafe { libc::madvise(self.at.as_ptr().cast(), size_of::<T>(), advice) };
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: the range is this mapping, and nobody has a reference to it any more.
        unsafe { libc::munmap(self.at.as_ptr().cast(), size_of::<T>()) };
    }
}
