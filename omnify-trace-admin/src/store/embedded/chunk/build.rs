//! Columns that grow row by row.

use std::sync::Arc;

use arrow_array::{Int64Array, StringArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::ArrowError;

use super::{Chunk, ColumnData, POWERS};
use crate::store::embedded::{
    fast::Fast,
    shape::{self, Cut, SHAPE_RAW, Storage, Tables, Value},
    source::Source,
};

/// Grows the columns of a chunk row by row.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    pub(crate) tables: Arc<Tables>,
    sources: Arc<Vec<Arc<Source>>>,
    time: Vec<i64>,
    source: Vec<u32>,
    offset: Vec<u64>,
    shape: Vec<u32>,
    columns: Vec<Grow>,
    bytes: usize,
    fast: Fast,
}

#[derive(Debug)]
struct Grow {
    rows: usize,
    valid: Vec<u8>,
    nulls: usize,
    kind: GrowKind,
}

#[derive(Debug)]
enum GrowKind {
    Text {
        offsets: Vec<i32>,
        bytes: Vec<u8>,
    },
    Number {
        values: Vec<i64>,
        scale: u8,
        greatest: u64,
    },
}

impl Grow {
    fn new(storage: Storage) -> Self {
        let kind = match storage {
            Storage::Number => GrowKind::Number {
                values: Vec::new(),
                scale: 0,
                greatest: 0,
            },
            _ => GrowKind::Text {
                offsets: vec![0],
                bytes: Vec::new(),
            },
        };
        Self {
            rows: 0,
            valid: Vec::new(),
            nulls: 0,
            kind,
        }
    }

    /// Nulls up to this row.
    fn pad(&mut self, rows: usize) {
        if rows <= self.rows {
            return;
        }
        self.nulls += rows - self.rows;
        self.valid.resize(rows.div_ceil(8), 0);
        match &mut self.kind {
            GrowKind::Text { offsets, .. } => {
                let last = offsets.last().copied().unwrap_or(0);
                offsets.resize(rows + 1, last);
            }
            GrowKind::Number { values, .. } => values.resize(rows, 0),
        }
        self.rows = rows;
    }

    fn mark(&mut self) {
        if self.rows.is_multiple_of(8) {
            self.valid.push(0);
        }
        self.valid[self.rows / 8] |= 1 << (self.rows % 8);
        self.rows += 1;
    }

    fn text(&mut self, row: usize, text: &[u8]) {
        self.pad(row);
        if let GrowKind::Text { offsets, bytes } = &mut self.kind {
            bytes.extend_from_slice(text);
            offsets.push(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
        }
        self.mark();
    }

    /// Whether the number fits at the common scale.
    fn takes(&self, value: i64, digits: u8) -> bool {
        let GrowKind::Number {
            scale, greatest, ..
        } = &self.kind
        else {
            return false;
        };
        let fits = |value: u64, by: u8| {
            let scaled = value.checked_mul(POWERS[usize::from(by)].unsigned_abs());
            scaled.is_some_and(|scaled| scaled <= shape::MAX_EXACT.unsigned_abs())
        };
        let common = digits.max(*scale);
        fits(value.unsigned_abs(), common - digits) && fits(*greatest, common - *scale)
    }

    fn number(&mut self, row: usize, value: i64, digits: u8) {
        self.pad(row);
        if let GrowKind::Number {
            values,
            scale,
            greatest,
        } = &mut self.kind
        {
            if digits > *scale {
                let factor = POWERS[usize::from(digits - *scale)];
                values.iter_mut().for_each(|value| *value *= factor);
                *greatest *= factor.unsigned_abs();
                *scale = digits;
            }
            let value = value * POWERS[usize::from(*scale - digits)];
            *greatest = value.unsigned_abs().max(*greatest);
            values.push(value);
        }
        self.mark();
    }

    fn finish(&mut self, rows: usize) -> ColumnData {
        self.pad(rows);
        let valid = Buffer::from_vec(renewed(&mut self.valid));
        let nulls = (self.nulls > 0)
            .then(|| NullBuffer::new(arrow_buffer::BooleanBuffer::new(valid, 0, rows)));
        (self.rows, self.nulls) = (0, 0);
        match &mut self.kind {
            GrowKind::Text { offsets, bytes } => {
                let mut next = Vec::with_capacity(offsets.len() + 1);
                next.push(0);
                let offsets = std::mem::replace(offsets, next);
                let bytes = Buffer::from_vec(renewed(bytes));
                let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
                // The texts came from `&str`s, so this check of the whole cannot fail.
                let array = StringArray::try_new(offsets, bytes, nulls)
                    .unwrap_or_else(|_| StringArray::new_null(rows));
                ColumnData {
                    array: Arc::new(array),
                    scale: 0,
                }
            }
            GrowKind::Number { values, scale, .. } => {
                let values = ScalarBuffer::from(renewed(values));
                ColumnData {
                    array: Arc::new(Int64Array::new(values, nulls)),
                    scale: *scale,
                }
            }
        }
    }
}

/// What a vector holds; it goes on empty, with room for as much again: the next rows are like
/// these.
fn renewed<T>(vector: &mut Vec<T>) -> Vec<T> {
    let room = vector.len() + vector.len() / 16;
    std::mem::replace(vector, Vec::with_capacity(room))
}

impl Builder {
    pub(crate) fn rows(&self) -> usize {
        self.time.len()
    }

    /// Bytes of lines taken since the last freeze.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number of a source in this builder's list.
    pub(crate) fn source(&mut self, source: &Arc<Source>) -> u32 {
        let known = self.sources.iter().position(|known| known.id == source.id);
        let at = known.unwrap_or_else(|| {
            Arc::make_mut(&mut self.sources).push(source.clone());
            self.sources.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    /// The sources in the order of their numbers.
    pub(crate) fn sources(&self) -> Arc<Vec<Arc<Source>>> {
        self.sources.clone()
    }

    /// Takes one line, without its line break. `arrival` is its time if it has none of its own.
    pub(crate) fn push(&mut self, source: u32, offset: u64, line: &str, arrival: i64) {
        let mut cut = match self.fast.cut(line) {
            Some(cut) => cut,
            None => {
                let cut = shape::cut(&mut self.tables, line);
                self.fast.learn(&self.tables);
                cut
            }
        };
        let row = self.rows();
        while self.columns.len() < self.tables.columns.len() {
            let storage = self.tables.columns[self.columns.len()].storage;
            self.columns.push(Grow::new(storage));
        }
        let fits = |(column, value): &(u16, Value<'_>)| match value {
            Value::Number(value, digits) => {
                self.columns[usize::from(*column)].takes(*value, *digits)
            }
            _ => true,
        };
        if !cut.values.iter().all(fits) {
            cut = Cut {
                shape: SHAPE_RAW,
                time: cut.time,
                values: vec![(0, Value::Text(line.into()))],
            };
        }
        for (column, value) in &cut.values {
            let column = &mut self.columns[usize::from(*column)];
            match value {
                Value::Text(text) => column.text(row, text.as_bytes()),
                Value::Json(text) => column.text(row, text.as_bytes()),
                Value::Number(value, digits) => column.number(row, *value, *digits),
            }
        }
        self.time.push(cut.time.unwrap_or(arrival));
        self.source.push(source);
        self.offset.push(offset);
        self.shape.push(cut.shape);
        self.bytes += line.len();
    }

    /// The rows so far as a chunk; the builder goes on empty with the same tables.
    pub(crate) fn freeze(&mut self) -> Result<Chunk, ArrowError> {
        let rows = self.rows();
        self.bytes = 0;
        let chunk = Chunk {
            number: 0,
            tables: self.tables.clone(),
            sources: self.sources.clone(),
            time: renewed(&mut self.time).into(),
            source: renewed(&mut self.source).into(),
            offset: renewed(&mut self.offset).into(),
            shape: renewed(&mut self.shape).into(),
            columns: self
                .columns
                .iter_mut()
                .map(|column| column.finish(rows))
                .collect(),
        };
        chunk.sorted()
    }
}
