//! The face of the ring's memory, over loom: each word is one of loom's atomics, and each plain
//! access is shown to loom as an access to the words that it touches, so that a race is found.
//!
//! A thread can be made to die before its n-th access: what it did until then is what a killed
//! process leaves in its file.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::panic::resume_unwind;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

use super::super::DATA_AT;
use crate::journal::header::Header;

loom::thread_local! {
    static LEFT: Cell<Option<usize>> = Cell::new(None);
}

/// What a thread that dies unwinds with.
pub(super) struct Death;

/// Lets this thread die before its access number `accesses`; `None`: it lives.
pub(super) fn die_after(accesses: Option<usize>) {
    LEFT.with(|left| left.set(accesses));
}

fn step() {
    let dead = LEFT.with(|left| match left.get() {
        Some(0) => {
            left.set(None);
            true
        }
        Some(more) => {
            left.set(Some(more - 1));
            false
        }
        None => false,
    });
    if dead {
        resume_unwind(Box::new(Death));
    }
}

/// An atomic before whose use a thread may die.
#[derive(Debug, Default)]
pub(in crate::journal) struct AtomicU64(loom::sync::atomic::AtomicU64);

impl AtomicU64 {
    pub(in crate::journal) fn new(value: u64) -> Self {
        Self(loom::sync::atomic::AtomicU64::new(value))
    }

    pub(in crate::journal) fn load(&self, order: Ordering) -> u64 {
        // Leaves nothing behind, so dying here is dying before the next change.
        self.0.load(order)
    }

    pub(in crate::journal) fn store(&self, value: u64, order: Ordering) {
        step();
        self.0.store(value, order);
    }

    pub(in crate::journal) fn compare_exchange(
        &self,
        old: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        step();
        self.0.compare_exchange(old, new, success, failure)
    }

    pub(in crate::journal) fn compare_exchange_weak(
        &self,
        old: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        self.compare_exchange(old, new, success, failure)
    }

    pub(in crate::journal) fn fetch_add(&self, value: u64, order: Ordering) -> u64 {
        step();
        self.0.fetch_add(value, order)
    }

    pub(in crate::journal) fn fetch_or(&self, value: u64, order: Ordering) -> u64 {
        step();
        self.0.fetch_or(value, order)
    }

    pub(in crate::journal) fn fetch_and(&self, value: u64, order: Ordering) -> u64 {
        step();
        self.0.fetch_and(value, order)
    }
}

struct Word {
    value: AtomicU64,
    plain: loom::cell::UnsafeCell<()>,
}

pub(in crate::journal::ring) struct Memory {
    header: Header,
    words: Vec<Word>,
    bytes: NonNull<u8>,
}

// SAFETY: loom runs one thread at a time and checks every access.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    pub(in crate::journal::ring) fn map(_: &File, _: usize) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(in crate::journal::ring) fn heap(capacity: usize) -> io::Result<Self> {
        let len = DATA_AT + capacity;
        let bytes = Box::leak(vec![0_u8; len].into_boxed_slice());
        let word = || Word {
            value: AtomicU64::new(0),
            plain: loom::cell::UnsafeCell::new(()),
        };
        Ok(Self {
            header: Header::default(),
            words: std::iter::repeat_with(word).take(len / 8).collect(),
            bytes: NonNull::from(bytes).cast(),
        })
    }

    pub(in crate::journal::ring) fn is_volatile(&self) -> bool {
        true
    }

    pub(in crate::journal::ring) fn header(&self) -> &Header {
        &self.header
    }

    pub(in crate::journal::ring) fn word(&self, offset: usize) -> &AtomicU64 {
        let word = &self.words[offset / 8];
        word.plain.with(|_| ());
        &word.value
    }

    /// # Safety
    /// Loom checks that nobody else looks.
    pub(in crate::journal::ring) unsafe fn write(&self, offset: usize, bytes: &[u8]) {
        for (i, byte) in bytes.iter().enumerate() {
            // SAFETY: `offset` and `i` are checked by `touch`, which indexes.
            unsafe { self.bytes.as_ptr().add(offset + i).write(*byte) };
            if (offset + i + 1).is_multiple_of(8) || i + 1 == bytes.len() {
                self.touch(offset + i);
            }
        }
    }

    /// # Safety
    /// Loom checks that nobody else writes.
    pub(in crate::journal::ring) unsafe fn read(&self, offset: usize, len: usize) -> &[u8] {
        let words = &self.words[offset / 8..(offset + len).div_ceil(8)];
        for word in words {
            word.plain.with(|_| ());
        }
        // SAFETY: the words were there.
        unsafe { std::slice::from_raw_parts(self.bytes.as_ptr().add(offset), len) }
    }

    /// # Safety
    /// Loom checks that nobody else looks.
    pub(in crate::journal::ring) unsafe fn zero(&self, offset: usize, len: usize) {
        // SAFETY: as the caller's.
        unsafe { self.write(offset, &vec![0; len]) };
    }

    pub(in crate::journal::ring) fn prefetch(&self, _: usize) {}

    /// A plain write of the word around `offset`. What it holds is seen by those who read the word.
    fn touch(&self, offset: usize) {
        let at = offset / 8;
        let word = &self.words[at];
        word.plain.with_mut(|_| ());
        // SAFETY: the word is inside.
        let bytes = unsafe { self.bytes.as_ptr().add(at * 8).cast::<[u8; 8]>().read() };
        word.value
            .store(u64::from_le_bytes(bytes), Ordering::Relaxed);
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let bytes = std::ptr::slice_from_raw_parts_mut(self.bytes.as_ptr(), self.words.len() * 8);
        // SAFETY: leaked with this length in `heap`.
        drop(unsafe { Box::from_raw(bytes) });
    }
}
