//! Numbers in sorted runs, and their percentiles without sorting them all again.

use std::sync::Arc;

/// Fewer numbers than this are put in order.
const FEW: usize = 96;

/// Sorted numbers that do not change, as integers of the same order: those sort faster.
#[derive(Debug)]
pub(super) struct Run {
    keys: Vec<i64>,
    sum: f64,
}

/// The integer that stands where the number does in `f64::total_cmp`'s order.
fn key(number: f64) -> i64 {
    turn(number.to_bits().cast_signed())
}

fn number(key: i64) -> f64 {
    f64::from_bits(turn(key).cast_unsigned())
}

/// All bits but the sign change for what is negative; twice is as before.
fn turn(bits: i64) -> i64 {
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

impl Run {
    pub(super) fn of(numbers: &[f64]) -> Self {
        let mut keys: Vec<i64> = numbers.iter().copied().map(key).collect();
        keys.sort_unstable();
        let sum = numbers.iter().sum();
        Self { keys, sum }
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }
}

/// The numbers of a group: those that came one by one, and whole runs.
#[derive(Debug, Default)]
pub(super) struct Runs {
    loose: Vec<f64>,
    runs: Vec<Arc<Run>>,
}

impl Runs {
    pub(super) fn add(&mut self, mut numbers: Vec<f64>) {
        if self.loose.is_empty() {
            self.loose = numbers;
        } else {
            self.loose.append(&mut numbers);
        }
    }

    pub(super) fn add_run(&mut self, run: Arc<Run>) {
        self.runs.push(run);
    }

    pub(super) fn join(&mut self, other: Self) {
        self.add(other.loose);
        self.runs.extend(other.runs);
    }

    /// All numbers as one run, to be kept.
    pub(super) fn into_run(self) -> Arc<Run> {
        let mut numbers = self.loose;
        for run in &self.runs {
            numbers.extend(run.keys.iter().copied().map(number));
        }
        Arc::new(Run::of(&numbers))
    }

    /// The numbers in figures; `None` if there are none.
    pub(super) fn figures(mut self) -> Option<Figures> {
        if !self.loose.is_empty() {
            let loose = std::mem::take(&mut self.loose);
            self.runs.push(Arc::new(Run::of(&loose)));
        }
        let runs: Vec<&[i64]> = self.runs.iter().map(|run| &run.keys[..]).collect();
        let count: usize = runs.iter().map(|run| run.len()).sum();
        let firsts = runs.iter().filter_map(|run| run.first()).copied();
        let lasts = runs.iter().filter_map(|run| run.last()).copied();
        let mut ranks = Ranks::new(runs.clone());
        let mut rank =
            |percent: usize| ranks.nth((count * percent).div_ceil(100).saturating_sub(1));
        Some(Figures {
            count,
            sum: self.runs.iter().map(|run| run.sum).sum(),
            min: number(firsts.min()?),
            max: number(lasts.max()?),
            percentiles: [rank(50)?, rank(75)?, rank(95)?, rank(99)?],
        })
    }
}

/// What is said of a group's numbers.
pub(super) struct Figures {
    pub(super) count: usize,
    pub(super) sum: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    /// 50, 75, 95 and 99 of 100, by nearest rank.
    pub(super) percentiles: [f64; 4],
}

/// Numbers by rank, in rising order of the ranks.
struct Ranks<'a> {
    /// What is left of each run.
    runs: Vec<&'a [i64]>,
    /// How many were left behind.
    passed: usize,
}

impl<'a> Ranks<'a> {
    fn new(runs: Vec<&'a [i64]>) -> Self {
        Self { runs, passed: 0 }
    }

    /// The number of this rank in all runs together; none of a lower rank can be asked for after.
    fn nth(&mut self, rank: usize) -> Option<f64> {
        // What may still be it; what lies below is left behind for good.
        let mut runs = self.runs.clone();
        let mut below = self.passed;
        let left = |runs: &[&[i64]]| runs.iter().map(|run| run.len()).sum::<usize>();
        while left(&runs) > FEW {
            let longest = runs.iter().max_by_key(|run| run.len())?;
            let pivot = longest[longest.len() / 2];
            let places: Vec<usize> = runs
                .iter()
                .map(|run| run.partition_point(|&key| key < pivot))
                .collect();
            let less: usize = places.iter().sum();
            if below + less > rank {
                for (run, place) in runs.iter_mut().zip(places) {
                    *run = &run[..place];
                }
                continue;
            }
            let ends: Vec<usize> = runs
                .iter()
                .map(|run| run.partition_point(|&key| key <= pivot))
                .collect();
            let up_to: usize = ends.iter().sum();
            if below + up_to > rank {
                return Some(number(pivot));
            }
            below += up_to;
            for ((run, left), place) in runs.iter_mut().zip(&mut self.runs).zip(ends) {
                *run = &run[place..];
                *left = &left[place..];
            }
            self.passed = below;
        }
        let mut few: Vec<i64> = runs.concat();
        let place = rank.checked_sub(below).filter(|&place| place < few.len())?;
        let (_, found, _) = few.select_nth_unstable(place);
        Some(number(*found))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_have_the_order_of_the_numbers(one in any::<f64>(), other in any::<f64>()) {
            prop_assert_eq!(number(key(one)).to_bits(), one.to_bits());
            prop_assert_eq!(key(one).cmp(&key(other)), one.total_cmp(&other));
        }

        #[test]
        fn ranks_are_those_of_all_numbers_in_order(
            runs in prop::collection::vec(prop::collection::vec(-40_i8..40, 0..300), 0..6),
            spread in 1_i32..1000,
        ) {
            let of = |value: &i8| f64::from(i32::from(*value) * spread % 977) / 8.0;
            let mut all: Vec<f64> = runs.iter().flatten().map(of).collect();
            let mut whole = Runs::default();
            for (at, run) in runs.iter().enumerate() {
                let numbers: Vec<f64> = run.iter().map(of).collect();
                if at % 3 == 2 {
                    whole.add(numbers);
                } else {
                    whole.add_run(Arc::new(Run::of(&numbers)));
                }
            }
            all.sort_unstable_by(f64::total_cmp);
            let Some(figures) = whole.figures() else {
                prop_assert!(all.is_empty());
                return Ok(());
            };
            let rank = |percent: usize| all[(all.len() * percent).div_ceil(100).max(1) - 1];
            prop_assert_eq!(figures.percentiles, [rank(50), rank(75), rank(95), rank(99)]);
            prop_assert_eq!(figures.count, all.len());
            prop_assert_eq!((figures.min, figures.max), (all[0], all[all.len() - 1]));
        }
    }
}
