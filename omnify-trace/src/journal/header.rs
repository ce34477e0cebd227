//! The control page of a ring file: who wrote it, how far, and what was lost.
//!
//! Made of atomics only, so that any bytes in the file are a valid (if useless) header.

use std::ops::Deref;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::ring::sync::AtomicU64;

/// "OTRJRNL1": set last when a ring is made, cleared first when it is made anew.
pub(super) const MAGIC: u64 = u64::from_le_bytes(*b"OTRJRNL1");

/// How many reasons for loss are counted.
pub(super) const REASONS: usize = 8;

/// An atomic alone on its cache lines, so that producers and the drainer do not slow each other.
#[derive(Debug, Default)]
#[repr(C, align(128))]
pub(super) struct Padded(AtomicU64);

impl Deref for Padded {
    type Target = AtomicU64;

    fn deref(&self) -> &AtomicU64 {
        &self.0
    }
}

/// The first page.
#[derive(Debug, Default)]
#[repr(C, align(128))]
pub(super) struct Header {
    pub(super) magic: AtomicU64,
    pub(super) capacity: AtomicU64,
    pub(super) nonce: AtomicU64,
    pub(super) pid: AtomicU64,
    /// Nanoseconds since 1970.
    pub(super) started: AtomicU64,
    /// 1 once the run closed its journal.
    pub(super) clean: AtomicU64,
    /// Lines lost, by reason.
    pub(super) dropped: [AtomicU64; REASONS],
    /// How many of them a `log_loss` line has told of.
    pub(super) told: [AtomicU64; REASONS],
    pub(super) head: Padded,
    pub(super) tail: Padded,
    sequence: Padded,
    marks: [StoredCheckpoint; 2],
    /// The fatal signal that came last; 0 for none.
    pub(super) signal: AtomicU64,
}

/// Which file a stream goes to, and how long it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) len: u64,
}

/// "Everything before `tail` is in the files, which are exactly this long."
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub(super) tail: u64,
    pub(super) marks: [Mark; 3],
}

#[derive(Debug, Default)]
#[repr(C)]
struct StoredCheckpoint {
    words: [AtomicU64; 10],
    check: AtomicU64,
}

impl Header {
    /// Publishes a checkpoint: the older of the two places is written, then one store makes it
    /// the valid one, so that a kill in between leaves the earlier checkpoint whole.
    pub(super) fn publish(&self, checkpoint: &Checkpoint) {
        let next = self.sequence.load(Relaxed).wrapping_add(1);
        let place = &self.marks[(next & 1) as usize];
        let words = checkpoint.words();
        for (stored, word) in place.words.iter().zip(words) {
            stored.store(word, Relaxed);
        }
        place.check.store(check(&words, next), Relaxed);
        self.sequence.store(next, Release);
    }

    /// The valid checkpoint, or the one before it if that is damaged.
    pub(super) fn checkpoint(&self) -> Option<Checkpoint> {
        let last = self.sequence.load(Acquire);
        [last, last.wrapping_sub(1)]
            .into_iter()
            .find_map(|sequence| {
                let place = &self.marks[(sequence & 1) as usize];
                let words: [u64; 10] = std::array::from_fn(|i| place.words[i].load(Relaxed));
                (place.check.load(Relaxed) == check(&words, sequence))
                    .then(|| Checkpoint::from_words(&words))
            })
    }
}

impl Checkpoint {
    fn words(&self) -> [u64; 10] {
        let [a, b, c] = self.marks;
        [
            self.tail, a.device, a.inode, a.len, b.device, b.inode, b.len, c.device, c.inode, c.len,
        ]
    }

    fn from_words(words: &[u64; 10]) -> Self {
        let mark = |i: usize| Mark {
            device: words[i],
            inode: words[i + 1],
            len: words[i + 2],
        };
        Self {
            tail: words[0],
            marks: [mark(1), mark(4), mark(7)],
        }
    }
}

fn check(words: &[u64; 10], sequence: u64) -> u64 {
    words.iter().fold(sequence ^ MAGIC, |hash, word| {
        (hash ^ word)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(29)
    })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn sample(tail: u64) -> Checkpoint {
        let mark = |i| Mark {
            device: 1,
            inode: i,
            len: tail * i,
        };
        Checkpoint {
            tail,
            marks: [mark(1), mark(2), mark(3)],
        }
    }

    #[test]
    fn the_last_checkpoint_wins_and_a_damaged_one_yields_to_the_one_before() {
        let header = Header::default();
        assert_eq!(header.checkpoint(), None);
        header.publish(&sample(8));
        assert_eq!(header.checkpoint(), Some(sample(8)));
        header.publish(&sample(16));
        assert_eq!(header.checkpoint(), Some(sample(16)));
        header.marks[0].words[3].store(99, Relaxed);
        assert_eq!(header.checkpoint(), Some(sample(8)));
    }
}
