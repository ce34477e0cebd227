//! A few rows of a segment, straight from their pages.
//!
//! The lines of one user stand one to a page, and of each page every column is wanted. Through
//! arrow's readers most of the time goes into preparing them, and into values that nobody asked
//! for. Here a page is unpacked into a buffer that all columns share, and only what was asked for
//! is taken out of it. What is not as we write it is left to those readers, and to their errors.

mod page;
#[cfg(test)]
pub(super) mod tests;
mod unpack;

use std::{ops::Range, sync::Arc};

use arrow_array::{
    ArrayRef, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Schema};
use parquet::{
    basic::Type,
    file::{
        metadata::{ColumnChunkMetaData, ParquetMetaData},
        page_index::offset_index::PageLocation,
    },
};

use self::page::Pages;
use super::checked::Checked;

/// Where less than one row in so many is wanted, pages are not decoded whole.
const SPARSE: usize = 8;

/// Parquet's numbers of encodings.
const PLAIN: i64 = 0;
const DELTA_BINARY_PACKED: i64 = 5;
const RLE_DICTIONARY: i64 = 8;

/// Whether these ranges are so sparse, where pages have so many rows.
pub(super) fn is_sparse(ranges: &[Range<usize>], page: usize) -> bool {
    let (mut pages, mut rows, mut next) = (0, 0, 0);
    for range in ranges.iter().filter(|range| !range.is_empty()) {
        let first = (range.start / page).max(next);
        next = next.max((range.end - 1) / page + 1);
        pages += next.saturating_sub(first);
        rows += range.len();
    }
    rows * SPARSE <= pages * page
}

/// These rows of a group's columns; `None` if a page is not as we write it.
pub(super) fn read(
    file: &Checked,
    metadata: &ParquetMetaData,
    schema: &Schema,
    (group, leaves): (usize, &[usize]),
    ranges: &[Range<usize>],
) -> Option<RecordBatch> {
    let rows: Vec<usize> = ranges.iter().cloned().flatten().collect();
    let mut pages = Pages::new(file)?;
    let index = metadata.page_index_for_row_group(group);
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for &leaf in leaves {
        let field = schema.field(leaf);
        let chunk = metadata.row_group(group).column(leaf);
        let locations = index.page_locations(leaf)?;
        let mut column = Column::new((group, leaf), chunk, locations);
        column.read(&mut pages, &rows)?;
        let array = column.finish(field.data_type())?;
        fields.push(Field::new(field.name(), array.data_type().clone(), true));
        arrays.push(array);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).ok()
}

/// A column's values as they are gathered.
struct Column<'a> {
    /// Numbers of the group and the column in it.
    at: (usize, usize),
    chunk: &'a ColumnChunkMetaData,
    locations: &'a [PageLocation],
    valid: Vec<bool>,
    numbers: Vec<i64>,
    ends: Vec<i32>,
    bytes: Vec<u8>,
}

impl<'a> Column<'a> {
    fn new(
        at: (usize, usize),
        chunk: &'a ColumnChunkMetaData,
        locations: &'a [PageLocation],
    ) -> Self {
        Self {
            at,
            chunk,
            locations,
            valid: Vec::new(),
            numbers: Vec::new(),
            ends: vec![0],
            bytes: Vec::new(),
        }
    }

    /// The rows, which are in order, page by page.
    fn read(&mut self, pages: &mut Pages<'_>, mut rows: &[usize]) -> Option<()> {
        pages.dictionary.clear();
        while let Some(&row) = rows.first() {
            let next = self
                .locations
                .partition_point(|page| first_row(page) <= row);
            let page = next.checked_sub(1)?;
            let location = self.locations.get(page)?;
            let end = self.locations.get(next).map_or(usize::MAX, first_row);
            let (here, after) = rows.split_at(rows.partition_point(|&row| row < end));
            let header = pages.read(self.chunk, self.at, Some(page))?;
            self.take(pages, header.encoding, here, first_row(location))?;
            rows = after;
        }
        Some(())
    }

    /// These rows of the page that was read.
    fn take(
        &mut self,
        pages: &mut Pages<'_>,
        encoding: i64,
        rows: &[usize],
        first: usize,
    ) -> Option<()> {
        let inside = rows.iter().map(|row| row - first);
        let mut input = unpack::Input(&pages.page);
        let places = if self.chunk.column_descr().max_def_level() == 0 {
            inside.map(Some).collect()
        } else {
            unpack::places(input.sized()?, inside)?
        };
        let wanted: Vec<usize> = places.iter().copied().flatten().collect();
        let fixed = self.fixed();
        let texts = fixed.is_some() || self.chunk.column_type() == Type::BYTE_ARRAY;
        if wanted.is_empty() {
            self.push_none(places.len(), texts);
            return Some(());
        }
        match encoding {
            PLAIN if fixed.is_some() => {
                let bytes = fixed?;
                let values = wanted.iter().map(|place| {
                    let start = place.checked_mul(bytes)?;
                    input.0.get(start..start.checked_add(bytes)?)
                });
                self.push_texts(&places, &values.collect::<Option<Vec<&[u8]>>>()?);
            }
            PLAIN if texts => self.push_texts(&places, &unpack::texts(input.0, &wanted)?),
            PLAIN => self.push(&places, &unpack::plain(input.0, self.width(), &wanted)?),
            DELTA_BINARY_PACKED if !texts => {
                self.push(&places, &unpack::delta(input.0, &wanted)?);
            }
            RLE_DICTIONARY if fixed.is_none() => {
                let width = usize::from(input.byte()?);
                let keys = unpack::hybrid(input.0, width, &wanted)?;
                let keys: Vec<usize> = keys
                    .into_iter()
                    .map(usize::try_from)
                    .collect::<Result<_, _>>()
                    .ok()?;
                pages.read_dictionary(self.chunk, self.at)?;
                if texts {
                    let mut sorted = keys.clone();
                    sorted.sort_unstable();
                    sorted.dedup();
                    let values = unpack::texts(&pages.dictionary, &sorted)?;
                    let of = |key: &usize| values.get(sorted.binary_search(key).ok()?).copied();
                    let values: Option<Vec<&[u8]>> = keys.iter().map(of).collect();
                    self.push_texts(&places, &values?);
                } else {
                    let values = unpack::plain(&pages.dictionary, self.width(), &keys)?;
                    self.push(&places, &values);
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// Bytes of a value, if all have as many and they are no number.
    fn fixed(&self) -> Option<usize> {
        let is_fixed = self.chunk.column_type() == Type::FIXED_LEN_BYTE_ARRAY;
        let length = self.chunk.column_descr().type_length();
        usize::try_from(length).ok().filter(|_| is_fixed)
    }

    /// Bytes of a number.
    fn width(&self) -> usize {
        if self.chunk.column_type() == Type::INT32 {
            4
        } else {
            8
        }
    }

    fn push_none(&mut self, count: usize, texts: bool) {
        self.valid.resize(self.valid.len() + count, false);
        if texts {
            let end = self.ends.last().copied().unwrap_or(0);
            self.ends.resize(self.ends.len() + count, end);
        } else {
            self.numbers.resize(self.numbers.len() + count, 0);
        }
    }

    fn push(&mut self, places: &[Option<usize>], values: &[i64]) {
        let mut values = values.iter();
        for place in places {
            let value = place.and_then(|_| values.next());
            self.valid.push(value.is_some());
            self.numbers.push(value.copied().unwrap_or(0));
        }
    }

    fn push_texts(&mut self, places: &[Option<usize>], values: &[&[u8]]) {
        let mut values = values.iter();
        for place in places {
            let value = place.and_then(|_| values.next());
            self.valid.push(value.is_some());
            self.bytes
                .extend_from_slice(value.copied().unwrap_or_default());
            self.ends
                .push(i32::try_from(self.bytes.len()).unwrap_or(i32::MAX));
        }
    }

    fn finish(self, data_type: &DataType) -> Option<ArrayRef> {
        let some = self.valid.contains(&false);
        let nulls = some.then(|| NullBuffer::new(BooleanBuffer::from(self.valid)));
        Some(match data_type {
            DataType::Int64 => Arc::new(Int64Array::try_new(self.numbers.into(), nulls).ok()?),
            DataType::UInt64 => {
                let numbers = self.numbers.into_iter().map(i64::cast_unsigned);
                Arc::new(UInt64Array::try_new(numbers.collect(), nulls).ok()?)
            }
            DataType::UInt32 => {
                let number = |number| i32::try_from(number).map(i32::cast_unsigned);
                let numbers: Result<Vec<u32>, _> = self.numbers.into_iter().map(number).collect();
                Arc::new(UInt32Array::try_new(numbers.ok()?.into(), nulls).ok()?)
            }
            DataType::Utf8 | DataType::Dictionary(_, _) => {
                let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
                Arc::new(StringArray::try_new(ends, self.bytes.into(), nulls).ok()?)
            }
            DataType::FixedSizeBinary(size) => {
                let bytes = usize::try_from(*size).ok()?;
                let mut values = Vec::with_capacity((self.ends.len() - 1) * bytes);
                for ends in self.ends.windows(2) {
                    let end = values.len() + bytes;
                    let from = usize::try_from(ends[0]).ok()?;
                    values.extend_from_slice(self.bytes.get(from..usize::try_from(ends[1]).ok()?)?);
                    values.resize(end, 0);
                }
                Arc::new(FixedSizeBinaryArray::try_new(*size, values.into(), nulls).ok()?)
            }
            _ => return None,
        })
    }
}

fn first_row(page: &PageLocation) -> usize {
    usize::try_from(page.first_row_index).unwrap_or(usize::MAX)
}
