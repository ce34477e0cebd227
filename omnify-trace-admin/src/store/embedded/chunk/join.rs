//! Chunks joined, and rows put in order.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, UInt32Array, new_null_array};
use arrow_schema::{ArrowError, DataType};

use super::{Chunk, ColumnData, POWERS, as_number};

/// Rows of several chunks that share their tables' history, put in order. Columns are joined
/// one at a time, when they are asked for, so that the rows need not be in memory twice.
#[derive(Debug)]
pub(crate) struct Joined<'a> {
    chunks: &'a [Arc<Chunk>],
    /// Our own columns; no others.
    pub(crate) own: Chunk,
    /// Where each row comes from, if they were not in order.
    order: Option<UInt32Array>,
}

impl<'a> Joined<'a> {
    pub(crate) fn of(chunks: &'a [Arc<Chunk>]) -> Result<Self, ArrowError> {
        let none = || ArrowError::InvalidArgumentError("no chunks".to_owned());
        let grown = |chunk: &&Arc<Chunk>| (chunk.tables.columns.len(), chunk.tables.shapes.len());
        let last = chunks.iter().max_by_key(grown).ok_or_else(none)?;
        let sources = chunks.iter().map(|chunk| &chunk.sources);
        let own = Chunk {
            number: 0,
            tables: last.tables.clone(),
            sources: sources
                .max_by_key(|sources| sources.len())
                .ok_or_else(none)?
                .clone(),
            time: join(chunks, |chunk| &chunk.time)?,
            source: join(chunks, |chunk| &chunk.source)?,
            offset: join(chunks, |chunk| &chunk.offset)?,
            shape: join(chunks, |chunk| &chunk.shape)?,
            columns: Vec::new(),
        };
        let order = own.order();
        let own = match &order {
            Some(order) => own.take(order)?,
            None => own,
        };
        Ok(Self { chunks, own, order })
    }

    /// How many columns there are.
    pub(crate) fn width(&self) -> usize {
        let widths = self.chunks.iter().map(|chunk| chunk.columns.len());
        widths.max().unwrap_or(0)
    }

    /// A column, in order.
    pub(crate) fn column(&self, at: usize) -> Result<ColumnData, ArrowError> {
        let mut column = concat_column(self.chunks, at)?;
        if let Some(order) = &self.order {
            column.array = arrow_select::take::take(&column.array, order, None)?;
        }
        Ok(column)
    }
}

impl Chunk {
    /// One chunk of several that share their tables' history, in order.
    pub(crate) fn concat(chunks: &[Arc<Self>]) -> Result<Self, ArrowError> {
        let joined = Joined::of(chunks)?;
        let columns = (0..joined.width()).map(|at| joined.column(at));
        Ok(Self {
            columns: columns.collect::<Result<_, _>>()?,
            ..joined.own
        })
    }

    /// The same rows in order.
    pub(crate) fn sorted(self) -> Result<Self, ArrowError> {
        match self.order() {
            Some(order) => self.take(&order),
            None => Ok(self),
        }
    }

    /// Where each row has to come from, if they are not in order.
    fn order(&self) -> Option<UInt32Array> {
        let rows = self.rows();
        if (1..rows).all(|row| {
            let (before, here) = (self.time.value(row - 1), self.time.value(row));
            before < here || (before == here && self.key(row - 1) <= self.key(row))
        }) {
            return None;
        }
        let mut order: Vec<u32> = (0..u32::try_from(rows).unwrap_or(u32::MAX)).collect();
        order.sort_by_key(|&row| self.key(row as usize));
        Some(UInt32Array::from(order))
    }

    fn take(self, order: &UInt32Array) -> Result<Self, ArrowError> {
        let columns = self.columns.iter().map(|column| {
            Ok(ColumnData {
                array: arrow_select::take::take(&column.array, order, None)?,
                scale: column.scale,
            })
        });
        Ok(Self {
            number: 0,
            columns: columns.collect::<Result<_, ArrowError>>()?,
            time: own(&arrow_select::take::take(&self.time, order, None)?)?,
            source: own(&arrow_select::take::take(&self.source, order, None)?)?,
            offset: own(&arrow_select::take::take(&self.offset, order, None)?)?,
            shape: own(&arrow_select::take::take(&self.shape, order, None)?)?,
            tables: self.tables,
            sources: self.sources,
        })
    }
}

/// One of our own columns, of all chunks.
fn join<T: Array + Clone + 'static>(
    chunks: &[Arc<Chunk>],
    of: impl Fn(&Chunk) -> &T,
) -> Result<T, ArrowError> {
    let arrays: Vec<&dyn Array> = chunks.iter().map(|chunk| of(chunk) as &dyn Array).collect();
    own(&arrow_select::concat::concat(&arrays)?)
}

/// The array as one of our own columns.
pub(crate) fn own<T: Array + Clone + 'static>(array: &ArrayRef) -> Result<T, ArrowError> {
    let lost = || ArrowError::InvalidArgumentError("column of an unexpected type".to_owned());
    array.as_any().downcast_ref::<T>().cloned().ok_or_else(lost)
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
