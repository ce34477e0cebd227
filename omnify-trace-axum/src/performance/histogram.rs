//! Durations in buckets, counted without a lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use omnify_trace::context::TraceId;
use parking_lot::Mutex;

/// Upper bounds in seconds, as OpenTelemetry's `http.server.request.duration` has them.
pub(super) const BOUNDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
const BOUNDS_MICROS: [u64; 14] = [
    5_000, 10_000, 25_000, 50_000, 75_000, 100_000, 250_000, 500_000, 750_000, 1_000_000,
    2_500_000, 5_000_000, 7_500_000, 10_000_000,
];
const BUCKETS: usize = BOUNDS.len() + 1;

/// One trace as an example of a bucket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exemplar {
    pub(super) trace_id: TraceId,
    pub(super) seconds: f64,
    pub(super) at: Duration,
}

/// Counts per bucket, the sum, and an example per bucket.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    counts: [AtomicU64; BUCKETS],
    sum_micros: AtomicU64,
    /// Second of the last exemplar: more than one a second and bucket says no more.
    last_exemplar: [AtomicU64; BUCKETS],
    exemplars: Mutex<[Option<Exemplar>; BUCKETS]>,
}

impl Histogram {
    /// Counts one duration. `second` is any clock that ticks once a second.
    pub(super) fn record(
        &self,
        duration: Duration,
        second: u64,
        trace: impl FnOnce() -> Option<TraceId>,
    ) {
        let micros = duration.as_micros() as u64;
        let bucket = BOUNDS_MICROS
            .iter()
            .position(|&bound| micros <= bound)
            .unwrap_or(BUCKETS - 1);
        self.counts[bucket].fetch_add(1, Relaxed);
        self.sum_micros.fetch_add(micros, Relaxed);
        let last = &self.last_exemplar[bucket];
        // Read first: a write would take the cache line from all who only count.
        if last.load(Relaxed) != second
            && last.swap(second, Relaxed) != second
            && let Some(trace_id) = trace()
        {
            let at = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            self.exemplars.lock()[bucket] = Some(Exemplar {
                trace_id,
                seconds: duration.as_secs_f64(),
                at,
            });
        }
    }

    /// Cumulative counts, one per bound and one for all; the sum in seconds; the examples.
    pub(super) fn snapshot(&self) -> ([u64; BUCKETS], f64, [Option<Exemplar>; BUCKETS]) {
        let mut total = 0;
        let counts = std::array::from_fn(|bucket| {
            total += self.counts[bucket].load(Relaxed);
            total
        });
        (
            counts,
            self.sum_micros.load(Relaxed) as f64 / 1e6,
            *self.exemplars.lock(),
        )
    }
}

/// A finer scale to learn percentiles from: four buckets per doubling, from 1 µs to about an hour.
#[derive(Debug)]
pub(super) struct Scale {
    counts: [AtomicU64; Self::STEPS],
}

impl Scale {
    const STEPS: usize = 128;

    pub(super) fn record(&self, duration: Duration) {
        self.counts[Self::step(duration.as_micros() as u64)].fetch_add(1, Relaxed);
    }

    fn step(micros: u64) -> usize {
        let micros = micros.max(1);
        let doublings = micros.ilog2();
        let quarter = if doublings >= 2 {
            (micros >> (doublings - 2)) & 3
        } else {
            0
        };
        (doublings as usize * 4 + quarter as usize).min(Self::STEPS - 1)
    }

    /// The upper end of a step.
    fn bound(step: usize) -> Duration {
        let (doublings, quarter) = ((step / 4) as u32, (step % 4) as u64);
        Duration::from_micros((1_u64 << doublings).saturating_mul(5 + quarter) / 4)
    }

    /// The duration that `share` of the requests do not exceed, and how many requests there were.
    pub(super) fn percentile(&self, share: f64) -> (Duration, u64) {
        let counts: [u64; Self::STEPS] =
            std::array::from_fn(|step| self.counts[step].load(Relaxed));
        let total: u64 = counts.iter().sum();
        let mut left = (total as f64 * share).ceil() as u64;
        for (step, count) in counts.iter().enumerate() {
            if *count >= left {
                return (Self::bound(step), total);
            }
            left -= count;
        }
        (Self::bound(Self::STEPS - 1), total)
    }

    /// Halves every count, so that what was learned long ago fades.
    pub(super) fn fade(&self) {
        for count in &self.counts {
            count.store(count.load(Relaxed) / 2, Relaxed);
        }
    }
}

impl Default for Scale {
    fn default() -> Self {
        Self {
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_within_a_quarter_of_the_truth() {
        let scale = Scale::default();
        for micros in 1..=10_000 {
            scale.record(Duration::from_micros(micros));
        }
        let (p99, count) = scale.percentile(0.99);
        assert_eq!(count, 10_000);
        assert!(
            (9_900..=12_400).contains(&(p99.as_micros() as u64)),
            "{p99:?}"
        );
        scale.fade();
        assert!(scale.percentile(0.5).1 <= 5_000);
    }

    #[test]
    fn buckets_are_cumulative_and_have_an_example() {
        let histogram = Histogram::default();
        let trace = TraceId::from_u128(7);
        histogram.record(Duration::from_millis(5), 1, || trace);
        histogram.record(Duration::from_millis(30), 1, || trace);
        histogram.record(Duration::from_secs(60), 1, || None);
        let (counts, sum, exemplars) = histogram.snapshot();
        assert_eq!((counts[0], counts[2], counts[3], counts[14]), (1, 1, 2, 3));
        assert!((sum - 60.035).abs() < 1e-9);
        assert!(exemplars[0].is_some() && exemplars[3].is_some() && exemplars[14].is_none());
    }
}
