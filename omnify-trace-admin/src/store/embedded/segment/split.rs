//! Which rows of a segment stand together.
//!
//! Lines of level ERROR are few and much asked for: in a row group of their own, all of them are
//! read at the price of few pages, where scattered among the others they would touch every page.

use arrow_array::{Array, ArrayRef, BooleanArray, new_empty_array};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{ArrowError, DataType};
use arrow_select::filter::{FilterBuilder, FilterPredicate};

use crate::store::embedded::{
    chunk::{Chunk, ColumnData, Joined, own},
    exec::values::{Groups, columns},
    shape::RAW_COLUMN,
};

/// The level that is kept apart.
const APART: &str = "ERROR";
const LEVEL: &str = "level";
/// What has to be at hand to split rows, and to count them.
const HEAD: [&str; 2] = [LEVEL, "event_type"];

/// The rows in one group, or in two if some but not most of them are errors.
pub(super) struct Split {
    /// Each group's own columns, levels and types.
    pub(super) heads: Vec<Chunk>,
    /// Which rows are in each group, if there are two.
    predicates: Vec<FilterPredicate>,
}

impl Split {
    pub(super) fn of(joined: &Joined<'_>) -> Result<Self, ArrowError> {
        let mut wanted = columns(&joined.own.tables, &HEAD.map(str::to_owned));
        wanted.push(RAW_COLUMN);
        let not_read = || ColumnData {
            array: new_empty_array(&DataType::Utf8),
            scale: 0,
        };
        let read = |at| match wanted.contains(&at) {
            true => joined.column(at),
            false => Ok(not_read()),
        };
        let whole = Chunk {
            columns: (0..joined.width()).map(read).collect::<Result<_, _>>()?,
            ..joined.own.clone()
        };
        let one = |whole| Self {
            heads: vec![whole],
            predicates: Vec::new(),
        };
        let levels = Groups::of(&whole, &[LEVEL.to_owned()]);
        let is_apart = |value: &Option<String>| value.as_deref() == Some(APART);
        let Some(apart) = levels.values.iter().position(is_apart) else {
            return Ok(one(whole));
        };
        let is_error = |row: usize| levels.ids[row] as usize == apart;
        let errors = BooleanArray::new(BooleanBuffer::collect_bool(whole.rows(), is_error), None);
        if errors.true_count() * 2 > whole.rows() {
            return Ok(one(whole));
        }
        let others = BooleanArray::new(!errors.values(), None);
        let predicate = |mask| FilterBuilder::new(&mask).optimize().build();
        let predicates = vec![predicate(others), predicate(errors)];
        let heads = predicates.iter().map(|rows| only(&whole, rows));
        Ok(Self {
            heads: heads.collect::<Result<_, _>>()?,
            predicates,
        })
    }

    /// A column's part in each group.
    pub(super) fn parts(&self, array: ArrayRef) -> Result<Vec<ArrayRef>, ArrowError> {
        if self.predicates.is_empty() {
            return Ok(vec![array]);
        }
        let parts = self.predicates.iter().map(|rows| rows.filter(&array));
        parts.collect()
    }
}

/// These rows of a chunk.
fn only(chunk: &Chunk, rows: &FilterPredicate) -> Result<Chunk, ArrowError> {
    let column = |ColumnData { array, scale }: &ColumnData| {
        Ok(ColumnData {
            array: match array.is_empty() {
                true => array.clone(),
                false => rows.filter(array)?,
            },
            scale: *scale,
        })
    };
    Ok(Chunk {
        number: 0,
        tables: chunk.tables.clone(),
        sources: chunk.sources.clone(),
        time: own(&rows.filter(&chunk.time)?)?,
        source: own(&rows.filter(&chunk.source)?)?,
        offset: own(&rows.filter(&chunk.offset)?)?,
        shape: own(&rows.filter(&chunk.shape)?)?,
        columns: chunk
            .columns
            .iter()
            .map(column)
            .collect::<Result<_, ArrowError>>()?,
    })
}
