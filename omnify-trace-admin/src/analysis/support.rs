//! "What happened to this customer?": the last hours of one user or organization, with a
//! probable cause and what to do, each with the lines that say so.

mod cause;

use std::collections::HashMap;

use omnify_trace::schema::EventType;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Event, LineJson, LineSchema, Range, Run, RunStatus, Store, collect, fingerprint,
    runs::RunDetail, with, workflows,
};
use crate::{
    store::{Filter, Order, Query, StoreError},
    time::rfc3339,
};

/// Lines that are read closely at most: warnings, errors and what the rules look for.
const MOST_NOTABLE: usize = 5_000;
/// Runs that are rebuilt at most.
const MOST_RUNS: usize = 500;
/// Patterns shown.
const MOST_PATTERNS: usize = 20;
/// Lines of the timeline.
const TIMELINE: usize = 100;

/// Types that the timeline and the rules look at, whatever their level.
const NOTABLE: [EventType; 22] = [
    EventType::RequestError,
    EventType::RequestCancelled,
    EventType::SlowRequest,
    EventType::SuspiciousRequest,
    EventType::AuthenticationFailed,
    EventType::WorkflowStart,
    EventType::WorkflowStepError,
    EventType::WorkflowComplete,
    EventType::WorkflowError,
    EventType::AgentError,
    EventType::SlowQuery,
    EventType::ApiError,
    EventType::FrontendError,
    EventType::SessionStart,
    EventType::OperationStalled,
    EventType::OperationRecovered,
    EventType::DeadlockDetected,
    EventType::RuntimeStalled,
    EventType::Panic,
    EventType::CrashDetected,
    EventType::IncompleteCode,
    EventType::ExternalApiCall,
];

/// Whom the report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientKind {
    /// One user.
    User,
    /// A whole organization.
    Organization,
    /// No line names the client.
    Unknown,
}

/// What support wants to know.
#[derive(Debug, Clone)]
pub struct SupportQuestion {
    /// A user's or an organization's id.
    pub client_id: String,
    /// What the client said.
    pub issue_description: Option<String>,
    /// When.
    pub range: Range,
}

/// Errors of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErrorPattern {
    /// Type and message, with placeholders for what varies.
    pub pattern: String,
    /// How many.
    pub count: u64,
    /// RFC 3339.
    pub last_seen: String,
    /// Id of the newest line.
    pub example_id: String,
}

/// The client's runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct SupportWorkflows {
    /// Running now, the stalled ones included.
    pub active: u64,
    /// Ended well.
    pub completed: u64,
    /// Ended badly.
    pub failed: u64,
    /// Runs that are open, stalled or cut off.
    pub unfinished: Vec<Run>,
}

/// The most likely cause.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Cause {
    /// `external_service`, `stalled_operation`, `crash`, `unfinished_code`, `panic`,
    /// `server_error`, `slow_service`, `authentication`, `browser`, `workflow_failure` or `none`.
    pub category: String,
    /// 0 to 1.
    pub confidence: f64,
    /// For people.
    pub summary: String,
    /// Ids of the lines that say so.
    pub evidence: Vec<String>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Recommendation {
    /// For people.
    pub text: String,
    /// Ids of the lines that say so.
    pub evidence: Vec<String>,
}

/// A client's last hours.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SupportReport {
    /// As asked.
    pub client_id: String,
    /// User or organization.
    pub kind: ClientKind,
    /// As asked.
    pub issue_description: Option<String>,
    /// RFC 3339.
    pub from: String,
    /// RFC 3339.
    pub to: String,
    /// Lines that name the client.
    pub total_logs: u64,
    /// Of them, lines of level ERROR.
    pub error_count: u64,
    /// The most frequent first.
    pub error_patterns: Vec<ErrorPattern>,
    /// The client's runs.
    pub workflows: SupportWorkflows,
    /// The most likely cause.
    pub probable_cause: Cause,
    /// What to do, the most urgent first.
    pub recommendations: Vec<Recommendation>,
    /// What happened, oldest first.
    #[schema(value_type = Vec<LineSchema>)]
    pub timeline: Vec<LineJson>,
    /// What to ask or try next.
    pub next_steps: Vec<String>,
}

/// Writes a report.
///
/// # Errors
/// What the store says.
pub async fn support_report(
    store: &Store,
    whole: &Store,
    question: &SupportQuestion,
) -> Result<SupportReport, StoreError> {
    let range = question.range;
    let (kind, filter) = who(store, question).await?;
    let filters = [filter];
    let counts = |level: Option<&'static str>| {
        let mut query = range.query();
        query.filters.extend_from_slice(&filters);
        query
            .filters
            .extend(level.map(|level| with("level", [level])));
        count(store, query)
    };
    let total_logs = counts(None).await?;
    let error_count = counts(Some("ERROR")).await?;
    let notable = notable_lines(store, &range, &filters).await?;
    let runs = workflows::runs_of(store, whole, &range, &filters, MOST_RUNS).await?;
    let findings = cause::find(&notable, &runs, question.issue_description.as_deref());
    Ok(SupportReport {
        client_id: question.client_id.clone(),
        kind,
        issue_description: question.issue_description.clone(),
        from: rfc3339(range.from),
        to: rfc3339(range.to),
        total_logs,
        error_count,
        error_patterns: patterns(&notable),
        probable_cause: cause::probable(&findings, total_logs),
        recommendations: cause::recommendations(&findings),
        next_steps: cause::next_steps(&findings, total_logs),
        workflows: tally(runs),
        timeline: timeline(notable),
    })
}

/// The client is whichever of user and organization has more lines of that id in the range.
async fn who(
    store: &Store,
    question: &SupportQuestion,
) -> Result<(ClientKind, Filter), StoreError> {
    let user = with("context.user_id", [question.client_id.as_str()]);
    let organization = with("context.organization_id", [question.client_id.as_str()]);
    let lines = |filter: &Filter| {
        let mut query = question.range.query();
        query.filters.push(filter.clone());
        count(store, query)
    };
    let (as_user, as_organization) = (lines(&user).await?, lines(&organization).await?);
    Ok(match (as_user, as_organization) {
        (0, 0) => (ClientKind::Unknown, user),
        (user_lines, others) if user_lines >= others => (ClientKind::User, user),
        _ => (ClientKind::Organization, organization),
    })
}

async fn count(store: &Store, query: Query) -> Result<u64, StoreError> {
    let length = query
        .to
        .unwrap_or(i64::MAX)
        .saturating_sub(query.from.unwrap_or(0))
        .max(1);
    let histogram = store.histogram(&query, length, None).await?;
    Ok(histogram.buckets.iter().map(|bucket| bucket.count).sum())
}

/// Warnings, errors, and whatever the rules look at; the newest that fit, oldest first.
async fn notable_lines(
    store: &Store,
    range: &Range,
    filters: &[Filter],
) -> Result<Vec<Event>, StoreError> {
    let mut query = range.query();
    query.filters.extend_from_slice(filters);
    query.filters.push(Filter::Any(vec![
        with("level", ["ERROR", "WARN"]),
        with("event_type", NOTABLE.iter().map(|kind| kind.as_str())),
    ]));
    let (mut events, _) = collect(store, &query, Order::Newest, MOST_NOTABLE).await?;
    events.reverse();
    Ok(events)
}

fn patterns(notable: &[Event]) -> Vec<ErrorPattern> {
    let mut patterns: HashMap<String, (i64, ErrorPattern)> = HashMap::new();
    for event in notable.iter().filter(|event| event.is_error()) {
        let print = fingerprint(event);
        let (last, pattern) = patterns.entry(print.id).or_insert_with(|| {
            let pattern = ErrorPattern {
                pattern: format!("{}: {}", print.kind, print.template),
                count: 0,
                last_seen: String::new(),
                example_id: String::new(),
            };
            (i64::MIN, pattern)
        });
        pattern.count += 1;
        if event.time() >= *last {
            *last = event.time();
            pattern.last_seen = rfc3339(event.time());
            pattern.example_id.clone_from(&event.line.id);
        }
    }
    let mut patterns: Vec<ErrorPattern> =
        patterns.into_values().map(|(_, pattern)| pattern).collect();
    patterns.sort_by(|a, b| {
        b.count
            .cmp(&a.count)
            .then_with(|| b.last_seen.cmp(&a.last_seen))
    });
    patterns.truncate(MOST_PATTERNS);
    patterns
}

fn tally(runs: Vec<RunDetail>) -> SupportWorkflows {
    let mut tally = SupportWorkflows::default();
    for detail in runs {
        match detail.run.status {
            RunStatus::Completed => tally.completed += 1,
            RunStatus::Failed => tally.failed += 1,
            RunStatus::Active | RunStatus::Stalled => {
                tally.active += 1;
                tally.unfinished.push(detail.run);
            }
            RunStatus::Interrupted => tally.unfinished.push(detail.run),
        }
    }
    tally
}

/// The last notable lines; successful calls to other services say nothing.
fn timeline(notable: Vec<Event>) -> Vec<LineJson> {
    let mut lines: Vec<LineJson> = notable
        .into_iter()
        .filter(|event| {
            event.kind() != Some(EventType::ExternalApiCall) || cause::call_failed(event)
        })
        .map(|event| LineJson(event.line))
        .collect();
    lines.drain(..lines.len().saturating_sub(TIMELINE));
    lines
}
