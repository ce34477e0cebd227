//! Counts over time, most frequent values, percentiles.

use std::{
    collections::{BTreeMap, HashMap},
    sync::atomic::{AtomicUsize, Ordering},
};

use omnify_trace::schema::fields::TIMESTAMP;
use parking_lot::Mutex;

use super::{
    Stop, Watch,
    block::{Block, Loaded, join},
    filter::Plan,
    rolled::Rolled,
    search::matching,
    values::{self, Groups},
};
use crate::store::{
    Bucket, Facet, Facets, Group, Histogram, Numbers, Partial, Query, StoreError,
    embedded::{chunk::Chunk, segment::Own, shape::RAW_COLUMN, shared::View},
    fields::candidates,
    matcher::Ready,
    time::MINUTE,
};

/// Fewer blocks than this are worked off on the caller's thread.
const WORTH_A_THREAD: usize = 4;

/// An aggregation: its part for some rows, and how parts are joined.
trait Fold: Default + Send {
    type Ask: Sync;

    /// Adds the rows of a chunk that match.
    fn add(&mut self, ask: &Self::Ask, chunk: &Chunk, hits: &[bool]);

    /// Adds what a block's rollup says; false if it does not say it.
    fn roll_up(&mut self, ask: &Self::Ask, rolled: &Rolled<'_>) -> bool;

    fn join(&mut self, other: Self);

    /// Bytes in use, roughly.
    fn bytes(&self) -> usize;
}

struct Run<'a, F: Fold> {
    ask: &'a F::Ask,
    paths: Vec<String>,
    filters: Vec<Ready>,
    from: i64,
    to: i64,
    watch: Watch<'a>,
    needs: Own,
}

impl<'a, F: Fold> Run<'a, F> {
    fn new(query: &Query, ask: &'a F::Ask, paths: Vec<String>, needs: Own, stop: &'a Stop) -> Self {
        // A line's own time is kept beside the fields, not among them.
        let needs = if paths.iter().any(|path| path == TIMESTAMP) {
            needs.with(Own::TIME)
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
        }
    }

    fn all(&self, view: &View) -> Result<(F, Option<Partial>), StoreError> {
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
                self.block(block, &mut fold)?;
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
            let parts = std::thread::scope(|scope| {
                let workers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
                let mut parts = vec![work()];
                for worker in workers {
                    let lost = |_| {
                        Err(StoreError::Unavailable(
                            "a query thread ended early".to_owned(),
                        ))
                    };
                    parts.push(worker.join().unwrap_or_else(lost));
                }
                parts
            });
            for part in parts {
                whole.join(part?);
            }
        }
        let partial = (*reached.lock()).and_then(|reached| self.watch.partial(reached));
        Ok((whole, partial))
    }

    fn block(&self, block: &Block, fold: &mut F) -> Result<(), StoreError> {
        let (from, to) = (self.from, self.to);
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
        self.rows(block, fold, from, to)
    }

    fn rows(&self, block: &Block, fold: &mut F, from: i64, to: i64) -> Result<(), StoreError> {
        if block.first() >= to || block.last() < from {
            return Ok(());
        }
        let plan = Plan::new(&self.filters, block);
        let mask = plan.mask & block.within(from, to);
        let mut columns = values::columns(block.tables(), &self.paths);
        columns.push(RAW_COLUMN);
        let own = self.needs.with(Own::SHAPE);
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
            let rows = matching(block, &plan, from, to, window)?;
            if rows.is_empty() {
                continue;
            }
            let loaded = block.load(&columns, own, join(rows.iter().map(|&row| row..row + 1)))?;
            let hits = hits_of(block, &loaded, &rows);
            fold.add(self.ask, &loaded.chunk, &hits);
        }
        Ok(())
    }
}

/// Which rows of a loaded chunk were found: a sealed block loads just those.
fn hits_of(block: &Block, loaded: &Loaded, rows: &[usize]) -> Vec<bool> {
    match block {
        Block::Sealed(_) => vec![true; loaded.chunk.rows()],
        Block::Memory(chunk) => {
            let mut hits = vec![false; chunk.rows()];
            rows.iter().for_each(|&row| hits[row] = true);
            hits
        }
    }
}

fn round_up(time: i64) -> i64 {
    match time.rem_euclid(MINUTE) {
        0 => time,
        over => time.saturating_add(MINUTE - over),
    }
}

// Histogram

#[derive(Default)]
struct Times(HashMap<i64, HashMap<Option<String>, u64>>);

struct AskTimes {
    step: i64,
    by: Option<Vec<String>>,
}

impl Times {
    fn count(&mut self, start: i64, value: Option<&String>, count: u64) {
        let bucket = self.0.entry(start).or_default();
        let known = match value {
            Some(value) => bucket
                .iter_mut()
                .find(|(known, _)| known.as_ref() == Some(value)),
            None => bucket.iter_mut().find(|(known, _)| known.is_none()),
        };
        match known {
            Some((_, known)) => *known += count,
            None => {
                bucket.insert(value.cloned(), count);
            }
        }
    }
}

impl Fold for Times {
    type Ask = AskTimes;

    fn add(&mut self, ask: &AskTimes, chunk: &Chunk, hits: &[bool]) {
        let groups = ask.by.as_ref().map(|paths| Groups::of(chunk, paths));
        let mut counts: HashMap<(i64, u32), u64> = HashMap::new();
        let (mut last, mut run) = ((0, 0), 0u64);
        for (row, _) in hits.iter().enumerate().filter(|(_, hit)| **hit) {
            let start = chunk.time.value(row).div_euclid(ask.step) * ask.step;
            let key = (start, groups.as_ref().map_or(0, |groups| groups.ids[row]));
            if key != last && run > 0 {
                *counts.entry(last).or_default() += run;
                run = 0;
            }
            last = key;
            run += 1;
        }
        if run > 0 {
            *counts.entry(last).or_default() += run;
        }
        for ((start, id), count) in counts {
            let value = groups
                .as_ref()
                .and_then(|groups| groups.values[id as usize].as_ref());
            self.count(start, value, count);
        }
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
        let mut counts: BTreeMap<(i64, usize), u64> = BTreeMap::new();
        for (minute, value, count) in rolled.counts(by) {
            let value = if ask.by.is_some() { value } else { 0 };
            *counts
                .entry((minute.div_euclid(ask.step) * ask.step, value))
                .or_default() += count;
        }
        for ((start, value), count) in counts {
            let value = rolled.values(by).get(value);
            let value = value.and_then(Option::as_ref);
            self.count(start, value.filter(|_| ask.by.is_some()), count);
        }
        true
    }

    fn join(&mut self, other: Self) {
        for (start, values) in other.0 {
            for (value, count) in values {
                *self.0.entry(start).or_default().entry(value).or_default() += count;
            }
        }
    }

    fn bytes(&self) -> usize {
        self.0.len() * 256
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
    let mut buckets: Vec<Bucket> = times
        .0
        .into_iter()
        .map(|(start, values)| Bucket {
            start,
            count: values.values().sum(),
            by: if by.is_some() {
                ranked(
                    values
                        .into_iter()
                        .map(|(value, count)| (value.unwrap_or_default(), count)),
                    usize::MAX,
                )
            } else {
                Vec::new()
            },
        })
        .collect();
    buckets.sort_by_key(|bucket| bucket.start);
    Ok(Histogram {
        step_ns: ask.step,
        buckets,
        partial,
    })
}

/// Values by count, most first; equal counts by name.
fn ranked(counts: impl Iterator<Item = (String, u64)>, top: usize) -> Vec<(String, u64)> {
    let mut joined: HashMap<String, u64> = HashMap::new();
    for (value, count) in counts {
        *joined.entry(value).or_default() += count;
    }
    let mut counts: Vec<(String, u64)> = joined.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(top);
    counts
}

// Facets

#[derive(Default)]
struct Counts(Vec<HashMap<String, u64>>);

impl Fold for Counts {
    type Ask = Vec<Vec<String>>;

    fn add(&mut self, ask: &Self::Ask, chunk: &Chunk, hits: &[bool]) {
        self.0.resize_with(ask.len(), HashMap::new);
        for (paths, counts) in ask.iter().zip(&mut self.0) {
            let groups = Groups::of(chunk, paths);
            let mut by_id = vec![0u64; groups.values.len()];
            for (&id, _) in groups.ids.iter().zip(hits).filter(|(_, hit)| **hit) {
                by_id[id as usize] += 1;
            }
            for (value, count) in groups
                .values
                .into_iter()
                .zip(by_id)
                .filter(|(_, count)| *count > 0)
            {
                if let Some(value) = value {
                    *counts.entry(value).or_default() += count;
                }
            }
        }
    }

    fn roll_up(&mut self, ask: &Self::Ask, rolled: &Rolled<'_>) -> bool {
        if ask.iter().any(|paths| rolled.by(paths).is_none()) {
            return false;
        }
        self.0.resize_with(ask.len(), HashMap::new);
        for (paths, counts) in ask.iter().zip(&mut self.0) {
            let Some(by) = rolled.by(paths) else {
                continue;
            };
            let values = rolled.values(by);
            let mut by_value = vec![0u64; values.len()];
            for (_, value, count) in rolled.counts(by) {
                by_value[value] += count;
            }
            for (value, count) in values.iter().zip(by_value).filter(|(_, count)| *count > 0) {
                if let Some(value) = value {
                    *counts.entry(value.clone()).or_default() += count;
                }
            }
        }
        true
    }

    fn join(&mut self, other: Self) {
        self.0
            .resize_with(self.0.len().max(other.0.len()), HashMap::new);
        for (counts, others) in self.0.iter_mut().zip(other.0) {
            for (value, count) in others {
                *counts.entry(value).or_default() += count;
            }
        }
    }

    fn bytes(&self) -> usize {
        self.0.iter().map(|counts| counts.len() * 96).sum()
    }
}

pub(crate) fn facets(
    view: &View,
    query: &Query,
    fields: &[String],
    top: usize,
    stop: &Stop,
) -> Result<Facets, StoreError> {
    let ask: Vec<Vec<String>> = fields.iter().map(|field| candidates(field)).collect();
    let paths = ask.iter().flatten().cloned().collect();
    let (mut counts, partial) =
        Run::<Counts>::new(query, &ask, paths, Own::NONE, stop).all(view)?;
    counts.0.resize_with(fields.len(), HashMap::new);
    let facet = |(field, counts): (&String, HashMap<String, u64>)| Facet {
        field: field.clone(),
        present: counts.values().sum(),
        values: ranked(counts.into_iter(), top),
    };
    Ok(Facets {
        facets: fields.iter().zip(counts.0).map(facet).collect(),
        partial,
    })
}

// Numbers

#[derive(Default)]
struct Samples(HashMap<SampleKey, Vec<f64>>);

/// Time bucket, values of the fields.
type SampleKey = (Option<i64>, Vec<Option<String>>);

struct AskNumbers {
    value: Vec<String>,
    group_by: Vec<Vec<String>>,
    step: Option<i64>,
}

impl Fold for Samples {
    type Ask = AskNumbers;

    fn add(&mut self, ask: &AskNumbers, chunk: &Chunk, hits: &[bool]) {
        let numbers = values::numbers(chunk, &ask.value);
        let groups: Vec<Groups> = ask
            .group_by
            .iter()
            .map(|paths| Groups::of(chunk, paths))
            .collect();
        let mut samples: HashMap<(Option<i64>, Vec<u32>), Vec<f64>> = HashMap::new();
        let mut key = (None, Vec::with_capacity(groups.len()));
        for (row, number) in numbers.into_iter().enumerate() {
            if !hits[row] || number.is_nan() {
                continue;
            }
            key.0 = ask
                .step
                .map(|step| chunk.time.value(row).div_euclid(step) * step);
            key.1.clear();
            key.1.extend(groups.iter().map(|groups| groups.ids[row]));
            match samples.get_mut(&key) {
                Some(samples) => samples.push(number),
                None => {
                    samples.insert(key.clone(), vec![number]);
                }
            }
        }
        for ((start, key), mut samples) in samples {
            let value = |(groups, id): (&Groups, u32)| groups.values[id as usize].clone();
            let key: Vec<Option<String>> = groups.iter().zip(key).map(value).collect();
            self.0.entry((start, key)).or_default().append(&mut samples);
        }
    }

    fn roll_up(&mut self, _: &AskNumbers, _: &Rolled<'_>) -> bool {
        false
    }

    fn join(&mut self, other: Self) {
        for (key, mut samples) in other.0 {
            self.0.entry(key).or_default().append(&mut samples);
        }
    }

    fn bytes(&self) -> usize {
        self.0.values().map(|samples| samples.len() * 8 + 128).sum()
    }
}

pub(crate) fn numbers(
    view: &View,
    query: &Query,
    value: &str,
    group_by: &[String],
    step_ns: Option<i64>,
    stop: &Stop,
) -> Result<Numbers, StoreError> {
    let ask = AskNumbers {
        value: candidates(value),
        group_by: group_by.iter().map(|field| candidates(field)).collect(),
        step: step_ns.map(|step| step.max(1)),
    };
    let needs = ask.step.map_or(Own::NONE, |_| Own::TIME);
    let paths = ask
        .value
        .iter()
        .chain(ask.group_by.iter().flatten())
        .cloned()
        .collect();
    let (samples, partial) = Run::<Samples>::new(query, &ask, paths, needs, stop).all(view)?;
    let mut joined: HashMap<(Option<i64>, Vec<String>), Vec<f64>> = HashMap::new();
    for ((start, key), mut samples) in samples.0 {
        let key = key.into_iter().map(Option::unwrap_or_default).collect();
        joined.entry((start, key)).or_default().append(&mut samples);
    }
    let mut groups: Vec<Group> = joined
        .into_iter()
        .map(|((start, key), values)| summarise(start, key, values))
        .collect();
    groups.sort_by(|a, b| (a.start, b.count, &a.key).cmp(&(b.start, a.count, &b.key)));
    Ok(Numbers { groups, partial })
}

/// Count, sum, extremes and percentiles by nearest rank.
fn summarise(start: Option<i64>, key: Vec<String>, mut values: Vec<f64>) -> Group {
    values.sort_unstable_by(f64::total_cmp);
    let count = values.len();
    let rank = |percent: usize| {
        let at = (count * percent).div_ceil(100).saturating_sub(1);
        values.get(at).copied().unwrap_or(0.0)
    };
    Group {
        start,
        key,
        count: count as u64,
        sum: values.iter().sum(),
        min: values.first().copied().unwrap_or(0.0),
        p50: rank(50),
        p75: rank(75),
        p95: rank(95),
        p99: rank(99),
        max: values.last().copied().unwrap_or(0.0),
    }
}
