//! The overview's figures, with those of the time before beside them.

use std::collections::{BTreeMap, HashMap};

use futures::future::try_join;
use omnify_trace::schema::EventType;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ErrorGroup, LineJson, Range, RunCounts, Store, collect, error_groups, of_type, of_types,
    series::Grid, step_for, with, workflows,
};
use crate::{
    state::IssueRow,
    store::{Group, Order, Query, StoreError},
    time::{DAY, SECOND, rfc3339},
};

/// Buckets of the series.
const BUCKETS: usize = 60;
/// Groups shown on the overview.
const TOP_ERRORS: usize = 5;

/// Types that end a request.
pub(super) const REQUEST_ENDS: [EventType; 3] = [
    EventType::RequestComplete,
    EventType::RequestError,
    EventType::RequestCancelled,
];

/// Requests in figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, ToSchema)]
pub struct RequestFigures {
    /// Requests that ended.
    pub count: u64,
    /// Of them, those that failed on our side.
    pub errors: u64,
    /// `errors / count`, 0 to 1.
    pub error_rate: f64,
    /// Over the whole range.
    pub per_second: f64,
    /// Median, milliseconds.
    pub p50_ms: Option<f64>,
    /// Milliseconds.
    pub p95_ms: Option<f64>,
    /// Milliseconds.
    pub p99_ms: Option<f64>,
}

/// Browsers in figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct FrontendFigures {
    /// Lines from browsers.
    pub events: u64,
    /// Errors in pages.
    pub errors: u64,
    /// Distinct sessions.
    pub sessions: u64,
}

/// What should not happen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct IncidentFigures {
    /// Panics.
    pub panics: u64,
    /// Reached `todo!` and its kin.
    pub incomplete_code: u64,
    /// Stalled operations.
    pub stalled: u64,
    /// Deadlocks.
    pub deadlocks: u64,
    /// Suspicious requests.
    pub suspicious: u64,
    /// Times that lines were lost.
    pub log_loss: u64,
}

/// The range of equal length just before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, ToSchema)]
pub struct PreviousFigures {
    /// Lines.
    pub total: u64,
    /// Lines of level ERROR.
    pub errors: u64,
    /// Requests.
    pub requests: u64,
    /// Failed requests.
    pub request_errors: u64,
    /// 95th percentile of requests, milliseconds.
    pub p95_ms: Option<f64>,
}

/// One bucket of the overview's series.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SeriesBucket {
    /// RFC 3339.
    pub start: String,
    /// Lines.
    pub total: u64,
    /// Lines of level ERROR.
    pub errors: u64,
    /// Requests.
    pub requests: u64,
    /// 95th percentile of requests, milliseconds.
    pub p95_ms: Option<f64>,
}

/// The overview's series.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Series {
    /// Width of a bucket, milliseconds.
    pub step_ms: i64,
    /// Every bucket, also the empty ones.
    pub buckets: Vec<SeriesBucket>,
}

/// The overview.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Stats {
    /// RFC 3339.
    pub from: String,
    /// RFC 3339.
    pub to: String,
    /// Lines.
    pub total: u64,
    /// Lines by level.
    pub by_level: BTreeMap<String, u64>,
    /// Lines by event type.
    pub by_event_type: BTreeMap<String, u64>,
    /// Requests.
    pub requests: RequestFigures,
    /// Runs by state.
    pub workflows: RunCounts,
    /// Browsers.
    pub frontend: FrontendFigures,
    /// What should not happen.
    pub incidents: IncidentFigures,
    /// The time before.
    pub previous: PreviousFigures,
    /// Over time.
    pub series: Series,
    /// The most frequent among the newest 2,000 errors.
    pub top_errors: Vec<ErrorGroup>,
}

/// The overview of a time.
///
/// # Errors
/// What the store says.
pub async fn stats(
    store: &Store,
    whole: &Store,
    range: &Range,
    issues: &HashMap<String, IssueRow>,
    now: i64,
) -> Result<Stats, StoreError> {
    let ((counts, previous), (requests, runs)) = try_join(
        try_join(
            Counts::of(store, range),
            Counts::of(store, &range.previous()),
        ),
        try_join(
            duration_of_requests(store, range),
            workflows::counts(store, whole, range),
        ),
    )
    .await?;
    let before = duration_of_requests(store, &range.previous()).await?;
    let (series, groups) = try_join(
        series(store, range),
        newest_errors(store, range, issues, now),
    )
    .await?;
    let count = counts.requests();
    let errors = counts.of_type(EventType::RequestError);
    Ok(Stats {
        from: rfc3339(range.from),
        to: rfc3339(range.to),
        total: counts.total,
        requests: RequestFigures {
            count,
            errors,
            error_rate: ratio(errors, count),
            per_second: per_second(count, range),
            p50_ms: requests.as_ref().map(|group| group.p50),
            p95_ms: requests.as_ref().map(|group| group.p95),
            p99_ms: requests.as_ref().map(|group| group.p99),
        },
        workflows: runs,
        frontend: frontend(store, range, &counts).await?,
        incidents: IncidentFigures {
            panics: counts.of_type(EventType::Panic),
            incomplete_code: counts.of_type(EventType::IncompleteCode),
            stalled: counts.of_type(EventType::OperationStalled),
            deadlocks: counts.of_type(EventType::DeadlockDetected),
            suspicious: counts.of_type(EventType::SuspiciousRequest),
            log_loss: counts.of_type(EventType::LogLoss),
        },
        previous: PreviousFigures {
            total: previous.total,
            errors: previous.errors(),
            requests: previous.requests(),
            request_errors: previous.of_type(EventType::RequestError),
            p95_ms: before.map(|group| group.p95),
        },
        series,
        top_errors: groups.into_iter().take(TOP_ERRORS).collect(),
        by_level: counts.by_level,
        by_event_type: counts.by_event_type,
    })
}

/// The groups of the newest errors: reading all of a busy day's would take longer than all the
/// other figures together, and `errors` has them.
async fn newest_errors(
    store: &Store,
    range: &Range,
    issues: &HashMap<String, IssueRow>,
    now: i64,
) -> Result<Vec<ErrorGroup>, StoreError> {
    const LOOK_AT: usize = 2_000;
    error_groups(store, range, &[], issues, now, LOOK_AT).await
}

/// Lines by level and by type.
struct Counts {
    total: u64,
    by_level: BTreeMap<String, u64>,
    by_event_type: BTreeMap<String, u64>,
}

impl Counts {
    async fn of(store: &Store, range: &Range) -> Result<Self, StoreError> {
        let mut facets = store
            .facets(&range.query(), &["level", "event_type"], 500)
            .await?
            .into_iter();
        let levels = facets.next().unwrap_or_default();
        let types = facets.next().unwrap_or_default();
        // A line without a level is counted all the same.
        let total = store
            .histogram(&range.query(), DAY, None)
            .await?
            .buckets
            .iter()
            .map(|bucket| bucket.count)
            .sum();
        Ok(Self {
            total,
            by_level: levels.values.into_iter().collect(),
            by_event_type: types.values.into_iter().collect(),
        })
    }

    fn of_type(&self, kind: EventType) -> u64 {
        self.by_event_type.get(kind.as_str()).copied().unwrap_or(0)
    }

    fn errors(&self) -> u64 {
        self.by_level.get("ERROR").copied().unwrap_or(0)
    }

    fn requests(&self) -> u64 {
        REQUEST_ENDS.iter().map(|kind| self.of_type(*kind)).sum()
    }
}

async fn duration_of_requests(store: &Store, range: &Range) -> Result<Option<Group>, StoreError> {
    let groups = store
        .numbers(
            &of_types(range, &REQUEST_ENDS),
            "extra.duration_ms",
            &[],
            None,
        )
        .await?;
    Ok(groups.into_iter().next().filter(|group| group.count > 0))
}

async fn frontend(
    store: &Store,
    range: &Range,
    counts: &Counts,
) -> Result<FrontendFigures, StoreError> {
    /// Sessions that are told apart at most.
    const MOST_SESSIONS: usize = 100_000;
    let mut query = range.query();
    query.filters.push(with("source", ["frontend"]));
    let facets = store
        .facets(&query, &["source", "context.session_id"], MOST_SESSIONS)
        .await?
        .facets;
    Ok(FrontendFigures {
        events: facets.first().map_or(0, |facet| facet.present),
        errors: counts.of_type(EventType::FrontendError),
        sessions: facets.get(1).map_or(0, |facet| {
            u64::try_from(facet.values.len()).unwrap_or(u64::MAX)
        }),
    })
}

async fn series(store: &Store, range: &Range) -> Result<Series, StoreError> {
    let grid = Grid::new(range, step_for(range, BUCKETS));
    let levels = store
        .histogram(&range.query(), grid.step, Some("level"))
        .await?;
    let total = grid.counts(&levels);
    let errors = grid.counts_of(&levels, "ERROR");
    let ends = of_types(range, &REQUEST_ENDS);
    let requests = grid.counts(&store.histogram(&ends, grid.step, None).await?);
    let percentiles = percentiles(store, &ends, &grid).await?;
    let buckets = (0..grid.len)
        .map(|slot| SeriesBucket {
            start: rfc3339(grid.start(slot)),
            total: total.get(slot).copied().unwrap_or(0),
            errors: errors.get(slot).copied().unwrap_or(0),
            requests: requests.get(slot).copied().unwrap_or(0),
            p95_ms: percentiles
                .get(slot)
                .and_then(|group| group.as_ref().map(|group| group.p95)),
        })
        .collect();
    Ok(Series {
        step_ms: grid.step / 1_000_000,
        buckets,
    })
}

/// The durations of these requests bucket by bucket, in one pass.
pub(super) async fn percentiles(
    store: &Store,
    requests: &Query,
    grid: &Grid,
) -> Result<Vec<Option<Group>>, StoreError> {
    let numbers = store
        .numbers(requests, "extra.duration_ms", &[], Some(grid.step))
        .await?;
    let mut buckets: Vec<Option<Group>> = vec![None; grid.len];
    for group in numbers {
        let slot = group.start.and_then(|start| grid.slot(start));
        if let Some(bucket) = slot.and_then(|slot| buckets.get_mut(slot)) {
            *bucket = Some(group);
        }
    }
    Ok(buckets)
}

/// `part / whole`, 0 where there is no whole.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of lines stay far below 2^53"
)]
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts and seconds stay far below 2^53"
)]
fn per_second(count: u64, range: &Range) -> f64 {
    count as f64 / (range.length().max(1) as f64 / SECOND as f64)
}

/// Slow requests and queries share this: lines of one type, the slowest first.
pub(super) async fn slowest(
    store: &Store,
    range: &Range,
    kind: EventType,
    most: usize,
) -> Result<Vec<LineJson>, StoreError> {
    /// Newest lines among which the slowest are sought.
    const LOOK_AT: usize = 1_000;
    let newest = of_type(range, kind);
    let (mut events, _) = collect(store, &newest, Order::Newest, LOOK_AT).await?;
    events.sort_by(|a, b| {
        b.duration_ms()
            .unwrap_or(0.0)
            .total_cmp(&a.duration_ms().unwrap_or(0.0))
    });
    events.truncate(most);
    Ok(events
        .into_iter()
        .map(|event| LineJson(event.line))
        .collect())
}
