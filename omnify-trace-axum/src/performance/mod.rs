//! How long requests take: budgets, histograms, and how many are under way.
//!
//! What lives here: `histogram`, `route` (what is known of one route), `metrics` (all routes, and
//! their Prometheus text), `budget` (fixed or learned), `open` (requests under way, and what is said of
//! slow ones), `layer` and `service`.

mod budget;
mod histogram;
mod layer;
mod metrics;
mod open;
mod route;
mod service;

pub use budget::Budgets;
pub use layer::PerformanceLayer;
pub use metrics::Metrics;
pub use service::{PerformanceFuture, PerformanceService, Timing};
