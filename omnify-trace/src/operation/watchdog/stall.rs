//! Operations past their budget, and polls that do not return.

use std::sync::Arc;

use super::report;
use crate::operation::clock::nanos;
use crate::operation::op::Op;
use crate::operation::starved::Crowd;
use crate::operation::{registry, settings};

/// What one look over the registry found.
pub(super) struct Found {
    pub(super) overdue: Vec<Arc<Op>>,
    /// Operations whose code has been running for a period without giving its thread back.
    pub(super) long_polls: Vec<(Arc<Op>, u64)>,
}

pub(super) fn scan(now: u64, crowd: &mut Crowd) -> Found {
    let mut overdue = vec![];
    let mut polls = vec![];
    registry::each(|op| {
        if op.watch.overdue(now) {
            overdue.push(Arc::clone(op));
        }
        if let Some(running) = op.watch.polling_for(now) {
            polls.push((Arc::clone(op), running));
        }
    });
    // The system is asked about their threads, which takes its time: not while the registry waits.
    let period = nanos(settings::period());
    polls.retain(|(op, running)| running.saturating_sub(op.watch.starved(now, crowd)) >= period);
    Found {
        overdue,
        long_polls: polls,
    }
}

/// Tells of each operation that is past its budget. One that only waits for another which is
/// stuck itself keeps quiet, unless its own budget was given.
pub(super) fn report(overdue: &[Arc<Op>], now: u64) {
    for op in overdue {
        let inner = overdue
            .iter()
            .any(|other| !Arc::ptr_eq(other, op) && other.is_within(op));
        if inner && !op.watch.given {
            continue;
        }
        op.watch.reported(now);
        report::stalled(op, now);
    }
}

/// Polls that were reported, so that each is reported once.
#[derive(Default)]
pub(super) struct Blocked {
    reported: Vec<Arc<Op>>,
    silence_reported: bool,
}

impl Blocked {
    /// Tells of a runtime whose threads do not come back from an operation's code.
    pub(super) fn report(&mut self, polls: &[(Arc<Op>, u64)], silent: Option<u64>, now: u64) {
        self.reported
            .retain(|op| polls.iter().any(|(poll, _)| Arc::ptr_eq(poll, op)));
        let innermost: Vec<_> = polls
            .iter()
            .filter(|(op, _)| {
                !polls
                    .iter()
                    .any(|(other, _)| !Arc::ptr_eq(other, op) && other.is_within(op))
            })
            .collect();
        let fresh: Vec<_> = innermost
            .iter()
            .filter(|(op, _)| !self.reported.iter().any(|known| Arc::ptr_eq(known, op)))
            .collect();
        let newly_silent = silent.is_some() && !self.silence_reported && self.reported.is_empty();
        if let Some((_, longest)) = fresh.iter().max_by_key(|(_, running)| *running) {
            let ops: Vec<_> = fresh.iter().map(|(op, _)| Arc::clone(op)).collect();
            report::blocked(&ops, silent.unwrap_or(0).max(*longest), now);
        } else if let Some(age) = silent.filter(|_| newly_silent && innermost.is_empty()) {
            report::blocked(&[], age, now);
        }
        self.silence_reported = silent.is_some();
        self.reported
            .extend(fresh.iter().map(|(op, _)| Arc::clone(op)));
    }
}
