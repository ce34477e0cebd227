//! What the watchdog says, in the span and through the subscriber of whom it concerns.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tracing::{Span, dispatcher, info, warn};

use crate::operation::kind::{Kind, WaitKind};
use crate::operation::op::Op;
use crate::operation::registry;
use crate::operation::{clock, in_flight};
use crate::schema::{EventType, fields};
use crate::sync::deadlock;

const TARGET: &str = "omnify_trace::watchdog";
/// A stuck report carries this many of the last events.
const LAST_EVENTS: usize = 5;

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Speaks as if it were the operation: its context, its subscriber.
pub(crate) fn in_span_of(span: &Span, tell: impl Fn()) {
    let told = span.with_subscriber(|(_, dispatch)| {
        dispatcher::with_default(dispatch, || span.in_scope(&tell));
    });
    if told.is_none() {
        tell();
    }
}

pub(super) fn stalled(op: &Arc<Op>, now: u64) {
    let age = op.watch.age(now);
    let budget_ms = ms(Duration::from_nanos(op.watch.budget));
    let wait = waits_for(op, now);
    let last_events = last_events(op);
    let (kind, name) = (op.kind().as_str(), op.name());
    in_span_of(&op.span, || {
        warn!(
            target: TARGET,
            event_type = EventType::OperationStalled.as_str(),
            operation_kind = kind,
            operation = name,
            age_ms = ms(age),
            budget_ms,
            wait_kind = wait.kind.as_str(),
            waits_in = wait.inside.as_deref(),
            "json:locks" = wait.locks.as_deref(),
            "json:last_events" = last_events.as_str(),
            "{kind} {name} has been running for {age:.1?}, its budget is {:.1?}{}",
            Duration::from_nanos(op.watch.budget),
            wait.phrase(),
        );
    });
}

pub(crate) fn recovered(op: &Arc<Op>) {
    let age = op.watch.age(clock::now());
    let (kind, name) = (op.kind().as_str(), op.name());
    in_span_of(&op.span, || {
        info!(
            target: TARGET,
            event_type = EventType::OperationRecovered.as_str(),
            operation_kind = kind,
            operation = name,
            age_ms = ms(age),
            budget_ms = ms(Duration::from_nanos(op.watch.budget)),
            "{kind} {name} ended after all, after {age:.1?}",
        );
    });
}

/// A runtime that does not run its tasks; told in the context of the first operation to blame.
pub(super) fn blocked(ops: &[Arc<Op>], age: u64, now: u64) {
    let age = Duration::from_nanos(age);
    let list = Value::from(ops.iter().map(|op| describe(op, now)).collect::<Vec<_>>()).to_string();
    let names: Vec<_> = ops
        .iter()
        .map(|op| format!("{} {}", op.kind().as_str(), op.name()))
        .collect();
    let culprits = match names.as_slice() {
        [] => "no operation is at work in it".to_owned(),
        names => format!("{} does not give its thread back", names.join(", ")),
    };
    let span = ops.first().map_or_else(Span::none, |op| op.span.clone());
    in_span_of(&span, || {
        warn!(
            target: TARGET,
            event_type = EventType::RuntimeStalled.as_str(),
            age_ms = ms(age),
            "json:operations" = list.as_str(),
            "An async runtime has been blocked for {age:.1?}: {culprits}",
        );
    });
}

/// What a report says of an operation beside the one that it is about.
pub(super) fn describe(op: &Op, now: u64) -> Value {
    let mut described = Vec::new();
    in_flight::describe(&mut described, op);
    let mut described: Value = serde_json::from_slice(&described).unwrap_or_default();
    if let Value::Object(members) = &mut described {
        members.insert(fields::AGE_MS.to_owned(), json!(ms(op.watch.age(now))));
    }
    described
}

struct Wait {
    kind: WaitKind,
    /// The innermost open operation inside, where it is another one.
    inside: Option<String>,
    locks: Option<String>,
}

impl Wait {
    fn phrase(&self) -> String {
        let mut phrase = match self.kind {
            WaitKind::Unknown => String::new(),
            kind => format!("; it waits for {}", kind.as_str()),
        };
        if let Some(inside) = &self.inside {
            phrase.push_str(" in ");
            phrase.push_str(inside);
        }
        phrase
    }
}

/// What an operation waits for: what it said itself, else what the innermost ones inside do.
fn waits_for(op: &Arc<Op>, now: u64) -> Wait {
    let mut inner: Vec<Arc<Op>> = vec![];
    registry::each(|other| {
        if !Arc::ptr_eq(other, op) && other.is_within(op) {
            inner.push(Arc::clone(other));
        }
    });
    let leaf = inner.iter().max_by_key(|op| op.ancestors().count());
    let told = |op: &Arc<Op>| Some(op.watch.wait_kind()).filter(|kind| *kind != WaitKind::Unknown);
    let kind = told(op)
        .or_else(|| inner.iter().find_map(told))
        .or_else(|| {
            let leaf = leaf.unwrap_or(op);
            matches!(leaf.kind(), Kind::ExternalApi | Kind::DbQuery).then_some(WaitKind::Io)
        })
        .unwrap_or_default();
    let inside = leaf.map(|leaf| format!("{} {}", leaf.kind().as_str(), leaf.name()));
    Wait {
        kind,
        inside,
        locks: deadlock::around(op, now),
    }
}

/// The last events of the operation and those around it, oldest first, as a JSON list.
fn last_events(op: &Op) -> String {
    let mut events: Vec<_> = op
        .ancestors()
        .flat_map(|op| op.watch.remembered())
        .collect();
    events.sort();
    let from = events.len().saturating_sub(LAST_EVENTS);
    let list: Vec<_> = events
        .drain(from..)
        .map(|(timestamp, message)| json!({"timestamp": timestamp, "message": message}))
        .collect();
    Value::from(list).to_string()
}
