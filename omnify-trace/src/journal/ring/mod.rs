//! The ring: a bounded queue of lines in a memory-mapped file. All `unsafe` of this crate is here
//! and in the modules below (but for the layer's clock); what Miri and loom say of it: `docs/long-tests.md`.
//!
//! # Layout
//! One page of [`Header`], then the table of what is in flight, then `capacity` bytes (a power of
//! two) of data. Positions count bytes since the ring was made and never wrap (2^64 bytes take
//! centuries); the data of position `p` lies at `p & (capacity - 1)`. A line is a frame (see
//! [`frame`]) that may wrap around the end; its word never does, for frames are multiples of eight.
//!
//! # Invariants
//! 1. `tail <= head <= tail + capacity`. `head` moves only by a successful compare-and-swap of
//!    producers (and of [`Consumer::rewind`]), `tail` only by the one [`Consumer`].
//! 2. Bytes of `[head, tail + capacity)` are zero: the consumer zeroes what it drained *before* it
//!    moves `tail` (release), and producers read `tail` (acquire) before they reserve.
//! 3. The producer whose swap moved `head` from `h` to `h + n` alone writes `[h, h + n)`, first the
//!    reserved word, then the bytes, last the committed word (release). From then on nobody writes
//!    there until the consumer releases it.
//! 4. The consumer reads bytes of a frame only after it saw the committed word (acquire).
//! 5. Hence, in a file left behind by a killed process, zero words from `tail` on are
//!    reservations that never got further; skipping them word by word finds the next frame.
//!
//! A process may die between any two instructions: its stores are in the page cache in program
//! order, which is all that recovery needs. After a power cut pages may be older than one another;
//! then the check in the word decides.

mod alive;
mod consumer;
#[cfg(not(all(test, loom)))]
mod memory;
#[cfg(all(test, loom))]
mod models;
mod signal;
pub(super) mod sync;
#[cfg(test)]
#[cfg(not(loom))]
mod tests;

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

#[cfg(not(all(test, loom)))]
use memory::Memory;
#[cfg(all(test, loom))]
use models::memory::Memory;
use sync::{AtomicU64, AtomicUsize, fence};

use super::frame::{self, WORD, Word};
use super::header::Header;
use crate::schema::Stream;

pub(super) use alive::Alive;
pub(super) use consumer::Consumer;
pub(super) use signal::install as note_fatal_signals;

/// Loom looks at every order in which things can happen: its ring is tiny.
const TINY: bool = cfg!(all(test, loom));
/// Bytes before the in-flight table.
pub(super) const HEADER_BYTES: usize = if TINY { 0 } else { 4096 };
/// Operations that can be in flight at once.
pub(super) const IN_FLIGHT_SLOTS: usize = if TINY { 64 } else { 1024 };
/// Bytes of one slot, its state word included.
pub(super) const IN_FLIGHT_SLOT: usize = if TINY { 16 } else { 512 };
/// The longest note that a slot holds.
pub(super) const IN_FLIGHT_NOTE: usize = IN_FLIGHT_SLOT - WORD;
/// Where the data begins.
pub(super) const DATA_AT: usize = HEADER_BYTES + IN_FLIGHT_SLOTS * IN_FLIGHT_SLOT;
/// A ring below this is of no use.
pub(super) const MIN_CAPACITY: usize = if TINY { 32 } else { 4096 };
/// A ring file that claims more than this is not ours.
pub(super) const MAX_CAPACITY: usize = 1 << 30;

const NOTE_READY: u64 = 2;
/// How far before a line's place its memory is asked for.
const WARM_AHEAD: u64 = 512;
/// Words of one bit per slot.
const TAKEN: usize = IN_FLIGHT_SLOTS / 64;

/// The ring has no room for this line now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

/// The shared ring. Producers push through `&self`; one [`Consumer`] drains.
pub(super) struct Ring {
    memory: Memory,
    capacity: u64,
    nonce: u64,
    taken: [AtomicU64; TAKEN],
    next_note: AtomicUsize,
}

impl Ring {
    /// Maps a ring file of exactly `DATA_AT + capacity` bytes.
    pub(super) fn map(file: &File, capacity: usize) -> io::Result<Self> {
        check_capacity(capacity)?;
        Ok(Self::over(Memory::map(file, capacity)?, capacity))
    }

    /// A ring in plain memory: it does not outlive the process.
    pub(super) fn heap(capacity: usize) -> io::Result<Self> {
        check_capacity(capacity)?;
        Ok(Self::over(Memory::heap(capacity)?, capacity))
    }

    fn over(memory: Memory, capacity: usize) -> Self {
        let mut ring = Self {
            memory,
            capacity: capacity as u64,
            nonce: 0,
            taken: std::array::from_fn(|_| AtomicU64::new(0)),
            next_note: AtomicUsize::new(0),
        };
        ring.nonce = ring.header().nonce.load(Relaxed);
        ring
    }

    /// Makes the ring new and empty, beginning at position 0.
    pub(super) fn initialise(&mut self, nonce: u64) {
        self.header().magic.store(0, Release);
        // SAFETY: `&mut self` is the only access, and the memory is that long.
        unsafe { self.memory.zero(0, DATA_AT + self.capacity as usize) };
        self.nonce = nonce;
        let header = self.header();
        header.nonce.store(nonce, Relaxed);
        header.capacity.store(self.capacity, Relaxed);
    }

    /// The control page.
    pub(super) fn header(&self) -> &Header {
        self.memory.header()
    }

    /// Notes a fatal signal of this process in the header: see `signal`.
    pub(super) fn watch_signals(&self) {
        signal::watch(self.header());
    }

    /// Whether the ring lies in plain memory.
    pub(super) fn is_volatile(&self) -> bool {
        self.memory.is_volatile()
    }

    /// Bytes of data.
    pub(super) fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Bytes reserved and not yet released.
    pub(super) fn used(&self) -> u64 {
        let tail = self.header().tail.load(Acquire);
        // Sequentially consistent for the drainer that is about to sleep: see `wake`.
        self.header().head.load(SeqCst).saturating_sub(tail)
    }

    /// Puts a line into the ring and returns how many bytes are now in use.
    pub(super) fn push(&self, stream: Stream, line: &[u8]) -> Result<u64, Full> {
        debug_assert!(line.len() <= frame::MAX_LINE);
        let need = frame::span(line.len());
        let check = frame::content(line);
        let header = self.header();
        let mut tail = header.tail.load(Acquire);
        let mut head = header.head.load(Relaxed);
        let used = loop {
            let used = head.wrapping_add(need).wrapping_sub(tail);
            if used > self.capacity {
                let now = header.tail.load(Acquire);
                if now == tail {
                    return Err(Full);
                }
                tail = now;
                head = header.head.load(Relaxed);
                continue;
            }
            // Sequentially consistent, so that a drainer that was seen sleeping by nobody has seen
            // this reservation: see `wake`.
            match header
                .head
                .compare_exchange_weak(head, head + need, SeqCst, Relaxed)
            {
                Ok(_) => break used,
                Err(now) => head = now,
            }
        };
        let place = self.place(head);
        let word = self.word(head);
        word.store(frame::reserved(stream, line.len(), place), Relaxed);
        // The reserved word must be in memory before the first byte of the line.
        fence(Release);
        // SAFETY: invariant 3: `[head, head + need)` is ours, and `need <= capacity`.
        unsafe { self.copy_in(head + WORD as u64, line) };
        word.store(frame::committed(stream, line.len(), place, check), Release);
        self.warm(head + need);
        Ok(used)
    }

    /// Splits the ring into the side that many may have and the side that one may have.
    pub(super) fn split(self) -> (Arc<Self>, Consumer) {
        let tail = self.header().tail.load(Acquire);
        let ring = Arc::new(self);
        (Arc::clone(&ring), Consumer::new(ring, tail))
    }

    /// Every proven line from `from` on, in order, and how many words made no sense. For a ring
    /// that nobody writes: the one of a dead process, or a new one.
    pub(super) fn scan(&mut self, from: u64, mut line: impl FnMut(Stream, &[u8], &[u8])) -> u64 {
        let head = self.header().head.load(Acquire);
        let most = from.saturating_add(self.capacity);
        let end = if head >= from && head <= most && head.is_multiple_of(8) {
            head
        } else {
            most
        };
        let (mut at, mut damaged) = (from, 0);
        while at < end {
            let place = self.place(at);
            let word = self.word(at).load(Acquire);
            let fits = |len: usize| frame::span(len) <= end - at;
            at += match frame::read(word) {
                Word::Empty => WORD as u64,
                Word::Reserved { len } if fits(len) && frame::proves_reserved(word, place) => {
                    frame::span(len)
                }
                Word::Committed { stream, len } if fits(len) => {
                    // SAFETY: the frame fits the region, and `&mut self` means nobody writes.
                    let (first, second) = unsafe { self.slices(at + WORD as u64, len) };
                    let check = if second.is_empty() {
                        frame::content(first)
                    } else {
                        frame::content(&[first, second].concat())
                    };
                    if frame::proves_committed(word, place, check) {
                        line(stream, first, second);
                        frame::span(len)
                    } else {
                        damaged += 1;
                        WORD as u64
                    }
                }
                _ => {
                    damaged += 1;
                    WORD as u64
                }
            };
        }
        damaged
    }

    /// Notes something that is in flight; `None` if the table is full or the note too long.
    pub(super) fn note(&self, note: &[u8]) -> Option<usize> {
        if note.len() > IN_FLIGHT_NOTE {
            return None;
        }
        let slot = self.claim_note()?;
        // SAFETY: the claim made this slot ours until `forget`; the note fits it.
        unsafe { self.memory.write(note_at(slot) + WORD, note) };
        let ready = (note.len() as u64) << 8 | NOTE_READY;
        self.note_state(slot).store(ready, Release);
        Some(slot)
    }

    /// A free slot. Which ones are taken is nobody else's business, so that is in plain memory; a
    /// full table says no after sixteen loads.
    fn claim_note(&self) -> Option<usize> {
        let start = self.next_note.fetch_add(1, Relaxed);
        for i in 0..TAKEN {
            let at = start.wrapping_add(i) % TAKEN;
            let mut taken = self.taken[at].load(Relaxed);
            while taken != u64::MAX {
                let bit = taken.trailing_ones() as usize;
                let before = self.taken[at].fetch_or(1 << bit, Acquire);
                if before & (1 << bit) == 0 {
                    return Some(at * 64 + bit);
                }
                taken = before;
            }
        }
        None
    }

    /// Frees a slot that [`note`](Self::note) returned.
    pub(super) fn forget(&self, slot: usize) {
        if slot < IN_FLIGHT_SLOTS {
            self.note_state(slot).store(0, Release);
            self.taken[slot / 64].fetch_and(!(1 << (slot % 64)), Release);
        }
    }

    /// The notes of a dead process.
    pub(super) fn notes(&mut self) -> Vec<Vec<u8>> {
        let mut notes = Vec::new();
        for slot in 0..IN_FLIGHT_SLOTS {
            let state = self.note_state(slot).load(Acquire);
            let len = (state >> 8) as usize;
            if state & 0xFF == NOTE_READY && len <= IN_FLIGHT_NOTE {
                // SAFETY: the slot lies in the region, and `&mut self` means nobody writes.
                let note = unsafe { self.memory.read(note_at(slot) + WORD, len) };
                notes.push(note.to_vec());
            }
        }
        notes
    }

    /// Asks the processor for the memory that the line after the next will lie in, so that its
    /// producer does not wait for it. The next line's was asked for by the one before.
    #[inline]
    fn warm(&self, at: u64) {
        for line in 0..8 {
            self.memory
                .prefetch(self.offset(at + WARM_AHEAD + line * 64));
        }
    }

    /// A position as the checks see it: it differs between runs and laps.
    fn place(&self, at: u64) -> u64 {
        self.nonce ^ at
    }

    fn note_state(&self, slot: usize) -> &AtomicU64 {
        debug_assert!(slot < IN_FLIGHT_SLOTS);
        self.memory.word(note_at(slot))
    }

    /// The word at a position that is a multiple of eight.
    fn word(&self, at: u64) -> &AtomicU64 {
        debug_assert_eq!(at % 8, 0);
        self.memory.word(self.offset(at) & !7)
    }

    fn offset(&self, at: u64) -> usize {
        DATA_AT + (at & (self.capacity - 1)) as usize
    }

    /// # Safety
    /// `[at, at + bytes.len())` belongs to the caller and is at most `capacity` long.
    unsafe fn copy_in(&self, at: u64, bytes: &[u8]) {
        let offset = self.offset(at);
        let room = DATA_AT + self.capacity as usize - offset;
        let first = bytes.len().min(room);
        // SAFETY: both parts lie in the data, and the caller owns them.
        unsafe {
            self.memory.write(offset, &bytes[..first]);
            if first < bytes.len() {
                self.memory.write(DATA_AT, &bytes[first..]);
            }
        }
    }

    /// # Safety
    /// Nobody writes `[at, at + len)` while the slices live, and `len <= capacity`.
    unsafe fn slices(&self, at: u64, len: usize) -> (&[u8], &[u8]) {
        let offset = self.offset(at);
        let first = len.min(DATA_AT + self.capacity as usize - offset);
        // SAFETY: both parts lie in the data; the caller promises the rest.
        unsafe {
            (
                self.memory.read(offset, first),
                self.memory.read(DATA_AT, len - first),
            )
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        signal::forget(self.header());
    }
}

fn note_at(slot: usize) -> usize {
    HEADER_BYTES + slot * IN_FLIGHT_SLOT
}

fn check_capacity(capacity: usize) -> io::Result<()> {
    if capacity.is_power_of_two() && (MIN_CAPACITY..=MAX_CAPACITY).contains(&capacity) {
        Ok(())
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a ring's size must be a power of two",
        ))
    }
}
