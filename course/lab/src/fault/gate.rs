//! How does a check hold a call until something else has happened?
//!
//! A FIN between `poll` and `read`, a reset between the handshake and `accept`: the check holds the
//! second call, lets the thing happen, and opens the gate.

use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::bench::{Bench, Wake};
use crate::finding::Finding;
use crate::trace::Shared;

/// Holds calls of a subject. From [`Check::gate`](crate::Check::gate).
#[derive(Clone)]
pub struct Gate {
    bench: Rc<Bench>,
    page: Rc<Shared<Page>>,
}

/// What the check and the tracer both see.
#[repr(C)]
pub(crate) struct Page {
    /// How many calls are held now.
    held: AtomicU32,
    /// Whether the gate is open.
    open: AtomicU32,
}

impl Gate {
    pub(crate) fn new(bench: Rc<Bench>) -> io::Result<Gate> {
        Ok(Gate {
            bench,
            page: Rc::new(Shared::new()?),
        })
    }

    /// Waits until a call is held.
    ///
    /// # Errors
    ///
    /// A failure when none comes.
    pub fn wait_held(&self) -> Result<(), Finding> {
        let held = self.bench.wait(Wake::Tick, || {
            (self.page.get().held.load(Ordering::Acquire) > 0).then_some(())
        });
        held.map_err(|stalled| stalled.finding("your code to make the call that the check holds"))
    }

    /// Lets the held call go on, and all that come later.
    pub fn release(&self) {
        self.bench.step("the check lets the held call go on");
        self.page.get().open.store(1, Ordering::Release);
    }

    /// Before a tracer is forked, which has to see the page; afterwards the subject must not.
    pub(crate) fn page(&self) -> &Shared<Page> {
        &self.page
    }

    /// In the tracer: whether calls may go on.
    pub(crate) fn is_open(&self) -> bool {
        self.page.get().open.load(Ordering::Acquire) != 0
    }

    /// In the tracer: one more call is held.
    pub(crate) fn holds(&self) {
        self.page.get().held.fetch_add(1, Ordering::AcqRel);
    }

    /// In the tracer: one call fewer is held.
    pub(crate) fn lets_go(&self) {
        self.page.get().held.fetch_sub(1, Ordering::AcqRel);
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}
