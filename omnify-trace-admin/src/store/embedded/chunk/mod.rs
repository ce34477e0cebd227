//! Rows in memory: columns that grow, and the frozen chunk that queries see.

mod build;
mod join;

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, DictionaryArray, Int32Array, Int64Array, StringArray, UInt32Array,
    UInt64Array, types::Int32Type,
};

pub(crate) use self::{
    build::Builder,
    join::{Joined, own},
};
use super::{
    shape::{self, Hole, RAW_COLUMN, SHAPE_RAW, SHAPE_TEXT, Tables},
    source::Source,
};
use crate::store::{json, time};

/// Powers of ten that fit.
pub(crate) const POWERS: [i64; 10] = [
    1,
    10,
    100,
    1000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
];

/// A column of a chunk or a segment. `scale` is the decimals of a number column.
#[derive(Debug, Clone)]
pub(crate) struct ColumnData {
    pub(crate) array: ArrayRef,
    pub(crate) scale: u8,
}

/// Frozen rows in order of (time, source, offset). Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    /// Of its rows, for what is kept of them; 0 if nothing is.
    pub(crate) number: u64,
    pub(crate) tables: Arc<Tables>,
    pub(crate) sources: Arc<Vec<Arc<Source>>>,
    pub(crate) time: Int64Array,
    /// Index into `sources`.
    pub(crate) source: UInt32Array,
    pub(crate) offset: UInt64Array,
    pub(crate) shape: UInt32Array,
    /// By column number; may be shorter than the tables' list. A column that was not read from a
    /// segment has no rows.
    pub(crate) columns: Vec<ColumnData>,
}

impl Chunk {
    pub(crate) fn rows(&self) -> usize {
        self.time.len()
    }

    /// (time, source id, offset): the order of all rows of the store.
    pub(crate) fn key(&self, row: usize) -> (i64, u64, u64) {
        (
            self.time.value(row),
            self.source_of(row).id,
            self.offset.value(row),
        )
    }

    pub(crate) fn source_of(&self, row: usize) -> &Arc<Source> {
        &self.sources[self.source.value(row) as usize]
    }

    pub(crate) fn is_json(&self, row: usize) -> bool {
        self.shape.value(row) != SHAPE_TEXT
    }

    /// The original line.
    pub(crate) fn raw(&self, row: usize) -> String {
        let mut out = Vec::with_capacity(512);
        let shape = self.shape.value(row);
        if shape == SHAPE_TEXT || shape == SHAPE_RAW {
            out.extend_from_slice(self.text(RAW_COLUMN, row).as_bytes());
        } else if let Some(shape) = self.tables.shapes.get(shape as usize) {
            self.rebuild(&mut out, shape, row);
        }
        String::from_utf8(out).unwrap_or_default()
    }

    fn rebuild(&self, out: &mut Vec<u8>, shape: &shape::Shape, row: usize) {
        for (literal, hole) in shape.literals.iter().zip(&shape.holes) {
            out.extend_from_slice(literal.as_bytes());
            match *hole {
                Hole::Time(digits) => time::write_rfc3339(out, self.time.value(row), digits),
                Hole::Text(column) => {
                    json::escape(out, self.text(usize::from(column), row).as_bytes());
                }
                Hole::Json(column) => {
                    out.extend_from_slice(self.text(usize::from(column), row).as_bytes());
                }
                Hole::Number(column, digits) => {
                    let (value, scale) = self.number(usize::from(column), row);
                    let extra = usize::from(scale.saturating_sub(digits));
                    write_decimal(out, value / POWERS[extra.min(9)], digits);
                }
            }
        }
        if let Some(last) = shape.literals.last() {
            out.extend_from_slice(last.as_bytes());
        }
    }

    fn text(&self, column: usize, row: usize) -> &str {
        let array = self
            .columns
            .get(column)
            .and_then(|column| Texts::of(&column.array));
        array.and_then(|array| array.get(row)).unwrap_or_default()
    }

    fn number(&self, column: usize, row: usize) -> (i64, u8) {
        self.columns.get(column).map_or((0, 0), |column| {
            (
                as_number(&column.array)
                    .filter(|array| row < array.len())
                    .map_or(0, |array| array.value(row)),
                column.scale,
            )
        })
    }
}

/// A column of texts, as it was read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Texts<'a> {
    Plain(&'a StringArray),
    Dictionary(&'a Int32Array, &'a StringArray),
}

impl<'a> Texts<'a> {
    pub(crate) fn of(array: &'a ArrayRef) -> Option<Self> {
        if let Some(array) = as_text(array) {
            return Some(Self::Plain(array));
        }
        let array = array
            .as_any()
            .downcast_ref::<DictionaryArray<Int32Type>>()?;
        Some(Self::Dictionary(
            array.keys(),
            array.values().as_any().downcast_ref()?,
        ))
    }

    pub(crate) fn get(self, row: usize) -> Option<&'a str> {
        match self {
            Self::Plain(array) => {
                (row < array.len() && array.is_valid(row)).then(|| array.value(row))
            }
            Self::Dictionary(keys, values) => (row < keys.len() && keys.is_valid(row))
                .then(|| values.value(usize::try_from(keys.value(row)).unwrap_or(0))),
        }
    }
}

pub(crate) fn as_text(array: &ArrayRef) -> Option<&StringArray> {
    array.as_any().downcast_ref()
}

pub(crate) fn as_number(array: &ArrayRef) -> Option<&Int64Array> {
    array.as_any().downcast_ref()
}

/// Integer and decimals as text.
pub(crate) fn write_decimal(out: &mut Vec<u8>, value: i64, digits: u8) {
    let digits = usize::from(digits);
    if value < 0 {
        out.push(b'-');
    }
    let text = value.unsigned_abs().to_string();
    let text = text.as_bytes();
    if digits == 0 {
        out.extend_from_slice(text);
        return;
    }
    let whole = text.len().saturating_sub(digits);
    if whole == 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', digits - text.len()));
        out.extend_from_slice(text);
    } else {
        out.extend_from_slice(&text[..whole]);
        out.push(b'.');
        out.extend_from_slice(&text[whole..]);
    }
}
