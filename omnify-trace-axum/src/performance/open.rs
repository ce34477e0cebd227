//! What the watchdog may see of a request while it is open, and what is said of slow ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use http::StatusCode;
use omnify_trace::CorrelationContext;
use omnify_trace::operation::{self, Spent, Watched};
use serde_json::{Value, json};
use tracing::dispatcher;

use super::route::RouteStats;
use crate::tracing::arrival::Arrival;
use crate::tracing::hooks::{TARGET, milliseconds};

/// A slow request names this many of its operations, the most expensive ones.
const MOST_OPERATIONS: usize = 8;

/// An open request, shared with the watchdog.
pub(super) struct Open {
    pub(super) stats: Arc<RouteStats>,
    pub(super) arrival: Arc<Arrival>,
    /// It was told of while it was open: once is enough.
    told: AtomicBool,
}

/// How a request is slow.
pub(super) struct Slow {
    pub(super) duration: Duration,
    pub(super) budget: Duration,
    pub(super) ttfb: Option<Duration>,
    pub(super) status: Option<StatusCode>,
    /// It has not ended.
    pub(super) open: Option<bool>,
}

impl Open {
    pub(super) const fn new(stats: Arc<RouteStats>, arrival: Arc<Arrival>) -> Self {
        Self {
            stats,
            arrival,
            told: AtomicBool::new(false),
        }
    }

    /// Writes `slow_request`; to be called inside the request's span.
    #[cold]
    pub(super) fn report(&self, slow: &Slow) {
        let operations = CorrelationContext::current()
            .and_then(|context| operations(&operation::spent(&context, self.arrival.started)));
        let message = match slow.open {
            None => "Slow request",
            Some(_) => "Slow request, still open",
        };
        tracing::warn!(
            target: TARGET,
            event_type = "slow_request",
            method = self.arrival.method.as_str(),
            route = Some(&*self.stats.route).filter(|route| !route.is_empty()),
            path = self.arrival.path(),
            status_code = slow.status.map(|status| status.as_u16()),
            duration_ms = milliseconds(slow.duration),
            ttfb_ms = slow.ttfb.map(milliseconds),
            budget_ms = milliseconds(slow.budget),
            open = slow.open,
            "json:operations" = operations.as_deref(),
            "{message}"
        );
    }
}

impl Watched for Open {
    /// One that has just gone past its budget is about to end, mostly, and tells of itself then:
    /// what is told here has been going on for a period at least.
    fn is_overdue(&self, now: Instant, period: Duration) -> bool {
        now.saturating_duration_since(self.arrival.started) > self.stats.budget().max(period)
            && !self.told.swap(true, Relaxed)
    }

    fn overdue(&self) {
        let report = || {
            self.report(&Slow {
                duration: self.arrival.started.elapsed(),
                budget: self.stats.budget(),
                ttfb: None,
                status: None,
                open: Some(true),
            });
        };
        // The watchdog's thread has no subscriber: the request's own is told.
        let span = &self.arrival.span;
        span.with_subscriber(|(_, dispatch)| {
            dispatcher::with_default(dispatch, || span.in_scope(report));
        });
    }
}

/// What took the time, as a JSON array; nothing if no operation is known to have.
fn operations(spent: &[Spent]) -> Option<String> {
    if spent.is_empty() {
        return None;
    }
    let list = spent.iter().take(MOST_OPERATIONS).map(|spent| {
        json!({
            "operation_kind": spent.kind.as_str(),
            "operation": spent.name,
            "count": spent.count,
            "open": spent.open,
            "total_ms": milliseconds(spent.total),
        })
    });
    Some(Value::from_iter(list).to_string())
}
