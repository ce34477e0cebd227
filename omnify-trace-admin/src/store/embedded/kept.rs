//! What was read or worked out not long ago: columns that were decoded whole, and what a block
//! of rows adds to an aggregation.
//!
//! The dashboard's first pages ask a dozen questions about the same few columns of the same day,
//! and ask them again with every refresh. Rows that stand do not change, so what they add to an
//! answer does not either. What is kept is bounded; what was not used for the longest time
//! goes first.

use std::{
    any::Any,
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use foldhash::HashMap;
use parking_lot::Mutex;

/// Which part of which rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// Of the segment, or of the chunk in memory.
    pub(crate) number: u64,
    pub(crate) group: usize,
    pub(crate) part: Which,
}

/// A field's column, one of our own, or the part of an answer to this question.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Which {
    Field(usize),
    Time,
    Shape,
    Answer(Arc<str>),
}

/// A number for rows that do not change any more; no others get it while the process runs.
pub(crate) fn number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// What a group adds to an answer.
pub(crate) type Answer = Arc<dyn Any + Send + Sync>;

#[derive(Clone)]
enum Thing {
    Column(ArrayRef),
    Answer(Answer),
}

impl fmt::Debug for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Column(_) => "Column",
            Self::Answer(_) => "Answer",
        })
    }
}

#[derive(Debug)]
struct Entry {
    thing: Thing,
    bytes: usize,
    used: u64,
}

#[derive(Debug, Default)]
struct Inner {
    entries: HashMap<Key, Entry>,
    /// By the time of their last use.
    order: BTreeMap<u64, Key>,
    bytes: usize,
    clock: u64,
}

/// What an entry takes beside its own bytes, roughly.
const ENTRY_BYTES: usize = 256;

/// What is kept.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    inner: Mutex<Inner>,
    most: usize,
}

impl Kept {
    /// Keeps at most so many bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            inner: Mutex::default(),
            most,
        }
    }

    pub(crate) fn column(&self, key: &Key) -> Option<ArrayRef> {
        match self.inner.lock().get(key)? {
            Thing::Column(array) => Some(array),
            Thing::Answer(_) => None,
        }
    }

    pub(crate) fn answer(&self, key: &Key) -> Option<Answer> {
        match self.inner.lock().get(key)? {
            Thing::Answer(answer) => Some(answer),
            Thing::Column(_) => None,
        }
    }

    /// Keeps a column, if it is of a kind that aggregations read again and again.
    pub(crate) fn put_column(&self, key: Key, array: &ArrayRef) {
        if *array.data_type() != DataType::Utf8 {
            let thing = Thing::Column(array.clone());
            self.put(key, thing, array.get_array_memory_size());
        }
    }

    /// Keeps a part of an answer.
    pub(crate) fn put_answer(&self, key: Key, answer: Answer, bytes: usize) {
        self.put(key, Thing::Answer(answer), bytes);
    }

    fn put(&self, key: Key, thing: Thing, bytes: usize) {
        let bytes = bytes + ENTRY_BYTES;
        if bytes <= self.most / 8 {
            self.inner.lock().put(key, thing, bytes, self.most);
        }
    }
}

impl Inner {
    fn get(&mut self, key: &Key) -> Option<Thing> {
        let entry = self.entries.get_mut(key)?;
        self.clock += 1;
        if let Some(key) = self.order.remove(&entry.used) {
            self.order.insert(self.clock, key);
        }
        entry.used = self.clock;
        Some(entry.thing.clone())
    }

    fn put(&mut self, key: Key, thing: Thing, bytes: usize, most: usize) {
        self.clock += 1;
        let used = self.clock;
        let entry = Entry { thing, bytes, used };
        self.bytes += bytes;
        self.order.insert(used, key.clone());
        if let Some(old) = self.entries.insert(key, entry) {
            self.order.remove(&old.used);
            self.bytes -= old.bytes;
        }
        while self.bytes > most {
            let Some((_, key)) = self.order.pop_first() else {
                return;
            };
            if let Some(old) = self.entries.remove(&key) {
                self.bytes -= old.bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::Int64Array;

    use super::*;

    fn key(group: usize) -> Key {
        Key {
            number: 1,
            group,
            part: Which::Time,
        }
    }

    #[test]
    fn what_was_not_used_for_the_longest_time_goes_first() {
        let array: ArrayRef = Arc::new(Int64Array::from(vec![1; 1000]));
        let kept = Kept::new((array.get_array_memory_size() + ENTRY_BYTES) * 10);
        (0..10).for_each(|group| kept.put_column(key(group), &array));
        assert!(kept.column(&key(0)).is_some());
        kept.put_column(key(10), &array);
        assert!(kept.column(&key(0)).is_some() && kept.column(&key(10)).is_some());
        assert!(kept.column(&key(1)).is_none());
        kept.put_answer(key(11), Arc::new(7_u8), 1);
        kept.put_answer(key(12), Arc::new(8_u8), usize::MAX / 2);
        assert!(
            kept.answer(&key(11))
                .is_some_and(|answer| answer.is::<u8>())
        );
        assert!(kept.answer(&key(12)).is_none(), "more than all may have");
        (12..40).for_each(|group| kept.put_column(key(group), &array));
        let inner = kept.inner.lock();
        assert_eq!((inner.entries.len(), inner.order.len()), (10, 10));
        assert_eq!(
            inner.bytes,
            inner
                .entries
                .values()
                .map(|entry| entry.bytes)
                .sum::<usize>()
        );
    }
}
