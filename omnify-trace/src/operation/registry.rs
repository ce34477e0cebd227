//! Every open operation of the process.

use std::sync::Arc;

use super::op::Op;
use super::shards::Shards;

pub(crate) use super::shards::Place;

static REGISTRY: Shards<Op> = Shards::new();

/// Registers an operation; `None` when there are too many.
pub(crate) fn open(op: &Arc<Op>) -> Option<Place> {
    REGISTRY.insert(op)
}

/// Takes an operation out again.
pub(crate) fn close(place: &Place) {
    REGISTRY.remove(place);
}

/// Calls `visit` with every open operation: see [`Shards::each`].
pub(crate) fn each(visit: impl FnMut(&Arc<Op>)) {
    REGISTRY.each(visit);
}

/// How many operations of this process could not be watched, because more than a million were
/// open at that moment. They run and are told like others; only the watchdog does not see them.
///
/// ```
/// assert_eq!(omnify_trace::operation::unwatched(), 0);
/// ```
#[must_use]
pub fn unwatched() -> u64 {
    REGISTRY.refused()
}
