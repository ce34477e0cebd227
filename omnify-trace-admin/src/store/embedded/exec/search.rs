//! Pages of lines: where they are.

use std::ops::Range;

use super::{
    Stop, Watch,
    block::{Block, join},
    filter::Plan,
    lines::read,
};
use crate::store::{
    Line, Lines, Order, Page, Partial, Query, StoreError,
    embedded::{segment::Own, shared::View, threads::spread},
    matcher::Ready,
};

/// Blocks that are looked at before it is asked whether that was enough.
const MOST_AT_ONCE: usize = 8;

/// So many lines are read before it is known how long they are. One may have a megabyte.
const AT_FIRST: usize = 128;

/// (time, source id, offset): the order of all lines.
pub(crate) type Key = (i64, u64, u64);

/// A line that was found but not yet read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) key: Key,
    pub(super) block: usize,
    pub(super) row: usize,
    pub(super) shape: u32,
}

/// The lines of a page, not yet read.
pub(super) struct Found {
    pub(super) blocks: Vec<Block>,
    /// In the page's order.
    pub(super) hits: Vec<Hit>,
    pub(super) more: bool,
    pub(super) partial: Option<Partial>,
}

pub(super) fn parse_cursor(text: &str) -> Result<Key, StoreError> {
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

    pub(super) fn run(&self, view: &View) -> Result<Lines, StoreError> {
        let mut found = self.find(view)?;
        let (mut more, mut partial) = (found.more, found.partial.take());
        let (lines, read) = self.lines(&found)?;
        let last = read.last().map(|hit| hit.key);
        if read.len() < found.hits.len() {
            more = true;
            let reached = last.map_or(0, |last| last.0);
            partial = partial.or_else(|| self.watch.partial(reached));
        }
        let next_cursor = last.filter(|_| more).map(write_cursor);
        Ok(Lines {
            lines,
            next_cursor,
            partial,
        })
    }

    /// The lines of the page, as far as the budget goes, and their hits.
    fn lines<'f>(&self, found: &'f Found) -> Result<(Vec<Line>, &'f [Hit]), StoreError> {
        let hits = found.hits.as_slice();
        let mut lines = Vec::new();
        let (mut end, mut at_once, mut bytes) = (0, AT_FIRST, 0);
        while end < hits.len() && (end == 0 || self.watch.left() > 0) {
            let begin = end;
            end = hits.len().min(begin + at_once);
            let new = read(&found.blocks, &hits[begin..end])?;
            let more = new.iter().map(|line| line.raw.len()).sum();
            self.watch.uses(more);
            bytes += more;
            lines.extend(new);
            // As many as there is room for, if they are like those before.
            at_once = (self.watch.left() / (bytes / end).max(1)).max(AT_FIRST);
        }
        Ok((lines, &hits[..end]))
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
        // The nearest block may have enough; if not, two threads look on, at ever more of them at
        // once. What a block's index rules out costs no thread.
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
            for found in spread(batch, 2, |planned| self.block(&planned, want))? {
                let (mut new, reached) = found?;
                hits.append(&mut new);
                if let Some(reached) = reached {
                    partial = partial.or_else(|| self.watch.partial(reached));
                }
            }
            self.sort(&mut hits);
            hits.truncate(want);
            at_once = (at_once * 2).min(MOST_AT_ONCE);
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
