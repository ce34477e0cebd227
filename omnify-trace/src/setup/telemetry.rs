//! The guard: telemetry at work.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tracing::dispatcher::{self, WeakDispatch};

use super::{Levels, TelemetryBuilder, story, teller::Teller};
use crate::{
    Sink,
    layer::{self, Counts, Policies, Service},
};

/// The number of the JSON layer that serves the whole process; 0: none yet.
static GLOBAL: AtomicUsize = AtomicUsize::new(0);
static LEVELS: OnceLock<Levels> = OnceLock::new();
/// How long dropping the guard waits for lines to reach their files.
const DROP_PATIENCE: Duration = Duration::from_secs(5);

/// Telemetry at work. Keep it until the program ends: dropping it flushes.
#[must_use = "dropping the guard at once flushes at once; keep it until the program ends"]
pub struct Telemetry {
    pub(super) teller: Option<Teller>,
    pub(super) layer: usize,
    pub(super) sink: Arc<dyn Sink>,
    pub(super) levels: Levels,
    pub(super) service: Service,
    pub(super) policies: Option<Arc<Policies>>,
    pub(super) dispatch: WeakDispatch,
    /// Whether start and end are told: where there is a journal.
    pub(super) tells: bool,
}

/// Counts since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Lines that were lost, for whatever reason.
    pub lost: u64,
    /// Events that sampling left out.
    pub sampled_out: u64,
    /// Events that were held back as duplicates.
    pub suppressed: u64,
    /// Lines that the flight recorder wrote after all.
    pub recorded: u64,
    /// Lines that the flight recorder let go.
    pub discarded: u64,
}

impl Telemetry {
    /// Starts building.
    pub fn builder() -> TelemetryBuilder {
        TelemetryBuilder::default()
    }

    /// The process's own subscriber writes through this.
    pub(super) fn became_global(&self) {
        GLOBAL.store(self.layer, Ordering::Release);
        let _ = LEVELS.set(self.levels.clone());
    }

    /// Waits until every line so far is in its file. False if that took longer than `timeout`.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.tell_duplicates();
        self.sink.flush(timeout)
    }

    /// What was held back as duplicates since nothing else told of it.
    fn tell_duplicates(&self) {
        let table = self
            .policies
            .as_ref()
            .and_then(|policies| policies.duplicates.as_ref());
        let pending = table.map(layer::Table::take_pending).unwrap_or_default();
        if let Some(dispatch) = self.dispatch.upgrade()
            && !pending.is_empty()
        {
            dispatcher::with_default(&dispatch, || pending.iter().for_each(story::duplicates));
        }
    }

    /// Counts since the start.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let counts = self.policies.as_ref().map(|policies| &policies.counts);
        let count = |of: fn(&Counts) -> &AtomicU64| {
            counts.map_or(0, |counts| of(counts).load(Ordering::Relaxed))
        };
        Stats {
            lost: self.sink.lost(),
            sampled_out: count(|counts| &counts.sampled_out),
            suppressed: count(|counts| &counts.suppressed),
            recorded: count(|counts| &counts.recorded),
            discarded: count(|counts| &counts.discarded),
        }
    }

    /// The levels, to be changed while the service runs.
    #[must_use]
    pub fn levels(&self) -> &Levels {
        &self.levels
    }

    /// Who speaks.
    #[must_use]
    pub fn service(&self) -> &Service {
        &self.service
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        self.teller = None;
        // Its subscriber may outlive the guard, but what is told after this is not kept.
        self.tell_duplicates();
        if let Some(dispatch) = self.dispatch.upgrade().filter(|_| self.tells) {
            dispatcher::with_default(&dispatch, story::end);
        }
        self.sink.close(DROP_PATIENCE);
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// The levels of the process's own telemetry; `None` before it is installed.
#[must_use]
pub fn levels() -> Option<&'static Levels> {
    LEVELS.get()
}

/// Whether the current subscriber is the process's own: then tasks need not carry it.
pub(crate) fn is_global_current() -> bool {
    let global = GLOBAL.load(Ordering::Acquire);
    global != 0 && layer::with_current_layer(layer::JsonLayer::number) == Some(global)
}
