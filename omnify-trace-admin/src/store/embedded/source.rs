//! Where lines come from: a log file known by its content, whatever its name is today.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::ranges::Ranges;

/// A file is known by its first line, of which at most so many bytes count.
pub(crate) const HEAD: usize = 256;
/// So many bytes before the end of what was read prove that it is still the same file.
pub(crate) const TAIL: usize = 64;

/// A stable hash (FNV-1a with a final mix): it is stored, so it must never change.
pub(crate) fn hash(parts: &[&[u8]]) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325u64;
    for part in parts {
        for &byte in *part {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    state ^= state >> 32;
    state = state.wrapping_mul(0xd6e8_feb8_6659_fd93);
    state ^ (state >> 32)
}

/// A log file's lasting identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Source {
    /// Stands in line ids and cursors.
    pub(crate) id: u64,
    /// The file's name when it was first seen.
    #[serde(with = "shared_text")]
    pub(crate) name: Arc<str>,
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// Length and hash of the first bytes.
    pub(crate) head_length: u64,
    pub(crate) head: u64,
}

/// Serde for a shared string, which serde has behind a feature only.
mod shared_text {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(text: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
        String::deserialize(from).map(Into::into)
    }
}

/// The end of what was read of a source, recognisable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) end: u64,
    pub(crate) tail_length: u64,
    pub(crate) tail: u64,
}

/// What a segment holds of one source: this is the checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Extent {
    pub(crate) source: Source,
    pub(crate) ranges: Vec<(u64, u64)>,
    /// Marks the end of the last range, where that was the end of what had been read.
    pub(crate) mark: Mark,
}

/// A source and what the store has of it.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) source: Arc<Source>,
    pub(crate) ranges: Ranges,
    pub(crate) mark: Mark,
}

/// Every source that the store has heard of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Catalog(HashMap<u64, Known>);

impl Catalog {
    pub(crate) fn add(&mut self, extent: &Extent) {
        let known = self.0.entry(extent.source.id).or_insert_with(|| Known {
            source: Arc::new(extent.source.clone()),
            ranges: Ranges::default(),
            mark: Mark::default(),
        });
        for &(start, end) in &extent.ranges {
            known.ranges.insert(start, end);
        }
        if extent.mark.end >= known.mark.end {
            known.mark = extent.mark;
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Known> {
        self.0.values()
    }

    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut Known> {
        self.0.get_mut(&id)
    }

    pub(crate) fn with_head(&self, length: u64, head: u64) -> impl Iterator<Item = &Known> {
        self.0
            .values()
            .filter(move |known| known.source.head_length == length && known.source.head == head)
    }

    /// Takes note of how far a source was read.
    pub(crate) fn advance(&mut self, id: u64, start: u64, mark: Mark) {
        if let Some(known) = self.0.get_mut(&id) {
            known.ranges.insert(start, mark.end);
            if mark.end >= known.mark.end {
                known.mark = mark;
            }
        }
    }

    /// A source that was not known before.
    pub(crate) fn create(&mut self, name: &str, (device, inode): (u64, u64), head: &[u8]) -> Known {
        let head_hash = hash(&[head]);
        let length = head.len() as u64;
        let generation = self
            .with_head(length, head_hash)
            .filter(|known| known.source.device == device && known.source.inode == inode)
            .count() as u64;
        let numbers = [device, inode, generation].map(u64::to_le_bytes);
        let mut id = hash(&[head, &numbers[0], &numbers[1], &numbers[2]]);
        while self.0.contains_key(&id) {
            id = id.wrapping_add(1);
        }
        let known = Known {
            source: Arc::new(Source {
                id,
                name: name.into(),
                device,
                inode,
                head_length: length,
                head: head_hash,
            }),
            ranges: Ranges::default(),
            mark: Mark::default(),
        };
        self.0.insert(id, known.clone());
        known
    }
}
