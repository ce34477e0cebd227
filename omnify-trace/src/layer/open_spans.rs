//! A layer's open spans, by their ids.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use tracing_core::span;

use super::{pool, span::SpanState};

const SLOTS: usize = 512;

/// The state of each open span, for every thread.
///
/// The registry could keep it beside the span, but there each costs an allocation, a look-up in a
/// slab and a map of types.
pub(super) struct OpenSpans(Box<[Mutex<Slot>]>);

/// Most hold one span at a time.
#[derive(Default)]
struct Slot {
    first: Option<(u64, Arc<SpanState>)>,
    more: BTreeMap<u64, Arc<SpanState>>,
}

impl OpenSpans {
    pub(super) fn new() -> Self {
        Self((0..SLOTS).map(|_| Mutex::default()).collect())
    }

    fn slot(&self, id: u64) -> &Mutex<Slot> {
        // The registry counts up the topmost bits whenever it uses an id again: without them a
        // thread comes back to the same few slots. The multiplication spreads the others.
        let spread = (id << 13).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        &self.0[(spread >> 32) as usize % SLOTS]
    }

    pub(super) fn insert(&self, id: &span::Id, state: Arc<SpanState>) {
        let id = id.into_u64();
        let mut slot = self.slot(id).lock();
        if slot.first.is_none() && slot.more.is_empty() {
            slot.first = Some((id, state));
        } else {
            slot.insert_among_others(id, state);
        }
    }

    pub(super) fn find(&self, id: &span::Id) -> Option<Arc<SpanState>> {
        let id = id.into_u64();
        let slot = self.slot(id).lock();
        match &slot.first {
            Some((first, state)) if *first == id => Some(Arc::clone(state)),
            _ => slot.more.get(&id).map(Arc::clone),
        }
    }

    /// The span is closed: what it knew is forgotten, its memory kept for another.
    pub(super) fn close(&self, id: &span::Id) {
        let id = id.into_u64();
        let mut slot = self.slot(id).lock();
        let is_first = matches!(&slot.first, Some((first, _)) if *first == id);
        let closed = if is_first {
            slot.first.take().map(|(_, state)| state)
        } else {
            slot.more.remove(&id)
        };
        drop(slot);
        if let Some(state) = closed {
            pool::give(state);
        }
    }
}

impl Slot {
    #[cold]
    fn insert_among_others(&mut self, id: u64, state: Arc<SpanState>) {
        // An id that is in use is one whose span was never said to be closed.
        if self.first.as_ref().is_none_or(|(first, _)| *first == id) {
            self.first = Some((id, state));
            self.more.remove(&id);
        } else {
            self.more.insert(id, state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_found_until_they_close_however_many_share_a_slot() {
        let spans = OpenSpans::new();
        let ids: Vec<_> = (1..3 * SLOTS as u64).map(span::Id::from_u64).collect();
        let states: Vec<_> = ids.iter().map(|_| Arc::new(SpanState::empty())).collect();
        for (id, state) in ids.iter().zip(&states) {
            assert!(spans.find(id).is_none());
            spans.insert(id, Arc::clone(state));
        }
        let is = |id, state| {
            spans
                .find(id)
                .is_some_and(|found| Arc::ptr_eq(&found, state))
        };
        assert!(ids.iter().zip(&states).all(|(id, state)| is(id, state)));
        // As it is when a span's end was not told: the later one of an id is the one that is open.
        for (id, state) in ids.iter().zip(states.iter().rev()).step_by(2) {
            spans.insert(id, Arc::clone(state));
            assert!(is(id, state));
            spans.close(id);
            assert!(spans.find(id).is_none());
        }
        for (id, state) in ids.iter().zip(&states).skip(1).step_by(2) {
            assert!(is(id, state));
            spans.close(id);
            assert!(spans.find(id).is_none());
        }
        assert!(states.iter().all(|state| Arc::strong_count(state) == 1));
    }
}
