//! The strings that lines have in some fields, without the lines.

use std::{collections::HashMap, sync::Arc};

use super::{
    Stop,
    block::{Block, join},
    search::Search,
    values::{Groups, columns},
};
use crate::store::{
    Order, Query, StoreError, TextRow, Texts,
    embedded::{segment::Own, shape::RAW_COLUMN, shared::View, write_id},
    fields::candidates,
};

/// The texts of fields of the newest lines.
pub(crate) fn texts(
    view: &View,
    query: &Query,
    fields: &[String],
    most: usize,
    stop: &Stop,
) -> Result<Texts, StoreError> {
    let found = Search::new(query, None, Order::Newest, most, stop).find(view)?;
    let fields: Vec<Vec<String>> = fields.iter().map(|field| candidates(field)).collect();
    let mut rows: Vec<TextRow> = found
        .hits
        .iter()
        .map(|hit| TextRow {
            id: write_id(hit.key.1, hit.key.2),
            timestamp: hit.key.0,
            values: Vec::with_capacity(fields.len()),
        })
        .collect();
    let mut by_block: HashMap<usize, Vec<(usize, usize)>> = HashMap::new();
    for (place, hit) in found.hits.iter().enumerate() {
        by_block
            .entry(hit.block)
            .or_default()
            .push((hit.row, place));
    }
    for (number, mut hits) in by_block {
        let block = &found.blocks[number];
        hits.sort_unstable();
        let mut columns: Vec<usize> = fields
            .iter()
            .flat_map(|paths| columns(block.tables(), paths))
            .collect();
        columns.push(RAW_COLUMN);
        let ranges = join(hits.iter().map(|hit| hit.0..hit.0 + 1));
        let loaded = block.load(&columns, Own::SHAPE.with(Own::TIME), ranges)?;
        let in_memory = matches!(block, Block::Memory(_));
        for paths in &fields {
            let groups = Groups::of_texts(&loaded.chunk, paths);
            let shared = |value: &Option<String>| value.as_deref().map(Arc::<str>::from);
            let values: Vec<Option<Arc<str>>> = groups.values.iter().map(shared).collect();
            for (at, &(row, place)) in hits.iter().enumerate() {
                let at = if in_memory { row } else { at };
                rows[place]
                    .values
                    .push(values[groups.ids[at] as usize].clone());
            }
        }
    }
    Ok(Texts {
        rows,
        more: found.more,
        partial: found.partial,
    })
}
