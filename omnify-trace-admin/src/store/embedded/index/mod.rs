//! What is kept beside a segment's rows so that most of them need not be read.
//!
//! Rows stand in blocks of 2,048, at most 64 of them, so that a set of blocks is one `u64`.
//! For each column of texts: which characters occur, how long the longest value is, the values
//! with their counts if they are few; for running text, which blocks hold which three letters;
//! for ids, which blocks may hold which value. Beside them, counts per minute, level and type.

mod column;
mod grams;
mod ids;
mod rollup;

use arrow_array::ArrayRef;
use serde::{Deserialize, Serialize};

pub(crate) use self::{column::ColumnIndex, rollup::Rollup};
use self::{grams::Grams, ids::Ids};
use super::{
    chunk::{Chunk, as_text},
    shape::{Column, RAW_COLUMN, SHAPE_RAW, SHAPE_TEXT, Storage},
};

/// Rows of a block, which is also a page.
pub(crate) const BLOCK: usize = 2048;
/// Blocks of a segment.
pub(crate) const BLOCKS: usize = 64;

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

impl Index {
    /// Begins the index of sorted rows, whose levels and types are there. Columns are added.
    pub(crate) fn of(chunk: &Chunk) -> Self {
        let rows = chunk.rows();
        let mut raw = 0;
        for (row, &shape) in chunk.shape.values().iter().enumerate() {
            if shape == SHAPE_TEXT || shape == SHAPE_RAW {
                raw |= bit(row / BLOCK);
            }
        }
        Self {
            times: (0..rows)
                .step_by(BLOCK)
                .map(|row| chunk.time.value(row))
                .collect(),
            raw,
            columns: Vec::new(),
            rollup: Rollup::of(chunk),
        }
    }

    /// Indexes the next column.
    pub(crate) fn add(&mut self, column: &Column, array: &ArrayRef) {
        let is_text = column.storage != Storage::Number && self.columns.len() != RAW_COLUMN;
        self.columns.push(match as_text(array).filter(|_| is_text) {
            Some(array) => ColumnIndex::of(array, &column.path, column.storage == Storage::Text),
            None => ColumnIndex::without_texts(array),
        });
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
            let ids = column.ids.as_ref();
            push_number(&mut binary, slots.len() as u64);
            push_number(&mut binary, ids.map_or(0, Ids::len) as u64);
            binary.extend(slots.iter().flat_map(|slot| slot.to_le_bytes()));
            binary.extend(masks.iter().flat_map(|mask| mask.to_le_bytes()));
            let words = ids.into_iter().flat_map(Ids::words);
            binary.extend(words.flat_map(u64::to_le_bytes));
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
            column.ids = (ids > 0).then(|| Ids::new(id_bytes.chunks_exact(8).map(word)));
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
