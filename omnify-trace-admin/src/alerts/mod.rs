//! Alerts: rules over the same questions that people ask, asked again and again.
//!
//! A rule measures a value over a window. While the value breaks its threshold for long enough
//! the alert fires: one `alert_fired` line, one call of its webhook; when it no longer does, one
//! `alert_resolved`. Rules and states live in the admin state, so that a restart repeats nothing.

mod engine;
mod measure;
mod notify;
mod rule;

pub use engine::{Engine, Transition};
pub use measure::measure;
pub use rule::{AlertRule, Measure, Severity, defaults};
