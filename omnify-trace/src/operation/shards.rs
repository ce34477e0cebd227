//! A table of what is going on now, in shards that threads seldom share.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

pub(crate) const SHARDS: usize = 64;
/// More than a million entries at once are not kept: memory stays bounded.
const PER_SHARD: usize = 1 << 14;

/// The table. Entries come and go in some 20 ns, unless their shard is being looked at.
pub(crate) struct Shards<T: ?Sized, const MOST: usize = PER_SHARD> {
    shards: [Shard<T>; SHARDS],
    refused: AtomicU64,
}

/// Apart from its neighbours' cache lines.
#[repr(align(128))]
struct Shard<T: ?Sized>(Mutex<Slots<T>>);

struct Slots<T: ?Sized> {
    entries: Vec<Option<Arc<T>>>,
    free: Vec<u32>,
}

/// Where an entry is.
#[derive(Debug)]
pub(crate) struct Place {
    shard: u32,
    slot: u32,
}

impl<T: ?Sized, const MOST: usize> Shards<T, MOST> {
    pub(crate) const fn new() -> Self {
        const {
            assert!(SHARDS > 0 && MOST <= u32::MAX as usize);
        }
        Self {
            shards: [const {
                Shard(Mutex::new(Slots {
                    entries: Vec::new(),
                    free: Vec::new(),
                }))
            }; SHARDS],
            refused: AtomicU64::new(0),
        }
    }

    /// Puts an entry in; `None`, and counted, when there are too many.
    pub(crate) fn insert(&self, entry: &Arc<T>) -> Option<Place> {
        let own = shard_of_thread();
        // Those of other threads only when one's own is full.
        let place = (0..SHARDS).find_map(|step| self.insert_in((own + step) % SHARDS, entry));
        if place.is_none() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        place
    }

    #[inline]
    fn insert_in(&self, shard: usize, entry: &Arc<T>) -> Option<Place> {
        let mut slots = self.shards[shard].0.lock();
        let slot = match slots.free.pop() {
            Some(slot) => slot,
            None if slots.entries.len() < MOST => {
                slots.entries.push(None);
                (slots.entries.len() - 1) as u32
            }
            None => return None,
        };
        slots.entries[slot as usize] = Some(Arc::clone(entry));
        Some(Place {
            shard: shard as u32,
            slot,
        })
    }

    /// How many entries there was no room for.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Takes an entry out again.
    pub(crate) fn remove(&self, place: &Place) {
        let mut slots = self.shards[place.shard as usize].0.lock();
        let entry = slots.entries[place.slot as usize].take();
        slots.free.push(place.slot);
        drop(slots);
        // Its destructor may close spans, which is not for this lock.
        drop(entry);
    }

    /// Calls `visit` with every entry. Holds one shard at a time: `visit` must be quick and must
    /// not touch the table.
    pub(crate) fn each(&self, mut visit: impl FnMut(&Arc<T>)) {
        for shard in &self.shards {
            shard.0.lock().entries.iter().flatten().for_each(&mut visit);
        }
    }
}

pub(crate) fn shard_of_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static SHARD: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    SHARD
        .try_with(|shard| {
            if shard.get() == usize::MAX {
                shard.set(NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS);
            }
            shard.get()
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_many_threads_come_and_go() {
        static TABLE: Shards<u32> = Shards::new();
        let place = TABLE.insert(&Arc::new(7));
        std::thread::scope(|scope| {
            for number in 0..8 {
                scope.spawn(move || {
                    for _ in 0..1_000 {
                        let place = TABLE.insert(&Arc::new(number)).unwrap();
                        TABLE.remove(&place);
                    }
                });
            }
        });
        let mut left = vec![];
        TABLE.each(|entry| left.push(**entry));
        assert_eq!(left, [7]);
        TABLE.remove(&place.unwrap());
        TABLE.each(|_| unreachable!("empty"));
    }

    #[test]
    fn a_full_table_refuses_and_counts_and_has_room_again() {
        static TABLE: Shards<u32, 4> = Shards::new();
        let entry = Arc::new(7);
        let mut places: Vec<_> = (0..4 * SHARDS).map(|_| TABLE.insert(&entry)).collect();
        assert!(
            places.iter().all(Option::is_some),
            "one thread may fill every shard"
        );
        for _ in 0..1_000 {
            assert!(TABLE.insert(&entry).is_none());
        }
        assert_eq!(TABLE.refused(), 1_000);
        assert_eq!(Arc::strong_count(&entry), 4 * SHARDS + 1);
        TABLE.remove(&places.pop().unwrap().unwrap());
        assert!(TABLE.insert(&entry).is_some());
    }
}
