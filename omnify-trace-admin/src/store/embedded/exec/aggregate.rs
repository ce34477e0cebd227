//! What all aggregations share: which blocks they look at, and what of them.

use std::{
    any::type_name,
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use omnify_trace::schema::fields::TIMESTAMP;
use parking_lot::Mutex;

use super::{
    Stop, Watch,
    block::{Block, Loaded, join},
    filter::Plan,
    rolled::Rolled,
    search::matching,
    values,
};
use crate::store::{
    Partial, Query, StoreError,
    embedded::{
        chunk::Chunk,
        kept::{Kept, Key},
        segment::Own,
        shape::{RAW_COLUMN, Storage},
        shared::View,
        threads::spread,
    },
    matcher::Ready,
    time::MINUTE,
};

/// Fewer blocks than this are worked off on the caller's thread.
const WORTH_A_THREAD: usize = 4;
/// If one row in so many was found, whole pages are read and not row by row.
const DENSE: usize = 64;

/// An aggregation: its part for some rows, and how parts are joined.
pub(super) trait Fold: Default + Send + 'static {
    /// Its `Debug` tells one question from another.
    type Ask: Sync + Debug;
    /// What a block's rows add to the answer, as it is kept for the next time.
    type Part: Send + Sync;

    /// Adds the rows of a chunk that match.
    fn add(&mut self, ask: &Self::Ask, chunk: &Chunk, hits: &[bool]);

    /// Adds what a block's rollup says; false if it does not say it.
    fn roll_up(&mut self, _ask: &Self::Ask, _rolled: &Rolled<'_>) -> bool {
        false
    }

    /// Adds what the index says of all rows of a block; false if it does not say it.
    fn sum_up(&mut self, _ask: &Self::Ask, _block: &Block) -> bool {
        false
    }

    fn join(&mut self, other: Self);

    /// All that was added so far, to be kept.
    fn part(self) -> Self::Part;

    /// Adds what was kept.
    fn take(&mut self, part: &Self::Part);

    /// Bytes in use, roughly.
    fn bytes(&self) -> usize;
}

pub(super) struct Run<'a, F: Fold> {
    ask: &'a F::Ask,
    paths: Vec<String>,
    filters: Vec<Ready>,
    from: i64,
    to: i64,
    watch: Watch<'a>,
    needs: Own,
    /// All that what rows add to the answer hangs on, but for the rows.
    question: Arc<str>,
}

impl<'a, F: Fold> Run<'a, F> {
    pub(super) fn new(
        query: &Query,
        ask: &'a F::Ask,
        paths: Vec<String>,
        needs: Own,
        stop: &'a Stop,
    ) -> Self {
        // A line's own time is kept beside the fields, not among them.
        let needs = if paths.iter().any(|path| path == TIMESTAMP) {
            needs.with(Own::TIME).with(Own::SHAPE)
        } else {
            needs
        };
        Self {
            ask,
            paths,
            filters: query.filters.iter().map(Ready::new).collect(),
            from: query.from.unwrap_or(i64::MIN),
            to: query.to.unwrap_or(i64::MAX),
            watch: Watch::new(query, stop),
            needs,
            question: format!("{} {ask:?} {:?}", type_name::<F>(), query.filters).into(),
        }
    }

    pub(super) fn all(&self, view: &View) -> Result<(F, Option<Partial>), StoreError> {
        let blocks = Block::of(view, self.from, self.to);
        let next = AtomicUsize::new(0);
        let reached = Mutex::new(None::<i64>);
        let work = || -> Result<F, StoreError> {
            let mut fold = F::default();
            while let Some(block) = blocks.get(next.fetch_add(1, Ordering::Relaxed)) {
                if self.watch.over().is_some() {
                    let mut reached = reached.lock();
                    *reached = Some(reached.map_or(block.last(), |known| known.max(block.last())));
                    break;
                }
                let before = fold.bytes();
                self.block(&view.kept, block, &mut fold)?;
                self.watch.uses(fold.bytes().saturating_sub(before));
            }
            Ok(fold)
        };
        let mut whole = F::default();
        if blocks.len() < WORTH_A_THREAD {
            whole = work()?;
        } else {
            let threads = std::thread::available_parallelism()
                .map_or(1, usize::from)
                .min(4);
            let parts = spread(vec![(); threads], threads, |()| work())?;
            for part in parts {
                whole.join(part?);
            }
        }
        let partial = (*reached.lock()).and_then(|reached| self.watch.partial(reached));
        Ok((whole, partial))
    }

    fn block(&self, kept: &Kept, block: &Block, fold: &mut F) -> Result<(), StoreError> {
        let (from, to) = (self.from, self.to);
        let whole = block.first() >= from && block.last() < to;
        if whole && self.filters.is_empty() && fold.sum_up(self.ask, block) {
            return Ok(());
        }
        // Whole minutes may be counted already; what sticks out on both sides is read.
        let first = round_up(from.max(block.first().div_euclid(MINUTE) * MINUTE));
        let last = if to > block.last() {
            i64::MAX
        } else {
            to.div_euclid(MINUTE) * MINUTE
        };
        if first < last
            && let Some(rolled) = Rolled::of(block, &self.filters, first, last)
            && fold.roll_up(self.ask, &rolled)
        {
            if from < first {
                self.rows(block, fold, from, first)?;
            }
            if last < to {
                self.rows(block, fold, last, to)?;
            }
            return Ok(());
        }
        match block.answer_key(&self.question) {
            Some(key) if whole => self.kept(kept, key, block, fold),
            _ => self.rows(block, fold, from, to),
        }
    }

    /// All rows of a block that stays as it is: what they add may be known from the last time.
    fn kept(&self, kept: &Kept, key: Key, block: &Block, fold: &mut F) -> Result<(), StoreError> {
        let known = kept.answer(&key);
        if let Some(part) = known.as_ref().and_then(|part| part.downcast_ref()) {
            fold.take(part);
            return Ok(());
        }
        let mut own = F::default();
        self.rows(block, &mut own, self.from, self.to)?;
        let bytes = own.bytes() + self.question.len();
        let part = Arc::new(own.part());
        fold.take(&part);
        kept.put_answer(key, part, bytes);
        Ok(())
    }

    fn rows(&self, block: &Block, fold: &mut F, from: i64, to: i64) -> Result<(), StoreError> {
        if block.first() >= to || block.last() < from {
            return Ok(());
        }
        let plan = Plan::new(&self.filters, block);
        let mask = plan.mask & block.within(from, to);
        let mut columns = values::columns(block.tables(), &self.paths);
        columns.push(RAW_COLUMN);
        let mut own = self.needs;
        if needs_shapes(block, &columns) {
            own = own.with(Own::SHAPE);
        }
        for window in block.windows(mask, true, true) {
            if self.filters.is_empty() {
                let inside = block.inside(&window, from, to);
                let own = if inside { own } else { own.with(Own::TIME) };
                let loaded = block.load(&columns, own, window)?;
                let within = |time: &i64| inside || (*time >= from && *time < to);
                let hits: Vec<bool> = loaded.chunk.time.values().iter().map(within).collect();
                fold.add(self.ask, &loaded.chunk, &hits);
                continue;
            }
            let rows = matching(block, &plan, from, to, window.clone())?;
            if rows.is_empty() {
                continue;
            }
            let looked_at: usize = window.iter().map(ExactSizeIterator::len).sum();
            let ranges = if rows.len() * DENSE >= looked_at {
                window
            } else {
                join(rows.iter().map(|&row| row..row + 1))
            };
            let loaded = block.load(&columns, own, ranges)?;
            fold.add(self.ask, &loaded.chunk, &hits_of(&loaded, &rows));
        }
        Ok(())
    }
}

/// Whether values are written as the row's shape says: those of whole lines, and of numbers.
fn needs_shapes(block: &Block, columns: &[usize]) -> bool {
    let is_number = |column: &usize| {
        let column = block.tables().columns.get(*column);
        column.is_some_and(|column| column.storage == Storage::Number)
    };
    block.index().is_none_or(|index| index.raw != 0) || columns.iter().any(is_number)
}

/// Which rows of a loaded chunk were found.
fn hits_of(loaded: &Loaded, rows: &[usize]) -> Vec<bool> {
    let mut rows = rows.iter().copied().peekable();
    let found = |row: usize| rows.next_if_eq(&row).is_some();
    loaded.numbers().map(found).collect()
}

fn round_up(time: i64) -> i64 {
    match time.rem_euclid(MINUTE) {
        0 => time,
        over => time.saturating_add(MINUTE - over),
    }
}
