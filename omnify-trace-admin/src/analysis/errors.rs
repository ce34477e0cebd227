//! Errors grouped by what is the same about them.

use std::collections::{HashMap, HashSet};

use omnify_trace::schema::fields;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Event, Range, Store, collect, fingerprint, series::Grid, step_for, with};
use crate::{
    state::{IssueRow, IssueState},
    store::{Filter, Order, StoreError},
    time::{DAY, rfc3339},
};

/// Error lines that are read at most; the newest are read first.
pub(crate) const MOST_ERRORS: usize = 20_000;
/// Bars of a trend.
const TREND: usize = 24;

/// Errors with one fingerprint.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ErrorGroup {
    /// 16 hexadecimal digits.
    pub fingerprint: String,
    /// The exception's type, or the event type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The message, with placeholders for what varies.
    pub message: String,
    /// How many lines.
    pub count: u64,
    /// RFC 3339.
    pub first_seen: String,
    /// RFC 3339.
    pub last_seen: String,
    /// Distinct users.
    pub users: usize,
    /// Distinct workflows.
    pub workflows: usize,
    /// Where it stands.
    pub state: IssueState,
    /// Link to a ticket.
    pub ticket_url: Option<String>,
    /// Lines per equal part of the range, oldest first.
    pub trend: Vec<u64>,
    /// Id of the newest line.
    pub example_id: String,
}

struct Gathering {
    group: ErrorGroup,
    first: i64,
    last: i64,
    users: HashSet<String>,
    workflows: HashSet<String>,
}

/// Groups error lines, the most frequent group first.
#[must_use]
pub fn groups_of(
    events: &[Event],
    range: &Range,
    issues: &HashMap<String, IssueRow>,
    now: i64,
) -> Vec<ErrorGroup> {
    let grid = Grid::new(range, step_for(range, TREND));
    let mut gatherings: HashMap<String, Gathering> = HashMap::new();
    for event in events {
        let print = fingerprint(event);
        let gathering = gatherings
            .entry(print.id.clone())
            .or_insert_with(|| Gathering {
                group: ErrorGroup {
                    fingerprint: print.id,
                    kind: print.kind,
                    message: print.template,
                    count: 0,
                    first_seen: String::new(),
                    last_seen: String::new(),
                    users: 0,
                    workflows: 0,
                    state: IssueState::Ongoing,
                    ticket_url: None,
                    trend: vec![0; grid.len],
                    example_id: String::new(),
                },
                first: i64::MAX,
                last: i64::MIN,
                users: HashSet::new(),
                workflows: HashSet::new(),
            });
        gathering.add(event, &grid);
    }
    let mut groups: Vec<ErrorGroup> = gatherings
        .into_values()
        .map(|gathering| gathering.finish(issues, now))
        .collect();
    groups.sort_by(|a, b| {
        b.count
            .cmp(&a.count)
            .then_with(|| b.last_seen.cmp(&a.last_seen))
    });
    groups
}

impl Gathering {
    fn add(&mut self, event: &Event, grid: &Grid) {
        self.group.count += 1;
        self.first = self.first.min(event.time());
        if event.time() > self.last {
            self.last = event.time();
            self.group.example_id.clone_from(&event.line.id);
        }
        if let Some(count) = grid
            .slot(event.time())
            .and_then(|slot| self.group.trend.get_mut(slot))
        {
            *count += 1;
        }
        if let Some(user) = event.context(fields::USER_ID) {
            self.users.insert(user.to_owned());
        }
        if let Some(workflow) = event.context(fields::WORKFLOW_ID) {
            self.workflows.insert(workflow.to_owned());
        }
    }

    fn finish(mut self, issues: &HashMap<String, IssueRow>, now: i64) -> ErrorGroup {
        let issue = issues.get(&self.group.fingerprint);
        let first = issue.map_or(self.first, |issue| issue.first_seen.min(self.first));
        self.group.state = state_of(issue, first, self.last, now);
        self.group.ticket_url = issue.and_then(|issue| issue.ticket_url.clone());
        self.group.first_seen = rfc3339(first);
        self.group.last_seen = rfc3339(self.last);
        self.group.users = self.users.len();
        self.group.workflows = self.workflows.len();
        self.group
    }
}

fn state_of(issue: Option<&IssueRow>, first: i64, last: i64, now: i64) -> IssueState {
    match issue.map(|issue| (issue.state.as_str(), issue.resolved_at)) {
        Some(("ignored", _)) => IssueState::Ignored,
        Some(("resolved", at)) if at.is_some_and(|at| last > at) => IssueState::Regressed,
        Some(("resolved", _)) => IssueState::Resolved,
        _ if first > now.saturating_sub(DAY) => IssueState::New,
        _ => IssueState::Ongoing,
    }
}

/// The error groups of a time, and the lines they were made of (newest first).
///
/// # Errors
/// What the store says.
pub async fn error_groups(
    store: &Store,
    range: &Range,
    filters: &[Filter],
    issues: &HashMap<String, IssueRow>,
    now: i64,
) -> Result<(Vec<ErrorGroup>, Vec<Event>), StoreError> {
    let mut query = range.query();
    query.filters.push(with("level", ["ERROR"]));
    query.filters.extend_from_slice(filters);
    let (events, _) = collect(store, &query, Order::Newest, MOST_ERRORS).await?;
    Ok((groups_of(&events, range, issues, now), events))
}
