//! The guard of a running operation: ends it once, whatever happens.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tracing::Span;

use super::current;
use super::emit::{self, Ending};
use super::op::{Detail, Handle, Op};
use super::outcome::{Cancelled, Failure, Panicked, Verdict};
use super::registry::{self, Place};
use super::{clock, in_flight, pool, spent, watchdog};
use crate::journal::InFlight;

/// A running operation.
///
/// End it with [`complete`](Self::complete) or [`fail`](Self::fail). Dropped before that, it
/// ends as cancelled, or as panicked while its thread panics.
#[derive(Debug)]
#[must_use = "an operation that is dropped at once ends as cancelled"]
pub struct Active {
    /// Taken when it is dropped.
    op: Option<Arc<Op>>,
    course: Course,
}

impl Active {
    /// Begins an operation whose time runs.
    pub(crate) fn begin(op: Arc<Op>) -> Self {
        let mut active = Self::new(op);
        let (op, course) = active.parts();
        op.span.in_scope(|| course.begin(op));
        active
    }

    /// To be begun by its course.
    pub(crate) fn new(op: Arc<Op>) -> Self {
        Self {
            op: Some(op),
            course: Course::default(),
        }
    }

    #[expect(clippy::expect_used, reason = "only its destructor takes it")]
    pub(crate) fn op(&self) -> &Arc<Op> {
        self.op.as_ref().expect("there until it is dropped")
    }

    #[expect(clippy::expect_used, reason = "only its destructor takes it")]
    pub(crate) fn parts(&mut self) -> (&Arc<Op>, &mut Course) {
        let op = self.op.as_ref().expect("there until it is dropped");
        (op, &mut self.course)
    }

    /// The span of its lines.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.op().span
    }

    /// A handle that code elsewhere can record usage, status or sizes with.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(self.op()))
    }

    /// Runs a closure inside: its lines carry the operation's ids, its operations are children.
    pub fn in_scope<T>(&self, scope: impl FnOnce() -> T) -> T {
        let _current = current::enter(Some(Arc::clone(self.op())));
        self.op().span.in_scope(scope)
    }

    /// Ends it well.
    pub fn complete(mut self) {
        let (op, course) = self.parts();
        op.span.in_scope(|| course.end(op, &Ending::Completed));
    }

    /// Ends it with this error.
    pub fn fail<E: Failure<M> + ?Sized, M>(mut self, error: &E) {
        let (op, course) = self.parts();
        op.span.in_scope(|| course.judge(op, &error.failure()));
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        if let Some(op) = self.op.take() {
            self.course.abandon(&op);
            pool::give_back(op);
        }
    }
}

/// The same for code that runs within one call, inside the operation's span.
pub(crate) struct Within<'a> {
    op: &'a Arc<Op>,
    course: Course,
}

impl<'a> Within<'a> {
    pub(crate) fn begin(op: &'a Arc<Op>) -> Self {
        let mut course = Course::default();
        course.begin(op);
        Self { op, course }
    }

    pub(crate) fn judge(&mut self, verdict: &Verdict<'_>) {
        self.course.judge(self.op, verdict);
    }
}

impl Drop for Within<'_> {
    fn drop(&mut self) {
        self.course.abandon(self.op);
    }
}

/// What an open operation has that its end gives back. What is not said otherwise is called
/// inside the operation's span.
#[derive(Debug, Default)]
pub(crate) struct Course {
    place: Option<Place>,
    note: Option<InFlight>,
    ended: bool,
}

impl Course {
    pub(crate) fn begin(&mut self, op: &Arc<Op>) {
        self.place = registry::open(op);
        watchdog::ensure_started();
        emit::started(op);
        self.note = in_flight::note(op);
    }

    /// Ends it as the verdict says.
    pub(crate) fn judge(&mut self, op: &Arc<Op>, verdict: &Verdict<'_>) {
        match verdict {
            Verdict::Success => self.end(op, &Ending::Completed),
            Verdict::Failure { error, type_name } => {
                let ending = Ending::Failed {
                    error: *error,
                    type_name,
                };
                self.end(op, &ending);
            }
            Verdict::Text(text) => {
                let error = emit::TextError(text.to_string());
                let ending = Ending::Failed {
                    error: &error,
                    type_name: "",
                };
                self.end(op, &ending);
            }
        }
    }

    /// Its code panicked. Called from anywhere.
    pub(crate) fn panicked(&mut self, op: &Arc<Op>) {
        let error = Panicked {
            message: crate::panic::last_message(),
        };
        op.span.in_scope(|| self.end(op, &Ending::Panicked(&error)));
    }

    /// Ends it if nobody has. Called from anywhere.
    fn abandon(&mut self, op: &Arc<Op>) {
        if self.ended {
            return;
        }
        if std::thread::panicking() {
            self.panicked(op);
        } else {
            op.span
                .in_scope(|| self.end(op, &Ending::Cancelled(&Cancelled)));
        }
    }

    fn end(&mut self, op: &Arc<Op>, ending: &Ending<'_>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let took = op.elapsed();
        op.watch.end();
        if let Some(place) = self.place.take() {
            registry::close(&place);
        }
        if ending.is_failure() {
            blame(op);
        } else if !op.watch.was_paused()
            && let Some(learned) = op.watch.learned
        {
            learned.record(clock::nanos(took));
        }
        spent::remember(op, took);
        emit::ended(op, ending, took);
        if op.watch.reports.load(Ordering::Relaxed) > 0 {
            watchdog::recovered(op);
        }
        // Forgotten once its end is in the journal, so that no crash finds it neither open nor ended.
        self.note = None;
    }
}

/// A failed step is the one that its run names, unless another follows.
fn blame(op: &Op) {
    if let Detail::Step(step) = &op.detail
        && (op.noted(|notes| notes.no_retry) || !step.retries())
        && let Some(run) = op
            .ancestors()
            .find(|op| matches!(op.detail, Detail::Workflow(_)))
    {
        run.note(|notes| notes.failed_step = Some(step.id.clone()));
    }
}
