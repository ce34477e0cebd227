//! Whether it works.

use axum::{
    Json,
    extract::State as AxumState,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{App, caller::Caller, problem::ApiError};
use crate::{
    store::{Reading, StoreStats},
    time::rfc3339,
};

/// How far the store may be behind the log files before it counts as degraded, bytes.
const FAR_BEHIND: u64 = 256 << 20;

/// `ok` or `degraded`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum HealthStatus {
    /// All is well.
    Ok,
    /// It answers, but something is wrong.
    Degraded,
}

/// Health of everything.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    status: HealthStatus,
    /// Of the service.
    service: String,
    /// Of this crate.
    version: &'static str,
    /// Seconds since the start.
    uptime_s: u64,
    components: Vec<Component>,
    store: StoreBody,
    journal: JournalBody,
}

/// Health of one part.
#[derive(Serialize, ToSchema)]
pub(super) struct Component {
    name: &'static str,
    status: HealthStatus,
    /// For people.
    detail: String,
}

/// The store in figures.
#[derive(Serialize, ToSchema)]
#[schema(as = StoreStats)]
pub(super) struct StoreBody {
    /// Lines searchable now.
    lines: u64,
    /// Of them, lines that were not JSON.
    malformed: u64,
    /// Of them, those in memory only.
    in_memory: u64,
    /// Sealed segments.
    segments: u64,
    /// Bytes of the segments.
    bytes: u64,
    /// RFC 3339.
    oldest: Option<String>,
    /// RFC 3339.
    newest: Option<String>,
    /// Bytes of log files not yet read.
    behind_bytes: u64,
    /// Segments set aside because they were damaged.
    quarantined: u64,
    /// Log files that are not read to their end yet, the longest way to go first.
    reading: Vec<ReadingBody>,
    /// What went wrong last in the background, if it still stands.
    last_error: Option<String>,
}

/// How far a log file has been read.
#[derive(Serialize, ToSchema)]
#[schema(as = Reading)]
pub(super) struct ReadingBody {
    /// Its name.
    file: String,
    /// Bytes read. Of a compressed file, zero until it is done.
    read: u64,
    /// Bytes it has.
    size: u64,
}

impl From<Reading> for ReadingBody {
    fn from(reading: Reading) -> Self {
        Self {
            file: reading.file,
            read: reading.read,
            size: reading.size,
        }
    }
}

impl From<StoreStats> for StoreBody {
    fn from(stats: StoreStats) -> Self {
        Self {
            lines: stats.lines,
            malformed: stats.malformed,
            in_memory: stats.in_memory,
            segments: stats.segments,
            bytes: stats.bytes,
            oldest: stats.oldest.map(rfc3339),
            newest: stats.newest.map(rfc3339),
            behind_bytes: stats.behind_bytes,
            quarantined: stats.quarantined,
            reading: stats.reading.into_iter().map(Into::into).collect(),
            last_error: stats.last_error,
        }
    }
}

/// The journal of this process in figures.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct JournalBody {
    /// Lines that this process's journal lost; null if the service did not say.
    lost_lines: Option<u64>,
    /// Live streams open.
    live_streams: usize,
}

/// Health of everything.
#[utoipa::path(get, path = "/health", tag = "meta", responses((status = 200, description = "The health", body = Health)))]
pub(super) async fn health(
    AxumState(app): AxumState<App>,
    caller: Caller,
) -> Result<Json<Health>, ApiError> {
    let stats = caller.lines.stats().await;
    let database = app.state.ping().await;
    let store = match &stats {
        Ok(StoreStats {
            last_error: Some(error),
            ..
        }) => degraded("store", error.clone()),
        Ok(stats) if stats.quarantined > 0 => degraded(
            "store",
            format!("{} damaged segments were set aside", stats.quarantined),
        ),
        Ok(stats) if stats.behind_bytes > FAR_BEHIND => degraded("store", progress(stats)),
        Ok(_) => fine("store", String::new()),
        Err(_) => degraded(
            "store",
            "does not answer; the service's log says more".to_owned(),
        ),
    };
    let database = match database {
        Ok(()) => fine("state", app.state.kind().to_owned()),
        Err(_) => degraded(
            "state",
            "does not answer; the service's log says more".to_owned(),
        ),
    };
    let mut components = vec![store, database];
    if let Some(redis) = app.state.redis() {
        components.push(match redis.ping().await {
            Ok(()) => fine("redis", String::new()),
            Err(_) => degraded("redis", "does not answer; sessions are there".to_owned()),
        });
    }
    let all_well = components
        .iter()
        .all(|part| part.status == HealthStatus::Ok);
    Ok(Json(Health {
        status: if all_well {
            HealthStatus::Ok
        } else {
            HealthStatus::Degraded
        },
        service: app.service_name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        uptime_s: app.started.elapsed().as_secs(),
        components,
        store: stats.unwrap_or_default().into(),
        journal: JournalBody {
            lost_lines: app.lost_lines.as_ref().map(|count| count()),
            live_streams: app.streams.open(),
        },
    }))
}

/// How far the reading is, for people.
fn progress(stats: &StoreStats) -> String {
    let mut text = format!(
        "{} MB of log files are not read yet",
        stats.behind_bytes >> 20
    );
    if let Some(file) = stats.reading.first() {
        let percent = file.read.saturating_mul(100) / file.size.max(1);
        text += &format!("; {} is read to {percent} %", file.file);
    }
    text
}

const fn fine(name: &'static str, detail: String) -> Component {
    Component {
        name,
        status: HealthStatus::Ok,
        detail,
    }
}

const fn degraded(name: &'static str, detail: String) -> Component {
    Component {
        name,
        status: HealthStatus::Degraded,
        detail,
    }
}

/// The process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Access can be checked. Whether the logs can be searched is no reason to send a service's callers
/// elsewhere: `health` tells that.
pub(super) async fn ready(AxumState(app): AxumState<App>) -> Response {
    match app.state.ping().await {
        Ok(()) => "ready\n".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response(),
    }
}
