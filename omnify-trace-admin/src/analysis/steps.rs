//! The steps of a run, rebuilt from its events: states, attempts, calls, lanes, critical path.

use std::collections::HashMap;

use omnify_trace::schema::{EventType, fields};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Event;
use crate::time::{milliseconds, rfc3339};

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// It runs.
    Active,
    /// It ended well.
    Completed,
    /// It ended badly, and no attempt follows.
    Failed,
    /// It was not needed.
    Skipped,
    /// It waits for a person or a dependency.
    Waiting,
    /// It runs past its budget.
    Stalled,
    /// Its process died.
    Interrupted,
}

/// What kind of work a step asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// An agent or a model.
    Agent,
    /// Another service.
    ExternalApi,
    /// The database.
    DbQuery,
}

/// One call that a step made.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Call {
    /// What was called.
    pub kind: CallKind,
    /// Name of the agent or API, or the statement.
    pub name: String,
    /// Vendor of the agent, host of the API, product of the database.
    pub provider: Option<String>,
    /// Model of an agent.
    pub model: Option<String>,
    /// `active`, `completed` or `failed`.
    pub status: StepStatus,
    /// RFC 3339.
    pub started_at: String,
    /// Milliseconds.
    pub duration_ms: Option<f64>,
    /// Tokens of the prompt.
    pub input_tokens: Option<i64>,
    /// Tokens of the answer.
    pub output_tokens: Option<i64>,
    /// US dollars.
    pub cost_usd: Option<f64>,
    /// HTTP status of an API.
    pub status_code: Option<i64>,
    /// The step's attempt that made it, 1 for the first.
    pub step_attempt: i64,
    /// Which try of one and the same call it is, 1 for the first; none where nothing says so.
    pub attempt: Option<i64>,
    /// What went wrong.
    pub error: Option<String>,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Step {
    /// As the definition names it.
    pub step_id: String,
    /// For people.
    pub name: String,
    /// Where it stands.
    pub status: StepStatus,
    /// The current or last attempt, 1 for the first.
    pub attempt: i64,
    /// How many attempts there were.
    pub attempts: i64,
    /// RFC 3339, of the first attempt.
    pub started_at: String,
    /// RFC 3339.
    pub ended_at: Option<String>,
    /// Milliseconds from the first attempt's start to the end.
    pub duration_ms: Option<f64>,
    /// Steps that had to end first.
    pub depends_on: Vec<String>,
    /// What kind of agent runs it.
    pub agent_type: Option<String>,
    /// The last attempt's error.
    pub error: Option<String>,
    /// Whether it lies on the run's critical path.
    pub critical: bool,
    /// Row in a timeline in which no two steps of a row overlap, 0 for the first.
    pub lane: usize,
    /// Bytes.
    pub input_bytes: Option<i64>,
    /// Bytes.
    pub output_bytes: Option<i64>,
    /// What it called, in order of time.
    pub calls: Vec<Call>,
    #[serde(skip)]
    pub(super) began: i64,
    #[serde(skip)]
    pub(super) ended: Option<i64>,
    #[serde(skip)]
    call_spans: Vec<Option<String>>,
}

impl Step {
    fn new(step_id: &str, began: i64) -> Self {
        Self {
            step_id: step_id.to_owned(),
            name: step_id.to_owned(),
            status: StepStatus::Active,
            attempt: 1,
            attempts: 1,
            started_at: rfc3339(began),
            ended_at: None,
            duration_ms: None,
            depends_on: Vec::new(),
            agent_type: None,
            error: None,
            critical: false,
            lane: 0,
            input_bytes: None,
            output_bytes: None,
            calls: Vec::new(),
            began,
            ended: None,
            call_spans: Vec::new(),
        }
    }

    /// Whether nothing more is expected of it.
    pub(super) fn is_done(&self) -> bool {
        matches!(
            self.status,
            StepStatus::Completed | StepStatus::Skipped | StepStatus::Failed
        )
    }

    fn end(&mut self, at: i64, status: StepStatus) {
        self.status = status;
        self.ended = Some(at);
        self.ended_at = Some(rfc3339(at));
        self.duration_ms = Some(milliseconds(at.saturating_sub(self.began)));
    }

    fn reopen(&mut self, status: StepStatus) {
        self.status = status;
        self.ended = None;
        self.ended_at = None;
        self.duration_ms = None;
    }

    fn began_by(&mut self, at: i64) {
        if at < self.began {
            self.began = at;
            self.started_at = rfc3339(at);
        }
    }

    /// What every event of a step may tell of it.
    fn describe(&mut self, event: &Event) {
        if let Some(name) = event.text(fields::STEP_NAME) {
            name.clone_into(&mut self.name);
        }
        if let Some(attempt) = event.integer(fields::ATTEMPT) {
            self.attempt = attempt;
            self.attempts = self.attempts.max(attempt);
        }
        if let Some(agent_type) = event.text(fields::AGENT_TYPE) {
            self.agent_type = Some(agent_type.to_owned());
        }
        if let Some(dependencies) = event.extra(fields::DEPENDS_ON) {
            self.depends_on = names(dependencies);
        }
        self.input_bytes = event.integer(fields::INPUT_BYTES).or(self.input_bytes);
        self.output_bytes = event.integer(fields::OUTPUT_BYTES).or(self.output_bytes);
    }
}

/// Names in an array, or comma-separated in a text.
fn names(value: &Value) -> Vec<String> {
    let own = |name: &str| name.trim().to_owned();
    match value {
        Value::String(text) => text
            .split(',')
            .map(own)
            .filter(|name| !name.is_empty())
            .collect(),
        Value::Array(values) => values.iter().filter_map(Value::as_str).map(own).collect(),
        _ => Vec::new(),
    }
}

/// The steps in order of their first sighting. Events are of one run, oldest first.
pub(super) fn rebuild(events: &[Event]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for event in events {
        let Some(step_id) = event.context(fields::STEP_ID) else {
            continue;
        };
        let Some(kind) = event.kind() else { continue };
        let place = *places.entry(step_id.to_owned()).or_insert_with(|| {
            steps.push(Step::new(step_id, event.began_at()));
            steps.len() - 1
        });
        if let Some(step) = steps.get_mut(place) {
            apply(step, kind, event);
        }
    }
    assign_lanes(&mut steps);
    steps
}

fn apply(step: &mut Step, kind: EventType, event: &Event) {
    match kind {
        EventType::WorkflowStep => {
            step.describe(event);
            match event.text(fields::STATUS) {
                Some("completed") => {
                    step.began_by(event.began_at());
                    step.error = None;
                    step.end(event.time(), StepStatus::Completed);
                }
                Some("skipped") => step.end(event.time(), StepStatus::Skipped),
                Some("waiting") => step.reopen(StepStatus::Waiting),
                _ => step.reopen(StepStatus::Active),
            }
        }
        EventType::WorkflowStepError => {
            step.describe(event);
            step.error = Some(event.error_text().to_owned());
            if event.extra(fields::WILL_RETRY).and_then(Value::as_bool) == Some(true) {
                step.reopen(StepStatus::Active);
            } else {
                step.end(event.time(), StepStatus::Failed);
            }
        }
        EventType::OperationStalled if step.status == StepStatus::Active => {
            step.status = StepStatus::Stalled;
        }
        EventType::OperationRecovered if step.status == StepStatus::Stalled => {
            step.status = StepStatus::Active;
        }
        EventType::AgentStart | EventType::AgentComplete | EventType::AgentError => {
            add_call(step, event, agent_call(kind, event));
        }
        EventType::ExternalApiCall => add_call(step, event, api_call(event)),
        EventType::DbQuery | EventType::SlowQuery => add_call(step, event, query_call(event)),
        _ => {}
    }
}

/// A call's end takes the place of its start, and a slow query that of the query: same span. The
/// call belongs to the attempt in which it was first seen.
fn add_call(step: &mut Step, event: &Event, mut call: Call) {
    let span = event.context(fields::SPAN_ID).map(str::to_owned);
    let earlier = span.is_some().then(|| {
        step.call_spans
            .iter()
            .zip(&step.calls)
            .rposition(|(known, earlier)| *known == span && earlier.kind == call.kind)
    });
    match earlier
        .flatten()
        .and_then(|place| step.calls.get_mut(place))
    {
        Some(earlier) => {
            call.step_attempt = earlier.step_attempt;
            *earlier = call;
        }
        None => {
            call.step_attempt = step.attempt;
            step.calls.push(call);
            step.call_spans.push(span);
        }
    }
}

fn agent_call(kind: EventType, event: &Event) -> Call {
    let text = |name| event.text(name).map(str::to_owned);
    Call {
        kind: CallKind::Agent,
        name: text(fields::gen_ai::AGENT_NAME)
            .or_else(|| event.context(fields::AGENT).map(str::to_owned))
            .unwrap_or_else(|| "agent".to_owned()),
        provider: text(fields::gen_ai::PROVIDER_NAME),
        model: text(fields::gen_ai::RESPONSE_MODEL).or_else(|| text(fields::gen_ai::REQUEST_MODEL)),
        status: match kind {
            EventType::AgentComplete => StepStatus::Completed,
            EventType::AgentError => StepStatus::Failed,
            _ => StepStatus::Active,
        },
        started_at: rfc3339(event.began_at()),
        duration_ms: event.duration_ms(),
        input_tokens: event.integer(fields::gen_ai::INPUT_TOKENS),
        output_tokens: event.integer(fields::gen_ai::OUTPUT_TOKENS),
        cost_usd: event.number(fields::COST_USD),
        status_code: None,
        step_attempt: 1,
        attempt: event.integer(fields::ATTEMPT),
        error: (kind == EventType::AgentError).then(|| event.error_text().to_owned()),
    }
}

fn plain_call(kind: CallKind, name: Option<&str>, provider: Option<&str>, event: &Event) -> Call {
    let error = event
        .text(fields::ERROR)
        .or_else(|| event.exception("message"));
    let status_code = event.integer(fields::STATUS_CODE);
    let failed = error.is_some() || status_code.is_some_and(|code| code >= 400);
    Call {
        kind,
        name: name.unwrap_or("unknown").to_owned(),
        provider: provider.map(str::to_owned),
        model: None,
        status: if failed {
            StepStatus::Failed
        } else {
            StepStatus::Completed
        },
        started_at: rfc3339(event.began_at()),
        duration_ms: event.duration_ms(),
        input_tokens: None,
        output_tokens: None,
        cost_usd: None,
        status_code,
        step_attempt: 1,
        attempt: event.integer(fields::ATTEMPT),
        error: error.map(str::to_owned),
    }
}

fn api_call(event: &Event) -> Call {
    plain_call(
        CallKind::ExternalApi,
        event.text(fields::API),
        event.text(fields::HOST),
        event,
    )
}

fn query_call(event: &Event) -> Call {
    plain_call(
        CallKind::DbQuery,
        event.text(fields::DB_STATEMENT),
        event.text(fields::DB_SYSTEM),
        event,
    )
}

/// Gives each step the first row that is free when it begins.
fn assign_lanes(steps: &mut [Step]) {
    let mut order: Vec<usize> = (0..steps.len()).collect();
    order.sort_by_key(|place| steps.get(*place).map(|step| step.began));
    let mut busy_until: Vec<i64> = Vec::new();
    for place in order {
        let Some(step) = steps.get_mut(place) else {
            continue;
        };
        let until = step.ended.unwrap_or(i64::MAX);
        let free = busy_until.iter().position(|busy| *busy <= step.began);
        step.lane = free.unwrap_or(busy_until.len());
        match busy_until.get_mut(step.lane) {
            Some(busy) => *busy = until,
            None => busy_until.push(until),
        }
    }
}

/// Marks the chain of steps that decided how long the run took: from the step that ended last
/// back through whichever dependency ended last. Where no dependency is declared, the step that
/// ended last before it began counts as one.
pub(super) fn mark_critical_path(steps: &mut [Step]) {
    let end_of = |step: &Step| step.ended.unwrap_or(i64::MAX);
    let counts = |step: &Step| step.status != StepStatus::Skipped;
    let mut current = (0..steps.len())
        .filter(|place| steps.get(*place).is_some_and(counts))
        .max_by_key(|place| steps.get(*place).map(end_of));
    while let Some(place) = current {
        let Some(step) = steps.get_mut(place) else {
            return;
        };
        if step.critical {
            return;
        }
        step.critical = true;
        let (began, depends_on) = (step.began, step.depends_on.clone());
        current = (0..steps.len())
            .filter(|other| {
                steps.get(*other).is_some_and(|other| {
                    !other.critical
                        && counts(other)
                        && if depends_on.is_empty() {
                            end_of(other) <= began
                        } else {
                            depends_on.contains(&other.step_id)
                        }
                })
            })
            .max_by_key(|other| steps.get(*other).map(end_of));
    }
}
