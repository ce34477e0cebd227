//! Queries over memory and segments.
//!
//! A query is compiled against each block's own columns; an index tells which pages can have
//! hits; only the columns of its conditions are decoded, in windows from the near end, until
//! there is enough; and only then the other columns of the rows that were found.

pub(crate) mod aggregate;
pub(crate) mod block;
mod facets;
pub(crate) mod filter;
mod histogram;
mod lines;
mod numbers;
mod rolled;
mod runs;
pub(crate) mod search;
mod test;
mod texts;
pub(crate) mod values;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Instant,
};

pub(crate) use self::{
    facets::facets,
    histogram::histogram,
    lines::{context, get},
    numbers::numbers,
    search::search,
    texts::texts,
};
use super::{shape::SHAPE_TEXT, shared::Shared};
use crate::store::{Partial, Query, StoreStats};

/// Tells a query that nobody waits for its answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// A guard whose drop stops the query.
    pub(crate) fn on_drop(&self) -> StopOnDrop {
        StopOnDrop(self.clone())
    }
}

/// Stops a query when dropped.
pub(crate) struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// Watches a query's budget.
#[derive(Debug)]
pub(crate) struct Watch<'a> {
    stop: &'a Stop,
    end: Instant,
    memory: usize,
    used: AtomicUsize,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(query: &Query, stop: &'a Stop) -> Self {
        Self {
            stop,
            end: Instant::now() + query.budget.time,
            memory: query.budget.memory,
            used: AtomicUsize::new(0),
        }
    }

    /// Takes note of memory that the answer needs.
    pub(crate) fn uses(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    /// How much more memory the answer may need.
    pub(crate) fn left(&self) -> usize {
        self.memory
            .saturating_sub(self.used.load(Ordering::Relaxed))
    }

    /// Why the query must end here, if it must.
    pub(crate) fn over(&self) -> Option<&'static str> {
        if self.stop.0.load(Ordering::Relaxed) || Instant::now() >= self.end {
            Some("time")
        } else if self.left() == 0 {
            Some("memory")
        } else {
            None
        }
    }

    /// The same as an answer, having reached this time.
    pub(crate) fn partial(&self, reached: i64) -> Option<Partial> {
        self.over().map(|reason| Partial {
            reason: reason.to_owned(),
            reached,
        })
    }
}

pub(crate) fn stats(shared: &Shared) -> StoreStats {
    let view = shared.view();
    let reading = shared.reading();
    let mut stats = StoreStats {
        segments: view.segments.len() as u64,
        behind_bytes: reading.iter().map(|file| file.size - file.read).sum(),
        quarantined: shared.quarantined.load(Ordering::Relaxed),
        last_error: shared.last_error(),
        reading,
        ..StoreStats::default()
    };
    let mut span = |first: i64, last: i64| {
        stats.oldest = Some(stats.oldest.map_or(first, |oldest| oldest.min(first)));
        stats.newest = Some(stats.newest.map_or(last, |newest| newest.max(last)));
    };
    for segment in &view.segments {
        stats.lines += segment.meta.rows;
        stats.malformed += segment.meta.malformed;
        stats.bytes += segment.bytes;
        span(segment.meta.first, segment.meta.last);
    }
    for chunk in view.chunks().filter(|chunk| chunk.rows() > 0) {
        let rows = chunk.rows();
        stats.lines += rows as u64;
        stats.in_memory += rows as u64;
        let shapes = chunk.shape.values().iter();
        stats.malformed += shapes.filter(|&&shape| shape == SHAPE_TEXT).count() as u64;
        span(chunk.time.value(0), chunk.time.value(rows - 1));
    }
    stats
}
