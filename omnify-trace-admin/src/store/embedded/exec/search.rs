//! Pages of lines, single lines, lines around one.

use std::{collections::HashMap, ops::Range};

use super::{
    Stop, Watch,
    block::{Block, join},
    filter::Plan,
};
use crate::store::{
    Filter, Line, Lines, Order, Page, Query, StoreError,
    embedded::{line, segment::Own, shape::Hole, shared::View},
    matcher::{Leaves, Ready},
};

/// (time, source id, offset): the order of all lines.
pub(crate) type Key = (i64, u64, u64);

/// A line that was found but not yet read.
#[derive(Debug, Clone, Copy)]
struct Hit {
    key: Key,
    block: usize,
    row: usize,
    shape: u32,
}

fn parse_cursor(text: &str) -> Result<Key, StoreError> {
    let mut parts = text.split('.');
    let mut part = || u64::from_str_radix(parts.next()?, 16).ok();
    match (part(), part(), part()) {
        (Some(time), Some(source), Some(offset)) => Ok((time.cast_signed(), source, offset)),
        _ => Err(StoreError::BadCursor(text.to_owned())),
    }
}

fn write_cursor((time, source, offset): Key) -> String {
    format!("{:x}.{source:x}.{offset:x}", time.cast_unsigned())
}

fn parse_id(text: &str) -> Result<(u64, u64), StoreError> {
    let bad = || StoreError::BadCursor(text.to_owned());
    let (source, offset) = text.split_once('-').ok_or_else(bad)?;
    let number = |text| u64::from_str_radix(text, 16).map_err(|_| bad());
    Ok((number(source)?, number(offset)?))
}

pub(crate) fn search(
    view: &View,
    query: &Query,
    page: &Page,
    stop: &Stop,
) -> Result<Lines, StoreError> {
    let cursor = page.cursor.as_deref().map(parse_cursor).transpose()?;
    Search::new(query, cursor, page.order, page.limit, stop).run(view)
}

struct Search<'a> {
    filters: Vec<Ready>,
    from: i64,
    to: i64,
    cursor: Option<Key>,
    newest: bool,
    limit: usize,
    watch: Watch<'a>,
}

impl<'a> Search<'a> {
    fn new(query: &Query, cursor: Option<Key>, order: Order, limit: usize, stop: &'a Stop) -> Self {
        let newest = order == Order::Newest;
        let (mut from, mut to) = (query.from.unwrap_or(i64::MIN), query.to.unwrap_or(i64::MAX));
        match cursor {
            Some(key) if newest => to = to.min(key.0.saturating_add(1)),
            Some(key) => from = from.max(key.0),
            None => {}
        }
        Self {
            filters: query.filters.iter().map(Ready::new).collect(),
            from,
            to,
            cursor,
            newest,
            limit,
            watch: Watch::new(query, stop),
        }
    }

    fn run(&self, view: &View) -> Result<Lines, StoreError> {
        let mut blocks = Block::of(view, self.from, self.to);
        if !self.newest {
            blocks.sort_by_key(Block::first);
        }
        let want = self.limit.saturating_add(1);
        let mut hits: Vec<Hit> = Vec::new();
        let mut partial = None;
        for (number, block) in blocks.iter().enumerate() {
            if hits.len() >= want && !self.may_add(block, hits[want - 1].key) {
                break;
            }
            let done = self.block(block, number, want, &mut hits)?;
            self.sort(&mut hits);
            hits.truncate(want);
            if let Some(reached) = done {
                partial = self.watch.partial(reached);
                break;
            }
        }
        let more = hits.len() > self.limit;
        hits.truncate(self.limit);
        let next_cursor = hits
            .last()
            .filter(|_| more)
            .map(|hit| write_cursor(hit.key));
        Ok(Lines {
            lines: read(&blocks, &hits)?,
            next_cursor,
            partial,
        })
    }

    fn sort(&self, hits: &mut [Hit]) {
        if self.newest {
            hits.sort_unstable_by_key(|hit| std::cmp::Reverse(hit.key));
        } else {
            hits.sort_unstable_by_key(|hit| hit.key);
        }
    }

    /// Whether a block can have lines nearer than the last one of a full page.
    fn may_add(&self, block: &Block, last: Key) -> bool {
        if self.newest {
            block.last() >= last.0
        } else {
            block.first() <= last.0
        }
    }

    fn beyond(&self, key: Key) -> bool {
        self.cursor.is_none_or(|cursor| {
            if self.newest {
                key < cursor
            } else {
                key > cursor
            }
        })
    }

    /// Adds a block's hits, the nearest first, until there are as many as wanted. Gives the
    /// time reached if the budget ended.
    fn block(
        &self,
        block: &Block,
        number: usize,
        want: usize,
        hits: &mut Vec<Hit>,
    ) -> Result<Option<i64>, StoreError> {
        let plan = Plan::new(&self.filters, block);
        let mask = plan.mask & block.within(self.from, self.to);
        let mut found = 0;
        for window in block.windows(mask, self.newest, false) {
            if self.watch.over().is_some() {
                return Ok(Some(if self.newest {
                    block.last()
                } else {
                    block.first()
                }));
            }
            let rows = matching(block, &plan, self.from, self.to, window)?;
            let mut new = self.keys(block, number, rows)?;
            self.sort(&mut new);
            new.truncate(want);
            self.watch.uses(new.len() * size_of::<Hit>());
            found += new.len();
            hits.append(&mut new);
            if found >= want {
                break;
            }
        }
        Ok(None)
    }

    /// The keys of rows that were found; of many, those of the near end.
    fn keys(
        &self,
        block: &Block,
        number: usize,
        mut rows: Vec<usize>,
    ) -> Result<Vec<Hit>, StoreError> {
        // Rows are in order; a cursor can only take away some of equal time.
        if self.cursor.is_none() && rows.len() > self.limit {
            if self.newest {
                rows.drain(..rows.len() - self.limit - 1);
            } else {
                rows.truncate(self.limit + 1);
            }
        }
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let loaded = block.load(&[], Own::ALL, join(rows.iter().map(|&row| row..row + 1)))?;
        let chunk = &loaded.chunk;
        let in_memory = matches!(block, Block::Memory(_));
        let hits = rows.iter().enumerate().map(|(at, &row)| {
            let at = if in_memory { row } else { at };
            Hit {
                key: chunk.key(at),
                block: number,
                row,
                shape: chunk.shape.value(at),
            }
        });
        Ok(hits.filter(|hit| self.beyond(hit.key)).collect())
    }
}

/// The rows of a window that match, in order.
pub(crate) fn matching(
    block: &Block,
    plan: &Plan<'_>,
    from: i64,
    to: i64,
    window: Vec<Range<usize>>,
) -> Result<Vec<usize>, StoreError> {
    let inside = block.inside(&window, from, to);
    if inside && plan.columns.is_empty() && plan.own.is_none() && plan.is_empty() {
        return Ok(window.into_iter().flatten().collect());
    }
    let own = if inside {
        plan.own
    } else {
        plan.own.with(Own::TIME)
    };
    let loaded = block.load(&plan.columns, own, window)?;
    let mut hits = plan.hits(&loaded.chunk);
    if !inside {
        for (hit, &time) in hits.iter_mut().zip(loaded.chunk.time.values()) {
            *hit &= time >= from && time < to;
        }
    }
    let rows = loaded
        .numbers()
        .zip(hits)
        .filter(|(_, hit)| *hit)
        .map(|(row, _)| row)
        .collect();
    Ok(rows)
}

/// Reads the lines of the hits, in their order.
fn read(blocks: &[Block], hits: &[Hit]) -> Result<Vec<Line>, StoreError> {
    let mut by_block: HashMap<usize, Vec<Hit>> = HashMap::new();
    for hit in hits {
        by_block.entry(hit.block).or_default().push(*hit);
    }
    let mut lines: HashMap<(usize, usize), Line> = HashMap::with_capacity(hits.len());
    for (number, mut hits) in by_block {
        let block = &blocks[number];
        hits.sort_unstable_by_key(|hit| hit.row);
        let columns = columns_of(block, &hits);
        let ranges = join(hits.iter().map(|hit| hit.row..hit.row + 1));
        let loaded = block.load(&columns, Own::ALL, ranges)?;
        let in_memory = matches!(block, Block::Memory(_));
        for (at, hit) in hits.iter().enumerate() {
            let at = if in_memory { hit.row } else { at };
            lines.insert((number, hit.row), line(&loaded.chunk, at));
        }
    }
    Ok(hits
        .iter()
        .filter_map(|hit| lines.remove(&(hit.block, hit.row)))
        .collect())
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
            let whole = shape
                .holes
                .is_empty()
                .then_some(crate::store::embedded::shape::RAW_COLUMN);
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
        if let Block::Sealed(segment) = block {
            let holds = segment.meta.sources.iter().any(|extent| {
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

/// The lines next to one, of the same service; of a line that names none, the same file.
fn around(
    view: &View,
    key: Key,
    line: &Line,
    order: Order,
    count: usize,
    stop: &Stop,
) -> Result<Vec<Line>, StoreError> {
    const SERVICE: &str = "service.name";
    let leaves = Leaves::of(&line.raw, line.is_json);
    let service = leaves.get(SERVICE).map(|leaf| leaf.text.to_string());
    let own = Filter::Exists(SERVICE.to_owned());
    let filter = match &service {
        Some(name) => Filter::OneOf {
            field: SERVICE.to_owned(),
            values: vec![name.clone()],
        },
        None => Filter::Not(Box::new(own)),
    };
    let query = Query {
        filters: vec![filter],
        ..Query::default()
    };
    let mut found = Vec::new();
    let mut cursor = key;
    while found.len() < count {
        let page = Search::new(&query, Some(cursor), order, count.max(100), stop).run(view)?;
        let same = |other: &Line| service.is_some() || other.file == line.file;
        found.extend(page.lines.into_iter().filter(same));
        match page.next_cursor {
            Some(next) if page.partial.is_none() => cursor = parse_cursor(&next)?,
            _ => break,
        }
    }
    found.truncate(count);
    Ok(found)
}
