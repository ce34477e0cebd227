//! What Loki can count by itself: lines over time and by value, where the query and the value
//! are among the labels and the metadata that lines are shipped with. Anything else is counted
//! from the lines.

use std::time::Duration;

use super::{
    LogQl, Reader, StoreError,
    wire::{Failure, Sample},
};
use crate::store::{
    Bucket, Facet, Order, Query, StoreStats,
    scan::{Counting, ranked},
};

/// Loki answers at most 11,000 points of a series.
const MOST_POINTS: i64 = 11_000;
/// Loki tells times in milliseconds.
const LEAST_STEP: i64 = 1_000_000;

impl Reader {
    /// `None` if Loki cannot count it.
    pub(super) async fn counted_over_time(
        &self,
        query: &Query,
        step_ns: i64,
        by: Option<&str>,
    ) -> Result<Option<Vec<Bucket>>, StoreError> {
        let (from, to) = self.range(query);
        let fits = step_ns >= LEAST_STEP
            && step_ns % LEAST_STEP == 0
            && (to - from) / step_ns < MOST_POINTS;
        let Some(logql) = LogQl::exactly(&query.filters).filter(|_| fits) else {
            return Ok(None);
        };
        let Some(whole) = logql.count(step_ns, by) else {
            return Ok(None);
        };
        if from >= to {
            return Ok(Some(Vec::new()));
        }
        let (first, last) = (
            from.div_euclid(step_ns) + i64::from(from % step_ns != 0),
            to.div_euclid(step_ns),
        );
        let mut counting = Counting::new(step_ns, by);
        // Buckets that are not whole at the two ends, and the whole ones between.
        let mut edges = vec![
            (from, to.min(first * step_ns)),
            (from.max(last * step_ns), to),
        ];
        edges.retain(|(from, to)| from < to);
        edges.dedup();
        for (from, to) in edges {
            let Some(count) = logql.count(to - from, by) else {
                return Ok(None);
            };
            let asked = self.client.value(&count, to, patience(query)).await;
            let Some(samples) = answered(asked)? else {
                return Ok(None);
            };
            for sample in samples {
                add(&mut counting, from, sample);
            }
        }
        if first < last {
            let times = ((first + 1) * step_ns, last * step_ns);
            let asked = self
                .client
                .series(&whole, times, step_ns, patience(query))
                .await;
            let Some(samples) = answered(asked)? else {
                return Ok(None);
            };
            for sample in samples {
                add(&mut counting, sample.time_ns - step_ns, sample);
            }
        }
        Ok(Some(counting.buckets()))
    }

    /// `None` if Loki cannot count it.
    pub(super) async fn counted_by_value(
        &self,
        query: &Query,
        field: &str,
        top: usize,
    ) -> Result<Option<Facet>, StoreError> {
        let (from, to) = self.range(query);
        let Some(logql) = LogQl::exactly(&query.filters).filter(|_| from < to) else {
            return Ok(None);
        };
        let Some(count) = logql.count(to - from, Some(field)) else {
            return Ok(None);
        };
        let asked = self.client.value(&count, to, patience(query)).await;
        // Too many values, for one, is refused.
        let Some(samples) = answered(asked)? else {
            return Ok(None);
        };
        let values = samples
            .into_iter()
            .filter(|sample| !sample.group.is_empty())
            .map(|sample| (sample.group, sample.value as u64));
        let values = ranked(values.collect(), usize::MAX);
        Ok(Some(Facet {
            field: field.to_owned(),
            present: values.iter().map(|(_, count)| count).sum(),
            values: values.into_iter().take(top).collect(),
        }))
    }

    /// Sizes by Loki's index, which counts what it has not flushed yet only roughly.
    pub(super) async fn stats(&self) -> Result<StoreStats, StoreError> {
        let query = Query::default();
        let (from, to) = self.range(&query);
        let all = LogQl::all();
        let index = self
            .client
            .index_stats(all.as_str(), (from, to), patience(&query))
            .await?;
        let newest = self
            .client
            .lines(all.as_str(), (from, to), Order::Newest, 1, patience(&query))
            .await?;
        Ok(StoreStats {
            lines: index.entries,
            segments: index.chunks,
            bytes: index.bytes,
            newest: newest.first().map(|entry| entry.timestamp),
            ..StoreStats::default()
        })
    }
}

fn patience(query: &Query) -> Duration {
    query.budget.time
}

fn add(counting: &mut Counting, time: i64, sample: Sample) {
    let count = sample.value as u64;
    if count > 0 {
        counting.add_count(time, sample.group, count);
    }
}

/// `None` if Loki will not count it, or takes too long: then the lines are read, as far as the
/// budget goes.
fn answered(asked: Result<Vec<Sample>, Failure>) -> Result<Option<Vec<Sample>>, StoreError> {
    match asked {
        Ok(samples) => Ok(Some(samples)),
        Err(Failure::Refused { .. } | Failure::TimedOut) => Ok(None),
        Err(failure) => Err(failure.into()),
    }
}
