//! What is kept beside a segment's rows so that most of them need not be read.
//!
//! Rows stand in blocks of 2,048, at most 64 of them, so that a set of blocks is one `u64`.
//! For each column of texts: which characters occur, how long the longest value is, the values
//! with their counts if they are few; for running text, which blocks hold which three letters;
//! for ids, which blocks may hold which value. Beside them, counts per minute, level and type.

use arrow_array::{Array, StringArray};
use foldhash::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

use super::{
    chunk::{Chunk, as_text},
    exec::values::Groups,
    shape::{RAW_COLUMN, SHAPE_RAW, SHAPE_TEXT, Storage},
    source::hash,
};
use crate::store::{
    matcher::{Needle, fold},
    time::MINUTE,
};

/// Rows of a block, which is also a page.
pub(crate) const BLOCK: usize = 2048;
/// Blocks of a segment.
pub(crate) const BLOCKS: usize = 64;
/// A column with so few values has them listed.
const MAX_DISTINCT: usize = 512;
const MAX_DISTINCT_BYTES: usize = 32 << 10;
/// Bits per id, and how many are set.
const ID_BITS: usize = 14;
const ID_PROBES: u64 = 4;
/// Slots for the trigrams of a column.
const GRAM_SLOTS: usize = 1 << 18;

/// The index of a segment.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Index {
    /// Time of each block's first row.
    pub(crate) times: Vec<i64>,
    /// Blocks that hold whole lines.
    pub(crate) raw: u64,
    /// By column number.
    pub(crate) columns: Vec<ColumnIndex>,
    pub(crate) rollup: Rollup,
}

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
    grams: Option<Grams>,
    #[serde(skip)]
    ids: Option<Vec<u64>>,
}

/// Which blocks hold which trigram.
#[derive(Debug, Default)]
struct Grams {
    slots: Vec<u32>,
    masks: Vec<u64>,
}

/// Lines per minute, level and event type.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Rollup {
    pub(crate) levels: Vec<Option<String>>,
    pub(crate) types: Vec<Option<String>>,
    /// Start of the minute, level, type, count.
    pub(crate) counts: Vec<(i64, u16, u16, u64)>,
}

impl Index {
    /// Indexes sorted rows.
    pub(crate) fn of(chunk: &Chunk) -> Self {
        let rows = chunk.rows();
        let mut raw = 0;
        for (row, &shape) in chunk.shape.values().iter().enumerate() {
            if shape == SHAPE_TEXT || shape == SHAPE_RAW {
                raw |= bit(row / BLOCK);
            }
        }
        let columns = chunk.columns.iter().enumerate().map(|(at, data)| {
            match (as_text(&data.array), chunk.tables.columns.get(at)) {
                (Some(array), Some(column))
                    if column.storage != Storage::Number && at != RAW_COLUMN =>
                {
                    ColumnIndex::of(array, &column.path, column.storage == Storage::Text)
                }
                _ => ColumnIndex {
                    present: present(&data.array),
                    ..ColumnIndex::default()
                },
            }
        });
        Self {
            times: (0..rows)
                .step_by(BLOCK)
                .map(|row| chunk.time.value(row))
                .collect(),
            raw,
            columns: columns.collect(),
            rollup: Rollup::of(chunk),
        }
    }

    /// The blocks that may have rows in `[from, to)`.
    pub(crate) fn within(&self, from: i64, to: i64) -> u64 {
        let first = self
            .times
            .partition_point(|&time| time < from)
            .saturating_sub(1);
        let last = self.times.partition_point(|&time| time < to);
        (first..last).fold(0, |mask, block| mask | bit(block))
    }

    /// Everything as bytes.
    pub(crate) fn pack(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut binary = Vec::new();
        for column in &self.columns {
            let (slots, masks) = column
                .grams
                .as_ref()
                .map_or((&[][..], &[][..]), |grams| (&grams.slots, &grams.masks));
            let ids = column.ids.as_deref().unwrap_or_default();
            push_number(&mut binary, slots.len() as u64);
            push_number(&mut binary, ids.len() as u64);
            binary.extend(slots.iter().flat_map(|slot| slot.to_le_bytes()));
            binary.extend(masks.iter().flat_map(|mask| mask.to_le_bytes()));
            binary.extend(ids.iter().flat_map(|word| word.to_le_bytes()));
        }
        let json = serde_json::to_vec(self)?;
        let mut packed = Vec::with_capacity(json.len() + binary.len() + 8);
        push_number(&mut packed, json.len() as u64);
        packed.extend(json);
        packed.extend(binary);
        Ok(packed)
    }

    /// Reads what [`pack`](Self::pack) wrote.
    pub(crate) fn unpack(packed: &[u8]) -> Option<Self> {
        let (length, rest) = number(packed)?;
        let (json, mut rest) = rest.split_at_checked(length)?;
        let mut index: Self = serde_json::from_slice(json).ok()?;
        for column in &mut index.columns {
            let (slots, after) = number(rest)?;
            let (ids, after) = number(after)?;
            let (slot_bytes, after) = after.split_at_checked(slots.checked_mul(4)?)?;
            let (mask_bytes, after) = after.split_at_checked(slots.checked_mul(8)?)?;
            let (id_bytes, after) = after.split_at_checked(ids.checked_mul(8)?)?;
            rest = after;
            let word = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).unwrap_or(0);
            let slot = |bytes: &[u8]| bytes.try_into().map(u32::from_le_bytes).unwrap_or(0);
            column.grams = (slots > 0).then(|| Grams {
                slots: slot_bytes.chunks_exact(4).map(slot).collect(),
                masks: mask_bytes.chunks_exact(8).map(word).collect(),
            });
            column.ids = (ids > 0).then(|| id_bytes.chunks_exact(8).map(word).collect());
        }
        Some(index)
    }
}

fn push_number(out: &mut Vec<u8>, number: u64) {
    out.extend(number.to_le_bytes());
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((usize::try_from(u64::from_le_bytes(*number)).ok()?, rest))
}

/// The mask of one block.
pub(crate) fn bit(block: usize) -> u64 {
    1 << (block % BLOCKS)
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
    fn of(array: &StringArray, path: &str, prose: bool) -> Self {
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
                    column.ids = Some(ids(array));
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
            let hash = hash(&[value.as_bytes()]);
            mask &= probes(hash, ids.len()).fold(u64::MAX, |mask, at| mask & ids[at]);
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

/// Bit-sliced Bloom filters, one per block: word `w` tells for each block whether bit `w` of
/// its filter is set.
fn ids(array: &StringArray) -> Vec<u64> {
    let blocks = array.len().div_ceil(BLOCK);
    let hashes = |block: usize| {
        let rows = block * BLOCK..array.len().min((block + 1) * BLOCK);
        let mut hashes: Vec<u64> = rows
            .filter(|&row| array.is_valid(row))
            .map(|row| hash(&[array.value(row).as_bytes()]))
            .collect();
        hashes.sort_unstable();
        hashes.dedup();
        hashes
    };
    let per_block: Vec<Vec<u64>> = (0..blocks).map(hashes).collect();
    let most = per_block.iter().map(Vec::len).max().unwrap_or(0);
    let mut words = vec![0; (most * ID_BITS).max(64)];
    for (block, hashes) in per_block.iter().enumerate() {
        for &hash in hashes {
            for at in probes(hash, words.len()) {
                words[at] |= bit(block);
            }
        }
    }
    words
}

fn probes(hash: u64, words: usize) -> impl Iterator<Item = usize> + use<> {
    let step = hash.rotate_left(32) | 1;
    let words = words.max(1) as u64;
    (0..ID_PROBES).map(move |probe| {
        let mixed = hash.wrapping_add(step.wrapping_mul(probe));
        usize::try_from(mixed % words).unwrap_or(0)
    })
}

impl Grams {
    fn of(array: &StringArray) -> Self {
        let mut all: Vec<u64> = vec![0; GRAM_SLOTS];
        let mut seen: Vec<u64> = vec![0; GRAM_SLOTS / 64];
        for block in 0..array.len().div_ceil(BLOCK) {
            for row in block * BLOCK..array.len().min((block + 1) * BLOCK) {
                let value = array.value(row);
                let mut mark = |slot: usize| seen[slot / 64] |= 1 << (slot % 64);
                if value.is_ascii() {
                    slots(value.as_bytes()).for_each(&mut mark);
                } else {
                    slots(fold(value).as_bytes()).for_each(&mut mark);
                }
            }
            for (at, word) in seen.iter_mut().enumerate().filter(|(_, word)| **word != 0) {
                while *word != 0 {
                    let low = usize::try_from(word.trailing_zeros()).unwrap_or(0);
                    all[at * 64 + low] |= bit(block);
                    *word &= *word - 1;
                }
            }
        }
        let used = all.iter().enumerate().filter(|(_, mask)| **mask != 0);
        let (slots, masks) = used
            .map(|(slot, &mask)| (u32::try_from(slot).unwrap_or(0), mask))
            .unzip();
        Self { slots, masks }
    }

    fn mask(&self, text: &str) -> u64 {
        slots(text.as_bytes()).fold(u64::MAX, |mask, slot| {
            let slot = u32::try_from(slot).unwrap_or(0);
            mask & self
                .slots
                .binary_search(&slot)
                .map_or(0, |at| self.masks[at])
        })
    }
}

/// The slots of a text's trigrams, whatever the case.
fn slots(text: &[u8]) -> impl Iterator<Item = usize> + '_ {
    text.windows(3)
        .map(|three| class(three[0]) << 12 | class(three[1]) << 6 | class(three[2]))
}

fn class(byte: u8) -> usize {
    const CLASSES: [u8; 256] = classes();
    usize::from(CLASSES[usize::from(byte)])
}

/// Six bits per byte: letters without case, digits, and the rest as best they share.
const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let value = byte as u8;
        classes[byte] = match value {
            b'a'..=b'z' => value - b'a',
            b'A'..=b'Z' => value - b'A',
            b'0'..=b'9' => 26 + value - b'0',
            _ => 36 + value % 28,
        };
        byte += 1;
    }
    classes
}

impl Rollup {
    fn of(chunk: &Chunk) -> Self {
        let levels = Groups::of(chunk, &["level".to_owned()]);
        let types = Groups::of(chunk, &["event_type".to_owned()]);
        let mut counts: HashMap<(i64, u32, u32), u64> = HashMap::default();
        let mut last = (i64::MIN, 0, 0);
        let mut run = 0;
        for row in 0..chunk.rows() {
            let minute = chunk.time.value(row).div_euclid(MINUTE) * MINUTE;
            let key = (minute, levels.ids[row], types.ids[row]);
            if key != last && run > 0 {
                *counts.entry(last).or_default() += run;
                run = 0;
            }
            last = key;
            run += 1;
        }
        if run > 0 {
            *counts.entry(last).or_default() += run;
        }
        if levels.values.len() > 64 || types.values.len() > 1024 {
            return Self::default();
        }
        let small = |id: u32| u16::try_from(id).unwrap_or(u16::MAX);
        let mut counts: Vec<(i64, u16, u16, u64)> = counts
            .into_iter()
            .map(|((minute, level, kind), count)| (minute, small(level), small(kind), count))
            .collect();
        counts.sort_unstable();
        Self {
            levels: levels.values,
            types: types.values,
            counts,
        }
    }

    /// Whether it was made: a segment of odd levels has none.
    pub(crate) fn is_there(&self) -> bool {
        !self.counts.is_empty()
    }
}
