//! Time as operations feel it: monotonic nanoseconds without those during which nobody could run.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

static LOST: AtomicU64 = AtomicU64::new(0);
static COARSE: AtomicU64 = AtomicU64::new(0);

/// Nanoseconds that never go back, since some instant of the past.
#[inline]
pub(crate) fn raw() -> u64 {
    static BASE: OnceLock<Instant> = OnceLock::new();
    let base = BASE.get_or_init(|| {
        // A second ago, so that no moment is 0.
        let now = Instant::now();
        now.checked_sub(Duration::from_secs(1)).unwrap_or(now)
    });
    let since = Instant::now().saturating_duration_since(*base);
    since.as_secs() * 1_000_000_000 + u64::from(since.subsec_nanos())
}

/// The same for an instant that was taken before.
pub(crate) fn raw_at(instant: Instant) -> u64 {
    raw().saturating_sub(nanos(instant.elapsed()))
}

/// Nanoseconds of life so far.
#[inline]
pub(crate) fn now() -> u64 {
    at(raw())
}

/// The same for a moment that was taken before.
#[inline]
pub(crate) fn at(raw: u64) -> u64 {
    raw.saturating_sub(LOST.load(Ordering::Relaxed))
}

/// The time of the watchdog's latest look: cheap, and a quarter of a period behind at most.
#[inline]
pub(crate) fn coarse() -> u64 {
    match COARSE.load(Ordering::Relaxed) {
        0 => first_look(),
        now => now,
    }
}

/// Before the watchdog runs, nobody needs to know better.
#[cold]
fn first_look() -> u64 {
    let now = now();
    // The watchdog may have come first.
    let _ = COARSE.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
    now
}

/// The watchdog looks.
pub(crate) fn tick(now: u64) {
    COARSE.store(now, Ordering::Relaxed);
}

/// The process was stopped, or starved, for so long: nobody is to blame for it.
pub(crate) fn lose(time: Duration) {
    LOST.fetch_add(nanos(time), Ordering::Relaxed);
}

pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_tell_the_same_time() {
        let (instant, before) = (Instant::now(), raw());
        std::thread::sleep(Duration::from_millis(5));
        let after = raw();
        assert!(after - before >= nanos(Duration::from_millis(5)));
        let told = raw_at(instant);
        // Both were read between these two, give or take a microsecond of rounding.
        assert!(
            told <= after && told + 1_000_000_000 > before,
            "{told} {before} {after}"
        );
        assert!(coarse() > 0 && coarse() <= raw());
    }
}
