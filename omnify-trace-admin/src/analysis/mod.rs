//! What the lines mean: runs, traces, figures, error groups, a customer's last hours.
//!
//! Everything here asks a [`LogStore`] and computes; nothing is kept, so that every answer can
//! be had again from the log files.

mod errors;
mod event;
mod fetch;
mod fingerprint;
mod incomplete;
mod line;
mod performance;
mod runs;
mod series;
mod stats;
mod steps;
mod support;
mod support_report;
mod trace;
mod workflows;

pub use errors::{ErrorGroup, MOST_ERRORS, error_group, error_groups};
pub use event::Event;
pub use fetch::{Range, collect, of_type, of_types, with};
pub use fingerprint::{Fingerprint, fingerprint, template};
pub use incomplete::{IncompleteItem, incomplete};
pub use line::{LineJson, LineSchema};
pub use performance::{
    AgentFigures, ApiFigures, Performance, PerformanceBucket, PerformanceSeries, RouteFigures,
    RouteOf, VitalFigures, performance,
};
pub use runs::{Run, RunDetail, RunStatus, rebuild_run, run_detail, run_details};
pub use series::step_for;
pub use stats::{
    FrontendFigures, IncidentFigures, PreviousFigures, RequestFigures, Series, SeriesBucket, Stats,
    stats,
};
pub use steps::{Call, CallKind, Step, StepStatus};
pub use support::{
    Cause, ClientKind, ErrorPattern, Recommendation, SupportQuestion, SupportReport,
    SupportWorkflows, support_report,
};
pub use support_report::{to_html, to_markdown};
pub use trace::{Span, SpanStatus, Trace, trace};
pub use workflows::{RunCounts, RunPage, RunQuestion, WorkflowSummary, Workflows, runs, workflows};

use crate::store::LogStore;

/// The store that analyses read.
pub type Store = dyn LogStore;
