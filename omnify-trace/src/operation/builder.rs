//! Builders: what a caller says of an operation before it runs.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tracing::Span;

use super::active::Active;
use super::agent::Agent;
use super::current;
use super::emit;
use super::op::{Detail, Op, Text};
use super::outcome::{Outcome, Verdict};
use super::run::Run;
use super::statement;

pub(super) const TARGET: &str = "omnify_trace::operation";
/// Default of [`DbQuery::slow_after`].
pub(super) const SLOW_QUERY: Duration = Duration::from_millis(200);

/// A run of the workflow with this id.
pub fn workflow(id: impl Into<Text>) -> Workflow {
    Workflow {
        id: id.into(),
        ..Workflow::default()
    }
}

/// A step, by its id in the workflow.
pub fn step(id: impl Into<Text>) -> Step {
    Step {
        id: id.into(),
        ..Step::default()
    }
}

/// One attempt of a call to another service: its name, the HTTP method, the route (a template
/// such as `/contacts/{id}`, never a raw path).
pub fn external_api(
    api: impl Into<Text>,
    method: impl Into<Text>,
    route: impl Into<Text>,
) -> ExternalApi {
    ExternalApi {
        api: api.into(),
        method: method.into(),
        route: route.into(),
        ..ExternalApi::default()
    }
}

/// A database query. Literals in the statement are replaced by `?`: parameters are never logged.
pub fn db_query(statement: impl Into<Text>) -> DbQuery {
    DbQuery {
        statement: statement.into(),
        slow_after: SLOW_QUERY,
        ..DbQuery::default()
    }
}

/// A new id for a run: a UUID of version 7, so that runs sort by their start.
#[must_use]
pub fn new_run_id() -> String {
    uuid::Uuid::now_v7().hyphenated().to_string()
}

/// What every kind has.
#[derive(Debug, Default)]
pub(super) struct Common {
    span: Option<Span>,
    budget: Option<Duration>,
}

/// A workflow run to be: see [`workflow`].
#[derive(Debug, Default)]
#[must_use = "nothing happens before `run`, `run_sync` or `start`"]
pub struct Workflow {
    pub(crate) id: Text,
    pub(crate) name: Option<Text>,
    pub(crate) run_id: Option<Text>,
    pub(crate) steps: Option<u64>,
    pub(crate) input_bytes: Option<u64>,
    common: Common,
}

impl Workflow {
    /// The name for people. Defaults to the id.
    pub fn name(mut self, name: impl Into<Text>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The id of this run. Defaults to a new UUID of version 7.
    pub fn run_id(mut self, run_id: impl Into<Text>) -> Self {
        self.run_id = Some(run_id.into());
        self
    }

    /// How many steps the definition has. Defaults to unsaid.
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = Some(steps as u64);
        self
    }

    /// The size of the run's input. Defaults to unsaid.
    pub fn input_bytes(mut self, bytes: u64) -> Self {
        self.input_bytes = Some(bytes);
        self
    }

    pub(crate) fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    fn make_span(&mut self) -> Span {
        let run_id = self
            .run_id
            .get_or_insert_with(|| uuid::Uuid::now_v7().hyphenated().to_string().into());
        tracing::error_span!(
            target: TARGET,
            "workflow",
            workflow_id = self.id.as_ref(),
            run_id = run_id.as_ref(),
        )
    }

    fn into_detail(self) -> Detail {
        Detail::Workflow(self)
    }
}

/// A step to be: see [`step`].
#[derive(Debug, Default)]
#[must_use = "nothing happens before `run`, `run_sync`, `start` or `skip`"]
pub struct Step {
    pub(crate) id: Text,
    pub(crate) name: Option<Text>,
    pub(crate) attempt: Option<u32>,
    attempts: Option<u32>,
    will_retry: Option<bool>,
    pub(crate) depends_on: Option<String>,
    pub(crate) agent_type: Option<Text>,
    pub(crate) input_bytes: Option<u64>,
    common: Common,
}

impl Step {
    /// The name for people. Defaults to the id.
    pub fn name(mut self, name: impl Into<Text>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Which attempt this is, from 1. Defaults to unsaid.
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = Some(attempt);
        self
    }

    /// How many attempts there may be: a failure before the last of them says `will_retry`.
    /// Defaults to this one.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Whether another attempt follows a failure, where the caller knows. Defaults to what
    /// [`max_attempts`](Self::max_attempts) says. Code inside that finds that trying again is of
    /// no use says so with [`no_retry`](super::no_retry).
    pub fn will_retry(mut self, will_retry: bool) -> Self {
        self.will_retry = Some(will_retry);
        self
    }

    /// The ids of the steps that had to end first. Defaults to unsaid.
    pub fn depends_on<I>(mut self, steps: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut joined = String::new();
        for step in steps {
            if !joined.is_empty() {
                joined.push(',');
            }
            joined.push_str(step.as_ref());
        }
        self.depends_on = (!joined.is_empty()).then_some(joined);
        self
    }

    /// What kind of agent runs it, such as `agentkit`. Defaults to unsaid.
    pub fn agent_type(mut self, agent_type: impl Into<Text>) -> Self {
        self.agent_type = Some(agent_type.into());
        self
    }

    /// The size of its input. Defaults to unsaid.
    pub fn input_bytes(mut self, bytes: u64) -> Self {
        self.input_bytes = Some(bytes);
        self
    }

    /// Says that the step does not run this time, and why.
    pub fn skip(mut self, reason: &str) {
        let span = self.common.span.take().unwrap_or_else(|| self.make_span());
        span.in_scope(|| emit::skipped(&self, reason));
    }

    pub(crate) fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    pub(crate) fn retries(&self) -> bool {
        self.will_retry.unwrap_or_else(|| {
            self.attempts
                .is_some_and(|attempts| self.attempt.unwrap_or(1) < attempts)
        })
    }

    fn make_span(&mut self) -> Span {
        tracing::error_span!(target: TARGET, "step", step_id = self.id.as_ref())
    }

    fn into_detail(self) -> Detail {
        Detail::Step(self)
    }
}

/// An external call to be: see [`external_api`].
#[derive(Debug, Default)]
#[must_use = "nothing happens before `run`, `run_sync` or `start`"]
pub struct ExternalApi {
    pub(crate) api: Text,
    pub(crate) method: Text,
    pub(crate) route: Text,
    pub(crate) host: Option<Text>,
    pub(crate) call_id: Option<Text>,
    pub(crate) attempt: Option<u32>,
    common: Common,
}

impl ExternalApi {
    /// Host and port. Defaults to unsaid.
    pub fn host(mut self, host: impl Into<Text>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Which attempt this is, from 1. Defaults to unsaid.
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = Some(attempt);
        self
    }

    /// What the attempts of one call have in common. Defaults to unsaid.
    pub fn call_id(mut self, call_id: impl Into<Text>) -> Self {
        self.call_id = Some(call_id.into());
        self
    }

    fn make_span(&mut self) -> Span {
        tracing::error_span!(target: TARGET, "external_api", api = self.api.as_ref())
    }

    fn into_detail(self) -> Detail {
        Detail::ExternalApi(self)
    }
}

/// A query to be: see [`db_query`].
#[derive(Debug, Default)]
#[must_use = "nothing happens before `run`, `run_sync` or `start`"]
pub struct DbQuery {
    pub(crate) statement: Text,
    pub(crate) system: Option<Text>,
    pub(crate) slow_after: Duration,
    common: Common,
}

impl DbQuery {
    /// The database product, such as `postgresql`. Defaults to unsaid.
    pub fn system(mut self, system: impl Into<Text>) -> Self {
        self.system = Some(system.into());
        self
    }

    /// How long it may take before it is a `slow_query`. Defaults to 200 ms.
    pub fn slow_after(mut self, threshold: Duration) -> Self {
        self.slow_after = threshold;
        self
    }

    fn make_span(&mut self) -> Span {
        tracing::error_span!(target: TARGET, "db_query")
    }

    fn into_detail(mut self) -> Detail {
        self.statement = statement::normalize_for(self.system.as_deref(), &self.statement).into();
        Detail::DbQuery(self)
    }
}

/// An operation that has its place (its span, the operation around it) but has not begun.
pub(crate) struct Prepared(Arc<Op>);

impl Prepared {
    pub(crate) fn op(&self) -> &Arc<Op> {
        &self.0
    }

    /// Its time begins.
    pub(crate) fn open(mut self) -> Arc<Op> {
        if let Some(op) = Arc::get_mut(&mut self.0) {
            op.begin();
        }
        self.0
    }
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
                let op = self.prepare().open();
                // Entered once for the beginning, the code and the end.
                op.span.in_scope(|| {
                    let mut active = Active::begin(Arc::clone(&op));
                    let current = current::enter(Some(Arc::clone(&op)));
                    let output = work();
                    drop(current);
                    active.judge_inside(&judge(&output));
                    output
                })
            }

            /// Begins it now and hands out the guard that ends it.
            pub fn start(self) -> Active {
                let op = self.prepare().open();
                op.span.in_scope(|| Active::begin(Arc::clone(&op)))
            }

            fn prepare(mut self) -> Prepared {
                let span = self.common.span.take().unwrap_or_else(|| self.make_span());
                let budget = self.common.budget;
                let parent = current::current_op();
                Prepared(Arc::new(Op::new(self.into_detail(), span, parent, budget)))
            }
        }
    )*};
}

runs! { Workflow Step Agent ExternalApi DbQuery }
