//! How long operations of one name take: a streaming histogram for each, from which the budget
//! of those without a given one follows.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;

use super::clock::nanos;
use super::kind::Kind;

/// More names than this share no budget: memory stays bounded whatever the names are.
const MAX_NAMES: usize = 4096;
/// Four buckets for each power of two from 1 µs to more than an hour.
const BUCKETS: usize = 128;
const LOWEST_BIT: u32 = 10;
/// Fewer than this teach nothing.
const ENOUGH: u32 = 30;
/// Past this the past counts half, so that budgets follow a service that changes.
const FORGET: u32 = 8192;
/// From so many alike on, only each of so many changes the budget.
const FEW: u32 = 32;
const OFTEN: u32 = 128;
/// A budget is this many times the 99th percentile,
const FACTOR: u64 = 4;
/// and never less than this.
const LEAST: Duration = Duration::from_secs(2);

/// What is known of the operations of one name.
#[derive(Debug)]
pub(crate) struct Learned {
    buckets: [AtomicU32; BUCKETS],
    /// Nanoseconds; 0 before enough is known.
    budget: AtomicU64,
}

impl Learned {
    fn new() -> Self {
        Self {
            buckets: [const { AtomicU32::new(0) }; BUCKETS],
            budget: AtomicU64::new(0),
        }
    }

    /// The budget that these durations suggest, once there are enough of them.
    pub(crate) fn budget(&self) -> Option<u64> {
        match self.budget.load(Ordering::Relaxed) {
            0 => None,
            nanos => Some(nanos),
        }
    }

    /// Takes one duration in: one atomic addition, mostly.
    pub(crate) fn record(&self, duration: u64) {
        let alike = self.buckets[bucket(duration)].fetch_add(1, Ordering::Relaxed) + 1;
        // Each time while little is known, later now and then.
        if alike < FEW || alike.is_multiple_of(OFTEN) {
            self.learn();
        }
    }

    #[cold]
    fn learn(&self) {
        let total = self.total();
        if total < ENOUGH {
            return;
        }
        let budget = (self.quantile(0.99, total) * FACTOR).max(nanos(LEAST));
        self.budget.store(budget, Ordering::Relaxed);
        if total >= FORGET {
            for bucket in &self.buckets {
                bucket.store(bucket.load(Ordering::Relaxed) / 2, Ordering::Relaxed);
            }
        }
    }

    fn total(&self) -> u32 {
        let counts = self.buckets.iter();
        counts.map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }

    /// The upper edge of the bucket in which this quantile lies, in nanoseconds.
    fn quantile(&self, quantile: f64, total: u32) -> u64 {
        let wanted = (f64::from(total) * quantile).ceil() as u32;
        let mut seen = 0;
        let found = self.buckets.iter().position(|bucket| {
            seen += bucket.load(Ordering::Relaxed);
            seen >= wanted
        });
        upper_edge(found.unwrap_or(BUCKETS - 1))
    }
}

/// Two bits behind the leading one choose between the four buckets of a power of two.
fn bucket(duration: u64) -> usize {
    let duration = duration.max(1 << LOWEST_BIT);
    let bit = 63 - duration.leading_zeros();
    let quarter = (duration >> (bit - 2)) & 3;
    let index = (bit - LOWEST_BIT) as usize * 4 + quarter as usize;
    index.min(BUCKETS - 1)
}

fn upper_edge(bucket: usize) -> u64 {
    let bit = LOWEST_BIT as usize + bucket / 4;
    let quarter = (bucket % 4) as u64;
    (5 + quarter) << (bit - 2)
}

/// Keys are hashes already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {}
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Eight bytes at a time. Nobody gains by making names collide: they would share a budget.
#[inline]
fn hash(kind: Kind, parts: [&str; 2]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = kind as u64;
    let mut mix = |word: u64| hash = (hash.rotate_left(23) ^ word).wrapping_mul(ODD);
    for part in parts.map(str::as_bytes) {
        let (words, rest) = part.as_chunks::<8>();
        words.iter().for_each(|word| mix(u64::from_le_bytes(*word)));
        // The last eight again, in part, because a copy of what is left costs a call.
        match part.last_chunk::<8>() {
            Some(last) => mix(u64::from_le_bytes(*last)),
            None => mix(rest
                .iter()
                .fold(0, |word, byte| word << 8 | u64::from(*byte))),
        }
        mix(part.len() as u64);
    }
    hash ^ hash >> 32
}

/// What is known of a name is kept as long as the process: [`MAX_NAMES`] bounds it.
type Names = HashMap<u64, &'static Learned, BuildHasherDefault<Hashed>>;

/// How many names a thread keeps at hand.
const NEAR: usize = 64;
type Near = [Cell<Option<(u64, &'static Learned)>>; NEAR];

thread_local! {
    static NEARBY: Near = const { [const { Cell::new(None) }; NEAR] };
}

/// What is known of the operations that these parts name together.
pub(crate) fn of(kind: Kind, parts: [&str; 2]) -> Option<&'static Learned> {
    let key = hash(kind, parts);
    let near = NEARBY.try_with(|near| {
        let place = &near[key as usize % NEAR];
        match place.get() {
            Some((known, learned)) if known == key => Some(learned),
            _ => {
                let learned = find(key)?;
                place.set(Some((key, learned)));
                Some(learned)
            }
        }
    });
    near.unwrap_or_else(|_| find(key))
}

#[cold]
fn find(key: u64) -> Option<&'static Learned> {
    static NAMES: OnceLock<RwLock<Names>> = OnceLock::new();
    let names = NAMES.get_or_init(RwLock::default);
    if let Some(known) = names.read().get(&key) {
        return Some(known);
    }
    let mut names = names.write();
    if names.len() >= MAX_NAMES && !names.contains_key(&key) {
        return None;
    }
    Some(
        names
            .entry(key)
            .or_insert_with(|| Box::leak(Box::new(Learned::new()))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_comes_from_the_slowest_hundredth_and_follows_change() {
        let learned = Learned::new();
        for _ in 0..ENOUGH - 1 {
            learned.record(nanos(Duration::from_secs(2)));
        }
        assert_eq!(learned.budget(), None);
        learned.record(nanos(Duration::from_secs(2)));
        let budget = Duration::from_nanos(learned.budget().unwrap());
        assert!((8.0..=10.0).contains(&budget.as_secs_f64()), "{budget:?}");
        for _ in 0..200_000 {
            learned.record(1_000);
        }
        assert_eq!(learned.budget(), Some(nanos(LEAST)));
    }

    #[test]
    fn buckets_lie_within_a_quarter_of_the_value() {
        let mut value = 1 << LOWEST_BIT;
        while value < 1 << 41 {
            let edge = upper_edge(bucket(value));
            assert!(
                edge > value && edge as f64 <= value as f64 * 1.25 + 1.0,
                "{value} {edge}"
            );
            value += value / 7 + 1;
        }
        assert_eq!(bucket(0), 0);
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn names_are_kept_apart() {
        let of = |kind, parts| std::ptr::from_ref(of(kind, parts).unwrap());
        let one = of(Kind::Step, ["a", "b"]);
        assert_eq!(one, of(Kind::Step, ["a", "b"]));
        let long = "abcdefgh-abcdefgh";
        let others = [
            of(Kind::Step, ["ab", ""]),
            of(Kind::Agent, ["a", "b"]),
            of(Kind::Step, [&long[..8], ""]),
            of(Kind::Step, [&long[..9], ""]),
            of(Kind::Step, [&long[..16], ""]),
            of(Kind::Step, [long, ""]),
            of(Kind::Step, ["", long]),
        ];
        for (at, other) in others.iter().enumerate() {
            assert!(!others[..at].contains(other) && *other != one, "{at}");
        }
    }
}
