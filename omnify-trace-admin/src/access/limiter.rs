//! How often somebody may try to log in.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// Keys remembered at most; beyond it the oldest windows are forgotten.
const MOST_KEYS: usize = 10_000;

/// At most so many failures per key and window. A success forgets the key.
#[derive(Debug)]
pub struct LoginLimiter {
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
    /// A limiter of so many failures per window.
    #[must_use]
    pub fn new(failures: usize, window: Duration) -> Self {
        Self {
            failures,
            window,
            seen: Mutex::new(HashMap::new()),
        }
    }

    /// How long this key has to wait, or `None` if it may try now.
    pub fn must_wait(&self, key: &str, now: Instant) -> Option<Duration> {
        let seen = self.seen.lock();
        let window = seen.get(key)?;
        let age = now.saturating_duration_since(window.since);
        (window.failures >= self.failures && age < self.window).then(|| self.window - age)
    }

    /// Counts a failure.
    pub fn failed(&self, key: &str, now: Instant) {
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
    pub fn succeeded(&self, key: &str) {
        self.seen.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_close_the_door_until_the_window_has_passed() {
        let limiter = LoginLimiter::new(3, Duration::from_secs(60));
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(limiter.must_wait("ada", start), None);
            limiter.failed("ada", start);
        }
        let later = start + Duration::from_secs(20);
        assert_eq!(
            limiter.must_wait("ada", later),
            Some(Duration::from_secs(40))
        );
        assert_eq!(limiter.must_wait("bob", later), None);
        assert_eq!(
            limiter.must_wait("ada", start + Duration::from_secs(60)),
            None
        );
        limiter.succeeded("ada");
        assert_eq!(limiter.must_wait("ada", later), None);
    }

    #[test]
    fn memory_is_bounded_however_many_keys_fail() {
        let limiter = LoginLimiter::new(3, Duration::from_secs(60));
        let start = Instant::now();
        for number in 0..(MOST_KEYS + 50) {
            limiter.failed(&number.to_string(), start);
        }
        assert!(limiter.seen.lock().len() <= MOST_KEYS);
    }
}
