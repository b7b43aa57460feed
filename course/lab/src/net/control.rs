//! How does the switch, a process of its own, take orders?
//!
//! By a socket pair. An order is one fixed-size value; the answer is a number and some bytes. Whoever gave an order waits for
//! the answer, so what was ordered is in force when the call returns.

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::rule::{Compiled, Ports};

/// What the switch can be told to do.
#[derive(Clone, Copy)]
pub(super) enum Order {
    /// Add a rule. Answer: its number, from 1.
    Add(Compiled),
    /// Take a rule away. Answer: how often it acted.
    Remove(u32),
    /// Cut the cables of these ports.
    Cut(Ports),
    /// Mend the cables of these ports.
    Mend(Ports),
    /// Take in all that the hosts have sent so far. Answer: the record from this byte on.
    Record { from: usize },
    /// As `Record`, but not before there is something after this byte, or the time is up.
    Wait { from: usize, at_most: Duration },
    /// Answer: how many frames are waiting, delayed or held back.
    Busy,
}

/// The end of the process that gives orders.
pub(super) struct Commander(UnixStream);

/// The switch's end.
pub(super) struct Receiver(UnixStream);

/// A connected pair.
pub(super) fn pair() -> io::Result<(Commander, Receiver)> {
    let (one, other) = UnixStream::pair()?;
    Ok((
        Commander(crate::system::own(one.into())?.into()),
        Receiver(crate::system::own(other.into())?.into()),
    ))
}

impl Commander {
    /// Gives an order and waits for the answer.
    pub(super) fn order(&self, order: Order) -> io::Result<(u64, Vec<u8>)> {
        self.exchange(order)
            .map_err(|e| io::Error::new(e.kind(), format!("the switch does not answer: {e}")))
    }

    fn exchange(&self, order: Order) -> io::Result<(u64, Vec<u8>)> {
        let sent = loop {
            // SAFETY: the pointer is to a live value of the size given.
            let sent = unsafe {
                libc::send(
                    self.0.as_raw_fd(),
                    (&raw const order).cast(),
                    size_of::<Order>(),
                    libc::MSG_NOSIGNAL,
                )
            };
            if sent >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                break sent;
            }
        };
        if sent != size_of::<Order>() as isize {
            return Err(io::Error::last_os_error());
        }
        let mut head = [0; 16];
        (&self.0).read_exact(&mut head)?;
        let [number, length] =
            [0, 8].map(|at| u64::from_ne_bytes(std::array::from_fn(|i| head[at + i])));
        let mut bytes = vec![0; length as usize];
        (&self.0).read_exact(&mut bytes)?;
        Ok((number, bytes))
    }
}

impl Receiver {
    /// Takes the next order. At end-of-file the commander is gone.
    pub(super) fn next(&self) -> io::Result<Order> {
        let mut order = MaybeUninit::<Order>::zeroed();
        // SAFETY: the bytes are those of the place for one value, and all are initialized.
        let bytes = unsafe {
            std::slice::from_raw_parts_mut(order.as_mut_ptr().cast::<u8>(), size_of::<Order>())
        };
        (&self.0).read_exact(bytes)?;
        // SAFETY: the other end is this same program, forked, and sends nothing but whole values of this type, which have no
        // pointers in them.
        Ok(unsafe { order.assume_init() })
    }

    /// Answers the last order.
    pub(super) fn answer(&self, number: u64, bytes: &[u8]) -> io::Result<()> {
        let head = [number.to_ne_bytes(), (bytes.len() as u64).to_ne_bytes()].concat();
        (&self.0).write_all(&head)?;
        (&self.0).write_all(bytes)
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
