//! Where the time goes: routes, queries, other services, agents, pages.

use omnify_trace::schema::{EventType, fields};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    LineJson, LineSchema, Range, Store, of_type, of_types,
    series::Grid,
    stats::{REQUEST_ENDS, percentiles, slowest},
    step_for, with,
};
use crate::{
    store::{Comparison, Filter, Group, Query, StoreError},
    time::rfc3339,
};

/// Slow lines shown.
const SLOWEST: usize = 20;
/// Rows of a table shown, the busiest first.
const MOST_ROWS: usize = 200;
/// Buckets of the series.
const BUCKETS: usize = 60;

/// One route.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RouteFigures {
    /// HTTP method.
    pub method: String,
    /// Route template.
    pub route: String,
    /// Requests.
    pub count: u64,
    /// Failed on our side.
    pub errors: u64,
    /// Milliseconds.
    pub p50_ms: f64,
    /// Milliseconds.
    pub p95_ms: f64,
    /// Milliseconds.
    pub p99_ms: f64,
    /// Milliseconds.
    pub max_ms: f64,
}

/// One other service.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ApiFigures {
    /// Its name.
    pub api: String,
    /// Its host.
    pub host: String,
    /// Calls.
    pub count: u64,
    /// Failed calls.
    pub errors: u64,
    /// Milliseconds.
    pub p50_ms: f64,
    /// Milliseconds.
    pub p95_ms: f64,
    /// Milliseconds.
    pub p99_ms: f64,
}

/// One agent or model.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AgentFigures {
    /// Its name.
    pub agent: String,
    /// Its vendor.
    pub provider: String,
    /// The model.
    pub model: String,
    /// Calls.
    pub count: u64,
    /// Failed calls.
    pub errors: u64,
    /// Milliseconds.
    pub p95_ms: f64,
    /// Tokens of all prompts.
    pub input_tokens: u64,
    /// Tokens of all answers.
    pub output_tokens: u64,
    /// US dollars.
    pub cost_usd: f64,
}

/// One web vital.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct VitalFigures {
    /// `LCP`, `INP`, `CLS`, …
    pub metric: String,
    /// Measurements.
    pub count: u64,
    /// 75th percentile, in the metric's unit.
    pub p75: f64,
    /// 95th percentile.
    pub p95: f64,
    /// `good`, `needs-improvement` or `poor`, of the 75th percentile, as web.dev rates.
    pub rating: String,
}

/// One bucket of the series.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PerformanceBucket {
    /// RFC 3339.
    pub start: String,
    /// Requests.
    pub requests: u64,
    /// Milliseconds.
    pub p50_ms: Option<f64>,
    /// Milliseconds.
    pub p95_ms: Option<f64>,
    /// Milliseconds.
    pub p99_ms: Option<f64>,
}

/// Requests over time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct PerformanceSeries {
    /// Width of a bucket, milliseconds.
    pub step_ms: i64,
    /// Every bucket, also the empty ones.
    pub buckets: Vec<PerformanceBucket>,
}

/// Where the time goes.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Performance {
    /// The busiest first.
    pub routes: Vec<RouteFigures>,
    /// The slowest first.
    #[schema(value_type = Vec<LineSchema>)]
    pub slow_requests: Vec<LineJson>,
    /// The slowest first.
    #[schema(value_type = Vec<LineSchema>)]
    pub slow_queries: Vec<LineJson>,
    /// The busiest first.
    pub external_apis: Vec<ApiFigures>,
    /// The busiest first.
    pub agents: Vec<AgentFigures>,
    /// By name.
    pub web_vitals: Vec<VitalFigures>,
    /// Over time.
    pub series: PerformanceSeries,
}

/// The route that a series is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteOf<'a> {
    /// HTTP method; every one without.
    pub method: Option<&'a str>,
    /// Route template.
    pub route: &'a str,
}

/// The performance of a time; its series is of every request, or of one route's.
///
/// # Errors
/// What the store says.
pub async fn performance(
    store: &Store,
    range: &Range,
    of: Option<RouteOf<'_>>,
) -> Result<Performance, StoreError> {
    Ok(Performance {
        routes: routes(store, range).await?,
        slow_requests: slowest(store, range, EventType::SlowRequest, SLOWEST).await?,
        slow_queries: slowest(store, range, EventType::SlowQuery, SLOWEST).await?,
        external_apis: external_apis(store, range).await?,
        agents: agents(store, range).await?,
        web_vitals: web_vitals(store, range).await?,
        series: series(store, range, of).await?,
    })
}

/// The count of the group with this key.
fn count_of(groups: &[Group], key: &[String]) -> u64 {
    groups
        .iter()
        .find(|group| group.key == key)
        .map_or(0, |group| group.count)
}

fn busiest(mut groups: Vec<Group>) -> Vec<Group> {
    groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.key.cmp(&b.key)));
    groups.truncate(MOST_ROWS);
    groups
}

fn part(group: &Group, place: usize) -> String {
    group.key.get(place).cloned().unwrap_or_default()
}

async fn routes(store: &Store, range: &Range) -> Result<Vec<RouteFigures>, StoreError> {
    let by = ["extra.method", "extra.route"];
    let all = store
        .numbers(
            &of_types(range, &REQUEST_ENDS),
            "extra.duration_ms",
            &by,
            None,
        )
        .await?
        .groups;
    let failed = store
        .numbers(
            &of_type(range, EventType::RequestError),
            "extra.duration_ms",
            &by,
            None,
        )
        .await?
        .groups;
    let figures = |group: Group| RouteFigures {
        method: part(&group, 0),
        route: part(&group, 1),
        count: group.count,
        errors: count_of(&failed, &group.key),
        p50_ms: group.p50,
        p95_ms: group.p95,
        p99_ms: group.p99,
        max_ms: group.max,
    };
    Ok(busiest(all).into_iter().map(figures).collect())
}

async fn external_apis(store: &Store, range: &Range) -> Result<Vec<ApiFigures>, StoreError> {
    let by = ["extra.api", "extra.host"];
    let query = of_type(range, EventType::ExternalApiCall);
    let mut failed = query.clone();
    failed.filters.push(Filter::Any(vec![
        Filter::Exists("extra.error".to_owned()),
        Filter::Compare {
            field: "extra.status_code".to_owned(),
            op: Comparison::GreaterOrEqual,
            value: 400.0,
        },
    ]));
    let all = store
        .numbers(&query, "extra.duration_ms", &by, None)
        .await?
        .groups;
    let failed = store
        .numbers(&failed, "extra.duration_ms", &by, None)
        .await?
        .groups;
    let figures = |group: Group| ApiFigures {
        api: part(&group, 0),
        host: part(&group, 1),
        count: group.count,
        errors: count_of(&failed, &group.key),
        p50_ms: group.p50,
        p95_ms: group.p95,
        p99_ms: group.p99,
    };
    Ok(busiest(all).into_iter().map(figures).collect())
}

async fn agents(store: &Store, range: &Range) -> Result<Vec<AgentFigures>, StoreError> {
    let name = |name: &str| format!("extra.{name}");
    let (agent, provider, model) = (
        name(fields::gen_ai::AGENT_NAME),
        name(fields::gen_ai::PROVIDER_NAME),
        name(fields::gen_ai::REQUEST_MODEL),
    );
    let by = [agent.as_str(), provider.as_str(), model.as_str()];
    let ended = of_types(range, &[EventType::AgentComplete, EventType::AgentError]);
    let all = store
        .numbers(&ended, "extra.duration_ms", &by, None)
        .await?
        .groups;
    let failed = store
        .numbers(
            &of_type(range, EventType::AgentError),
            "extra.duration_ms",
            &by,
            None,
        )
        .await?
        .groups;
    let input = store
        .numbers(&ended, &name(fields::gen_ai::INPUT_TOKENS), &by, None)
        .await?
        .groups;
    let output = store
        .numbers(&ended, &name(fields::gen_ai::OUTPUT_TOKENS), &by, None)
        .await?
        .groups;
    let cost = store
        .numbers(&ended, &name(fields::COST_USD), &by, None)
        .await?
        .groups;
    let sum_of = |groups: &[Group], key: &[String]| {
        groups
            .iter()
            .find(|group| group.key == key)
            .map_or(0.0, |group| group.sum)
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "token counts are whole"
    )]
    let whole = |sum: f64| sum.max(0.0) as u64;
    let figures = |group: Group| AgentFigures {
        agent: part(&group, 0),
        provider: part(&group, 1),
        model: part(&group, 2),
        count: group.count,
        errors: count_of(&failed, &group.key),
        p95_ms: group.p95,
        input_tokens: whole(sum_of(&input, &group.key)),
        output_tokens: whole(sum_of(&output, &group.key)),
        cost_usd: sum_of(&cost, &group.key),
    };
    Ok(busiest(all).into_iter().map(figures).collect())
}

async fn web_vitals(store: &Store, range: &Range) -> Result<Vec<VitalFigures>, StoreError> {
    let query = of_type(range, EventType::PagePerformance);
    let mut groups = store
        .numbers(&query, "extra.value", &["extra.metric"], None)
        .await?
        .groups;
    groups.sort_by(|a, b| a.key.cmp(&b.key));
    let figures = |group: Group| VitalFigures {
        metric: part(&group, 0),
        count: group.count,
        p75: group.p75,
        p95: group.p95,
        rating: rating(&part(&group, 0), group.p75).to_owned(),
    };
    Ok(groups.into_iter().map(figures).collect())
}

/// Thresholds of <https://web.dev/articles/vitals>; milliseconds, but for CLS, which has no unit.
fn rating(metric: &str, p75: f64) -> &'static str {
    let (good, poor) = match metric.to_ascii_uppercase().as_str() {
        "LCP" => (2_500.0, 4_000.0),
        "INP" => (200.0, 500.0),
        "CLS" => (0.1, 0.25),
        "FCP" => (1_800.0, 3_000.0),
        "TTFB" => (800.0, 1_800.0),
        "FID" => (100.0, 300.0),
        _ => return "unrated",
    };
    if p75 <= good {
        "good"
    } else if p75 <= poor {
        "needs-improvement"
    } else {
        "poor"
    }
}

async fn series(
    store: &Store,
    range: &Range,
    of: Option<RouteOf<'_>>,
) -> Result<PerformanceSeries, StoreError> {
    let grid = Grid::new(range, step_for(range, BUCKETS));
    let mut query: Query = of_types(range, &REQUEST_ENDS);
    if let Some(RouteOf { method, route }) = of {
        query.filters.push(with("extra.route", [route]));
        query
            .filters
            .extend(method.map(|method| with("extra.method", [method])));
    }
    let requests = grid.counts(&store.histogram(&query, grid.step, None).await?);
    let groups = percentiles(store, &query, &grid).await?;
    let buckets = groups
        .iter()
        .zip(&requests)
        .enumerate()
        .map(|(slot, (group, requests))| PerformanceBucket {
            start: rfc3339(grid.start(slot)),
            requests: *requests,
            p50_ms: group.as_ref().map(|group| group.p50),
            p95_ms: group.as_ref().map(|group| group.p95),
            p99_ms: group.as_ref().map(|group| group.p99),
        })
        .collect();
    Ok(PerformanceSeries {
        step_ms: grid.step / 1_000_000,
        buckets,
    })
}
