//! One trace: its spans, rebuilt from the lines that end them, and all of its lines.

use std::collections::{BTreeSet, HashMap};

use omnify_trace::schema::{EventType, fields};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Event, LineJson, LineSchema, Store, collect, with};
use crate::{
    store::{Order, Query, StoreError},
    time::{milliseconds, rfc3339},
};

/// Lines of a trace that are read at most.
const MOST_LINES: usize = 10_000;

/// How a span ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpanStatus {
    /// Well.
    Ok,
    /// Badly.
    Error,
    /// It has not.
    Open,
}

/// One span.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Span {
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// The span it was opened in.
    pub parent_span_id: Option<String>,
    /// For people.
    pub name: String,
    /// `request`, `workflow`, `step`, `agent`, `external_api`, `db_query`, `browser` or `other`.
    pub kind: String,
    /// The service it ran in.
    pub service: String,
    /// RFC 3339.
    pub started_at: String,
    /// Milliseconds; up to its last line, if it is open.
    pub duration_ms: f64,
    /// How it ended.
    pub status: SpanStatus,
    /// Id of the line it was rebuilt from.
    pub line_id: String,
    #[serde(skip)]
    began: i64,
}

/// One trace.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Trace {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// RFC 3339.
    pub started_at: String,
    /// Milliseconds from the first span's start to the last line.
    pub duration_ms: f64,
    /// Every service that took part.
    pub services: Vec<String>,
    /// In order of their start.
    pub spans: Vec<Span>,
    /// Oldest first.
    #[schema(value_type = Vec<LineSchema>)]
    pub logs: Vec<LineJson>,
}

/// A trace, or `None` if no line names it.
///
/// # Errors
/// What the store says.
pub async fn trace(store: &Store, trace_id: &str) -> Result<Option<Trace>, StoreError> {
    let mut query = Query::default();
    query.filters.push(with("context.trace_id", [trace_id]));
    let (events, _) = collect(store, &query, Order::Oldest, MOST_LINES).await?;
    let (Some(first), Some(last)) = (events.first(), events.last()) else {
        return Ok(None);
    };
    let spans = spans_of(&events);
    let began = spans
        .iter()
        .map(|span| span.began)
        .min()
        .map_or(first.time(), |at| at.min(first.time()));
    let duration_ms = milliseconds(last.time().saturating_sub(began));
    let services: BTreeSet<String> = events
        .iter()
        .filter_map(|event| event.service("name"))
        .map(str::to_owned)
        .collect();
    Ok(Some(Trace {
        trace_id: trace_id.to_owned(),
        started_at: rfc3339(began),
        duration_ms,
        services: services.into_iter().collect(),
        spans,
        logs: events
            .into_iter()
            .map(|event| LineJson(event.line))
            .collect(),
    }))
}

/// The spans of a trace's lines. Lines of one span id belong together, if their service and kind
/// agree: the line with a duration tells all; without one the span is open.
fn spans_of(events: &[Event]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut places: HashMap<(String, &'static str), usize> = HashMap::new();
    for event in events {
        let Some(span_id) = event.context(fields::SPAN_ID) else {
            continue;
        };
        let Some(role) = event.kind().and_then(role) else {
            continue;
        };
        let span = span_of(event, span_id, &role);
        match places.get(&(span_id.to_owned(), role.kind)) {
            None => {
                places.insert((span_id.to_owned(), role.kind), spans.len());
                spans.push(span);
            }
            Some(place) => {
                if let Some(known) = spans.get_mut(*place) {
                    known.learn(span, role.ends);
                }
            }
        }
    }
    spans.sort_by_key(|span| span.began);
    spans
}

/// What a line's type says about its span.
struct Role {
    kind: &'static str,
    ends: bool,
    failed: bool,
}

fn role(kind: EventType) -> Option<Role> {
    let role = |kind, ends, failed| Some(Role { kind, ends, failed });
    match kind {
        EventType::RequestStart => role("request", false, false),
        EventType::RequestComplete | EventType::RequestCancelled => role("request", true, false),
        EventType::RequestError => role("request", true, true),
        EventType::WorkflowStart => role("workflow", false, false),
        EventType::WorkflowComplete => role("workflow", true, false),
        EventType::WorkflowError => role("workflow", true, true),
        EventType::WorkflowStep => role("step", false, false),
        EventType::WorkflowStepError => role("step", true, true),
        EventType::AgentStart => role("agent", false, false),
        EventType::AgentComplete => role("agent", true, false),
        EventType::AgentError => role("agent", true, true),
        EventType::ExternalApiCall => role("external_api", true, false),
        EventType::DbQuery | EventType::SlowQuery => role("db_query", true, false),
        EventType::ApiRequest => role("browser", false, false),
        EventType::ApiResponse => role("browser", true, false),
        EventType::ApiError => role("browser", true, true),
        _ => None,
    }
}

fn span_of(event: &Event, span_id: &str, role: &Role) -> Span {
    let ended =
        role.ends || event.duration_ms().is_some() || event.text(fields::STATUS) == Some("skipped");
    let failed = role.failed
        || event.text(fields::ERROR).is_some()
        || event
            .integer(fields::STATUS_CODE)
            .is_some_and(|code| code >= 500);
    Span {
        span_id: span_id.to_owned(),
        parent_span_id: event.context(fields::PARENT_SPAN_ID).map(str::to_owned),
        name: name_of(event, role.kind),
        kind: role.kind.to_owned(),
        service: event.service("name").unwrap_or_default().to_owned(),
        started_at: rfc3339(event.began_at()),
        duration_ms: event.duration_ms().unwrap_or(0.0),
        status: match (ended, failed) {
            (_, true) => SpanStatus::Error,
            (true, false) => SpanStatus::Ok,
            (false, false) => SpanStatus::Open,
        },
        line_id: event.line.id.clone(),
        began: event.began_at(),
    }
}

fn name_of(event: &Event, kind: &str) -> String {
    let text = |name| event.text(name).map(str::to_owned);
    let found = match kind {
        "request" | "browser" => text(fields::ROUTE)
            .or_else(|| text(fields::PATH))
            .map(|place| format!("{} {place}", event.text(fields::METHOD).unwrap_or("GET"))),
        "workflow" => text(fields::WORKFLOW_NAME)
            .or_else(|| event.context(fields::WORKFLOW_ID).map(str::to_owned)),
        "step" => {
            text(fields::STEP_NAME).or_else(|| event.context(fields::STEP_ID).map(str::to_owned))
        }
        "agent" => text(fields::gen_ai::AGENT_NAME)
            .or_else(|| event.context(fields::AGENT).map(str::to_owned)),
        "external_api" => text(fields::API).map(|api| {
            [event.text(fields::METHOD), event.text(fields::ROUTE)]
                .into_iter()
                .flatten()
                .fold(api, |name, part| format!("{name} {part}"))
        }),
        "db_query" => text(fields::DB_STATEMENT),
        _ => None,
    };
    found.unwrap_or_else(|| event.message().to_owned())
}

impl Span {
    /// Another line of the same span: an end tells all, a later start nothing.
    fn learn(&mut self, later: Self, ends: bool) {
        let began = self.began.min(later.began);
        let closes = ends || later.status != SpanStatus::Open;
        if closes {
            let parent = self.parent_span_id.take();
            *self = later;
            self.parent_span_id = self.parent_span_id.take().or(parent);
        }
        if began < self.began {
            self.began = began;
            self.started_at = rfc3339(began);
        }
    }
}
