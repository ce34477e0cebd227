//! Rows in memory: columns that grow, and the frozen chunk that queries see.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, DictionaryArray, Int32Array, Int64Array, StringArray, UInt32Array,
    UInt64Array, new_null_array, types::Int32Type,
};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};

use super::{
    fast::Fast,
    shape::{self, Cut, Hole, RAW_COLUMN, SHAPE_RAW, SHAPE_TEXT, Storage, Tables, Value},
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

    /// One chunk of several that share their tables' history, in order.
    pub(crate) fn concat(chunks: &[Arc<Self>]) -> Result<Self, ArrowError> {
        let Some(last) = chunks
            .iter()
            .max_by_key(|chunk| (chunk.tables.columns.len(), chunk.tables.shapes.len()))
        else {
            return Err(ArrowError::InvalidArgumentError("no chunks".to_owned()));
        };
        let Some(sources) = chunks
            .iter()
            .map(|chunk| &chunk.sources)
            .max_by_key(|sources| sources.len())
        else {
            return Err(ArrowError::InvalidArgumentError("no chunks".to_owned()));
        };
        let width = chunks
            .iter()
            .map(|chunk| chunk.columns.len())
            .max()
            .unwrap_or(0);
        let columns = (0..width)
            .map(|at| concat_column(chunks, at))
            .collect::<Result<_, _>>()?;
        let join = |arrays: Vec<&dyn Array>| arrow_select::concat::concat(&arrays);
        let time = join(
            chunks
                .iter()
                .map(|chunk| &chunk.time as &dyn Array)
                .collect(),
        )?;
        let source = join(
            chunks
                .iter()
                .map(|chunk| &chunk.source as &dyn Array)
                .collect(),
        )?;
        let offset = join(
            chunks
                .iter()
                .map(|chunk| &chunk.offset as &dyn Array)
                .collect(),
        )?;
        let shape = join(
            chunks
                .iter()
                .map(|chunk| &chunk.shape as &dyn Array)
                .collect(),
        )?;
        let lost = || ArrowError::InvalidArgumentError("column of an unexpected type".to_owned());
        let chunk = Self {
            number: 0,
            tables: last.tables.clone(),
            sources: sources.clone(),
            time: time
                .as_any()
                .downcast_ref::<Int64Array>()
                .ok_or_else(lost)?
                .clone(),
            source: source
                .as_any()
                .downcast_ref::<UInt32Array>()
                .ok_or_else(lost)?
                .clone(),
            offset: offset
                .as_any()
                .downcast_ref::<UInt64Array>()
                .ok_or_else(lost)?
                .clone(),
            shape: shape
                .as_any()
                .downcast_ref::<UInt32Array>()
                .ok_or_else(lost)?
                .clone(),
            columns,
        };
        chunk.sorted()
    }

    /// The same rows in order.
    pub(crate) fn sorted(self) -> Result<Self, ArrowError> {
        let rows = self.rows();
        if (1..rows).all(|row| {
            let (before, here) = (self.time.value(row - 1), self.time.value(row));
            before < here || (before == here && self.key(row - 1) <= self.key(row))
        }) {
            return Ok(self);
        }
        let mut order: Vec<u32> = (0..u32::try_from(rows).unwrap_or(u32::MAX)).collect();
        order.sort_by_key(|&row| self.key(row as usize));
        let order = UInt32Array::from(order);
        let take = |array: &dyn Array| arrow_select::take::take(array, &order, None);
        let lost = || ArrowError::InvalidArgumentError("column of an unexpected type".to_owned());
        let columns = self.columns.iter().map(|column| {
            Ok(ColumnData {
                array: take(&column.array)?,
                scale: column.scale,
            })
        });
        Ok(Self {
            number: 0,
            columns: columns.collect::<Result<_, ArrowError>>()?,
            time: take(&self.time)?
                .as_any()
                .downcast_ref::<Int64Array>()
                .ok_or_else(lost)?
                .clone(),
            source: take(&self.source)?
                .as_any()
                .downcast_ref::<UInt32Array>()
                .ok_or_else(lost)?
                .clone(),
            offset: take(&self.offset)?
                .as_any()
                .downcast_ref::<UInt64Array>()
                .ok_or_else(lost)?
                .clone(),
            shape: take(&self.shape)?
                .as_any()
                .downcast_ref::<UInt32Array>()
                .ok_or_else(lost)?
                .clone(),
            tables: self.tables,
            sources: self.sources,
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

fn concat_column(chunks: &[Arc<Chunk>], at: usize) -> Result<ColumnData, ArrowError> {
    let present = || chunks.iter().filter_map(|chunk| chunk.columns.get(at));
    let scale = present().map(|column| column.scale).max().unwrap_or(0);
    let data_type = present()
        .next()
        .map_or(DataType::Utf8, |column| column.array.data_type().clone());
    let arrays: Vec<ArrayRef> = chunks
        .iter()
        .map(|chunk| match chunk.columns.get(at) {
            Some(column) => rescale(column, scale),
            None => new_null_array(&data_type, chunk.rows()),
        })
        .collect();
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    Ok(ColumnData {
        array: arrow_select::concat::concat(&arrays)?,
        scale,
    })
}

/// The column at a scale that is at least its own.
fn rescale(column: &ColumnData, scale: u8) -> ArrayRef {
    match as_number(&column.array) {
        Some(array) if scale > column.scale => {
            let factor = POWERS[usize::from(scale - column.scale)];
            Arc::new(
                array.unary::<_, arrow_array::types::Int64Type>(|value| value.wrapping_mul(factor)),
            )
        }
        _ => column.array.clone(),
    }
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
        let valid = Buffer::from_vec(std::mem::take(&mut self.valid));
        let nulls = (self.nulls > 0)
            .then(|| NullBuffer::new(arrow_buffer::BooleanBuffer::new(valid, 0, rows)));
        (self.rows, self.nulls) = (0, 0);
        match &mut self.kind {
            GrowKind::Text { offsets, bytes } => {
                let offsets = std::mem::replace(offsets, vec![0]);
                let bytes = Buffer::from_vec(std::mem::take(bytes));
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
                let values = ScalarBuffer::from(std::mem::take(values));
                ColumnData {
                    array: Arc::new(Int64Array::new(values, nulls)),
                    scale: *scale,
                }
            }
        }
    }
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
            time: std::mem::take(&mut self.time).into(),
            source: std::mem::take(&mut self.source).into(),
            offset: std::mem::take(&mut self.offset).into(),
            shape: std::mem::take(&mut self.shape).into(),
            columns: self
                .columns
                .iter_mut()
                .map(|column| column.finish(rows))
                .collect(),
        };
        chunk.sorted()
    }
}
