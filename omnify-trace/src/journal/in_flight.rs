//! Notes of what is going on, kept in the ring file: after a crash the next start reads them.

use std::sync::Arc;

use super::shared::Shared;

/// A note that is kept until this is dropped. See [`Journal::in_flight`](super::Journal::in_flight).
#[must_use = "the note is forgotten when this is dropped"]
pub struct InFlight {
    shared: Arc<Shared>,
    slot: usize,
}

impl InFlight {
    pub(super) fn new(shared: &Arc<Shared>, note: &[u8]) -> Option<Self> {
        let slot = shared
            .alive
            .is_set()
            .then(|| shared.ring.note(note))
            .flatten()?;
        Some(Self {
            shared: Arc::clone(shared),
            slot,
        })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        // A forked child drops its copy, not its parent's note.
        if self.shared.is_owner() {
            self.shared.ring.forget(self.slot);
        }
    }
}

impl std::fmt::Debug for InFlight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InFlight")
            .field("slot", &self.slot)
            .finish_non_exhaustive()
    }
}
