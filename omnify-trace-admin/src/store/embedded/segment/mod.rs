//! A segment: sealed rows in one Parquet file, and what is kept beside them.
//!
//! Lines of level ERROR have a row group of their own; each group is in order of time.
//!
//! The file's name holds length and checksum of its tail (page index, our tables, footer), and
//! the tail holds the checksums of all pages, so that damage is found before rows are served. The
//! footer names the source files and byte ranges that the rows came from: it is the checkpoint of
//! the tailer.

mod checked;
mod columns;
mod file;
mod form;
mod held;
mod open;
mod sparse;
mod split;
mod write;

use std::{ops::Range, path::PathBuf, sync::Arc};

use arrow_array::{Int64Array, RecordBatch, UInt32Array, UInt64Array, new_empty_array};
use arrow_schema::DataType;
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder, RowSelection},
    },
    errors::ParquetError,
};
use serde::{Deserialize, Serialize};

pub(crate) use self::write::encode;
use self::{
    checked::{Checked, Checksums},
    form::Form,
    held::Held,
};
use super::{
    chunk::{Chunk, ColumnData},
    index::{BLOCK, Index},
    shape::{Column, Shape, Storage, Tables},
    source::{Extent, Source},
    threads::spread,
};
use crate::store::StoreError;

/// Our own columns, before those of the fields.
const OWN: [&str; 4] = ["_time", "_source", "_offset", "_shape"];
const META_KEY: &str = "omnify";
const VERSION: u32 = 3;
/// Fewer columns than this, or rows, are not worth a second thread.
const WORTH_SPLITTING: usize = 6;
const FEW_ROWS: usize = 64;

/// Which of our own columns to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Own(u8);

impl Own {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const TIME: Self = Self(1);
    pub(crate) const SHAPE: Self = Self(8);
    pub(crate) const ALL: Self = Self(15);

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }

    fn leaves(self) -> impl Iterator<Item = usize> {
        (0..OWN.len()).filter(move |at| self.0 >> at & 1 == 1)
    }
}

/// What the footer says of a segment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Meta {
    version: u32,
    pub(crate) id: String,
    pub(crate) rows: u64,
    pub(crate) malformed: u64,
    /// Time of the first and the last row.
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) sources: Vec<Extent>,
    /// Segments whose rows are in this one.
    pub(crate) replaces: Vec<String>,
    /// Where our tables are: compressed JSON of [`Tail`].
    tail: (u64, u64),
}

#[derive(Debug, Serialize, Deserialize)]
struct Tail {
    columns: Vec<StoredColumn>,
    shapes: Vec<Shape>,
    groups: Vec<StoredGroup>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredGroup {
    rows: usize,
    first: i64,
    last: i64,
    /// Length of its packed index; those of all groups follow the tail one after another.
    index: usize,
    /// How many checksums follow the index: column by column, of the dictionary and each page.
    checksums: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredColumn {
    #[serde(flatten)]
    column: Column,
    scale: u8,
    /// Number of the Parquet column; absent if no row has a value.
    leaf: Option<usize>,
    /// Whether it is written with a dictionary.
    dictionary: bool,
    #[serde(default)]
    form: Form,
}

/// Rows that stand together: a row group.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) rows: usize,
    /// Time of the first and the last row.
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) index: Index,
}

/// A sealed, open segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) meta: Meta,
    /// Of its rows, for what is kept of them.
    pub(crate) number: u64,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) tables: Arc<Tables>,
    pub(crate) groups: Vec<Group>,
    pub(crate) sources: Arc<Vec<Arc<Source>>>,
    columns: Vec<StoredColumn>,
    reader: ArrowReaderMetadata,
    checksums: Arc<Checksums>,
    held: Held,
}

impl Segment {
    /// Reads columns of a group's rows in these ranges; of our own columns those asked for, the
    /// others are zeroes. Columns of fields that were not asked for have no rows.
    pub(crate) fn read(
        &self,
        group: usize,
        columns: &[usize],
        own: Own,
        ranges: &[Range<usize>],
    ) -> Result<Chunk, StoreError> {
        let file = self.pages()?;
        self.try_read(&file, group, columns, own, ranges)
            .map_err(|error| damaged_at(&self.path, &error))
    }

    /// Checks every page.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let read = self.pages()?.read_all();
        read.map_err(|error| damaged_at(&self.path, &error))
    }

    fn pages(&self) -> Result<Checked, StoreError> {
        Ok(Checked {
            file: self.file()?,
            checksums: self.checksums.clone(),
        })
    }

    /// All rows of a group, whole.
    pub(crate) fn read_all(&self, group: usize) -> Result<Chunk, StoreError> {
        let columns: Vec<usize> = (0..self.columns.len()).collect();
        let rows = self.groups.get(group).map_or(0, |group| group.rows);
        self.read(group, &columns, Own::ALL, std::slice::from_ref(&(0..rows)))
    }

    fn try_read(
        &self,
        file: &Checked,
        group: usize,
        columns: &[usize],
        own: Own,
        ranges: &[Range<usize>],
    ) -> Result<Chunk, ParquetError> {
        let fields = columns
            .iter()
            .filter_map(|&column| self.columns.get(column)?.leaf);
        let leaves: Vec<usize> = own.leaves().chain(fields).collect();
        let rows = ranges.iter().map(ExactSizeIterator::len).sum();
        if leaves.is_empty() || rows == 0 {
            return self.to_chunk(&[], rows);
        }
        if sparse::is_sparse(ranges, BLOCK)
            && let Some(batch) = self.few(file, group, &leaves, ranges)
        {
            return self.to_chunk(&[batch], rows);
        }
        let halves = self.halves(group, leaves, rows);
        let halves = halves.into_iter().filter(|half| !half.is_empty());
        let decode = |leaves| self.decode(file, group, leaves, ranges, rows);
        let batches = spread(halves.collect(), 2, decode)?;
        let batches = batches.into_iter().collect::<Result<Vec<_>, _>>()?;
        let rows = batches.first().map_or(0, RecordBatch::num_rows);
        self.to_chunk(&batches, rows)
    }

    /// A few rows of a group; `None` if they have to be read in the general way.
    fn few(
        &self,
        file: &Checked,
        group: usize,
        leaves: &[usize],
        ranges: &[Range<usize>],
    ) -> Option<RecordBatch> {
        let metadata = self.reader.metadata();
        sparse::read(
            file,
            metadata,
            self.reader.schema(),
            (group, leaves),
            ranges,
        )
    }

    /// The columns in two halves of like size, for two threads, if there is enough to do.
    fn halves(&self, group: usize, mut leaves: Vec<usize>, rows: usize) -> [Vec<usize>; 2] {
        let group = self.reader.metadata().row_group(group);
        let size = |leaf: usize| group.column(leaf).compressed_size();
        if leaves.len() < WORTH_SPLITTING || rows < FEW_ROWS {
            return [leaves, Vec::new()];
        }
        leaves.sort_by_key(|&leaf| std::cmp::Reverse(size(leaf)));
        let (mut halves, mut sizes) = ([Vec::new(), Vec::new()], [0, 0]);
        for leaf in leaves {
            let lighter = usize::from(sizes[1] < sizes[0]);
            halves[lighter].push(leaf);
            sizes[lighter] += size(leaf);
        }
        halves
    }

    fn decode(
        &self,
        file: &Checked,
        group: usize,
        leaves: Vec<usize>,
        ranges: &[Range<usize>],
        rows: usize,
    ) -> Result<RecordBatch, ParquetError> {
        let total = self.groups.get(group).map_or(0, |group| group.rows);
        let mask = ProjectionMask::leaves(self.reader.parquet_schema(), leaves);
        let mut builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), self.reader.clone())
                .with_row_groups(vec![group])
                .with_batch_size(rows)
                .with_projection(mask);
        if rows < total {
            let selection = RowSelection::from_consecutive_ranges(ranges.iter().cloned(), total);
            builder = builder.with_row_selection(selection);
        }
        let batches = builder.build()?.collect::<Result<Vec<_>, _>>()?;
        match &batches[..] {
            [batch] => Ok(batch.clone()),
            [first, ..] => Ok(arrow_select::concat::concat_batches(
                &first.schema(),
                &batches,
            )?),
            [] => Err(ParquetError::General("there are no rows".to_owned())),
        }
    }

    fn to_chunk(&self, batches: &[RecordBatch], rows: usize) -> Result<Chunk, ParquetError> {
        let lost = || ParquetError::General("a column has an unexpected type".to_owned());
        let by_name = |name: &str| {
            let mut batches = batches.iter();
            batches.find_map(|batch| batch.column_by_name(name))
        };
        let own = |at: usize| by_name(OWN[at]);
        let schema = self.reader.schema();
        let numbers = |at: usize| match own(at) {
            Some(array) => array
                .as_any()
                .downcast_ref::<UInt32Array>()
                .cloned()
                .ok_or_else(lost),
            None => Ok(vec![0; rows].into()),
        };
        let column = |stored: &StoredColumn| {
            let name = stored.leaf.map(|leaf| schema.field(leaf).name());
            let read = name.and_then(|name| by_name(name));
            // A column of no rows stands for one that was not read: it costs nothing to make.
            let none = || match stored.column.storage {
                Storage::Number => new_empty_array(&DataType::Int64),
                _ => new_empty_array(&DataType::Utf8),
            };
            Ok(ColumnData {
                array: match read {
                    Some(array) => stored.form.unpacked(array)?,
                    None => none(),
                },
                scale: stored.scale,
            })
        };
        Ok(Chunk {
            number: 0,
            tables: self.tables.clone(),
            sources: self.sources.clone(),
            time: match own(0) {
                Some(array) => array
                    .as_any()
                    .downcast_ref::<Int64Array>()
                    .ok_or_else(lost)?
                    .clone(),
                None => vec![0; rows].into(),
            },
            source: numbers(1)?,
            offset: match own(2) {
                Some(array) => array
                    .as_any()
                    .downcast_ref::<UInt64Array>()
                    .ok_or_else(lost)?
                    .clone(),
                None => vec![0; rows].into(),
            },
            shape: numbers(3)?,
            columns: self
                .columns
                .iter()
                .map(column)
                .collect::<Result<_, ParquetError>>()?,
        })
    }
}

fn damaged_at(path: &std::path::Path, error: &ParquetError) -> StoreError {
    StoreError::Damaged {
        path: path.display().to_string(),
        reason: error.to_string(),
    }
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
