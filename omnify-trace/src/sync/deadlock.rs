//! Cycles of waits, and what a stuck report says of locks.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tracing::error;

use super::meta::{self, Holder, Meta, Mode};
use super::party::Party;
use super::wait::{self, Wait};
use crate::CorrelationContext;
use crate::operation::Op;
use crate::operation::watchdog::in_span_of;
use crate::schema::EventType;

const TARGET: &str = "omnify_trace::watchdog";
/// Waits younger than this are left alone: most end by themselves.
const YOUNG: u64 = 20_000_000;
/// Longer cycles are not looked for.
const LONGEST: usize = 16;

/// One who waits, and the holder who cannot let go because the next one waits.
#[derive(Clone)]
struct Link {
    wait: Arc<Wait>,
    holder: Holder,
}

/// What the watchdog keeps of cycles from one look to the next.
#[derive(Default)]
pub(crate) struct Deadlocks {
    suspected: Vec<Vec<Link>>,
    reported: Vec<Arc<Wait>>,
}

impl Deadlocks {
    /// Reports the cycles that were there at the last look, too.
    pub(crate) fn look(&mut self, now: u64) {
        let waits = wait::all();
        self.reported
            .retain(|known| waits.iter().any(|wait| Arc::ptr_eq(wait, known)));
        let suspected = std::mem::take(&mut self.suspected);
        for cycle in suspected {
            if cycle.iter().all(|link| link.persists(&waits)) {
                self.reported
                    .extend(cycle.iter().map(|link| Arc::clone(&link.wait)));
                report(&cycle, now);
            }
        }
        let old: Vec<_> = waits
            .into_iter()
            .filter(|wait| now.saturating_sub(wait.since) >= YOUNG)
            .collect();
        self.suspected = cycles(&hopeless(old), &self.reported);
    }
}

impl Link {
    fn persists(&self, waits: &[Arc<Wait>]) -> bool {
        waits.iter().any(|wait| Arc::ptr_eq(wait, &self.wait))
            && (self.holder.key == QUEUED || self.wait.lock.is_held_by(self.holder.key))
    }
}

/// A writer in line before a reader is no holder, but the reader waits for it all the same.
const QUEUED: u64 = u64::MAX;

/// The waits that only another wait's end could end. Ordinary contention leaves none, so that the
/// search for cycles has next to nothing to search.
fn hopeless(mut waits: Vec<Arc<Wait>>) -> Vec<Arc<Wait>> {
    loop {
        let before = waits.len();
        let mut verdicts: Vec<(*const Meta, bool)> = vec![];
        let is_hopeless = |wait: &Arc<Wait>| {
            let lock = Arc::as_ptr(&wait.lock);
            let known = verdicts
                .iter()
                .find(|(known, _)| std::ptr::eq(*known, lock));
            let stopped = match known {
                Some((_, stopped)) => *stopped,
                None => {
                    let stopped = is_stopped(&wait.lock, &waits);
                    verdicts.push((lock, stopped));
                    stopped
                }
            };
            // A reader may also wait for the writers in line.
            stopped || wait.mode == Mode::Shared && !wait.lock.any_may_help()
        };
        let keep: Vec<bool> = waits.iter().map(is_hopeless).collect();
        let mut keep = keep.into_iter();
        waits.retain(|_| keep.next().unwrap_or(true));
        if waits.len() == before {
            return waits;
        }
    }
}

/// Whether nobody can let go of it while these wait.
fn is_stopped(lock: &Meta, waits: &[Arc<Wait>]) -> bool {
    let holders = lock.holders();
    let stopped = |holder: &Holder| {
        let by = |wait: &Arc<Wait>| holder.party.is_stopped_by(&wait.party, wait.blocking);
        waits.iter().any(by)
    };
    if lock.any_may_help() {
        !lock.has_strangers() && !holders.is_empty() && holders.iter().all(stopped)
    } else {
        holders.iter().any(stopped)
    }
}

fn cycles(waits: &[Arc<Wait>], known: &[Arc<Wait>]) -> Vec<Vec<Link>> {
    let mut found: Vec<Vec<Link>> = vec![];
    for wait in waits {
        let seen = |other: &Arc<Wait>| Arc::ptr_eq(wait, other);
        if known.iter().any(seen) || found.iter().flatten().any(|link| seen(&link.wait)) {
            continue;
        }
        let mut path = vec![];
        if follow(wait, wait, waits, &mut path) {
            found.push(path);
        }
    }
    found
}

/// Searches, depth first, for a way from `wait` back to `first`.
fn follow(wait: &Arc<Wait>, first: &Arc<Wait>, waits: &[Arc<Wait>], path: &mut Vec<Link>) -> bool {
    if path.len() >= LONGEST {
        return false;
    }
    for holder in blockers(wait, waits) {
        for next in waits {
            if !holder.party.is_stopped_by(&next.party, next.blocking) {
                continue;
            }
            let closes = Arc::ptr_eq(next, first);
            let visited = path.iter().any(|link| Arc::ptr_eq(&link.wait, next));
            if !closes && (visited || !apart(next, wait, path)) {
                continue;
            }
            if closes && path.is_empty() && !waits_for_itself(wait, &holder) {
                continue;
            }
            path.push(Link {
                wait: Arc::clone(wait),
                holder: holder.clone(),
            });
            if closes || follow(next, first, waits, path) {
                return true;
            }
            path.pop();
        }
    }
    false
}

/// Branches of one task may look like a cycle and still go on, one after the other.
fn apart(next: &Wait, wait: &Wait, path: &[Link]) -> bool {
    next.party.is_apart_from(&wait.party)
        && path
            .iter()
            .all(|link| next.party.is_apart_from(&link.wait.party))
}

/// A thread that locks what it has locked stops for ever. A task may only seem to: another
/// branch of it may hold the lock and go on.
fn waits_for_itself(wait: &Wait, holder: &Holder) -> bool {
    wait.blocking && wait.party.same_thread(&holder.party)
}

fn blockers(wait: &Wait, waits: &[Arc<Wait>]) -> Vec<Holder> {
    let mut blockers = wait.lock.holders();
    if wait.mode == Mode::Shared && !wait.lock.any_may_help() {
        let ahead = waits.iter().filter(|other| {
            other.mode == Mode::Exclusive
                && other.order < wait.order
                && Arc::ptr_eq(&other.lock, &wait.lock)
        });
        blockers.extend(ahead.map(|other| Holder {
            key: QUEUED,
            party: other.party.clone(),
            site: other.site,
            since: other.since,
        }));
    }
    blockers
}

fn report(cycle: &[Link], now: u64) {
    let Some(first) = cycle.first() else { return };
    let parties: Vec<_> = cycle
        .iter()
        .enumerate()
        .map(|(at, link)| {
            // What it holds is what the one before it in the circle waits for.
            let before = &cycle[(at + cycle.len() - 1) % cycle.len()];
            party(link, before, now)
        })
        .collect();
    let story: Vec<_> = cycle
        .iter()
        .map(|link| format!("{} waits for {}", who(&link.wait), link.wait.lock.label()))
        .collect();
    let (parties, story) = (Value::from(parties).to_string(), story.join(", "));
    in_span_of(&first.wait.span, || {
        error!(
            target: TARGET,
            event_type = EventType::DeadlockDetected.as_str(),
            "json:parties" = parties.as_str(),
            "Deadlock: {story}",
        );
    });
}

fn who(wait: &Wait) -> String {
    match (&wait.party.op, &wait.thread) {
        (Some(op), _) => format!("{} {}", op.kind().as_str(), op.name()),
        (None, Some(thread)) => format!("thread {thread}"),
        (None, None) => "a thread".to_owned(),
    }
}

fn party(link: &Link, before: &Link, now: u64) -> Value {
    let wait = &link.wait;
    let mut party = Map::new();
    party.insert("waits_for".into(), wait.lock.label().into());
    party.insert("waits_at".into(), wait.site.to_string().into());
    party.insert(
        "waits_ms".into(),
        json!(now.saturating_sub(wait.since) as f64 / 1e6),
    );
    party.insert("holds".into(), before.wait.lock.label().into());
    party.insert("held_at".into(), before.holder.site.to_string().into());
    party.insert(
        "held_ms".into(),
        json!(now.saturating_sub(before.holder.since) as f64 / 1e6),
    );
    identify(&mut party, &wait.party, wait.thread.as_deref());
    party.insert("context".into(), context_of(wait));
    Value::Object(party)
}

fn identify(fields: &mut Map<String, Value>, party: &Party, thread: Option<&str>) {
    if let Some(op) = &party.op {
        fields.insert("operation_kind".into(), op.kind().as_str().into());
        fields.insert("operation".into(), op.name().into());
    }
    if let Some(task) = party.task() {
        fields.insert("task".into(), task.into());
    }
    if let Some(thread) = thread {
        fields.insert("thread".into(), thread.into());
    }
}

/// The correlation context of the one who waits.
fn context_of(wait: &Wait) -> Value {
    let found = std::cell::RefCell::new(None);
    in_span_of(&wait.span, || {
        *found.borrow_mut() = CorrelationContext::current();
    });
    let mut fields = Map::new();
    if let Some(context) = found.into_inner() {
        context.for_each(|name, value| {
            fields.insert(name.to_owned(), value.into());
        });
    }
    Value::Object(fields)
}

/// What the locks have to do with an operation: what it waits for, and what it holds meanwhile.
pub(crate) fn around(op: &Op, now: u64) -> Option<String> {
    let inside = |party: &Party| party.op.as_ref().is_some_and(|other| other.is_within(op));
    let ms = |since: u64| json!(now.saturating_sub(since) as f64 / 1e6);
    let mut locks = vec![];
    for wait in wait::all().iter().filter(|wait| inside(&wait.party)) {
        let holders: Vec<_> = wait
            .lock
            .holders()
            .iter()
            .map(|holder| {
                let mut fields = Map::new();
                fields.insert("held_at".into(), holder.site.to_string().into());
                fields.insert("held_ms".into(), ms(holder.since));
                identify(&mut fields, &holder.party, None);
                Value::Object(fields)
            })
            .collect();
        locks.push(json!({
            "lock": wait.lock.label(),
            "waits_at": wait.site.to_string(),
            "waits_ms": ms(wait.since),
            "holders": holders,
        }));
    }
    for (lock, holders) in meta::all_held() {
        for holder in holders.iter().filter(|holder| inside(&holder.party)) {
            locks.push(json!({
                "lock": lock.label(),
                "held_at": holder.site.to_string(),
                "held_ms": ms(holder.since),
            }));
        }
    }
    (!locks.is_empty()).then(|| Value::from(locks).to_string())
}
