//! The index of one column of texts.

use arrow_array::{Array, StringArray};
use foldhash::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

use super::{BLOCK, Grams, Ids, bit};
use crate::store::matcher::{Needle, fold};

/// A column with so few values has them listed.
const MAX_DISTINCT: usize = 512;
const MAX_DISTINCT_BYTES: usize = 32 << 10;

/// The index of a column.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct ColumnIndex {
    /// Blocks that have a value at all.
    pub(crate) present: u64,
    /// ASCII characters that occur, in lower case.
    chars: [u64; 2],
    /// Whether others occur.
    wide: bool,
    longest: usize,
    /// Each value with its count.
    pub(crate) distinct: Option<Vec<(String, u64)>>,
    /// Whether it was written with a dictionary.
    pub(crate) dictionary: bool,
    /// Least and greatest value per block, where that tells blocks apart.
    ranges: Option<Vec<(String, String)>>,
    #[serde(skip)]
    pub(super) grams: Option<Grams>,
    #[serde(skip)]
    pub(super) ids: Option<Ids>,
}

fn present(array: &dyn Array) -> u64 {
    let blocks = array.len().div_ceil(BLOCK);
    (0..blocks).fold(0, |mask, block| {
        let length = BLOCK.min(array.len() - block * BLOCK);
        let part = array.slice(block * BLOCK, length);
        if part.null_count() < length {
            mask | bit(block)
        } else {
            mask
        }
    })
}

impl ColumnIndex {
    /// Of a column that is not searched as text.
    pub(super) fn without_texts(array: &dyn Array) -> Self {
        Self {
            present: present(array),
            ..Self::default()
        }
    }

    pub(super) fn of(array: &StringArray, path: &str, prose: bool) -> Self {
        let mut column = Self {
            present: present(array),
            distinct: distinct(array, MAX_DISTINCT, MAX_DISTINCT_BYTES),
            ..Self::default()
        };
        if column.distinct.is_some() {
            // The values themselves say all that the rest could.
            column.dictionary = true;
            return column;
        }
        let bytes = &array.value_data()[span(array)];
        let mut seen = [false; 256];
        for &byte in bytes {
            seen[usize::from(byte)] = true;
        }
        column.wide = seen[128..].contains(&true);
        for (byte, _) in (0u8..128).zip(&seen).filter(|(_, seen)| **seen) {
            let lower = byte.to_ascii_lowercase();
            column.chars[usize::from(lower / 64)] |= 1 << (lower % 64);
        }
        column.longest = (0..array.len())
            .map(|row| usize::try_from(array.value_length(row)).unwrap_or(0))
            .max()
            .unwrap_or(0);
        column.dictionary = is_repetitive(array, array.len() - array.null_count());
        if prose {
            if seen[usize::from(b' ')] {
                column.grams = Some(Grams::of(array));
            } else if !path.ends_with("span_id") {
                column.ranges = ranges(array);
                if column.ranges.is_none() {
                    column.ids = Some(Ids::of(array));
                }
            }
        }
        column
    }

    /// The blocks where a value may contain this.
    pub(crate) fn may_contain(&self, needle: &Needle) -> u64 {
        let text = needle.as_str();
        if let Some(distinct) = &self.distinct {
            let found = distinct.iter().any(|(value, _)| needle.is_in(value));
            return if found { self.present } else { 0 };
        }
        if !self.wide {
            let occurs =
                |byte: u8| byte < 128 && self.chars[usize::from(byte / 64)] >> (byte % 64) & 1 == 1;
            if text.len() > self.longest || !text.bytes().all(occurs) {
                return 0;
            }
        }
        self.grams
            .as_ref()
            .map_or(u64::MAX, |grams| grams.mask(text))
            & self.present
    }

    /// The blocks where a value may be this.
    pub(crate) fn may_be(&self, value: &str) -> u64 {
        if let Some(distinct) = &self.distinct {
            let found = distinct.iter().any(|(known, _)| known == value);
            return if found { self.present } else { 0 };
        }
        let mut mask = self.present;
        if value.len() > self.longest {
            return 0;
        }
        if let Some(ranges) = &self.ranges {
            let hits = ranges
                .iter()
                .enumerate()
                .filter(|(_, (low, high))| low.as_str() <= value && value <= high.as_str());
            mask &= hits.fold(0, |mask, (block, _)| mask | bit(block));
        }
        if let Some(ids) = &self.ids {
            mask &= ids.mask(value);
        }
        if let Some(grams) = &self.grams {
            mask &= grams.mask(&fold(value));
        }
        mask
    }
}

fn span(array: &StringArray) -> std::ops::Range<usize> {
    let at = |offset: Option<&i32>| usize::try_from(offset.copied().unwrap_or(0)).unwrap_or(0);
    let offsets = array.value_offsets();
    at(offsets.first())..at(offsets.last())
}

/// The values with counts, if they are few.
fn distinct(array: &StringArray, most: usize, most_bytes: usize) -> Option<Vec<(String, u64)>> {
    let mut places: HashMap<&str, usize> = HashMap::default();
    let mut counts: Vec<(&str, u64)> = Vec::new();
    let (mut bytes, mut last) = (0, usize::MAX);
    for value in array.iter().flatten() {
        if counts.get(last).is_none_or(|known| known.0 != value) {
            last = match places.get(value) {
                Some(&place) => place,
                None => {
                    bytes += value.len();
                    if counts.len() >= most || bytes > most_bytes {
                        return None;
                    }
                    counts.push((value, 0));
                    places.insert(value, counts.len() - 1);
                    counts.len() - 1
                }
            };
        }
        counts[last].1 += 1;
    }
    let mut counts: Vec<(String, u64)> = counts
        .into_iter()
        .map(|(value, count)| (value.to_owned(), count))
        .collect();
    counts.sort();
    Some(counts)
}

/// Whether values repeat so much that a dictionary pays.
fn is_repetitive(array: &StringArray, values: usize) -> bool {
    let mut seen: HashSet<&str> = HashSet::default();
    // Every third value, so that ids which repeat on neighbouring rows do not look frequent.
    let sample = array.iter().flatten().step_by(3).take(16_384);
    let taken = sample.map(|value| seen.insert(value)).count().max(1);
    // An id of three lines that stand apart is seen in 0.7 of such samples: it must not pass for
    // a repeated value, for it is looked up by its filter.
    values > 1024 && seen.len() * 2 < taken && seen.len() < 12_000
}

/// Least and greatest per block, if a value is then looked for in few blocks.
fn ranges(array: &StringArray) -> Option<Vec<(String, String)>> {
    let blocks = array.len().div_ceil(BLOCK);
    let ranges: Vec<(&str, &str)> = (0..blocks)
        .map(|block| {
            let rows = block * BLOCK..array.len().min((block + 1) * BLOCK);
            let values = || {
                rows.clone()
                    .filter(|&row| array.is_valid(row))
                    .map(|row| array.value(row))
            };
            (
                values().min().unwrap_or("\u{10ffff}"),
                values().max().unwrap_or(""),
            )
        })
        .collect();
    let sample = (0..array.len())
        .step_by((array.len() / 64).max(1))
        .filter(|&row| array.is_valid(row));
    let (mut looked, mut hits) = (0, 0);
    for row in sample {
        let value = array.value(row);
        looked += 1;
        hits += ranges
            .iter()
            .filter(|(low, high)| *low <= value && value <= *high)
            .count();
    }
    let own = |(low, high): (&str, &str)| (low.to_owned(), high.to_owned());
    (hits <= looked * 4).then(|| ranges.into_iter().map(own).collect())
}
