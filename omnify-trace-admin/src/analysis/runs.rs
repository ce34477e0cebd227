//! Workflow runs rebuilt from their events.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use omnify_trace::schema::{EventType, fields};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    Event, Range, Step, StepStatus, Store, collect, of_types,
    steps::{mark_critical_path, rebuild},
    with,
};
use crate::{
    store::{Order, Query, StoreError},
    time::{milliseconds, rfc3339},
};

/// Events of one run that are read at most.
const MOST_EVENTS_OF_A_RUN: usize = 20_000;
/// Events of a page of runs that are read at most.
const MOST_EVENTS_OF_RUNS: usize = 100_000;
/// Starts and crashes that are looked at when open runs are judged.
const MOST_MARKS: usize = 5_000;

/// Event types that decide a run's state.
const RUN_EVENTS: [EventType; 8] = [
    EventType::WorkflowStart,
    EventType::WorkflowStep,
    EventType::WorkflowStepError,
    EventType::WorkflowComplete,
    EventType::WorkflowError,
    EventType::OperationStalled,
    EventType::OperationRecovered,
    EventType::Panic,
];

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// It runs.
    Active,
    /// It ended well.
    Completed,
    /// It ended badly.
    Failed,
    /// It runs past its budget.
    Stalled,
    /// Its process died before it ended.
    Interrupted,
}

impl RunStatus {
    /// The state of this wire name.
    #[must_use]
    pub fn from_wire(name: &str) -> Option<Self> {
        Some(match name {
            "active" => Self::Active,
            "completed" => Self::Completed,
            "failed" => Self::Failed,
            "stalled" => Self::Stalled,
            "interrupted" => Self::Interrupted,
            _ => return None,
        })
    }

    /// The wire name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Stalled => "stalled",
            Self::Interrupted => "interrupted",
        }
    }
}

/// One run of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Run {
    /// Unique.
    pub run_id: String,
    /// Of the definition.
    pub workflow_id: String,
    /// For people.
    pub name: String,
    /// Where it stands.
    pub status: RunStatus,
    /// RFC 3339.
    pub started_at: String,
    /// RFC 3339; the last sign of life of an interrupted run.
    pub ended_at: Option<String>,
    /// Milliseconds.
    pub duration_ms: Option<f64>,
    /// The trace it ran in.
    pub trace_id: Option<String>,
    /// The request that started it.
    pub request_id: Option<String>,
    /// On whose behalf.
    pub user_id: Option<String>,
    /// On which customer's behalf.
    pub organization_id: Option<String>,
    /// What went wrong, or what it hangs in.
    pub error: Option<String>,
    /// Steps of the definition, or those seen where the start did not tell.
    pub steps_total: usize,
    /// Steps completed, skipped or failed for good.
    pub steps_done: usize,
    /// The step that runs, waits, hangs or failed.
    pub current_step: Option<String>,
}

/// A run with its steps.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RunDetail {
    /// The run.
    #[serde(flatten)]
    pub run: Run,
    /// In order of their first sighting.
    pub steps: Vec<Step>,
    #[serde(skip)]
    pub(super) began: i64,
}

/// What tells that a process died: its own crash report, or a later start on its host.
#[derive(Debug, Default)]
pub(super) struct Marks {
    crashes: HashMap<String, i64>,
    /// Service, host and process id of those that died, and when that was noticed.
    deaths: Vec<(String, String, i64, i64)>,
    starts: Vec<(String, String, i64)>,
}

impl Marks {
    /// The marks since `from`.
    pub(super) async fn load(store: &Store, from: i64) -> Result<Self, StoreError> {
        let range = Range { from, to: i64::MAX };
        let query = of_types(&range, &[EventType::CrashDetected, EventType::ServiceStart]);
        let (events, _) = collect(store, &query, Order::Newest, MOST_MARKS).await?;
        Ok(Self::of(&events))
    }

    pub(super) fn of(events: &[Event]) -> Self {
        let mut marks = Self::default();
        for event in events {
            match event.kind() {
                Some(EventType::CrashDetected) => {
                    for run_id in runs_in_flight(event) {
                        let at = marks.crashes.entry(run_id).or_insert(event.time());
                        *at = (*at).max(event.time());
                    }
                    if let Some(pid) = event.integer("pid") {
                        let (name, host) = process_of(event);
                        marks
                            .deaths
                            .push((name.to_owned(), host.to_owned(), pid, event.time()));
                    }
                }
                Some(EventType::ServiceStart) => {
                    let (name, host) = process_of(event);
                    marks
                        .starts
                        .push((name.to_owned(), host.to_owned(), event.time()));
                }
                _ => {}
            }
        }
        marks
    }

    /// Whether the process behind these events (of one run, oldest first) has died since.
    fn interrupted(&self, run_id: &str, events: &[Event]) -> bool {
        let Some(last) = events.last() else {
            return false;
        };
        if self
            .crashes
            .get(run_id)
            .is_some_and(|at| *at >= last.time())
        {
            return true;
        }
        let (name, host) = process_of(last);
        if host.is_empty() {
            return false;
        }
        let pid = last
            .service("instance")
            .and_then(|instance| instance.get(host.len() + 1..)?.parse().ok());
        let later = |service: &str, other: &str, at: i64| {
            service == name && other == host && at > last.time()
        };
        self.deaths
            .iter()
            .any(|(service, other, dead, at)| Some(*dead) == pid && later(service, other, *at))
            || self
                .starts
                .iter()
                .any(|(service, other, at)| later(service, other, *at))
    }
}

fn runs_in_flight(event: &Event) -> Vec<String> {
    let Some(Value::Array(operations)) = event.extra("in_flight") else {
        return Vec::new();
    };
    operations
        .iter()
        .filter_map(|operation| operation.get(fields::RUN_ID)?.as_str().map(str::to_owned))
        .collect()
}

/// Service and host of a line. An instance is a host, or `host:pid`, or `host-pid`.
fn process_of(event: &Event) -> (&str, &str) {
    let instance = event.service("instance").unwrap_or_default();
    let host = instance
        .rsplit_once([':', '-'])
        .filter(|(_, pid)| !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(instance, |(host, _)| host);
    (event.service("name").unwrap_or_default(), host)
}

/// One run of these events (all of it, oldest first). `None` if there are none.
#[must_use]
pub fn rebuild_run(
    run_id: &str,
    events: &[Event],
    crashes_and_starts: &[Event],
) -> Option<RunDetail> {
    detail(run_id, events, &Marks::of(crashes_and_starts))
}

pub(super) fn detail(run_id: &str, events: &[Event], marks: &Marks) -> Option<RunDetail> {
    let first = events.first()?;
    let last = events.last()?;
    let starts = || of_kind(events, &[EventType::WorkflowStart]);
    // A page may have a part in a run; where the server has one too, the server's start and end count.
    let servers = starts().any(|event| !event.is_frontend());
    let counts = |event: &&Event| !(servers && event.is_frontend());
    let start = starts().find(counts);
    let end = of_kind(
        events,
        &[EventType::WorkflowComplete, EventType::WorkflowError],
    )
    .filter(counts)
    .last();
    let mut steps = rebuild(events);
    let (status, ended) = match end {
        Some(end) if end.kind() == Some(EventType::WorkflowComplete) => {
            (RunStatus::Completed, Some(end.time()))
        }
        Some(end) => (RunStatus::Failed, Some(end.time())),
        None if marks.interrupted(run_id, events) => (RunStatus::Interrupted, Some(last.time())),
        None if is_stalled(events) => (RunStatus::Stalled, None),
        None => (RunStatus::Active, None),
    };
    close_steps(&mut steps, status, ended);
    mark_critical_path(&mut steps);

    let began = start.map_or_else(|| first.began_at(), Event::time);
    let context = |name| {
        events
            .iter()
            .find_map(|event| event.context(name))
            .map(str::to_owned)
    };
    let workflow_id = context(fields::WORKFLOW_ID).unwrap_or_default();
    let name = [start, end]
        .into_iter()
        .flatten()
        .find_map(|event| event.text(fields::WORKFLOW_NAME))
        .map_or_else(|| workflow_id.clone(), str::to_owned);
    let run = Run {
        run_id: run_id.to_owned(),
        name,
        workflow_id,
        status,
        started_at: rfc3339(began),
        ended_at: ended.map(rfc3339),
        duration_ms: ended.map(|at| {
            end.and_then(Event::duration_ms)
                .unwrap_or_else(|| milliseconds(at.saturating_sub(began)))
        }),
        trace_id: context(fields::TRACE_ID),
        request_id: context(fields::REQUEST_ID),
        user_id: context(fields::USER_ID),
        organization_id: context(fields::ORGANIZATION_ID),
        error: error_of(status, events, end, &steps),
        steps_total: steps_declared(start).unwrap_or(0).max(steps.len()),
        steps_done: steps.iter().filter(|step| step.is_done()).count(),
        current_step: current_step(status, end, &steps),
    };
    Some(RunDetail { run, steps, began })
}

/// The events of these kinds, oldest first.
fn of_kind<'a>(events: &'a [Event], kinds: &'a [EventType]) -> impl Iterator<Item = &'a Event> {
    events
        .iter()
        .filter(|event| event.kind().is_some_and(|kind| kinds.contains(&kind)))
}

/// Steps that a finished run left open did not run on: their end is the run's.
fn close_steps(steps: &mut [Step], status: RunStatus, ended: Option<i64>) {
    let Some(at) = ended else { return };
    for step in steps.iter_mut().filter(|step| !step.is_done()) {
        step.status = match status {
            RunStatus::Completed => StepStatus::Completed,
            _ => StepStatus::Interrupted,
        };
        step.ended = Some(at);
        step.ended_at = Some(rfc3339(at));
        step.duration_ms = Some(milliseconds(at.saturating_sub(step.began)));
    }
}

/// Step, kind and name of an operation.
type Operation<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

/// Whether more operations stalled than recovered.
fn is_stalled(events: &[Event]) -> bool {
    let mut stalled: HashMap<Operation<'_>, bool> = HashMap::new();
    for event in events {
        let key = (
            event.context(fields::STEP_ID),
            event.text(fields::OPERATION_KIND),
            event.text(fields::OPERATION),
        );
        match event.kind() {
            Some(EventType::OperationStalled) => {
                stalled.insert(key, true);
            }
            Some(EventType::OperationRecovered) => {
                stalled.insert(key, false);
            }
            // A step that went on is not stuck, even if nobody said that it recovered.
            Some(EventType::WorkflowStep | EventType::WorkflowStepError) => {
                let step = event.context(fields::STEP_ID);
                for (_, is_stalled) in stalled.iter_mut().filter(|((id, ..), _)| *id == step) {
                    *is_stalled = false;
                }
            }
            _ => {}
        }
    }
    stalled.values().any(|is_stalled| *is_stalled)
}

fn steps_declared(start: Option<&Event>) -> Option<usize> {
    match start?.extra("steps")? {
        Value::Array(steps) => Some(steps.len()),
        Value::Number(number) => usize::try_from(number.as_u64()?).ok(),
        Value::String(names) => Some(
            names
                .split(',')
                .filter(|name| !name.trim().is_empty())
                .count(),
        ),
        _ => None,
    }
}

fn error_of(
    status: RunStatus,
    events: &[Event],
    end: Option<&Event>,
    steps: &[Step],
) -> Option<String> {
    match status {
        RunStatus::Failed => end.map(|end| end.error_text().to_owned()),
        RunStatus::Interrupted => Some("The process ended before the run did.".to_owned()),
        RunStatus::Stalled => events
            .iter()
            .rfind(|event| event.kind() == Some(EventType::OperationStalled))
            .map(|event| event.message().to_owned()),
        RunStatus::Active => steps.iter().rev().find_map(|step| step.error.clone()),
        RunStatus::Completed => None,
    }
}

fn current_step(status: RunStatus, end: Option<&Event>, steps: &[Step]) -> Option<String> {
    let last_with = |wanted: StepStatus| steps.iter().rfind(|step| step.status == wanted);
    let found = match status {
        RunStatus::Completed => None,
        RunStatus::Failed => {
            if let Some(step_id) = end.and_then(|end| end.text(fields::FAILED_STEP)) {
                return Some(step_id.to_owned());
            }
            last_with(StepStatus::Failed)
        }
        RunStatus::Stalled => {
            last_with(StepStatus::Stalled).or_else(|| last_with(StepStatus::Active))
        }
        RunStatus::Interrupted => last_with(StepStatus::Interrupted),
        RunStatus::Active => {
            last_with(StepStatus::Active).or_else(|| last_with(StepStatus::Waiting))
        }
    };
    found.map(|step| step.step_id.clone())
}

/// One run with steps and calls, or `None` if no line names it.
///
/// # Errors
/// What the store says.
pub async fn run_detail(
    store: &Store,
    judge: &Store,
    run_id: &str,
) -> Result<Option<RunDetail>, StoreError> {
    let mut query = Query::default();
    query.filters.push(with("context.run_id", [run_id]));
    let (events, _) = collect(store, &query, Order::Oldest, MOST_EVENTS_OF_A_RUN).await?;
    let Some(first) = events.first() else {
        return Ok(None);
    };
    let marks = Marks::load(judge, first.time()).await?;
    Ok(detail(run_id, &events, &marks))
}

/// Several runs, in the order of their ids.
///
/// # Errors
/// What the store says.
pub async fn run_details(
    store: &Store,
    judge: &Store,
    run_ids: &[String],
) -> Result<Vec<RunDetail>, StoreError> {
    if run_ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Query::default();
    query.filters.push(with(
        "event_type",
        RUN_EVENTS.iter().map(|kind| kind.as_str()),
    ));
    query.filters.push(with("context.run_id", run_ids));
    let (events, _) = collect(store, &query, Order::Oldest, MOST_EVENTS_OF_RUNS).await?;
    let from = events.first().map_or(0, Event::time);
    let mut by_run: HashMap<String, Vec<Event>> = HashMap::new();
    for event in events {
        if let Some(run_id) = event.context(fields::RUN_ID).map(str::to_owned) {
            by_run.entry(run_id).or_default().push(event);
        }
    }
    let marks = Marks::load(judge, from).await?;
    Ok(run_ids
        .iter()
        .filter_map(|run_id| detail(run_id, by_run.get(run_id)?, &marks))
        .collect())
}
