//! The lines that were found, single lines, lines around one.

use std::{collections::HashMap, sync::Arc};

use super::{
    Stop,
    block::{Block, join},
    search::{Hit, Key, Search, parse_cursor},
};
use crate::store::{
    Line, Order, StoreError,
    embedded::{
        chunk::Chunk,
        line,
        segment::Own,
        shape::{Hole, RAW_COLUMN},
        shared::View,
        threads::spread,
    },
    neighbours::Neighbours,
};

/// Fewer lines than this are read on the caller's thread.
const WORTH_A_THREAD: usize = 24;

fn parse_id(text: &str) -> Result<(u64, u64), StoreError> {
    let bad = || StoreError::BadCursor(text.to_owned());
    let (source, offset) = text.split_once('-').ok_or_else(bad)?;
    let number = |text| u64::from_str_radix(text, 16).map_err(|_| bad());
    Ok((number(source)?, number(offset)?))
}

/// Reads the lines of the hits, in their order.
pub(super) fn read(blocks: &[Block], hits: &[Hit]) -> Result<Vec<Line>, StoreError> {
    let mut by_block: HashMap<usize, Vec<Hit>> = HashMap::new();
    for hit in hits {
        by_block.entry(hit.block).or_default().push(*hit);
    }
    let of_block = |(number, mut hits): (usize, Vec<Hit>)| -> Result<Vec<_>, StoreError> {
        let block = &blocks[number];
        hits.sort_unstable_by_key(|hit| hit.row);
        let columns = columns_of(block, &hits);
        let ranges = join(hits.iter().map(|hit| hit.row..hit.row + 1));
        let mut loaded = block.load(&columns, Own::NONE, ranges)?;
        let in_memory = matches!(block, Block::Memory(_));
        if !in_memory {
            give_keys(Arc::make_mut(&mut loaded.chunk), &hits);
        }
        let line = |(at, hit): (usize, &Hit)| {
            let at = if in_memory { hit.row } else { at };
            ((number, hit.row), line(&loaded.chunk, at))
        };
        Ok(hits.iter().enumerate().map(line).collect::<Vec<_>>())
    };
    let mut lines: HashMap<(usize, usize), Line> = HashMap::with_capacity(hits.len());
    let by_block: Vec<(usize, Vec<Hit>)> = by_block.into_iter().collect();
    if hits.len() < WORTH_A_THREAD {
        for of in by_block {
            lines.extend(of_block(of)?);
        }
    } else {
        for found in spread(by_block, 2, of_block)? {
            lines.extend(found?);
        }
    }
    Ok(hits
        .iter()
        .filter_map(|hit| lines.remove(&(hit.block, hit.row)))
        .collect())
}

/// Our own columns of rows that were found are known already.
fn give_keys(chunk: &mut Chunk, hits: &[Hit]) {
    let place = |id: u64| chunk.sources.iter().position(|source| source.id == id);
    let source = |hit: &Hit| u32::try_from(place(hit.key.1).unwrap_or(0)).unwrap_or(0);
    chunk.source = hits.iter().map(source).collect::<Vec<_>>().into();
    chunk.time = hits.iter().map(|hit| hit.key.0).collect::<Vec<_>>().into();
    chunk.offset = hits.iter().map(|hit| hit.key.2).collect::<Vec<_>>().into();
    chunk.shape = hits.iter().map(|hit| hit.shape).collect::<Vec<_>>().into();
}

/// The columns that the shapes of these rows have.
fn columns_of(block: &Block, hits: &[Hit]) -> Vec<usize> {
    let mut shapes: Vec<u32> = hits.iter().map(|hit| hit.shape).collect();
    shapes.sort_unstable();
    shapes.dedup();
    let tables = block.tables();
    let shapes = shapes
        .iter()
        .filter_map(|&shape| tables.shapes.get(shape as usize));
    let mut columns: Vec<usize> = shapes
        .flat_map(|shape| {
            let column = |hole: &Hole| match *hole {
                Hole::Time(_) => None,
                Hole::Text(column) | Hole::Number(column, _) | Hole::Json(column) => {
                    Some(usize::from(column))
                }
            };
            let whole = shape.holes.is_empty().then_some(RAW_COLUMN);
            shape.holes.iter().filter_map(column).chain(whole)
        })
        .collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// Finds a line by its id.
fn find(view: &View, id: &str) -> Result<Option<(Key, Line)>, StoreError> {
    let (source, offset) = parse_id(id)?;
    let blocks: Vec<Block> = Block::of(view, i64::MIN, i64::MAX);
    for (number, block) in blocks.iter().enumerate() {
        if let Block::Sealed(sealed) = block {
            let holds = sealed.segment.meta.sources.iter().any(|extent| {
                extent.source.id == source
                    && extent
                        .ranges
                        .iter()
                        .any(|range| (range.0..range.1).contains(&offset))
            });
            if !holds {
                continue;
            }
        }
        let loaded = block.load(&[], Own::ALL, std::iter::once(0..block.rows()).collect())?;
        let chunk = &loaded.chunk;
        let offsets = chunk.offset.values().iter().enumerate();
        let row = offsets
            .filter(|(_, found)| **found == offset)
            .find(|(row, _)| chunk.source_of(*row).id == source);
        if let Some((row, _)) = row {
            let key = chunk.key(row);
            let hit = Hit {
                key,
                block: number,
                row,
                shape: chunk.shape.value(row),
            };
            return Ok(read(&blocks, &[hit])?.pop().map(|line| (key, line)));
        }
    }
    Ok(None)
}

pub(crate) fn get(view: &View, id: &str, _stop: &Stop) -> Result<Option<Line>, StoreError> {
    Ok(find(view, id)?.map(|(_, line)| line))
}

pub(crate) fn context(
    view: &View,
    id: &str,
    before: usize,
    after: usize,
    stop: &Stop,
) -> Result<Vec<Line>, StoreError> {
    let Some((key, line)) = find(view, id)? else {
        return Ok(Vec::new());
    };
    let mut lines = around(view, key, &line, Order::Newest, before, stop)?;
    lines.reverse();
    lines.push(line.clone());
    lines.extend(around(view, key, &line, Order::Oldest, after, stop)?);
    Ok(lines)
}

/// The [`Neighbours`] of a line in one direction, the nearest first.
fn around(
    view: &View,
    key: Key,
    line: &Line,
    order: Order,
    count: usize,
    stop: &Stop,
) -> Result<Vec<Line>, StoreError> {
    let neighbours = Neighbours::of(line);
    let query = neighbours.query();
    let mut found = Vec::new();
    let mut cursor = key;
    while found.len() < count {
        let page = Search::new(&query, Some(cursor), order, count.max(100), stop).run(view)?;
        let lines = page.lines.into_iter();
        found.extend(lines.filter(|other| neighbours.has(other)));
        match page.next_cursor {
            Some(next) if page.partial.is_none() => cursor = parse_cursor(&next)?,
            _ => break,
        }
    }
    found.truncate(count);
    Ok(found)
}
