//! How many entries an address or a session may send.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// A bucket holds this many seconds' worth.
const BURST_SECONDS: u32 = 20;
/// Senders that are remembered; beyond, those whose buckets have filled up again are forgotten.
const MAX_SENDERS: usize = 16 * 1024;

/// Who sends.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Sender {
    /// All whose address is unknown, together.
    Unknown,
    Address(IpAddr),
    Session(Box<str>),
}

impl Sender {
    /// Networks hand out whole /64 blocks to one customer.
    pub(super) fn of(address: Option<IpAddr>) -> Self {
        match address {
            None => Self::Unknown,
            Some(IpAddr::V6(address)) => {
                let block = address.to_bits() >> 64 << 64;
                Self::Address(IpAddr::V6(block.into()))
            }
            Some(address) => Self::Address(address),
        }
    }

    const fn share(&self) -> f64 {
        match self {
            Self::Unknown => 20.0,
            Self::Address(_) | Self::Session(_) => 1.0,
        }
    }
}

struct Bucket {
    tokens: f64,
    filled: Instant,
}

/// Token buckets.
pub(super) struct Limiter {
    per_second: f64,
    buckets: Mutex<HashMap<Sender, Bucket>>,
}

impl Limiter {
    pub(super) fn new(per_second: u32) -> Self {
        Self {
            per_second: f64::from(per_second),
            buckets: Mutex::new(HashMap::new()),
        }
    }

    /// Takes `count` tokens, or tells how long to wait until there are as many.
    pub(super) fn take(&self, sender: Sender, count: usize, now: Instant) -> Result<(), Duration> {
        let rate = self.per_second * sender.share();
        let most = rate * f64::from(BURST_SECONDS);
        let mut buckets = self.buckets.lock();
        if buckets.len() >= MAX_SENDERS && !buckets.contains_key(&sender) {
            let full = Duration::from_secs(u64::from(BURST_SECONDS));
            buckets.retain(|_, bucket| now.saturating_duration_since(bucket.filled) < full);
        }
        let sender = if buckets.len() >= MAX_SENDERS && !buckets.contains_key(&sender) {
            Sender::Unknown
        } else {
            sender
        };
        let bucket = buckets.entry(sender).or_insert(Bucket {
            tokens: most,
            filled: now,
        });
        let passed = now.saturating_duration_since(bucket.filled).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * rate).min(most);
        bucket.filled = now;
        // A batch larger than the bucket could never pass: it takes a full one.
        let wanted = (count as f64).min(most);
        if bucket.tokens < wanted {
            return Err(Duration::from_secs_f64((wanted - bucket.tokens) / rate));
        }
        bucket.tokens -= wanted;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let limiter = Limiter::new(10);
        let start = Instant::now();
        let sender = || Sender::of("9.9.9.9".parse().ok());
        assert_eq!(limiter.take(sender(), 200, start), Ok(()));
        let wait = limiter.take(sender(), 10, start).unwrap_err();
        assert_eq!(wait, Duration::from_secs(1));
        assert_eq!(limiter.take(sender(), 10, start + wait), Ok(()));
        assert_eq!(
            limiter.take(Sender::of("8.8.8.8".parse().ok()), 1, start),
            Ok(())
        );
        let (a, b) = ("2001:db8::1", "2001:db8::2");
        assert_eq!(Sender::of(a.parse().ok()), Sender::of(b.parse().ok()));
    }

    #[test]
    fn senders_are_remembered_within_bounds() {
        let limiter = Limiter::new(10);
        let now = Instant::now();
        for number in 0..(MAX_SENDERS as u32 + 500) {
            let _ = limiter.take(Sender::of(Some(IpAddr::V4(number.into()))), 1, now);
        }
        assert!(limiter.buckets.lock().len() <= MAX_SENDERS + 1);
    }
}
