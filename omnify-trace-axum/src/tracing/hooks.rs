//! What is told about a request, and the two places to tell it otherwise.
//!
//! Each hook is a trait of one method; `()` says nothing, a closure is a hook, and the defaults
//! write the events of schema v1.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tracing::Level;

use super::StreamKind;
use crate::classify::Outcome;

/// The target of the request events, for filters.
pub const TARGET: &str = "omnify_trace::http";

/// A request that has just arrived.
#[derive(Debug)]
#[non_exhaustive]
pub struct Start<'a> {
    /// The method.
    pub method: &'a Method,
    /// The route template, if a route matched.
    pub route: Option<&'a str>,
    /// The raw path, cut to a sane length.
    pub path: &'a str,
    /// The query, redacted.
    pub query: Option<&'a str>,
    /// The client's address, through trusted proxies only.
    pub client_address: Option<&'a str>,
    /// The headers.
    pub headers: &'a HeaderMap,
    pub(super) user_agent: Option<&'a HeaderValue>,
    pub(super) content_length: Option<&'a HeaderValue>,
    /// Whether this is a health check or another request that nobody wants to read about.
    pub quiet: bool,
    /// Another trace than the one continued was named by headers of this format.
    pub conflict: Option<&'a str>,
}

/// A request that has ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct End<'a> {
    /// The method.
    pub method: &'a Method,
    /// The route template, if a route matched.
    pub route: Option<&'a str>,
    /// The raw path, cut to a sane length.
    pub path: &'a str,
    /// How it ended.
    pub outcome: Outcome,
    /// The status, once there was one.
    pub status: Option<StatusCode>,
    /// From arrival to the end of the body.
    pub duration: Duration,
    /// From arrival to the response's head.
    pub ttfb: Option<Duration>,
    /// Bytes of the body that were handed over.
    pub response_bytes: u64,
    /// What went wrong, if that is known.
    pub error: Option<&'a str>,
    /// What kind of answer it was.
    pub stream: StreamKind,
    /// Whether this is a health check or another request that nobody wants to read about.
    pub quiet: bool,
}

/// Tells of an arrival. Called inside the request's span.
pub trait OnRequest: Send + Sync + 'static {
    /// A request has arrived.
    fn on_request(&self, start: &Start<'_>);
}

/// Tells of an end, whatever it is. Called inside the request's span, once per request.
pub trait OnEnd: Send + Sync + 'static {
    /// A request has ended.
    fn on_end(&self, end: &End<'_>);
}

impl OnRequest for () {
    fn on_request(&self, _: &Start<'_>) {}
}

impl OnEnd for () {
    fn on_end(&self, _: &End<'_>) {}
}

impl<F: Fn(&Start<'_>) + Send + Sync + 'static> OnRequest for F {
    fn on_request(&self, start: &Start<'_>) {
        self(start);
    }
}

impl<F: Fn(&End<'_>) + Send + Sync + 'static> OnEnd for F {
    fn on_end(&self, end: &End<'_>) {
        self(end);
    }
}

/// Writes `request_start`.
#[derive(Debug, Clone, Copy, Default)]
pub struct DefaultOnRequest;

/// Writes `request_complete`, `request_error` or `request_cancelled`.
#[derive(Debug, Clone, Copy, Default)]
pub struct DefaultOnEnd;

macro_rules! start_event {
    ($level:expr, $start:expr) => {{
        let start = $start;
        tracing::event!(
            target: TARGET,
            $level,
            event_type = "request_start",
            method = start.method.as_str(),
            route = start.route,
            path = start.path,
            query = start.query,
            client_address = start.client_address,
            user_agent = start.user_agent.and_then(text).map(super::cut),
            request_bytes = start.content_length.and_then(text).and_then(|length| length.parse::<u64>().ok()),
            trace.conflict = start.conflict,
            "Request started"
        )
    }};
}

macro_rules! end_event {
    ($level:expr, $type:literal, $message:literal, $end:expr) => {{
        let end = $end;
        tracing::event!(
            target: TARGET,
            $level,
            event_type = $type,
            method = end.method.as_str(),
            route = end.route,
            path = end.path,
            status_code = end.status.map(|status| status.as_u16()),
            duration_ms = milliseconds(end.duration),
            ttfb_ms = end.ttfb.map(milliseconds),
            response_bytes = end.response_bytes,
            stream = end.stream.as_str(),
            error = end.error,
            $message
        )
    }};
}

impl OnRequest for DefaultOnRequest {
    fn on_request(&self, start: &Start<'_>) {
        if start.quiet {
            start_event!(Level::DEBUG, start);
        } else {
            start_event!(Level::INFO, start);
        }
    }
}

impl OnEnd for DefaultOnEnd {
    fn on_end(&self, end: &End<'_>) {
        match (end.outcome, end.quiet) {
            (Outcome::Success, false) => {
                end_event!(Level::INFO, "request_complete", "Request completed", end);
            }
            (Outcome::ClientError, false) => {
                end_event!(Level::WARN, "request_complete", "Request refused", end);
            }
            (Outcome::Success | Outcome::ClientError, true) => {
                end_event!(Level::DEBUG, "request_complete", "Request completed", end);
            }
            (Outcome::Failure, _) => {
                end_event!(Level::ERROR, "request_error", "Request failed", end);
            }
            (Outcome::Cancelled, false) => {
                end_event!(Level::INFO, "request_cancelled", "Client went away", end);
            }
            (Outcome::Cancelled, true) => {
                end_event!(Level::DEBUG, "request_cancelled", "Client went away", end);
            }
        }
    }
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

/// Milliseconds with three decimals: microseconds are as fine as a request is worth.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    // As 64 bits: 128 of them cost a hundred instructions.
    let micros = duration.as_secs() * 1_000_000 + u64::from(duration.subsec_micros());
    micros as f64 / 1000.0
}
