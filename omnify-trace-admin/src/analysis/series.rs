//! Time cut into buckets.

use super::Range;
use crate::{
    store::{Bucket, Histogram},
    time::{DAY, HOUR, MINUTE, SECOND},
};

/// Widths that people read easily.
const STEPS: [i64; 18] = [
    SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    7 * DAY,
];

/// The narrowest readable width that cuts a range into at most about so many buckets.
#[must_use]
pub fn step_for(range: &Range, buckets: usize) -> i64 {
    let buckets = i64::try_from(buckets.max(1)).unwrap_or(i64::MAX);
    let exact = ceil(range.length().max(1), buckets);
    STEPS
        .into_iter()
        .find(|step| *step >= exact)
        .unwrap_or_else(|| ceil(exact, DAY) * DAY)
}

/// Quotient of positive numbers, rounded up.
const fn ceil(dividend: i64, divisor: i64) -> i64 {
    dividend / divisor + if dividend % divisor == 0 { 0 } else { 1 }
}

/// The buckets of a range, aligned to multiples of the step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    first: i64,
    pub(super) step: i64,
    pub(super) len: usize,
}

impl Grid {
    pub(super) fn new(range: &Range, step: i64) -> Self {
        /// More buckets than any chart has pixels.
        const MOST: i64 = 10_000;
        let first = range.from.div_euclid(step) * step;
        let len = ceil(range.to.saturating_sub(first).max(1), step).clamp(1, MOST);
        Self {
            first,
            step,
            len: usize::try_from(len).unwrap_or(1),
        }
    }

    /// Start of a bucket.
    pub(super) fn start(&self, slot: usize) -> i64 {
        self.first + self.step * i64::try_from(slot).unwrap_or(i64::MAX / self.step.max(1))
    }

    /// Which bucket a time falls into.
    pub(super) fn slot(&self, time: i64) -> Option<usize> {
        let slot = usize::try_from((time - self.first).div_euclid(self.step)).ok()?;
        (slot < self.len).then_some(slot)
    }

    /// A histogram's counts, bucket by bucket.
    pub(super) fn counts(&self, histogram: &Histogram) -> Vec<u64> {
        self.sums(histogram, |bucket| bucket.count)
    }

    /// The counts of one value of the field that a histogram is split by.
    pub(super) fn counts_of(&self, histogram: &Histogram, value: &str) -> Vec<u64> {
        let of_value = |bucket: &Bucket| {
            let mut values = bucket.by.iter();
            values
                .find(|(known, _)| known == value)
                .map_or(0, |(_, count)| *count)
        };
        self.sums(histogram, of_value)
    }

    fn sums(&self, histogram: &Histogram, count: impl Fn(&Bucket) -> u64) -> Vec<u64> {
        let mut counts = vec![0; self.len];
        for bucket in &histogram.buckets {
            if let Some(sum) = self
                .slot(bucket.start.max(self.first))
                .and_then(|slot| counts.get_mut(slot))
            {
                *sum += count(bucket);
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_readable_and_few() {
        let hour = Range { from: 0, to: HOUR };
        assert_eq!(step_for(&hour, 60), MINUTE);
        assert_eq!(step_for(&hour, 50), 2 * MINUTE);
        assert_eq!(
            step_for(
                &Range {
                    from: 0,
                    to: 7 * DAY
                },
                60
            ),
            3 * HOUR
        );
        assert_eq!(step_for(&Range { from: 0, to: 0 }, 60), SECOND);
    }
}
