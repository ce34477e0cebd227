//! All runs of a time: totals, one summary a workflow, pages of runs.

use std::collections::{BTreeMap, HashMap, HashSet};

use omnify_trace::schema::{EventType, fields};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Event, Range, Run, RunDetail, RunStatus, Store, collect, fetch::newest, of_type, of_types,
    run_details, with,
};
use crate::{
    store::{Filter, Order, Page, Query, StoreError},
    time::{DAY, rfc3339},
};

/// Distinct runs that are told apart at most when looking for open ones.
const MOST_RUNS: usize = 200_000;
/// Open runs that are rebuilt at most.
const MOST_OPEN: usize = 2_000;
/// Runs that are rebuilt at once.
const CHUNK: usize = 200;

/// Runs by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct RunCounts {
    /// Running now.
    pub active: u64,
    /// Ended well.
    pub completed: u64,
    /// Ended badly.
    pub failed: u64,
    /// Past their budget.
    pub stalled: u64,
    /// Cut off by the end of their process.
    pub interrupted: u64,
}

impl RunCounts {
    pub(super) fn add(&mut self, status: RunStatus, count: u64) {
        match status {
            RunStatus::Active => self.active += count,
            RunStatus::Completed => self.completed += count,
            RunStatus::Failed => self.failed += count,
            RunStatus::Stalled => self.stalled += count,
            RunStatus::Interrupted => self.interrupted += count,
        }
    }

    fn all(&self) -> u64 {
        self.active + self.completed + self.failed + self.stalled + self.interrupted
    }
}

/// One workflow's runs in figures.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct WorkflowSummary {
    /// Of the definition.
    pub workflow_id: String,
    /// For people.
    pub name: String,
    /// All runs.
    pub runs: u64,
    /// By state.
    #[serde(flatten)]
    pub counts: RunCounts,
    /// Median duration of ended runs, milliseconds.
    pub p50_ms: Option<f64>,
    /// 95th percentile, milliseconds.
    pub p95_ms: Option<f64>,
    /// RFC 3339.
    pub last_started_at: Option<String>,
}

/// Every workflow of a time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Workflows {
    /// Of all workflows.
    pub totals: RunCounts,
    /// The busiest first.
    pub workflows: Vec<WorkflowSummary>,
}

/// Which runs.
#[derive(Debug, Clone, Default)]
pub struct RunQuestion {
    /// Context filters: workflow, user, organization.
    pub filters: Vec<Filter>,
    /// Only runs in this state.
    pub status: Option<RunStatus>,
    /// At most so many.
    pub limit: usize,
    /// Where the previous page ended.
    pub cursor: Option<String>,
}

/// A page of runs, the one that started last first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct RunPage {
    /// The runs.
    pub runs: Vec<Run>,
    /// Ask with it for the next page; null at the end.
    pub next_cursor: Option<String>,
}

/// The figures of every workflow. A run counts where it ended, or, while it is open, where it
/// started or up to a day earlier.
///
/// # Errors
/// What the store says.
pub async fn workflows(
    store: &Store,
    whole: &Store,
    range: &Range,
) -> Result<Workflows, StoreError> {
    let mut summaries: BTreeMap<String, WorkflowSummary> = BTreeMap::new();
    for (kind, status) in [
        (EventType::WorkflowComplete, RunStatus::Completed),
        (EventType::WorkflowError, RunStatus::Failed),
    ] {
        let facets = store
            .facets(&of_type(range, kind), &["context.workflow_id"], 10_000)
            .await?;
        for (workflow_id, count) in facets.into_iter().flat_map(|facet| facet.values) {
            summaries
                .entry(workflow_id)
                .or_default()
                .counts
                .add(status, count);
        }
    }
    let ended = of_types(
        range,
        &[EventType::WorkflowComplete, EventType::WorkflowError],
    );
    for group in store
        .numbers(&ended, "extra.duration_ms", &["context.workflow_id"], None)
        .await?
    {
        if let Some(workflow_id) = group.key.first() {
            let summary = summaries.entry(workflow_id.clone()).or_default();
            summary.p50_ms = Some(group.p50);
            summary.p95_ms = Some(group.p95);
        }
    }
    for open in open_runs(store, whole, range, &[]).await? {
        summaries
            .entry(open.run.workflow_id)
            .or_default()
            .counts
            .add(open.run.status, 1);
    }
    name_and_date(store, range, &mut summaries).await?;

    let mut answer = Workflows::default();
    for (workflow_id, mut summary) in summaries {
        summary.runs = summary.counts.all();
        if summary.name.is_empty() {
            summary.name.clone_from(&workflow_id);
        }
        summary.workflow_id = workflow_id;
        answer.totals.active += summary.counts.active;
        answer.totals.completed += summary.counts.completed;
        answer.totals.failed += summary.counts.failed;
        answer.totals.stalled += summary.counts.stalled;
        answer.totals.interrupted += summary.counts.interrupted;
        answer.workflows.push(summary);
    }
    answer.workflows.sort_by(|a, b| {
        b.runs
            .cmp(&a.runs)
            .then_with(|| a.workflow_id.cmp(&b.workflow_id))
    });
    Ok(answer)
}

/// The human name and the last start of each workflow: from the newest starts, and by a question
/// of its own for a workflow that is not among them.
async fn name_and_date(
    store: &Store,
    range: &Range,
    summaries: &mut BTreeMap<String, WorkflowSummary>,
) -> Result<(), StoreError> {
    let mut starts = of_type(range, EventType::WorkflowStart);
    let learn = |summaries: &mut BTreeMap<String, WorkflowSummary>, event: &Event| {
        let Some(summary) = event
            .context(fields::WORKFLOW_ID)
            .and_then(|id| summaries.get_mut(id))
        else {
            return;
        };
        if summary.last_started_at.is_none() {
            summary.last_started_at = Some(rfc3339(event.time()));
            event
                .text(fields::WORKFLOW_NAME)
                .unwrap_or_default()
                .clone_into(&mut summary.name);
        }
    };
    for line in newest(store, &starts, 1_000).await? {
        learn(summaries, &Event::parse(line));
    }
    let unknown: Vec<String> = summaries
        .iter()
        .filter(|(_, summary)| summary.last_started_at.is_none())
        .map(|(id, _)| id.clone())
        .take(100)
        .collect();
    starts.from = Some(range.from.saturating_sub(DAY));
    for workflow_id in unknown {
        let mut query = starts.clone();
        query
            .filters
            .push(with("context.workflow_id", [workflow_id]));
        for line in newest(store, &query, 1).await? {
            learn(summaries, &Event::parse(line));
        }
    }
    Ok(())
}

/// The runs that started in the range, or up to a day before it, and have not ended.
pub(super) async fn open_runs(
    store: &Store,
    whole: &Store,
    range: &Range,
    filters: &[Filter],
) -> Result<Vec<RunDetail>, StoreError> {
    let wider = Range {
        from: range.from.saturating_sub(DAY),
        to: range.to,
    };
    let mut starts = of_type(&wider, EventType::WorkflowStart);
    starts.filters.extend_from_slice(filters);
    let mut ends = of_types(
        &wider,
        &[EventType::WorkflowComplete, EventType::WorkflowError],
    );
    // What ended after the range is not open either.
    ends.to = None;
    ends.filters.extend_from_slice(filters);
    let ended: HashSet<String> = run_ids(store, &ends).await?.into_iter().collect();
    let open: Vec<String> = run_ids(store, &starts)
        .await?
        .into_iter()
        .filter(|id| !ended.contains(id))
        .take(MOST_OPEN)
        .collect();
    let mut details = Vec::with_capacity(open.len());
    for chunk in open.chunks(CHUNK) {
        let open = run_details(store, whole, chunk).await?;
        details.extend(open.into_iter().filter(|detail| {
            matches!(
                detail.run.status,
                RunStatus::Active | RunStatus::Stalled | RunStatus::Interrupted
            )
        }));
    }
    details.sort_by_key(|detail| std::cmp::Reverse(detail.began));
    Ok(details)
}

async fn run_ids(store: &Store, query: &Query) -> Result<Vec<String>, StoreError> {
    let facets = store.facets(query, &["context.run_id"], MOST_RUNS).await?;
    Ok(facets
        .into_iter()
        .flat_map(|facet| facet.values)
        .map(|(run_id, _)| run_id)
        .collect())
}

/// A page of runs.
///
/// # Errors
/// What the store says; [`StoreError::BadCursor`] for a cursor that is not ours.
pub async fn runs(
    store: &Store,
    whole: &Store,
    range: &Range,
    question: &RunQuestion,
) -> Result<RunPage, StoreError> {
    match question.status {
        None => by_event(store, whole, range, question, EventType::WorkflowStart).await,
        Some(RunStatus::Completed) => {
            by_event(store, whole, range, question, EventType::WorkflowComplete).await
        }
        Some(RunStatus::Failed) => {
            by_event(store, whole, range, question, EventType::WorkflowError).await
        }
        Some(status) => open_page(store, whole, range, question, status).await,
    }
}

/// The runs that have an event of this kind in the range: each run has at most one of them.
async fn by_event(
    store: &Store,
    whole: &Store,
    range: &Range,
    question: &RunQuestion,
    kind: EventType,
) -> Result<RunPage, StoreError> {
    let mut query = of_type(range, kind);
    query.filters.extend_from_slice(&question.filters);
    let page = Page {
        limit: question.limit,
        cursor: question.cursor.clone(),
        order: Order::Newest,
    };
    let lines = store.search(&query, &page).await?;
    let mut ids = Vec::with_capacity(lines.lines.len());
    let mut seen = HashSet::new();
    for event in lines.lines.into_iter().map(Event::parse) {
        if let Some(run_id) = event.context(fields::RUN_ID)
            && seen.insert(run_id.to_owned())
        {
            ids.push(run_id.to_owned());
        }
    }
    let details = run_details(store, whole, &ids).await?;
    Ok(RunPage {
        runs: details.into_iter().map(|detail| detail.run).collect(),
        next_cursor: lines.next_cursor,
    })
}

/// Open runs are few: they are found whole and cut into pages by the run that ended the last one.
async fn open_page(
    store: &Store,
    whole: &Store,
    range: &Range,
    question: &RunQuestion,
    status: RunStatus,
) -> Result<RunPage, StoreError> {
    let mut open = open_runs(store, whole, range, &question.filters).await?;
    open.retain(|detail| detail.run.status == status);
    let after = match &question.cursor {
        None => None,
        Some(cursor) => Some(
            cursor
                .strip_prefix("run-")
                .and_then(|rest| rest.split_once('-'))
                .and_then(|(began, run_id)| Some((began.parse::<i64>().ok()?, run_id.to_owned())))
                .ok_or_else(|| StoreError::BadCursor(cursor.clone()))?,
        ),
    };
    open.sort_by(|a, b| (b.began, &b.run.run_id).cmp(&(a.began, &a.run.run_id)));
    if let Some((began, run_id)) = after {
        open.retain(|detail| (detail.began, &detail.run.run_id) < (began, &run_id));
    }
    let more = open.len() > question.limit;
    open.truncate(question.limit);
    let next_cursor = open
        .last()
        .filter(|_| more)
        .map(|detail| format!("run-{}-{}", detail.began, detail.run.run_id));
    Ok(RunPage {
        runs: open.into_iter().map(|detail| detail.run).collect(),
        next_cursor,
    })
}

/// Runs by state, for the overview.
pub(super) async fn counts(
    store: &Store,
    whole: &Store,
    range: &Range,
) -> Result<RunCounts, StoreError> {
    let mut counts = RunCounts::default();
    let ended = of_types(
        range,
        &[EventType::WorkflowComplete, EventType::WorkflowError],
    );
    let by_type: HashMap<String, u64> = store
        .facets(&ended, &["event_type"], 10)
        .await?
        .into_iter()
        .flat_map(|facet| facet.values)
        .collect();
    let of = |kind: EventType| by_type.get(kind.as_str()).copied().unwrap_or(0);
    counts.completed = of(EventType::WorkflowComplete);
    counts.failed = of(EventType::WorkflowError);
    for open in open_runs(store, whole, range, &[]).await? {
        counts.add(open.run.status, 1);
    }
    Ok(counts)
}

/// Every run of these filters in the range, open ones included, at most `most`.
pub(super) async fn runs_of(
    store: &Store,
    whole: &Store,
    range: &Range,
    filters: &[Filter],
    most: usize,
) -> Result<Vec<RunDetail>, StoreError> {
    let mut query = of_types(
        range,
        &[
            EventType::WorkflowStart,
            EventType::WorkflowComplete,
            EventType::WorkflowError,
        ],
    );
    query.filters.extend_from_slice(filters);
    let (events, _) = collect(store, &query, Order::Newest, most * 2).await?;
    let mut ids = Vec::new();
    let mut seen = HashSet::new();
    for event in &events {
        if let Some(run_id) = event.context(fields::RUN_ID)
            && seen.insert(run_id.to_owned())
            && ids.len() < most
        {
            ids.push(run_id.to_owned());
        }
    }
    let mut details = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        details.extend(run_details(store, whole, chunk).await?);
    }
    for open in open_runs(store, whole, range, filters).await? {
        if !seen.contains(&open.run.run_id) {
            details.push(open);
        }
    }
    Ok(details)
}
