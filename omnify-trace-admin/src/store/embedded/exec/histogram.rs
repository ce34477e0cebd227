//! Counts over time.

use foldhash::HashMap;

use super::{
    Stop,
    aggregate::{Fold, Run},
    rolled::Rolled,
    values::Groups,
};
use crate::store::{
    Bucket, Histogram, Query, StoreError,
    embedded::{chunk::Chunk, segment::Own, shared::View},
    fields::candidates,
    time::MINUTE,
};

/// Counts by start of the bucket and number of the value.
#[derive(Default)]
struct Times {
    /// A line without the field counts for the empty text.
    values: Vec<String>,
    ids: HashMap<String, u32>,
    counts: HashMap<(i64, u32), u64>,
}

#[derive(Debug)]
struct AskTimes {
    step: i64,
    by: Option<Vec<String>>,
}

impl Times {
    fn id(&mut self, value: &str) -> u32 {
        if let Some(&id) = self.ids.get(value) {
            return id;
        }
        let id = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.values.push(value.to_owned());
        self.ids.insert(value.to_owned(), id);
        id
    }

    fn count(&mut self, start: i64, id: u32, count: u64) {
        if count > 0 {
            *self.counts.entry((start, id)).or_default() += count;
        }
    }
}

impl Fold for Times {
    type Ask = AskTimes;
    type Part = Self;

    fn add(&mut self, ask: &AskTimes, chunk: &Chunk, hits: &[bool]) {
        let groups = ask.by.as_ref().map(|paths| Groups::of(chunk, paths));
        let names: Vec<u32> = match &groups {
            Some(groups) => groups
                .values
                .iter()
                .map(|value| self.id(value.as_deref().unwrap_or_default()))
                .collect(),
            None => vec![self.id("")],
        };
        let mut bucket = (i64::MIN, i64::MIN);
        let (mut last, mut run) = ((0, 0), 0u64);
        for (row, _) in hits.iter().enumerate().filter(|(_, hit)| **hit) {
            let time = chunk.time.value(row);
            if time < bucket.0 || time >= bucket.1 {
                let start = time.div_euclid(ask.step) * ask.step;
                bucket = (start, start.saturating_add(ask.step));
            }
            let group = groups.as_ref().map_or(0, |groups| groups.ids[row]);
            let key = (bucket.0, names[group as usize]);
            if key != last {
                self.count(last.0, last.1, run);
                (last, run) = (key, 0);
            }
            run += 1;
        }
        self.count(last.0, last.1, run);
    }

    fn roll_up(&mut self, ask: &AskTimes, rolled: &Rolled<'_>) -> bool {
        if ask.step % MINUTE != 0 {
            return false;
        }
        let level = ["level".to_owned()];
        let paths = ask.by.as_deref().unwrap_or(&level);
        let Some(by) = rolled.by(paths) else {
            return false;
        };
        let names: Vec<u32> = rolled
            .values(by)
            .iter()
            .map(|value| match value {
                Some(value) if ask.by.is_some() => self.id(value),
                _ => self.id(""),
            })
            .collect();
        // Counts come in order of time: those of a bucket are added up before they are kept.
        let (mut start, mut sums) = (i64::MIN, vec![0; names.len()]);
        for (minute, value, count) in rolled.counts(by) {
            let own = minute.div_euclid(ask.step) * ask.step;
            if own != start {
                for (sum, &name) in sums.iter_mut().zip(&names) {
                    self.count(start, name, std::mem::take(sum));
                }
                start = own;
            }
            sums[value] += count;
        }
        for (sum, &name) in sums.into_iter().zip(&names) {
            self.count(start, name, sum);
        }
        true
    }

    fn join(&mut self, other: Self) {
        self.take(&other);
    }

    fn part(self) -> Self {
        self
    }

    fn take(&mut self, part: &Self) {
        let names: Vec<u32> = part.values.iter().map(|value| self.id(value)).collect();
        for (&(start, id), &count) in &part.counts {
            self.count(start, names[id as usize], count);
        }
    }

    fn bytes(&self) -> usize {
        self.counts.len() * 64 + self.values.len() * 96
    }
}

pub(crate) fn histogram(
    view: &View,
    query: &Query,
    step_ns: i64,
    by: Option<&str>,
    stop: &Stop,
) -> Result<Histogram, StoreError> {
    let ask = AskTimes {
        step: step_ns.max(1),
        by: by.map(candidates),
    };
    let paths = ask.by.clone().unwrap_or_default();
    let (times, partial) = Run::<Times>::new(query, &ask, paths, Own::TIME, stop).all(view)?;
    let mut counts: Vec<(i64, u64, &str)> = times
        .counts
        .iter()
        .map(|(&(start, id), &count)| (start, count, times.values[id as usize].as_str()))
        .collect();
    // Of a bucket the most first; equal counts by name.
    counts.sort_unstable_by(|a, b| (a.0, b.1, a.2).cmp(&(b.0, a.1, b.2)));
    let mut buckets: Vec<Bucket> = Vec::new();
    for (start, count, value) in counts {
        if buckets.last().is_none_or(|last| last.start != start) {
            buckets.push(Bucket {
                start,
                ..Bucket::default()
            });
        }
        if let Some(bucket) = buckets.last_mut() {
            bucket.count += count;
            if by.is_some() {
                bucket.by.push((value.to_owned(), count));
            }
        }
    }
    Ok(Histogram {
        step_ns: ask.step,
        buckets,
        partial,
    })
}
