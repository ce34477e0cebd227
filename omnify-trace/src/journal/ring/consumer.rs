//! The draining side of the ring.

use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

use super::{DATA_AT, Ring, TINY};
use crate::journal::frame::{self, WORD, Word};
use crate::schema::Stream;

/// The draining side. There is at most one per ring.
pub(in crate::journal) struct Consumer {
    ring: Arc<Ring>,
    tail: u64,
    at: u64,
}

/// One committed line, still in the ring.
pub(in crate::journal) struct Line<'a> {
    pub(in crate::journal) stream: Stream,
    pub(in crate::journal) first: &'a [u8],
    pub(in crate::journal) second: &'a [u8],
}

impl Consumer {
    pub(super) fn new(ring: Arc<Ring>, tail: u64) -> Self {
        Self {
            ring,
            tail,
            at: tail,
        }
    }

    /// The next line that [`release`](Self::release) does not cover yet, if it is committed.
    pub(in crate::journal) fn next(&mut self) -> Option<Line<'_>> {
        if self.at == self.tail + self.ring.capacity {
            // Full, and all of it read: here lies the first line again.
            return None;
        }
        let word = self.ring.word(self.at).load(Acquire);
        let Word::Committed { stream, len } = frame::read(word) else {
            return None;
        };
        let from = self.at + WORD as u64;
        self.at += frame::span(len);
        // SAFETY: invariant 4: the word was committed, so nobody writes the frame until `release`,
        // which needs `&mut self` and so ends the borrow.
        let (first, second) = unsafe { self.ring.slices(from, len) };
        Some(Line {
            stream,
            first,
            second,
        })
    }

    /// How far [`next`](Self::next) has come.
    pub(in crate::journal) fn position(&self) -> u64 {
        self.at
    }

    /// Gives everything before [`position`](Self::position) back to the producers.
    pub(in crate::journal) fn release(&mut self) {
        let len = (self.at - self.tail) as usize;
        let offset = self.ring.offset(self.tail);
        let first = len.min(DATA_AT + self.ring.capacity as usize - offset);
        // SAFETY: `[tail, at)` is committed and only the consumer may touch it (invariants 3, 4).
        unsafe {
            self.ring.memory.zero(offset, first);
            self.ring.memory.zero(DATA_AT, len - first);
        }
        self.settle();
    }

    /// If the ring is empty and far from its beginning, goes on at the beginning: a service that
    /// logs little then uses the same few pages again and again, warm in the cache.
    /// Returns whether the position changed.
    pub(in crate::journal) fn rewind(&mut self) -> bool {
        const FAR: u64 = if TINY { 16 } else { 64 * 1024 };
        let mask = self.ring.capacity - 1;
        if self.at & mask < FAR || self.tail != self.at {
            return false;
        }
        let start = (self.at | mask) + 1;
        // Nothing lies between, so the jump is a reservation of zeros: recovery skips it.
        if self
            .ring
            .header()
            .head
            .compare_exchange(self.at, start, SeqCst, Relaxed)
            .is_err()
        {
            return false;
        }
        self.at = start;
        true
    }

    /// Makes `tail` follow a [`rewind`](Self::rewind), once it is on record.
    pub(in crate::journal) fn settle(&mut self) {
        self.tail = self.at;
        self.ring.header().tail.store(self.at, Release);
    }
}
