//! Where the tracer writes down what was called, and the check reads it.
//!
//! Shared memory of a fixed size: the first calls are kept, and the last; a loop of a million calls
//! loses its middle. Each entry is guarded by a count that is odd while the tracer writes.

use std::io;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering, fence};

use crate::trace::shared::Shared;

/// Entries that are kept of the beginning, and as many of the end.
pub const KEPT: u64 = 2048;

/// One call, as the tracer writes it.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Entry {
    /// Counted from 0 over all of a subject's calls.
    pub index: u64,
    /// The system call's number.
    pub number: i64,
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub began: u64,
    /// The same; 0 until it has returned.
    pub ended: u64,
    /// The result as the code got it: negative is an errno.
    pub result: i64,
    /// The process, as the check sees it.
    pub pid: i32,
    /// The thread.
    pub tid: i32,
    /// 0 is the subject itself, 1 the first process that it forked.
    pub process: u32,
    /// The descriptor that it is about, or -1.
    pub fd: i32,
    /// Whether it has returned, was interrupted, or never returned.
    pub state: State,
    /// The arguments in words.
    pub arguments: Text<232>,
    /// What the descriptor is.
    pub what: Text<96>,
    /// What the lab did to it, in words.
    pub effect: Text<96>,
    /// The first of the bytes that were moved.
    pub data: [u8; 48],
    /// How many of them there are here.
    pub data_len: u8,
}

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// It has not come back.
    Open = 0,
    /// It has come back.
    Returned = 1,
    /// A signal interrupted it, and the code has learned so.
    Interrupted = 2,
    /// The process ended in it.
    Ended = 3,
}

/// A text with room for so many bytes, cut at the end of a character.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Text<const N: usize> {
    len: u8,
    bytes: [u8; N],
}

impl<const N: usize> Text<N> {
    /// Nothing.
    pub const EMPTY: Text<N> = Text {
        len: 0,
        bytes: [0; N],
    };

    /// As much of it as there is room for.
    pub fn of(text: &str) -> Text<N> {
        let mut this = Text::EMPTY;
        let room = N.min(u8::MAX as usize);
        let mut len = text.len().min(room);
        while !text.is_char_boundary(len) {
            len -= 1;
        }
        this.bytes[..len].copy_from_slice(&text.as_bytes()[..len]);
        this.len = len as u8;
        if len < text.len() && len >= 3 {
            // An ellipsis where it was cut.
            let mut cut = len - 3;
            while !text.is_char_boundary(cut) {
                cut -= 1;
            }
            this.bytes[cut..cut + 3].copy_from_slice("…".as_bytes());
            this.len = cut as u8 + 3;
        }
        this
    }

    /// The text.
    pub fn text(&self) -> String {
        let bytes = &self.bytes[..N.min(self.len as usize)];
        String::from_utf8_lossy(bytes).into_owned()
    }
}

impl Entry {
    /// A call that has just begun.
    pub fn new(number: i64, began: u64) -> Entry {
        Entry {
            index: 0,
            number,
            began,
            ended: 0,
            result: 0,
            pid: 0,
            tid: 0,
            process: 0,
            fd: -1,
            state: State::Open,
            arguments: Text::EMPTY,
            what: Text::EMPTY,
            effect: Text::EMPTY,
            data: [0; 48],
            data_len: 0,
        }
    }
}

/// What is shared.
#[repr(C)]
struct Pages {
    /// Entries written since the beginning.
    count: AtomicU64,
    /// Whether the tracer is about to do something by itself: a delay, a signal during a call.
    busy: AtomicU32,
    /// How often each of the plan's lines took place.
    happened: [AtomicU32; LINES],
    /// A process of the subject's that the tracer could not follow, and the errno.
    trouble: AtomicI32,
    slots: [Slot; 2 * KEPT as usize],
}

/// Lines of a plan whose effects are counted.
pub const LINES: usize = 64;

#[repr(C)]
struct Slot {
    guard: AtomicU64,
    entry: Entry,
}

/// The log, as both sides have it.
pub struct Log(Shared<Pages>);

impl Log {
    /// An empty one.
    pub fn new() -> io::Result<Log> {
        Shared::new().map(Log)
    }

    /// The mapping itself.
    pub fn give_to_children(&self, give: bool) {
        self.0.give_to_children(give);
    }

    /// Writes a new entry and gives its index. In the tracer alone.
    pub fn add(&self, mut entry: Entry) -> u64 {
        let index = self.0.get().count.load(Ordering::Relaxed);
        entry.index = index;
        self.put(&entry);
        self.0.get().count.store(index + 1, Ordering::Release);
        index
    }

    /// Writes an entry anew, unless its place has been taken by a later one. In the tracer alone.
    pub fn put(&self, entry: &Entry) {
        let slot = self.slot(entry.index);
        // SAFETY: the slot is in the mapping. The tracer alone writes, and has one thread.
        unsafe {
            let guard = &(*slot).guard;
            let before = guard.load(Ordering::Relaxed);
            if before != 0 && (*slot).entry.index > entry.index {
                return;
            }
            guard.store(before | 1, Ordering::Relaxed);
            fence(Ordering::Release);
            ptr::write_volatile(&raw mut (*slot).entry, *entry);
            guard.store((before | 1) + 1, Ordering::Release);
        }
    }

    /// The entries that are kept, in order, and how many were not.
    pub fn read(&self) -> (Vec<Entry>, u64) {
        let count = self.0.get().count.load(Ordering::Acquire);
        let dropped = count.saturating_sub(2 * KEPT);
        let first = 0..count.min(KEPT);
        let last = count.saturating_sub(KEPT).max(KEPT)..count;
        let entries = first.chain(last).filter_map(|index| self.at(index));
        (entries.collect(), dropped)
    }

    fn at(&self, index: u64) -> Option<Entry> {
        let slot = self.slot(index);
        for _ in 0..1000 {
            // SAFETY: the slot is in the mapping. What is read while the tracer writes is thrown away;
            // `state` is only looked at when the guard says that it is whole.
            let (before, entry, after) = unsafe {
                let before = (*slot).guard.load(Ordering::Acquire);
                let entry = ptr::read_volatile((&raw const (*slot).entry).cast::<MaybeEntry>());
                fence(Ordering::Acquire);
                (before, entry, (*slot).guard.load(Ordering::Relaxed))
            };
            if before == after && before % 2 == 0 && before != 0 {
                // SAFETY: it was written whole.
                let entry = unsafe { entry.assume_init() };
                return (entry.index == index).then_some(entry);
            }
            std::thread::yield_now();
        }
        None
    }

    fn slot(&self, index: u64) -> *mut Slot {
        let place = if index < KEPT {
            index
        } else {
            KEPT + (index - KEPT) % KEPT
        };
        // SAFETY: place is below the number of slots.
        unsafe {
            (&raw mut (*self.0.pointer()).slots)
                .cast::<Slot>()
                .add(place as usize)
        }
    }

    /// Says whether something is about to come of the tracer itself.
    pub fn set_busy(&self, busy: bool) {
        self.0.get().busy.store(busy.into(), Ordering::Release);
    }

    /// Whether something is about to come of the tracer itself.
    pub fn is_busy(&self) -> bool {
        self.0.get().busy.load(Ordering::Acquire) != 0
    }

    /// Counts an effect.
    pub fn happens(&self, line: usize) {
        if let Some(count) = self.0.get().happened.get(line) {
            count.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// How often this line of the plan took place.
    pub fn happened(&self, line: usize) -> u32 {
        let count = self.0.get().happened.get(line);
        count.map_or(0, |count| count.load(Ordering::Acquire))
    }
}

type MaybeEntry = std::mem::MaybeUninit<Entry>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_are_kept() {
        let log = Log::new().unwrap();
        for number in 0..10_000 {
            assert_eq!(log.add(Entry::new(number, 1)), number as u64);
        }
        let (entries, dropped) = log.read();
        assert_eq!(dropped, 10_000 - 2 * KEPT);
        assert_eq!(entries.len() as u64, 2 * KEPT);
        assert_eq!(entries[KEPT as usize - 1].number, KEPT as i64 - 1);
        assert_eq!(entries.last().unwrap().number, 9_999);
    }

    #[test]
    fn an_entry_that_was_overwritten_stays_so() {
        let log = Log::new().unwrap();
        for number in 0..3 * KEPT as i64 {
            log.add(Entry::new(number, 1));
        }
        let mut old = Entry::new(7, 1);
        old.index = KEPT;
        log.put(&old);
        assert!(
            log.read()
                .0
                .iter()
                .all(|entry| entry.number != 7 || entry.index == 7)
        );
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(Text::<8>::of("short").text(), "short");
        assert_eq!(Text::<8>::of("very long").text(), "very …");
        assert_eq!(Text::<8>::of("ääääää").text(), "ää…");
    }
}
