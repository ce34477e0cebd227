//! Columns that were decoded whole not long ago.
//!
//! The dashboard's first pages ask a dozen questions about the same few columns of the same day.
//! What is kept is bounded; what was not used for the longest time goes first.

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use foldhash::HashMap;
use parking_lot::Mutex;

/// Which column of which rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// Of the segment.
    pub(crate) id: String,
    pub(crate) group: usize,
    pub(crate) column: Which,
}

/// A field's column, or one of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Which {
    Field(usize),
    Time,
    Shape,
}

#[derive(Debug)]
struct Entry {
    array: ArrayRef,
    bytes: usize,
    used: u64,
}

#[derive(Debug, Default)]
struct Inner {
    entries: HashMap<Key, Entry>,
    bytes: usize,
    clock: u64,
}

/// The columns that are kept.
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

    pub(crate) fn get(&self, key: &Key) -> Option<ArrayRef> {
        let mut inner = self.inner.lock();
        inner.clock += 1;
        let clock = inner.clock;
        let entry = inner.entries.get_mut(key)?;
        entry.used = clock;
        Some(entry.array.clone())
    }

    /// Keeps a column, if it is of a kind that aggregations read again and again.
    pub(crate) fn put(&self, key: Key, array: &ArrayRef) {
        let bytes = array.get_array_memory_size();
        if *array.data_type() == DataType::Utf8 || bytes > self.most / 8 {
            return;
        }
        let mut inner = self.inner.lock();
        inner.clock += 1;
        let entry = Entry {
            array: array.clone(),
            bytes,
            used: inner.clock,
        };
        inner.bytes += bytes;
        if let Some(old) = inner.entries.insert(key, entry) {
            inner.bytes -= old.bytes;
        }
        while inner.bytes > self.most {
            let oldest = inner.entries.iter().min_by_key(|(_, entry)| entry.used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            if let Some(old) = inner.entries.remove(&key) {
                inner.bytes -= old.bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::Int64Array;

    use super::*;

    fn key(group: usize) -> Key {
        Key {
            id: "segment".to_owned(),
            group,
            column: Which::Time,
        }
    }

    #[test]
    fn what_was_not_used_for_the_longest_time_goes_first() {
        let array: ArrayRef = Arc::new(Int64Array::from(vec![1; 1000]));
        let kept = Kept::new(array.get_array_memory_size() * 10);
        (0..10).for_each(|group| kept.put(key(group), &array));
        assert!(kept.get(&key(0)).is_some());
        kept.put(key(10), &array);
        assert!(kept.get(&key(0)).is_some() && kept.get(&key(10)).is_some());
        assert!(kept.get(&key(1)).is_none());
        (11..40).for_each(|group| kept.put(key(group), &array));
        let inner = kept.inner.lock();
        assert_eq!(inner.entries.len(), 10);
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
