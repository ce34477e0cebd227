//! Who waits for which lock, where and since when.

use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::Span;

use super::meta::{Meta, Mode};
use super::party::Party;
use crate::operation::clock;
use crate::operation::shards::{Place, Shards};
use crate::operation::{WaitKind, watchdog};

static WAITS: Shards<Wait> = Shards::new();
static ORDER: AtomicU64 = AtomicU64::new(0);

/// One who waits.
#[derive(Debug)]
pub(crate) struct Wait {
    pub(crate) lock: Arc<Meta>,
    pub(crate) mode: Mode,
    pub(crate) party: Party,
    pub(crate) site: &'static Location<'static>,
    pub(crate) since: u64,
    /// Which of two waits began first.
    pub(crate) order: u64,
    /// The thread is blocked, not only the task.
    pub(crate) blocking: bool,
    pub(crate) thread: Option<String>,
    pub(crate) span: Span,
}

/// Kept as long as the wait lasts.
pub(crate) struct Waiting {
    wait: Arc<Wait>,
    place: Option<Place>,
    before: Option<WaitKind>,
}

impl Waiting {
    /// This thread blocks.
    #[cold]
    pub(crate) fn thread(lock: &Arc<Meta>, mode: Mode, site: &'static Location<'static>) -> Self {
        Self::begin(lock, mode, site, true)
    }

    /// This task is suspended.
    #[cold]
    #[cfg(feature = "tokio")]
    pub(crate) fn task(lock: &Arc<Meta>, mode: Mode, site: &'static Location<'static>) -> Self {
        Self::begin(lock, mode, site, false)
    }

    fn begin(
        lock: &Arc<Meta>,
        mode: Mode,
        site: &'static Location<'static>,
        blocking: bool,
    ) -> Self {
        watchdog::ensure_started();
        let wait = Arc::new(Wait {
            lock: Arc::clone(lock),
            mode,
            party: Party::current(),
            site,
            since: clock::now(),
            order: ORDER.fetch_add(1, Ordering::Relaxed),
            blocking,
            thread: std::thread::current().name().map(str::to_owned),
            span: Span::current(),
        });
        let before = wait
            .party
            .op
            .as_ref()
            .map(|op| op.watch.set_wait_kind(lock.wait_kind()));
        let place = WAITS.insert(&wait);
        Self {
            wait,
            place,
            before,
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            WAITS.remove(&place);
        }
        if let (Some(op), Some(before)) = (&self.wait.party.op, self.before) {
            op.watch.set_wait_kind(before);
        }
    }
}

/// Every wait of the process.
pub(crate) fn all() -> Vec<Arc<Wait>> {
    let mut waits = vec![];
    WAITS.each(|wait| waits.push(Arc::clone(wait)));
    waits
}
