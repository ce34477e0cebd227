//! Pages of lines, single lines, lines around one.

use std::{collections::HashMap, ops::Range};

use super::{
    Stop, Watch,
    block::{Block, join},
    filter::Plan,
    in_two,
};
use crate::store::{
    Line, Lines, Order, Page, Partial, Query, StoreError,
    embedded::{
        line,
        segment::Own,
        shape::{Hole, RAW_COLUMN},
        shared::View,
    },
    matcher::Ready,
    neighbours::Neighbours,
};

/// Fewer lines than this are read on the caller's thread.
const WORTH_A_THREAD: usize = 200;

/// (time, source id, offset): the order of all lines.
pub(crate) type Key = (i64, u64, u64);

/// A line that was found but not yet read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) key: Key,
    pub(super) block: usize,
    pub(super) row: usize,
    shape: u32,
}

/// The lines of a page, not yet read.
pub(super) struct Found {
    pub(super) blocks: Vec<Block>,
    /// In the page's order.
    pub(super) hits: Vec<Hit>,
    pub(super) more: bool,
    pub(super) partial: Option<Partial>,
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

/// A block that may have hits.
struct Planned<'a> {
    block: &'a Block,
    number: usize,
    plan: Plan<'a>,
    from: i64,
    to: i64,
    /// Pages that may have hits.
    mask: u64,
}

pub(super) struct Search<'a> {
    filters: Vec<Ready>,
    from: i64,
    to: i64,
    cursor: Option<Key>,
    newest: bool,
    limit: usize,
    watch: Watch<'a>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        query: &Query,
        cursor: Option<Key>,
        order: Order,
        limit: usize,
        stop: &'a Stop,
    ) -> Self {
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
        let found = self.find(view)?;
        let next_cursor = found
            .hits
            .last()
            .filter(|_| found.more)
            .map(|hit| write_cursor(hit.key));
        Ok(Lines {
            lines: read(&found.blocks, &found.hits)?,
            next_cursor,
            partial: found.partial,
        })
    }

    /// Where the lines of the page are.
    pub(super) fn find(&self, view: &View) -> Result<Found, StoreError> {
        let mut blocks = Block::of(view, self.from, self.to);
        if !self.newest {
            blocks.sort_by_key(Block::first);
        }
        let want = self.limit.saturating_add(1);
        let mut hits: Vec<Hit> = Vec::new();
        let mut partial = None;
        // The nearest block may have enough; if not, two threads look on. What a block's index
        // rules out costs no thread.
        let mut next = 0;
        let mut at_once = 1;
        while partial.is_none() {
            let last = hits.get(want - 1).map(|hit| hit.key);
            let mut batch = Vec::new();
            while batch.len() < at_once
                && let Some(block) = blocks.get(next)
                && last.is_none_or(|last| self.may_add(block, last))
            {
                batch.extend(self.plan(block, next, last));
                next += 1;
            }
            if batch.is_empty() {
                break;
            }
            for found in in_two(batch, |planned| self.block(&planned, want)) {
                let (mut new, reached) = found?;
                hits.append(&mut new);
                if let Some(reached) = reached {
                    partial = partial.or_else(|| self.watch.partial(reached));
                }
            }
            self.sort(&mut hits);
            hits.truncate(want);
            at_once = 2;
        }
        let more = hits.len() > self.limit;
        hits.truncate(self.limit);
        Ok(Found {
            blocks,
            hits,
            more,
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

    /// What is to be looked at in a block; `None` if its index rules it out. Only lines are of
    /// use that are nearer than the last of a full page.
    fn plan<'b>(
        &'b self,
        block: &'b Block,
        number: usize,
        last: Option<Key>,
    ) -> Option<Planned<'b>> {
        let plan = Plan::new(&self.filters, block);
        let (mut from, mut to) = (self.from, self.to);
        match last {
            Some(last) if self.newest => from = from.max(last.0),
            Some(last) => to = to.min(last.0.saturating_add(1)),
            None => {}
        }
        let mask = plan.mask & block.within(from, to);
        (mask != 0).then_some(Planned {
            block,
            number,
            plan,
            from,
            to,
            mask,
        })
    }

    /// A block's hits, the nearest first, until there are as many as wanted, and the time reached
    /// if the budget ended.
    fn block(
        &self,
        planned: &Planned<'_>,
        want: usize,
    ) -> Result<(Vec<Hit>, Option<i64>), StoreError> {
        let &Planned {
            block,
            number,
            ref plan,
            from,
            to,
            mask,
        } = planned;
        let mut hits = Vec::new();
        for window in block.windows(mask, self.newest, false) {
            if self.watch.over().is_some() {
                let reached = if self.newest {
                    block.last()
                } else {
                    block.first()
                };
                return Ok((hits, Some(reached)));
            }
            let rows = matching(block, plan, from, to, window)?;
            let mut new = self.keys(block, number, rows)?;
            self.sort(&mut new);
            new.truncate(want);
            self.watch.uses(new.len() * size_of::<Hit>());
            hits.append(&mut new);
            if hits.len() >= want {
                break;
            }
        }
        Ok((hits, None))
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
    let of_block = |(number, mut hits): (usize, Vec<Hit>)| {
        let block = &blocks[number];
        hits.sort_unstable_by_key(|hit| hit.row);
        let columns = columns_of(block, &hits);
        let ranges = join(hits.iter().map(|hit| hit.row..hit.row + 1));
        let loaded = block.load(&columns, Own::ALL, ranges)?;
        let in_memory = matches!(block, Block::Memory(_));
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
        for found in in_two(by_block, of_block) {
            lines.extend(found?);
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
