//! Errors grouped by what is the same about them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use omnify_trace::schema::fields;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Fingerprint, Range, Store,
    fingerprint::{NO_KIND, fingerprint_of},
    series::Grid,
    step_for, with,
};
use crate::{
    state::{IssueRow, IssueState},
    store::{Filter, Line, Query, StoreError, TextRow},
    time::{DAY, rfc3339},
};

/// Error lines that are read at most; the newest are read first.
pub const MOST_ERRORS: usize = 20_000;
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

/// What errors are grouped by, and what a group counts.
const FIELDS: [&str; 9] = [
    "exception.type",
    fields::EVENT_TYPE,
    "exception.message",
    "extra.error",
    fields::MESSAGE,
    "extra.location",
    fields::TARGET,
    "context.user_id",
    "context.workflow_id",
];

struct Gathering {
    group: ErrorGroup,
    first: i64,
    last: i64,
    users: HashSet<Arc<str>>,
    workflows: HashSet<Arc<str>>,
}

/// What a fingerprint is made of, as far as the line has it.
type Identity = [Option<Arc<str>>; 7];

/// The groups of error lines, and which line is of which.
struct Gathered {
    gatherings: Vec<Gathering>,
    /// By row: its gathering.
    places: Vec<usize>,
}

/// Groups error lines.
fn gather(rows: &[TextRow], range: &Range) -> Gathered {
    let grid = Grid::new(range, step_for(range, TREND));
    let mut by_print: HashMap<String, usize> = HashMap::new();
    // Fingerprints are dear, and errors repeat themselves.
    let mut known: HashMap<Identity, usize> = HashMap::new();
    let mut gathered = Gathered {
        gatherings: Vec::new(),
        places: Vec::with_capacity(rows.len()),
    };
    for row in rows {
        let value = |at: usize| row.values.get(at).cloned().flatten();
        let identity: Identity = std::array::from_fn(value);
        let place = match known.get(&identity) {
            Some(&place) => place,
            None => {
                let print = print_of(&identity);
                let next = gathered.gatherings.len();
                let place = *by_print.entry(print.id.clone()).or_insert(next);
                if place == next {
                    gathered.gatherings.push(Gathering::new(print, grid.len));
                }
                known.insert(identity, place);
                place
            }
        };
        let filled = |at: usize| value(at).filter(|text| !text.is_empty());
        gathered.gatherings[place].add(row, filled(7), filled(8), &grid);
        gathered.places.push(place);
    }
    gathered
}

fn print_of(identity: &Identity) -> Fingerprint {
    let [
        kind,
        event_type,
        exception,
        error,
        message,
        location,
        target,
    ] = identity.each_ref().map(Option::as_deref);
    fingerprint_of(
        kind.or(event_type).unwrap_or(NO_KIND),
        exception.or(error).or(message).unwrap_or_default(),
        location.or(target).unwrap_or_default(),
    )
}

impl Gathering {
    fn new(print: Fingerprint, buckets: usize) -> Self {
        Self {
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
                trend: vec![0; buckets],
                example_id: String::new(),
            },
            first: i64::MAX,
            last: i64::MIN,
            users: HashSet::new(),
            workflows: HashSet::new(),
        }
    }

    fn add(
        &mut self,
        row: &TextRow,
        user: Option<Arc<str>>,
        workflow: Option<Arc<str>>,
        grid: &Grid,
    ) {
        self.group.count += 1;
        self.first = self.first.min(row.timestamp);
        if row.timestamp > self.last {
            self.last = row.timestamp;
            self.group.example_id.clone_from(&row.id);
        }
        if let Some(count) = grid
            .slot(row.timestamp)
            .and_then(|slot| self.group.trend.get_mut(slot))
        {
            *count += 1;
        }
        self.users.extend(user);
        self.workflows.extend(workflow);
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

/// The error groups of a time, the most frequent first, of at most `most` lines.
///
/// # Errors
/// What the store says.
pub async fn error_groups(
    store: &Store,
    range: &Range,
    filters: &[Filter],
    issues: &HashMap<String, IssueRow>,
    now: i64,
    most: usize,
) -> Result<Vec<ErrorGroup>, StoreError> {
    let texts = store
        .texts(&errors_in(range, filters), &FIELDS, most)
        .await?;
    let mut groups: Vec<ErrorGroup> = gather(&texts.rows, range)
        .gatherings
        .into_iter()
        .map(|gathering| gathering.finish(issues, now))
        .collect();
    groups.sort_by(|a, b| {
        b.count
            .cmp(&a.count)
            .then_with(|| b.last_seen.cmp(&a.last_seen))
    });
    Ok(groups)
}

/// One error group of a time, with its newest lines, at most `examples`.
///
/// # Errors
/// What the store says.
pub async fn error_group(
    store: &Store,
    range: &Range,
    issues: &HashMap<String, IssueRow>,
    now: i64,
    fingerprint: &str,
    examples: usize,
) -> Result<Option<(ErrorGroup, Vec<Line>)>, StoreError> {
    let texts = store
        .texts(&errors_in(range, &[]), &FIELDS, MOST_ERRORS)
        .await?;
    let mut gathered = gather(&texts.rows, range);
    let is_it = |gathering: &Gathering| gathering.group.fingerprint == fingerprint;
    let Some(wanted) = gathered.gatherings.iter().position(is_it) else {
        return Ok(None);
    };
    let group = gathered.gatherings.swap_remove(wanted).finish(issues, now);
    let rows = texts.rows.iter().zip(&gathered.places);
    let own = rows.filter(|(_, place)| **place == wanted).take(examples);
    let mut lines = Vec::new();
    for (row, _) in own {
        lines.extend(store.get(&row.id).await?);
    }
    Ok(Some((group, lines)))
}

fn errors_in(range: &Range, filters: &[Filter]) -> Query {
    let mut query = range.query();
    query.filters.push(with(fields::LEVEL, ["ERROR"]));
    query.filters.extend_from_slice(filters);
    query
}
