//! Which rows of a segment stand together.
//!
//! Lines of level ERROR are few and much asked for: in a row group of their own, all of them are
//! read at the price of few pages, where scattered among the others they would touch every page.

use arrow_array::{Array, BooleanArray};
use arrow_buffer::BooleanBuffer;
use arrow_schema::ArrowError;
use arrow_select::filter::{FilterBuilder, FilterPredicate};

use crate::store::embedded::{
    chunk::{Chunk, ColumnData},
    exec::values::Groups,
};

/// The level that is kept apart.
const APART: &str = "ERROR";

/// The rows in one group, or in two if some but not most of them are errors. Column by column:
/// the rows are not in memory twice.
pub(super) fn split(chunk: Chunk) -> Result<Vec<Chunk>, ArrowError> {
    let levels = Groups::of(&chunk, &["level".to_owned()]);
    let is_apart = |value: &Option<String>| value.as_deref() == Some(APART);
    let Some(apart) = levels.values.iter().position(is_apart) else {
        return Ok(vec![chunk]);
    };
    let is_error = |row: usize| levels.ids[row] as usize == apart;
    let errors = BooleanArray::new(BooleanBuffer::collect_bool(chunk.rows(), is_error), None);
    if errors.true_count() * 2 > chunk.rows() {
        return Ok(vec![chunk]);
    }
    let others = BooleanArray::new(!errors.values(), None);
    let mut groups = Vec::with_capacity(2);
    let predicates = [others, errors].map(|mask| FilterBuilder::new(&mask).optimize().build());
    for predicate in &predicates {
        groups.push(Chunk {
            number: 0,
            tables: chunk.tables.clone(),
            sources: chunk.sources.clone(),
            time: own(predicate, &chunk.time)?,
            source: own(predicate, &chunk.source)?,
            offset: own(predicate, &chunk.offset)?,
            shape: own(predicate, &chunk.shape)?,
            columns: Vec::with_capacity(chunk.columns.len()),
        });
    }
    for ColumnData { array, scale } in chunk.columns {
        for (group, predicate) in groups.iter_mut().zip(&predicates) {
            let array = predicate.filter(&array)?;
            group.columns.push(ColumnData { array, scale });
        }
    }
    Ok(groups)
}

fn own<T: Array + Clone + 'static>(
    predicate: &FilterPredicate,
    array: &T,
) -> Result<T, ArrowError> {
    let lost = || ArrowError::InvalidArgumentError("column of an unexpected type".to_owned());
    let filtered = predicate.filter(array)?;
    filtered
        .as_any()
        .downcast_ref::<T>()
        .cloned()
        .ok_or_else(lost)
}
