//! The guard of a running operation: ends it once, whatever happens.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tracing::Span;

use super::current;
use super::emit::{self, Ending};
use super::op::{Detail, Handle, Op};
use super::outcome::{Cancelled, Failure, Panicked, Verdict};
use super::registry::{self, Place};
use super::{clock, in_flight, spent, watchdog};
use crate::journal::InFlight;

/// A running operation.
///
/// End it with [`complete`](Self::complete) or [`fail`](Self::fail). Dropped before that, it
/// ends as cancelled, or as panicked while its thread panics.
#[derive(Debug)]
#[must_use = "an operation that is dropped at once ends as cancelled"]
pub struct Active {
    op: Arc<Op>,
    place: Option<Place>,
    note: Option<InFlight>,
    ended: bool,
}

impl Active {
    /// To be called inside the operation's span.
    pub(crate) fn begin(op: Arc<Op>) -> Self {
        let place = registry::open(&op);
        watchdog::ensure_started();
        emit::started(&op);
        let note = in_flight::note(&op);
        Self {
            op,
            place,
            note,
            ended: false,
        }
    }

    pub(crate) fn op(&self) -> &Arc<Op> {
        &self.op
    }

    /// The span of its lines.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.op.span
    }

    /// A handle that code elsewhere can record usage, status or sizes with.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.op))
    }

    /// Runs a closure inside: its lines carry the operation's ids, its operations are children.
    pub fn in_scope<T>(&self, scope: impl FnOnce() -> T) -> T {
        let _current = current::enter(Some(Arc::clone(&self.op)));
        self.op.span.in_scope(scope)
    }

    /// Ends it well.
    pub fn complete(mut self) {
        self.finish(&Ending::Completed);
    }

    /// Ends it with this error.
    pub fn fail<E: Failure<M> + ?Sized, M>(mut self, error: &E) {
        let op = Arc::clone(&self.op);
        op.span.in_scope(|| self.judge_inside(&error.failure()));
    }

    /// Ends it as the verdict says, from inside its span.
    pub(crate) fn judge_inside(&mut self, verdict: &Verdict<'_>) {
        match verdict {
            Verdict::Success => self.finish_inside(&Ending::Completed),
            Verdict::Failure { error, type_name } => {
                self.finish_inside(&Ending::Failed {
                    error: *error,
                    type_name,
                });
            }
            Verdict::Text(text) => {
                let error = emit::TextError(text.to_string());
                self.finish_inside(&Ending::Failed {
                    error: &error,
                    type_name: "",
                });
            }
        }
    }

    pub(crate) fn panicked(&mut self) {
        let error = Panicked {
            message: crate::panic::last_message(),
        };
        self.finish(&Ending::Panicked(&error));
    }

    fn finish(&mut self, ending: &Ending<'_>) {
        if !self.ended {
            let op = Arc::clone(&self.op);
            op.span.in_scope(|| self.finish_inside(ending));
        }
    }

    fn finish_inside(&mut self, ending: &Ending<'_>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let took = self.op.elapsed();
        self.op.watch.end();
        if let Some(place) = self.place.take() {
            registry::close(&place);
        }
        if ending.is_failure() {
            self.blame();
        } else if !self.op.watch.was_paused()
            && let Some(learned) = self.op.watch.learned
        {
            learned.record(clock::nanos(took));
        }
        spent::remember(&self.op, took);
        emit::ended(&self.op, ending, took);
        if self.op.watch.reports.load(Ordering::Relaxed) > 0 {
            watchdog::recovered(&self.op);
        }
        // Forgotten once its end is in the journal, so that no crash finds it neither open nor ended.
        self.note = None;
    }

    /// A failed step is the one that its run names, unless another follows.
    fn blame(&self) {
        if let Detail::Step(step) = &self.op.detail
            && (self.op.noted(|notes| notes.no_retry) || !step.retries())
            && let Some(run) = self
                .op
                .ancestors()
                .find(|op| matches!(op.detail, Detail::Workflow(_)))
        {
            run.note(|notes| notes.failed_step = Some(step.id.clone()));
        }
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if std::thread::panicking() {
            self.panicked();
        } else {
            self.finish(&Ending::Cancelled(&Cancelled));
        }
    }
}
