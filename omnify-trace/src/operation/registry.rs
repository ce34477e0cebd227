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
