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
use super::clock;
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
        active.op().watch.poll_begins();
        let entered = current::enter(Some(Arc::clone(active.op())));
        Self {
            active,
            _current: entered,
        }
    }
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.active.op().watch.poll_ends();
        if std::thread::panicking() {
            self.active.panicked();
        }
    }
}

pin_project! {
    /// A future inside an operation that was around the code that made it.
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct Carried<F> {
        #[pin]
        future: F,
        op: Option<Arc<Op>>,
    }
}

impl<F: Future> Carried<F> {
    pub(crate) fn new(op: Option<Arc<Op>>, future: F) -> Self {
        Self { future, op }
    }
}

impl<F: Future> Future for Carried<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _current = this
            .op
            .as_ref()
            .map(|op| current::enter(Some(Arc::clone(op))));
        this.future.poll(context)
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
    begun: Option<Begun>,
}

#[derive(Debug)]
struct Begun {
    before: WaitKind,
    at: u64,
}

impl<F: Future> Waiting<F> {
    pub(crate) fn new(kind: WaitKind, future: F) -> Self {
        Self {
            future,
            wait: Wait {
                kind,
                op: None,
                begun: None,
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
            this.wait.end(emit::resumed);
        }
        output
    }
}

impl Wait {
    fn begin(&mut self) {
        if self.begun.is_some() {
            return;
        }
        // Known only now: the future may have been made outside the step that it is given to.
        self.op = current::current_op();
        let Some(op) = &self.op else { return };
        let before = op.watch.set_wait_kind(self.kind);
        self.begun = Some(Begun {
            before,
            at: clock::now(),
        });
        if self.kind == WaitKind::Human {
            op.ancestors().for_each(|op| op.watch.human_begins());
            emit::waiting(op);
        }
    }

    fn end(&mut self, tell: fn(&Op)) {
        let (Some(op), Some(begun)) = (&self.op, self.begun.take()) else {
            return;
        };
        op.watch.set_wait_kind(begun.before);
        if self.kind == WaitKind::Human {
            let took = clock::now().saturating_sub(begun.at);
            op.ancestors().for_each(|op| op.watch.human_ends(took));
            tell(op);
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.end(|_| {});
    }
}
