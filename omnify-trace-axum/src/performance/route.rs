//! What is known of one method and route.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use http::Method;

use super::budget::Budgets;
use super::histogram::{Histogram, Scale};

/// Requests between two looks at what was learned.
const LEARN_EVERY: u64 = 128;
/// Requests before a learned budget counts.
const LEARN_FROM: u64 = 100;
/// Counts are halved beyond this many requests.
const FADE_AT: u64 = 20_000;
const LEAST_LEARNED: Duration = Duration::from_millis(10);

/// The classes of status codes, and requests that got none.
pub(super) const CLASSES: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "cancelled"];

/// Counters of one method and route.
#[derive(Debug)]
pub(super) struct RouteStats {
    pub(super) method: Method,
    pub(super) route: Box<str>,
    pub(super) active: AtomicI64,
    pub(super) slow: AtomicU64,
    pub(super) classes: [Histogram; CLASSES.len()],
    scale: Scale,
    since_learned: AtomicU64,
    budget_micros: AtomicU64,
    learns: bool,
    most: Duration,
}

impl RouteStats {
    pub(super) fn new(method: Method, route: &str, budgets: &Budgets) -> Self {
        let fixed = budgets.fixed(route);
        Self {
            method,
            route: route.into(),
            active: AtomicI64::new(0),
            slow: AtomicU64::new(0),
            classes: std::array::from_fn(|_| Histogram::default()),
            scale: Scale::default(),
            since_learned: AtomicU64::new(0),
            budget_micros: AtomicU64::new(fixed.unwrap_or(budgets.default).as_micros() as u64),
            learns: budgets.learned && fixed.is_none(),
            most: budgets.default,
        }
    }

    /// How long a request of this route may take.
    pub(super) fn budget(&self) -> Duration {
        Duration::from_micros(self.budget_micros.load(Relaxed))
    }

    /// Learns from a request that was answered.
    pub(super) fn learn(&self, duration: Duration) {
        if !self.learns {
            return;
        }
        self.scale.record(duration);
        if self.since_learned.fetch_add(1, Relaxed) + 1 < LEARN_EVERY {
            return;
        }
        self.since_learned.store(0, Relaxed);
        let (p99, count) = self.scale.percentile(0.99);
        if count >= LEARN_FROM {
            let budget = (p99 * 3).clamp(LEAST_LEARNED.min(self.most), self.most);
            self.budget_micros.store(budget.as_micros() as u64, Relaxed);
        }
        if count >= FADE_AT {
            self.scale.fade();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_learns_its_budget() {
        let budgets = Budgets::new(Duration::from_secs(5)).learned();
        let route = RouteStats::new(Method::GET, "/fast", &budgets);
        assert_eq!(route.budget(), Duration::from_secs(5));
        for _ in 0..256 {
            route.learn(Duration::from_millis(20));
        }
        let learned = route.budget();
        assert!(
            (60..=80).contains(&learned.as_millis()),
            "three times the 99th percentile: {learned:?}"
        );
        let fixed = RouteStats::new(
            Method::GET,
            "/x",
            &budgets.route("/x", Duration::from_millis(7)),
        );
        for _ in 0..256 {
            fixed.learn(Duration::from_millis(20));
        }
        assert_eq!(fixed.budget(), Duration::from_millis(7));
    }
}
