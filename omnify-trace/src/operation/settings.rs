//! What the watchdog goes by.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::clock::nanos;
use super::kind::Kind;

const PERIOD: Duration = Duration::from_secs(1);
const ASSUMED: Duration = Duration::from_secs(60);
const ASSUMED_RUN: Duration = Duration::from_secs(15 * 60);

static PERIOD_NS: AtomicU64 = AtomicU64::new(PERIOD.as_nanos() as u64);
static ASSUMED_NS: AtomicU64 = AtomicU64::new(ASSUMED.as_nanos() as u64);
static ASSUMED_RUN_NS: AtomicU64 = AtomicU64::new(ASSUMED_RUN.as_nanos() as u64);

/// What the watchdog goes by, for the whole process.
///
/// ```
/// use std::time::Duration;
/// use omnify_trace::operation::Settings;
/// Settings::new().assumed_budget(Duration::from_secs(30)).apply();
/// # Settings::new().apply();
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
#[must_use = "settings hold once they are applied"]
pub struct Settings {
    period: Duration,
    assumed: Duration,
    assumed_run: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

impl Settings {
    /// The defaults.
    pub const fn new() -> Self {
        Self {
            period: PERIOD,
            assumed: ASSUMED,
            assumed_run: ASSUMED_RUN,
        }
    }

    /// Within how long a stall, a deadlock or a blocked runtime is found. Defaults to 1 s;
    /// at least 20 ms.
    pub fn period(mut self, period: Duration) -> Self {
        self.period = period.max(Duration::from_millis(20));
        self
    }

    /// The budget of steps, calls and queries of which nothing is known yet. Defaults to 60 s.
    pub fn assumed_budget(mut self, budget: Duration) -> Self {
        self.assumed = budget;
        self
    }

    /// The budget of workflow runs of which nothing is known yet. Defaults to 15 min.
    pub fn assumed_run_budget(mut self, budget: Duration) -> Self {
        self.assumed_run = budget;
        self
    }

    /// Makes them hold from now on.
    pub fn apply(&self) {
        PERIOD_NS.store(nanos(self.period), Ordering::Relaxed);
        ASSUMED_NS.store(nanos(self.assumed), Ordering::Relaxed);
        ASSUMED_RUN_NS.store(nanos(self.assumed_run), Ordering::Relaxed);
    }
}

pub(crate) fn period() -> Duration {
    Duration::from_nanos(PERIOD_NS.load(Ordering::Relaxed))
}

pub(crate) fn assumed_budget(kind: Kind) -> u64 {
    match kind {
        Kind::Workflow => ASSUMED_RUN_NS.load(Ordering::Relaxed),
        _ => ASSUMED_NS.load(Ordering::Relaxed),
    }
}
