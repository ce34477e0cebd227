//! Count, sum and exact percentiles of numbers.

use foldhash::HashMap;

use super::{
    Stop,
    aggregate::{Fold, Run},
    values::{self, Groups},
};
use crate::store::{
    Group, Numbers, Query, StoreError,
    embedded::{chunk::Chunk, segment::Own, shared::View},
    fields::candidates,
};

/// More pairs of values than this are looked up by hash.
const MOST_PAIRS: usize = 1 << 16;
/// Fewer numbers than this are summed up on the caller's thread.
const WORTH_A_THREAD: usize = 100_000;

/// The numbers of each group.
#[derive(Default)]
struct Samples {
    groups: HashMap<SampleKey, Vec<f64>>,
    count: usize,
}

/// Time bucket, values of the fields.
type SampleKey = (Option<i64>, Vec<Option<String>>);

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
    fn take(&mut self, key: SampleKey, mut numbers: Vec<f64>) {
        self.count += numbers.len();
        match self.groups.get_mut(&key) {
            Some(known) => known.append(&mut numbers),
            None => drop(self.groups.insert(key, numbers)),
        }
    }
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
        let codes = Codes::of(&groups, chunk.rows());
        let mut samples: Vec<Vec<f64>> = vec![Vec::new(); codes.keys.len()];
        let mut touched: Vec<u32> = Vec::new();
        let mut keep = |start: Option<i64>, touched: &mut Vec<u32>, samples: &mut [Vec<f64>]| {
            for code in touched.drain(..) {
                let value = |(groups, id): (&Groups, &u32)| groups.values[*id as usize].clone();
                let key = groups.iter().zip(&codes.keys[code as usize]).map(value);
                let numbers = std::mem::take(&mut samples[code as usize]);
                self.take((start, key.collect()), numbers);
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
        for (key, numbers) in other.groups {
            self.take(key, numbers);
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
    let mut joined: HashMap<(Option<i64>, Vec<String>), Vec<f64>> = HashMap::default();
    for ((start, key), mut samples) in samples.groups {
        let key = key.into_iter().map(Option::unwrap_or_default).collect();
        let known = joined.entry((start, key)).or_default();
        if known.is_empty() {
            *known = samples;
        } else {
            known.append(&mut samples);
        }
    }
    let mut groups = summarise_all(joined.into_iter().collect(), count);
    groups.sort_by(|a, b| (a.start, b.count, &a.key).cmp(&(b.start, a.count, &b.key)));
    Ok(Numbers { groups, partial })
}

type Named = ((Option<i64>, Vec<String>), Vec<f64>);

/// The groups in figures; of many numbers, half of the groups on a second thread.
fn summarise_all(mut all: Vec<Named>, count: usize) -> Vec<Group> {
    let each = |all: Vec<Named>| -> Vec<Group> {
        let group = |((start, key), values)| summarise(start, key, values);
        all.into_iter().map(group).collect()
    };
    if count < WORTH_A_THREAD || all.len() < 2 {
        return each(all);
    }
    let half = all.split_off(all.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| each(half));
        let mut groups = each(all);
        groups.extend(other.join().unwrap_or_default());
        groups
    })
}

/// Count, sum, extremes and percentiles by nearest rank.
fn summarise(start: Option<i64>, key: Vec<String>, mut values: Vec<f64>) -> Group {
    let count = values.len();
    let sum = values.iter().sum();
    let least = values.iter().copied().min_by(f64::total_cmp);
    let greatest = values.iter().copied().max_by(f64::total_cmp);
    // What a rank leaves on its right holds the next: each number is moved a few times only.
    let (mut rest, mut passed) = (&mut values[..], 0);
    let mut last = 0.0;
    let mut rank = |percent: usize| {
        let at = (count * percent).div_ceil(100).saturating_sub(1);
        if let Some(place) = at.checked_sub(passed)
            && place < rest.len()
        {
            let whole = std::mem::take(&mut rest);
            let (_, found, right) = whole.select_nth_unstable_by(place, f64::total_cmp);
            last = *found;
            passed = at + 1;
            rest = right;
        }
        last
    };
    let (p50, p75, p95, p99) = (rank(50), rank(75), rank(95), rank(99));
    Group {
        start,
        key,
        count: count as u64,
        sum,
        min: least.unwrap_or(0.0),
        p50,
        p75,
        p95,
        p99,
        max: greatest.unwrap_or(0.0),
    }
}
