//! A layer's open spans, by their ids.

use std::collections::BTreeMap;

use tracing_core::span;

use super::{brief::Brief, pool, shared::Shared, span::SpanState};

const SLOTS: usize = 512;

/// The state of each open span, for every thread.
///
/// The registry could keep it beside the span, but there each costs an allocation, a look-up in a
/// slab and a map of types.
pub(super) struct OpenSpans(Box<[Place]>);

/// Each in a cache line of its own: threads would wait for each other's spans.
#[derive(Default)]
#[repr(align(64))]
struct Place(Brief<Slot>);

/// Most hold one span at a time.
#[derive(Default)]
struct Slot {
    first: Option<(u64, Shared<SpanState>)>,
    more: BTreeMap<u64, Shared<SpanState>>,
}

impl OpenSpans {
    pub(super) fn new() -> Self {
        Self((0..SLOTS).map(|_| Place::default()).collect())
    }

    fn slot(&self, id: u64) -> &Brief<Slot> {
        // The registry counts up the topmost bits whenever it uses an id again: without them a
        // thread comes back to the same few slots. The multiplication spreads the others.
        let spread = (id << 13).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        &self.0[(spread >> 32) as usize % SLOTS].0
    }

    pub(super) fn insert(&self, id: &span::Id, state: Shared<SpanState>) {
        let id = id.into_u64();
        let mut slot = self.slot(id).lock();
        if slot.first.is_none() && slot.more.is_empty() {
            slot.first = Some((id, state));
        } else {
            slot.insert_among_others(id, state);
        }
    }

    pub(super) fn find(&self, id: &span::Id) -> Option<Shared<SpanState>> {
        let id = id.into_u64();
        let slot = self.slot(id).lock();
        match &slot.first {
            Some((first, state)) if *first == id => Some(Shared::clone(state)),
            _ => slot.more.get(&id).cloned(),
        }
    }

    /// The span is closed: what it knew is forgotten, its memory kept for another. `at_hand` is the
    /// handle that its thread had of it.
    pub(super) fn close(&self, id: &span::Id, at_hand: Option<Shared<SpanState>>) {
        let id = id.into_u64();
        let mut slot = self.slot(id).lock();
        let is_first = matches!(&slot.first, Some((first, _)) if *first == id);
        let closed = if is_first {
            slot.first.take().map(|(_, state)| state)
        } else {
            slot.more.remove(&id)
        };
        drop(slot);
        if let Some(state) = closed.and_then(|state| state.alone(at_hand)) {
            pool::give(state);
        }
    }
}

impl Slot {
    #[cold]
    fn insert_among_others(&mut self, id: u64, state: Shared<SpanState>) {
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
    use super::{super::shared::Alone, *};

    #[test]
    fn spans_are_found_until_they_close_however_many_share_a_slot() {
        let spans = OpenSpans::new();
        let ids: Vec<_> = (1..3 * SLOTS as u64).map(span::Id::from_u64).collect();
        let states: Vec<_> = ids
            .iter()
            .map(|_| Alone::new(SpanState::empty()).pair().0)
            .collect();
        for (id, state) in ids.iter().zip(&states) {
            assert!(spans.find(id).is_none());
            spans.insert(id, Shared::clone(state));
        }
        let is = |id, state| spans.find(id).is_some_and(|found| found.is(state));
        assert!(ids.iter().zip(&states).all(|(id, state)| is(id, state)));
        // As it is when a span's end was not told: the later one of an id is the one that is open.
        for (id, state) in ids.iter().zip(states.iter().rev()).step_by(2) {
            spans.insert(id, Shared::clone(state));
            assert!(is(id, state));
            spans.close(id, None);
            assert!(spans.find(id).is_none());
        }
        for (id, state) in ids.iter().zip(&states).skip(1).step_by(2) {
            assert!(is(id, state));
            spans.close(id, None);
            assert!(spans.find(id).is_none());
        }
        let last = |state: Shared<SpanState>| state.alone(None).is_some();
        assert!(states.into_iter().all(last), "the table let go of all");
    }
}
