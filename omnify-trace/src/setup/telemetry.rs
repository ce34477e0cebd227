//! The guard: telemetry at work.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tracing::dispatcher::{self, WeakDispatch};

use super::{Levels, TelemetryBuilder, story};
use crate::{
    Sink,
    layer::{self, Service},
};

/// The number of the JSON layer that serves the whole process; 0: none yet.
static GLOBAL: AtomicUsize = AtomicUsize::new(0);
/// How long dropping the guard waits for lines to reach their files.
const DROP_PATIENCE: Duration = Duration::from_secs(5);

/// Telemetry at work. Keep it until the program ends: dropping it flushes.
#[must_use = "dropping the guard at once flushes at once; keep it until the program ends"]
pub struct Telemetry {
    layer: usize,
    sink: Arc<dyn Sink>,
    levels: Levels,
    service: Service,
    /// For the last line; none where no story is told.
    dispatch: Option<WeakDispatch>,
}

/// Counts since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Lines that were lost, for whatever reason.
    pub lost: u64,
}

impl Telemetry {
    /// Starts building.
    pub fn builder() -> TelemetryBuilder {
        TelemetryBuilder::default()
    }

    pub(super) fn new(
        layer: usize,
        sink: Arc<dyn Sink>,
        levels: Levels,
        service: Service,
        dispatch: Option<WeakDispatch>,
    ) -> Self {
        Self {
            layer,
            sink,
            levels,
            service,
            dispatch,
        }
    }

    /// The process's own subscriber writes through this.
    pub(super) fn became_global(&self) {
        GLOBAL.store(self.layer, Ordering::Release);
    }

    /// Waits until every line so far is in its file. False if that took longer than `timeout`.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.sink.flush(timeout)
    }

    /// Counts since the start.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            lost: self.sink.lost(),
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
        // Its subscriber may outlive the guard, but what is told after this is not kept.
        if let Some(dispatch) = self.dispatch.as_ref().and_then(WeakDispatch::upgrade) {
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

/// Whether the current subscriber is the process's own: then tasks need not carry it.
pub(crate) fn is_global_current() -> bool {
    let global = GLOBAL.load(Ordering::Acquire);
    global != 0 && layer::with_current_layer(layer::JsonLayer::number) == Some(global)
}
