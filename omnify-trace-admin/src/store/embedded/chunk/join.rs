//! Chunks joined, and rows put in order.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, UInt32Array, UInt64Array, new_null_array};
use arrow_schema::{ArrowError, DataType};

use super::{Chunk, ColumnData, POWERS, as_number};

impl Chunk {
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
