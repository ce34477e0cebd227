//! How often somebody may try to log in.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use crate::Redis;

/// Keys remembered at most; beyond it the oldest windows are forgotten.
const MOST_KEYS: usize = 10_000;

/// At most so many failures per key and window. A success forgets the key.
///
/// Each instance counts for itself. With a Redis the failures at all of them count together, and while
/// it is away the own ones still do.
#[derive(Debug)]
pub struct LoginLimiter {
    name: &'static str,
    redis: Option<Redis>,
    failures: usize,
    window: Duration,
    seen: Mutex<HashMap<String, Window>>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    since: Instant,
    failures: usize,
}

impl LoginLimiter {
    /// A limiter of so many failures per window. Limiters of different names count apart.
    #[must_use]
    pub fn new(
        name: &'static str,
        failures: usize,
        window: Duration,
        redis: Option<Redis>,
    ) -> Self {
        Self {
            name,
            redis,
            failures,
            window,
            seen: Mutex::new(HashMap::new()),
        }
    }

    /// How long this key has to wait, or `None` if it may try now.
    pub async fn must_wait(&self, key: &str, now: Instant) -> Option<Duration> {
        if let Some(wait) = self.must_wait_here(key, now) {
            return Some(wait);
        }
        let (failures, left) = self.redis.as_ref()?.failures(&self.who(key)).await.ok()?;
        (failures >= self.failures).then_some(left)
    }

    fn must_wait_here(&self, key: &str, now: Instant) -> Option<Duration> {
        let seen = self.seen.lock();
        let window = seen.get(key)?;
        let age = now.saturating_duration_since(window.since);
        (window.failures >= self.failures && age < self.window).then(|| self.window - age)
    }

    /// Counts a failure.
    pub async fn failed(&self, key: &str, now: Instant) {
        self.failed_here(key, now);
        if let Some(redis) = &self.redis {
            // It has been counted here, whatever becomes of it there.
            let _ = redis.count_failure(&self.who(key), self.window).await;
        }
    }

    fn failed_here(&self, key: &str, now: Instant) {
        let mut seen = self.seen.lock();
        if seen.len() >= MOST_KEYS {
            let window = self.window;
            seen.retain(|_, entry| now.saturating_duration_since(entry.since) < window);
            if seen.len() >= MOST_KEYS {
                let oldest = seen
                    .iter()
                    .min_by_key(|(_, entry)| entry.since)
                    .map(|(key, _)| key.clone());
                oldest.and_then(|key| seen.remove(&key));
            }
        }
        let entry = seen.entry(key.to_owned()).or_insert(Window {
            since: now,
            failures: 0,
        });
        if now.saturating_duration_since(entry.since) >= self.window {
            *entry = Window {
                since: now,
                failures: 0,
            };
        }
        entry.failures += 1;
    }

    /// Forgets a key after a success.
    pub async fn succeeded(&self, key: &str) {
        self.seen.lock().remove(key);
        if let Some(redis) = &self.redis {
            // If it cannot be forgotten now, the window's end forgets it.
            let _ = redis.forget_failures(&self.who(key)).await;
        }
    }

    fn who(&self, key: &str) -> String {
        format!("{} {key}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn failures_close_the_door_until_the_window_has_passed() {
        let limiter = LoginLimiter::new("x", 3, Duration::from_secs(60), None);
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(limiter.must_wait_here("ada", start), None);
            limiter.failed_here("ada", start);
        }
        let later = start + Duration::from_secs(20);
        assert_eq!(
            limiter.must_wait_here("ada", later),
            Some(Duration::from_secs(40))
        );
        assert_eq!(limiter.must_wait_here("bob", later), None);
        assert_eq!(
            limiter.must_wait_here("ada", start + Duration::from_secs(60)),
            None
        );
        limiter.succeeded("ada").await;
        assert_eq!(limiter.must_wait_here("ada", later), None);
    }

    #[test]
    fn memory_is_bounded_however_many_keys_fail() {
        let limiter = LoginLimiter::new("x", 3, Duration::from_secs(60), None);
        let start = Instant::now();
        for number in 0..(MOST_KEYS + 50) {
            limiter.failed_here(&number.to_string(), start);
        }
        assert!(limiter.seen.lock().len() <= MOST_KEYS);
    }
}
