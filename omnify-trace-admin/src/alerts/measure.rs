//! Measuring a rule's value.

use std::collections::{HashMap, HashSet};

use omnify_trace::schema::EventType;

use super::{AlertRule, Measure};
use crate::{
    analysis::{MOST_ERRORS, Range, Store, error_groups, of_types},
    store::{StoreError, grammar},
    time::DAY,
};

/// Fewer requests say nothing about a rate or a percentile.
const FEWEST_REQUESTS: u64 = 20;

/// The rule's value in the window before `now`; `None` if there is too little to measure.
///
/// # Errors
/// What the store says.
pub async fn measure(store: &Store, rule: &AlertRule, now: i64) -> Result<Option<f64>, StoreError> {
    let range = Range {
        from: now.saturating_sub(rule.window_ns()),
        to: now,
    };
    match rule.kind {
        Measure::Count | Measure::Absence => count(store, rule, &range).await.map(Some),
        Measure::ErrorRate => error_rate(store, &range).await,
        Measure::P95 => p95(store, &range).await,
        Measure::NewErrors => new_errors(store, rule, &range).await.map(Some),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of lines stay far below 2^53"
)]
async fn count(store: &Store, rule: &AlertRule, range: &Range) -> Result<f64, StoreError> {
    let mut query = range.query();
    query.filters = grammar::parse(&rule.search).filters;
    let histogram = store.histogram(&query, range.length().max(1), None).await?;
    Ok(histogram
        .buckets
        .iter()
        .map(|bucket| bucket.count)
        .sum::<u64>() as f64)
}

const REQUESTS: [EventType; 2] = [EventType::RequestComplete, EventType::RequestError];

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of lines stay far below 2^53"
)]
async fn error_rate(store: &Store, range: &Range) -> Result<Option<f64>, StoreError> {
    let facets = store
        .facets(&of_types(range, &REQUESTS), &["event_type"], 10)
        .await?;
    let counts: HashMap<String, u64> = facets.into_iter().flat_map(|facet| facet.values).collect();
    let all: u64 = counts.values().sum();
    let failed = counts
        .get(EventType::RequestError.as_str())
        .copied()
        .unwrap_or(0);
    Ok((all >= FEWEST_REQUESTS).then(|| failed as f64 / all as f64))
}

async fn p95(store: &Store, range: &Range) -> Result<Option<f64>, StoreError> {
    let groups = store
        .numbers(&of_types(range, &REQUESTS), "extra.duration_ms", &[], None)
        .await?;
    Ok(groups
        .groups
        .first()
        .filter(|group| group.count >= FEWEST_REQUESTS)
        .map(|group| group.p95))
}

#[expect(clippy::cast_precision_loss, reason = "error groups are few")]
async fn new_errors(store: &Store, rule: &AlertRule, range: &Range) -> Result<f64, StoreError> {
    let filters = grammar::parse(&rule.search).filters;
    let none = HashMap::new();
    let recent = error_groups(store, range, &filters, &none, range.to, MOST_ERRORS).await?;
    if recent.is_empty() {
        return Ok(0.0);
    }
    let before = Range {
        from: range.from.saturating_sub(DAY),
        to: range.from,
    };
    let earlier = error_groups(store, &before, &filters, &none, range.to, MOST_ERRORS).await?;
    let earlier: HashSet<String> = earlier.into_iter().map(|group| group.fingerprint).collect();
    Ok(recent
        .iter()
        .filter(|group| !earlier.contains(&group.fingerprint))
        .count() as f64)
}

/// Lines of the window that a rule is about, to be looked at by people.
#[must_use]
pub(super) fn link(rule: &AlertRule) -> String {
    let search = match rule.kind {
        Measure::ErrorRate => of_type_search(EventType::RequestError),
        Measure::P95 => of_type_search(EventType::SlowRequest),
        Measure::NewErrors => "level:ERROR".to_owned(),
        Measure::Count | Measure::Absence => rule.search.clone(),
    };
    format!("{search} (last {})", rule.window)
}

fn of_type_search(kind: EventType) -> String {
    format!("event_type:{kind}")
}
