//! How long a route may take.

use std::sync::Arc;
use std::time::Duration;

/// Budgets by route template; routes without one of their own learn theirs or have the default.
///
/// ```
/// use std::time::Duration;
/// use omnify_trace_axum::performance::Budgets;
/// let budgets = Budgets::new(Duration::from_secs(1))
///     .route("/reports/{id}", Duration::from_secs(10))
///     .learned();
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Budgets {
    pub(super) default: Duration,
    pub(super) routes: Arc<Vec<(Box<str>, Duration)>>,
    pub(super) learned: bool,
}

impl Budgets {
    /// The same for every route.
    pub fn new(default: Duration) -> Self {
        Self {
            default,
            routes: Arc::default(),
            learned: false,
        }
    }

    /// A fixed budget for one route template.
    pub fn route(mut self, template: impl Into<Box<str>>, budget: Duration) -> Self {
        Arc::make_mut(&mut self.routes).push((template.into(), budget));
        self
    }

    /// Routes without a fixed budget learn theirs: three times their own 99th percentile, once
    /// there are 100 requests, never less than 10 ms and never more than the default. Defaults to
    /// the default for all.
    pub const fn learned(mut self) -> Self {
        self.learned = true;
        self
    }

    pub(super) fn fixed(&self, template: &str) -> Option<Duration> {
        self.routes
            .iter()
            .find(|(route, _)| **route == *template)
            .map(|(_, budget)| *budget)
    }
}

impl Default for Budgets {
    /// One second for every route.
    fn default() -> Self {
        Self::new(Duration::from_secs(1))
    }
}
