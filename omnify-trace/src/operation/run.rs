//! The future of an operation: starts it at the first poll, ends it with its output.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::active::{Active, Course};
use super::clock;
use super::current;
use super::emit;
use super::kind::WaitKind;
use super::op::Op;
use super::outcome::Verdict;
use super::pool;
use pin_project_lite::pin_project;

pin_project! {
    /// A future inside an operation.
    ///
    /// The operation's place (its span, the operation around it) is taken where `run` is called,
    /// so the future may be spawned elsewhere; its time begins with the first poll.
    #[must_use = "futures do nothing unless polled"]
    pub struct Run<F: Future> {
        // `None` once it has ended.
        #[pin]
        future: Option<F>,
        state: State,
        judge: fn(&F::Output) -> Verdict<'_>,
    }

    impl<F: Future> PinnedDrop for Run<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // What happens inside while it is dropped belongs inside, and comes before the end.
            if this.future.is_some() && let Some(op) = this.state.op() {
                op.span.in_scope(|| this.future.set(None));
            }
            if let State::Prepared(op) = this.state && let Some(op) = op.take() {
                pool::give_back(op);
            }
        }
    }
}

enum State {
    Prepared(Option<Arc<Op>>),
    Running(Active),
}

impl State {
    fn op(&self) -> Option<&Arc<Op>> {
        match self {
            Self::Prepared(op) => op.as_ref(),
            Self::Running(active) => Some(active.op()),
        }
    }

    /// Begins its time, if that has not begun: whether it has begun just now.
    fn open(&mut self) -> bool {
        let Self::Prepared(op) = self else {
            return false;
        };
        let Some(mut op) = op.take() else {
            return false;
        };
        if let Some(alone) = Arc::get_mut(&mut op) {
            alone.begin();
        }
        *self = Self::Running(Active::new(op));
        true
    }
}

impl<F: Future> Run<F> {
    pub(crate) fn new(op: Arc<Op>, future: F, judge: fn(&F::Output) -> Verdict<'_>) -> Self {
        Self {
            future: Some(future),
            state: State::Prepared(Some(op)),
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

    #[expect(
        clippy::panic,
        reason = "as every future does when it is polled after its end"
    )]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let begins = this.state.open();
        let (State::Running(active), Some(future)) =
            (this.state, this.future.as_mut().as_pin_mut())
        else {
            panic!("an operation's future was polled again after its end");
        };
        let (op, course) = active.parts();
        // Entered once for the beginning, the code and the end.
        let _inside = op.span.enter();
        if begins {
            course.begin(op);
        }
        let polling = Polling::new(op, course);
        let output = ready!(future.poll(context));
        this.future.set(None);
        polling.end(&(this.judge)(&output));
        Poll::Ready(output)
    }
}

/// While it lives, the operation's code runs on this thread. A panic in it ends the operation
/// here, because the executor catches it and drops the future when nobody panics any more.
struct Polling<'a> {
    op: &'a Arc<Op>,
    course: &'a mut Course,
    current: Option<current::Entered>,
}

impl<'a> Polling<'a> {
    fn new(op: &'a Arc<Op>, course: &'a mut Course) -> Self {
        op.watch.poll_begins();
        Self {
            op,
            course,
            current: Some(current::enter(Some(Arc::clone(op)))),
        }
    }

    /// Its end is an event of the operation around it.
    fn end(mut self, verdict: &Verdict<'_>) {
        self.current = None;
        self.course.judge(self.op, verdict);
    }
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.op.watch.poll_ends();
        if std::thread::panicking() {
            self.course.panicked(self.op);
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
