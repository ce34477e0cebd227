//! Configuration of budgets and counters.

use std::sync::{Arc, OnceLock};

use tower_layer::Layer;

use super::budget::Budgets;
use super::metrics::Metrics;
use super::service::{PerformanceService, Route};

/// Times requests by route, counts those under way, and reports those over their budget.
///
/// ```
/// use std::time::Duration;
/// use axum::{Router, routing::get};
/// use omnify_trace_axum::{PerformanceLayer, performance::Budgets};
/// let app: Router = Router::new()
///     .route("/", get(|| async { "hello" }))
///     .layer(PerformanceLayer::new().budgets(Budgets::new(Duration::from_millis(200)).learned()));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct PerformanceLayer {
    config: Arc<Config>,
}

#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) budgets: Budgets,
    pub(super) metrics: Metrics,
}

impl PerformanceLayer {
    /// One second for each route, counters in [`Metrics::global`].
    pub fn new() -> Self {
        Self {
            config: Arc::new(Config {
                budgets: Budgets::default(),
                metrics: Metrics::global(),
            }),
        }
    }

    /// How long routes may take. Defaults to one second.
    pub fn budgets(mut self, budgets: Budgets) -> Self {
        Arc::make_mut(&mut self.config).budgets = budgets;
        self
    }

    /// Where to count. Defaults to [`Metrics::global`].
    pub fn metrics(mut self, metrics: Metrics) -> Self {
        Arc::make_mut(&mut self.config).metrics = metrics;
        self
    }
}

impl Default for PerformanceLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for PerformanceLayer {
    type Service = PerformanceService<S>;

    fn layer(&self, inner: S) -> PerformanceService<S> {
        PerformanceService {
            inner,
            route: Arc::new(Route {
                config: Arc::clone(&self.config),
                nearest: OnceLock::new(),
            }),
        }
    }
}
