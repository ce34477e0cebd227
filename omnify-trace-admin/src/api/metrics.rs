//! Figures for Prometheus: counts only, no names of people or organizations.

use std::fmt::Write as _;

use axum::{
    extract::State as AxumState,
    http::{HeaderMap, header},
    response::IntoResponse,
};
use omnify_trace::exposition::Exposition;

use super::{App, problem::ApiError};

/// Prometheus' text format, or OpenMetrics for those who accept it.
pub(super) async fn metrics(
    AxumState(app): AxumState<App>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    let accept = headers.get(header::ACCEPT);
    let format = Exposition::accepted(accept.and_then(|value| value.to_str().ok()));
    let stats = app.store.stats().await?;
    let mut out = String::new();
    let mut gauge = |name: &str, help: &str, value: u64| {
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "# HELP omnify_{name} {help}\n# TYPE omnify_{name} gauge\nomnify_{name} {value}\n"
        );
    };
    gauge("store_lines", "Lines searchable now.", stats.lines);
    gauge(
        "store_malformed_lines",
        "Lines that were not JSON.",
        stats.malformed,
    );
    gauge(
        "store_memory_lines",
        "Lines in memory only.",
        stats.in_memory,
    );
    gauge("store_segments", "Sealed segments.", stats.segments);
    gauge("store_bytes", "Bytes of the segments on disk.", stats.bytes);
    gauge(
        "store_behind_bytes",
        "Bytes of log files not yet read.",
        stats.behind_bytes,
    );
    gauge(
        "store_quarantined_segments",
        "Damaged segments set aside.",
        stats.quarantined,
    );
    gauge(
        "live_streams",
        "Live log streams open.",
        u64::try_from(app.streams.open()).unwrap_or(u64::MAX),
    );
    if let Some(lost) = &app.lost_lines {
        gauge("lost_lines", "Lines that the journal lost.", lost());
    }
    gauge(
        "uptime_seconds",
        "Seconds since the admin API started.",
        app.started.elapsed().as_secs(),
    );
    if let Some(more) = &app.more_metrics {
        out.push_str(&more(format));
    }
    if format == Exposition::OpenMetrics {
        out.push_str(Exposition::END_MARK);
    }
    Ok(([(header::CONTENT_TYPE, format.content_type())], out))
}
