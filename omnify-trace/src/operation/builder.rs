//! Builders of runs and steps, and what every builder has.

use std::time::Duration;

use tracing::Span;

use super::emit;
use super::op::{Detail, Text};

pub(super) const TARGET: &str = "omnify_trace::operation";

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

/// A new id for a run: a UUID of version 7, so that runs sort by their start.
#[must_use]
pub fn new_run_id() -> String {
    uuid::Uuid::now_v7().hyphenated().to_string()
}

/// What every kind has.
#[derive(Debug, Default)]
pub(super) struct Common {
    pub(super) span: Option<Span>,
    pub(super) budget: Option<Duration>,
}

impl Common {
    /// Nothing said.
    pub(super) const NONE: Self = Self {
        span: None,
        budget: None,
    };
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
    pub(super) common: Common,
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

    pub(super) fn make_span(&mut self) -> Span {
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

    pub(super) fn into_detail(self) -> Detail {
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
    pub(super) common: Common,
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

    pub(super) fn make_span(&mut self) -> Span {
        tracing::error_span!(target: TARGET, "step", step_id = self.id.as_ref())
    }

    pub(super) fn into_detail(self) -> Detail {
        Detail::Step(self)
    }
}
