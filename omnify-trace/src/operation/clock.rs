//! Time as operations feel it: monotonic nanoseconds without those during which nobody could run.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

static LOST: AtomicU64 = AtomicU64::new(0);
static COARSE: AtomicU64 = AtomicU64::new(0);

/// The beginning of this clock: some instant of the past that costs nothing to have.
pub(crate) fn base() -> Instant {
    static BASE: OnceLock<Instant> = OnceLock::new();
    *BASE.get_or_init(|| {
        Instant::now()
            .checked_sub(Duration::from_secs(1))
            .unwrap_or_else(Instant::now)
    })
}

/// Nanoseconds of life so far.
pub(crate) fn now() -> u64 {
    at(Instant::now())
}

/// The same for an instant that was taken before.
pub(crate) fn at(instant: Instant) -> u64 {
    nanos(instant.saturating_duration_since(base())).saturating_sub(LOST.load(Ordering::Relaxed))
}

/// The time of the watchdog's latest look: cheap, and a quarter of a period behind at most.
pub(crate) fn coarse() -> u64 {
    COARSE.load(Ordering::Relaxed)
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
