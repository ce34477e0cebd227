//! From what a caller said to an operation that runs.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tracing::Span;

use super::active::{Active, Within};
use super::agent::Agent;
use super::builder::{Step, Workflow};
use super::calls::{DbQuery, ExternalApi};
use super::current;
use super::op::Op;
use super::outcome::{Outcome, Verdict};
use super::pool;
use super::run::Run;

fn run_sync<T>(op: Arc<Op>, work: impl FnOnce() -> T, judge: fn(&T) -> Verdict<'_>) -> T {
    // Entered once for the beginning, the code and the end.
    let output = op.span.in_scope(|| {
        let mut running = Within::begin(&op);
        let current = current::enter(Some(Arc::clone(&op)));
        let output = work();
        drop(current);
        running.judge(&judge(&output));
        output
    });
    pool::give_back(op);
    output
}

macro_rules! runs {
    ($($builder:ident)*) => {$(
        impl $builder {
            /// How long it may take before the watchdog calls it stalled.
            /// Defaults to what earlier ones of its name have taught.
            pub fn budget(mut self, budget: Duration) -> Self {
                self.common.budget = Some(budget);
                self
            }

            /// Runs in this span in place of one of its own. The span must carry the ids.
            #[doc(hidden)]
            pub fn in_span(mut self, span: Span) -> Self {
                self.common.span = Some(span);
                self
            }

            /// Runs a future inside. It fails as its output says: see [`Outcome`].
            pub fn run<F, M>(self, future: F) -> Run<F>
            where
                F: Future,
                F::Output: Outcome<M>,
            {
                Run::new(self.prepare(), future, <F::Output as Outcome<M>>::verdict)
            }

            /// Runs a future inside, whatever it returns: every output is a success.
            pub fn run_any<F: Future>(self, future: F) -> Run<F> {
                Run::new(self.prepare(), future, |_| Verdict::Success)
            }

            #[doc(hidden)]
            pub fn run_judged<F: Future>(
                self,
                future: F,
                judge: fn(&F::Output) -> Verdict<'_>,
            ) -> Run<F> {
                Run::new(self.prepare(), future, judge)
            }

            /// Runs a closure inside. It fails as its output says: see [`Outcome`].
            pub fn run_sync<T: Outcome<M>, M>(self, work: impl FnOnce() -> T) -> T {
                self.run_sync_judged(work, T::verdict)
            }

            /// Runs a closure inside, whatever it returns: every output is a success.
            pub fn run_sync_any<T>(self, work: impl FnOnce() -> T) -> T {
                self.run_sync_judged(work, |_| Verdict::Success)
            }

            #[doc(hidden)]
            pub fn run_sync_judged<T>(
                self,
                work: impl FnOnce() -> T,
                judge: fn(&T) -> Verdict<'_>,
            ) -> T {
                run_sync(self.open(), work, judge)
            }

            /// Begins it now and hands out the guard that ends it.
            pub fn start(self) -> Active {
                Active::begin(self.open())
            }

            /// Takes its place; its time begins later.
            fn prepare(self) -> Arc<Op> {
                let mut op = pool::blank();
                if let Some(blank) = Arc::get_mut(&mut op) {
                    self.place(blank);
                }
                op
            }

            /// Takes its place; its time begins now.
            fn open(self) -> Arc<Op> {
                let mut op = pool::blank();
                if let Some(blank) = Arc::get_mut(&mut op) {
                    self.place(blank);
                    blank.begin();
                }
                op
            }

            #[inline]
            fn place(mut self, blank: &mut Op) {
                let span = self.common.span.take().unwrap_or_else(|| self.make_span());
                let budget = self.common.budget;
                blank.place(self.into_detail(), span, budget);
            }
        }
    )*};
}

runs! { Workflow Step Agent ExternalApi DbQuery }
