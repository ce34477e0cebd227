//! Count, sum and exact percentiles of numbers.

use std::sync::Arc;

use foldhash::HashMap;

use super::{
    Stop,
    aggregate::{Fold, Run},
    runs::{self, Runs},
    values::{self, Groups},
};
use crate::store::{
    Group, Numbers, Query, StoreError,
    embedded::{chunk::Chunk, segment::Own, shared::View, threads::spread},
    fields::candidates,
};

/// More pairs of values than this are looked up by hash.
const MOST_PAIRS: usize = 1 << 16;
/// Fewer numbers than this are summed up on the caller's thread.
const WORTH_A_THREAD: usize = 100_000;

/// The numbers of each group.
#[derive(Default)]
struct Samples {
    groups: HashMap<SampleKey, Runs>,
    count: usize,
}

/// Time bucket, values of the fields.
type SampleKey = (Option<i64>, Vec<Option<String>>);

#[derive(Debug)]
struct AskNumbers {
    value: Vec<String>,
    group_by: Vec<Vec<String>>,
    step: Option<i64>,
}

/// Each row's combination of values, as a number into a list of combinations.
struct Codes {
    ids: Vec<u32>,
    keys: Vec<Vec<u32>>,
}

impl Codes {
    fn of(groups: &[Groups], rows: usize) -> Self {
        let Some((first, others)) = groups.split_first() else {
            return Self {
                ids: vec![0; rows],
                keys: vec![Vec::new()],
            };
        };
        let count = u32::try_from(first.values.len()).unwrap_or(u32::MAX);
        let mut codes = Self {
            ids: first.ids.clone(),
            keys: (0..count).map(|id| vec![id]).collect(),
        };
        for group in others {
            codes.pair(group);
        }
        codes
    }

    /// Adds one more field to the combinations.
    fn pair(&mut self, group: &Groups) {
        let before = std::mem::take(&mut self.keys);
        let mut keys: Vec<Vec<u32>> = Vec::new();
        let mut new = |code: u32, id: u32| {
            let mut key = before[code as usize].clone();
            key.push(id);
            keys.push(key);
            u32::try_from(keys.len() - 1).unwrap_or(u32::MAX)
        };
        let width = group.values.len();
        if before.len() * width <= MOST_PAIRS {
            let mut known = vec![u32::MAX; before.len() * width];
            for (code, &id) in self.ids.iter_mut().zip(&group.ids) {
                let place = &mut known[*code as usize * width + id as usize];
                if *place == u32::MAX {
                    *place = new(*code, id);
                }
                *code = *place;
            }
        } else {
            let mut known: HashMap<(u32, u32), u32> = HashMap::default();
            for (code, &id) in self.ids.iter_mut().zip(&group.ids) {
                let pair = (*code, id);
                *code = *known.entry(pair).or_insert_with(|| new(pair.0, id));
            }
        }
        self.keys = keys;
    }
}

impl Samples {
    fn add_numbers(&mut self, key: SampleKey, numbers: Vec<f64>) {
        self.count += numbers.len();
        self.groups.entry(key).or_default().add(numbers);
    }
}

impl Fold for Samples {
    type Ask = AskNumbers;
    type Part = Vec<(SampleKey, Arc<runs::Run>)>;

    fn add(&mut self, ask: &AskNumbers, chunk: &Chunk, hits: &[bool]) {
        let numbers = values::numbers(chunk, &ask.value);
        let groups: Vec<Groups> = ask
            .group_by
            .iter()
            .map(|paths| Groups::of(chunk, paths))
            .collect();
        let codes = Codes::of(&groups, chunk.rows());
        let mut samples: Vec<Vec<f64>> = vec![Vec::new(); codes.keys.len()];
        let mut touched: Vec<u32> = Vec::new();
        let mut keep = |start: Option<i64>, touched: &mut Vec<u32>, samples: &mut [Vec<f64>]| {
            for code in touched.drain(..) {
                let value = |(groups, id): (&Groups, &u32)| groups.values[*id as usize].clone();
                let key = groups.iter().zip(&codes.keys[code as usize]).map(value);
                let numbers = std::mem::take(&mut samples[code as usize]);
                self.add_numbers((start, key.collect()), numbers);
            }
        };
        // Rows are in order of time: a bucket that is left does not come again.
        let mut bucket = (i64::MIN, i64::MIN);
        let start = |bucket: (i64, i64)| ask.step.map(|_| bucket.0);
        for (row, number) in numbers.into_iter().enumerate() {
            if !hits[row] || number.is_nan() {
                continue;
            }
            if let Some(step) = ask.step {
                let time = chunk.time.value(row);
                if time < bucket.0 || time >= bucket.1 {
                    keep(start(bucket), &mut touched, &mut samples);
                    let first = time.div_euclid(step) * step;
                    bucket = (first, first.saturating_add(step));
                }
            }
            let code = codes.ids[row];
            let own = &mut samples[code as usize];
            if own.is_empty() {
                touched.push(code);
            }
            own.push(number);
        }
        keep(start(bucket), &mut touched, &mut samples);
    }

    fn join(&mut self, other: Self) {
        self.count += other.count;
        for (key, runs) in other.groups {
            self.groups.entry(key).or_default().join(runs);
        }
    }

    fn part(self) -> Self::Part {
        let groups = self.groups.into_iter();
        groups.map(|(key, runs)| (key, runs.into_run())).collect()
    }

    fn take(&mut self, part: &Self::Part) {
        for (key, run) in part {
            self.count += run.len();
            match self.groups.get_mut(key) {
                Some(known) => known.add_run(run.clone()),
                None => self
                    .groups
                    .entry(key.clone())
                    .or_default()
                    .add_run(run.clone()),
            }
        }
    }

    fn bytes(&self) -> usize {
        self.count * 8 + self.groups.len() * 128
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
    let count = samples.count;
    let mut joined: HashMap<(Option<i64>, Vec<String>), Runs> = HashMap::default();
    for ((start, key), runs) in samples.groups {
        let key = key.into_iter().map(Option::unwrap_or_default).collect();
        joined.entry((start, key)).or_default().join(runs);
    }
    let mut groups = summarise_all(joined.into_iter().collect(), count)?;
    groups.sort_by(|a, b| (a.start, b.count, &a.key).cmp(&(b.start, a.count, &b.key)));
    Ok(Numbers { groups, partial })
}

type Named = ((Option<i64>, Vec<String>), Runs);

/// The groups in figures; of many numbers, half of the groups on a second thread.
fn summarise_all(all: Vec<Named>, count: usize) -> Result<Vec<Group>, StoreError> {
    let threads = if count < WORTH_A_THREAD { 1 } else { 2 };
    let groups = spread(all, threads, |((start, key), runs)| {
        summarise(start, key, runs)
    })?;
    Ok(groups.into_iter().flatten().collect())
}

fn summarise(start: Option<i64>, key: Vec<String>, runs: Runs) -> Option<Group> {
    let figures = runs.figures()?;
    let [p50, p75, p95, p99] = figures.percentiles;
    Some(Group {
        start,
        key,
        count: figures.count as u64,
        sum: figures.sum,
        min: figures.min,
        p50,
        p75,
        p95,
        p99,
        max: figures.max,
    })
}
