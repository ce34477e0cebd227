//! The future of an operation: starts it at the first poll, ends it with its output.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tracing::Instrument;
use tracing::instrument::Instrumented;

use super::active::Active;
use super::builder::Prepared;
use super::current;
use super::emit;
use super::kind::WaitKind;
use super::op::Op;
use super::outcome::Verdict;

pin_project! {
    /// A future inside an operation.
    ///
    /// The operation's place (its span, the operation around it) is taken where `run` is called,
    /// so the future may be spawned elsewhere; its time begins with the first poll.
    #[must_use = "futures do nothing unless polled"]
    pub struct Run<F: Future> {
        // Dropped first: what happens inside while it is dropped comes before the end.
        #[pin]
        future: Instrumented<F>,
        state: State,
        judge: fn(&F::Output) -> Verdict<'_>,
    }
}

enum State {
    Prepared(Option<Prepared>),
    Running(Active),
}

impl<F: Future> Run<F> {
    pub(crate) fn new(prepared: Prepared, future: F, judge: fn(&F::Output) -> Verdict<'_>) -> Self {
        let future = future.instrument(prepared.span().clone());
        Self {
            future,
            state: State::Prepared(Some(prepared)),
            judge,
        }
    }
}

impl<F: Future> std::fmt::Debug for Run<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").finish_non_exhaustive()
    }
}

impl<F: Future> Future for Run<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if let State::Prepared(prepared) = this.state
            && let Some(prepared) = prepared.take()
        {
            *this.state = State::Running(prepared.begin());
        }
        let State::Running(active) = this.state else {
            // Unreachable: the first poll put it there. A future without an operation still runs.
            return this.future.poll(context);
        };
        let polling = Polling::new(active);
        let output = ready!(this.future.poll(context));
        polling.active.judge(&(this.judge)(&output));
        Poll::Ready(output)
    }
}

/// While it lives, the operation's code runs on this thread. A panic in it ends the operation
/// here, because the executor catches it and drops the future when nobody panics any more.
struct Polling<'a> {
    active: &'a mut Active,
    _current: current::Entered,
}

impl<'a> Polling<'a> {
    fn new(active: &'a mut Active) -> Self {
        let entered = current::enter(Some(Arc::clone(active.op())));
        Self {
            active,
            _current: entered,
        }
    }
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.active.panicked();
        }
    }
}

pin_project! {
    /// A future of which is known what it waits for.
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct Waiting<F> {
        #[pin]
        future: F,
        wait: Wait,
    }
}

#[derive(Debug)]
struct Wait {
    kind: WaitKind,
    op: Option<Arc<Op>>,
    before: Option<WaitKind>,
}

impl<F: Future> Waiting<F> {
    pub(crate) fn new(kind: WaitKind, op: Option<Arc<Op>>, future: F) -> Self {
        Self {
            future,
            wait: Wait {
                kind,
                op,
                before: None,
            },
        }
    }
}

impl<F: Future> Future for Waiting<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let output = this.future.poll(context);
        if output.is_pending() {
            this.wait.begin();
        } else {
            this.wait.end();
        }
        output
    }
}

impl Wait {
    fn begin(&mut self) {
        if let Some(op) = &self.op
            && self.before.is_none()
        {
            self.before = Some(op.set_wait_kind(self.kind));
            if self.kind == WaitKind::Human {
                emit::waiting(op);
            }
        }
    }

    fn end(&mut self) {
        if let Some(op) = &self.op
            && let Some(before) = self.before.take()
        {
            op.set_wait_kind(before);
            if self.kind == WaitKind::Human {
                emit::resumed(op);
            }
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let (Some(op), Some(before)) = (&self.op, self.before.take()) {
            op.set_wait_kind(before);
        }
    }
}
