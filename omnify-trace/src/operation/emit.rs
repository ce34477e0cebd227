//! The events of operations: the only place that writes them.

use std::error::Error;
use std::time::Duration;

use tracing::{error, info, warn};

use super::builder::{Agent, DbQuery, ExternalApi, Step, Workflow};
use super::op::{Detail, Op};
use super::outcome::{Cancelled, Panicked};
use super::prices;
use crate::schema::EventType;

const TARGET: &str = "omnify_trace::operation";

/// How an operation ended.
pub(crate) enum Ending<'a> {
    Completed,
    Failed {
        error: &'a (dyn Error + 'static),
        type_name: &'static str,
    },
    Panicked(&'a Panicked),
    Cancelled(&'a Cancelled),
}

impl<'a> Ending<'a> {
    pub(crate) fn is_failure(&self) -> bool {
        !matches!(self, Self::Completed)
    }

    fn error(&self) -> Option<&'a (dyn Error + 'static)> {
        match *self {
            Self::Completed => None,
            Self::Failed { error, .. } => Some(error),
            Self::Panicked(error) => Some(error),
            Self::Cancelled(error) => Some(error),
        }
    }

    fn type_name(&self) -> Option<&'static str> {
        match *self {
            Self::Completed | Self::Failed { type_name: "", .. } => None,
            Self::Failed { type_name, .. } => Some(type_name),
            Self::Panicked(_) => Some("panic"),
            Self::Cancelled(_) => Some("cancelled"),
        }
    }

    /// The error and its sources in one line, for events without an exception.
    fn one_line(&self) -> Option<String> {
        let mut next = self.error()?.source();
        let mut line = self.error()?.to_string();
        while let Some(source) = next {
            line.push_str(": ");
            line.push_str(&source.to_string());
            next = source.source();
        }
        Some(line)
    }
}

/// Text where an error is asked for.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct TextError(pub(crate) String);

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub(crate) fn started(op: &Op) {
    if matches!(op.detail, Detail::ExternalApi(_) | Detail::DbQuery(_)) {
        return;
    }
    op.span.in_scope(|| match &op.detail {
        Detail::Workflow(workflow) => info!(
            target: TARGET,
            event_type = EventType::WorkflowStart.as_str(),
            workflow_name = workflow.name.as_deref(),
            steps = workflow.steps,
            input_bytes = workflow.input_bytes,
            "Workflow {} started",
            workflow.label(),
        ),
        Detail::Step(step) => step_event(step, "started", "started"),
        Detail::Agent(agent) => info!(
            target: TARGET,
            event_type = EventType::AgentStart.as_str(),
            gen_ai.operation.name = agent.operation.as_ref(),
            gen_ai.agent.name = agent.name.as_ref(),
            gen_ai.provider.name = agent.provider.as_deref(),
            gen_ai.request.model = agent.model.as_deref(),
            "Agent {} started",
            agent.name,
        ),
        Detail::ExternalApi(_) | Detail::DbQuery(_) => {}
    });
}

pub(crate) fn ended(op: &Op, ending: &Ending<'_>, took: Duration) {
    let took = ms(took);
    op.span.in_scope(|| match &op.detail {
        Detail::Workflow(workflow) => workflow_ended(op, workflow, took, ending),
        Detail::Step(step) => step_ended(op, step, took, ending),
        Detail::Agent(agent) => agent_ended(op, agent, took, ending),
        Detail::ExternalApi(call) => call_ended(op, call, took, ending),
        Detail::DbQuery(query) => query_ended(op, query, took, ending),
    });
}

/// A step that does not run this time.
pub(crate) fn skipped(step: &Step, reason: &str) {
    info!(
        target: TARGET,
        event_type = EventType::WorkflowStep.as_str(),
        step_name = step.name.as_deref(),
        status = "skipped",
        depends_on = step.depends_on.as_deref(),
        agent_type = step.agent_type.as_deref(),
        reason,
        "Step {} skipped: {reason}",
        step.label(),
    );
}

/// The step (or whatever else) around a wait for a person.
pub(crate) fn waiting(op: &Op) {
    if let Some(op) = op
        .ancestors()
        .find(|op| matches!(op.detail, Detail::Step(_)))
        && let Detail::Step(step) = &op.detail
    {
        op.span
            .in_scope(|| step_event(step, "waiting", "waits for a person"));
    }
}

/// The person answered.
pub(crate) fn resumed(op: &Op) {
    if let Some(op) = op
        .ancestors()
        .find(|op| matches!(op.detail, Detail::Step(_)))
        && let Detail::Step(step) = &op.detail
    {
        op.span.in_scope(|| step_event(step, "started", "goes on"));
    }
}

fn step_event(step: &Step, status: &str, phrase: &str) {
    info!(
        target: TARGET,
        event_type = EventType::WorkflowStep.as_str(),
        step_name = step.name.as_deref(),
        status,
        attempt = step.attempt,
        depends_on = step.depends_on.as_deref(),
        agent_type = step.agent_type.as_deref(),
        input_bytes = step.input_bytes,
        "Step {} {phrase}",
        step.label(),
    );
}

fn workflow_ended(op: &Op, workflow: &Workflow, duration_ms: f64, ending: &Ending<'_>) {
    let notes = op.notes.lock();
    match ending.error() {
        None => info!(
            target: TARGET,
            event_type = EventType::WorkflowComplete.as_str(),
            workflow_name = workflow.name.as_deref(),
            duration_ms,
            output_bytes = notes.output_bytes,
            "Workflow {} completed",
            workflow.label(),
        ),
        Some(error) => error!(
            target: TARGET,
            event_type = EventType::WorkflowError.as_str(),
            workflow_name = workflow.name.as_deref(),
            duration_ms,
            failed_step = notes.failed_step.as_deref(),
            error,
            exception.type = ending.type_name(),
            "Workflow {} failed: {error}",
            workflow.label(),
        ),
    }
}

fn step_ended(op: &Op, step: &Step, duration_ms: f64, ending: &Ending<'_>) {
    let notes = op.notes.lock();
    let Some(error) = ending.error() else {
        info!(
            target: TARGET,
            event_type = EventType::WorkflowStep.as_str(),
            step_name = step.name.as_deref(),
            status = "completed",
            attempt = step.attempt,
            depends_on = step.depends_on.as_deref(),
            agent_type = step.agent_type.as_deref(),
            duration_ms,
            input_bytes = step.input_bytes,
            output_bytes = notes.output_bytes,
            "Step {} completed",
            step.label(),
        );
        return;
    };
    if step.retries() {
        warn!(
            target: TARGET,
            event_type = EventType::WorkflowStepError.as_str(),
            step_name = step.name.as_deref(),
            attempt = step.attempt,
            duration_ms,
            will_retry = true,
            agent_type = step.agent_type.as_deref(),
            error,
            exception.type = ending.type_name(),
            "Step {} failed and will be tried again: {error}",
            step.label(),
        );
    } else {
        error!(
            target: TARGET,
            event_type = EventType::WorkflowStepError.as_str(),
            step_name = step.name.as_deref(),
            attempt = step.attempt,
            duration_ms,
            will_retry = false,
            agent_type = step.agent_type.as_deref(),
            error,
            exception.type = ending.type_name(),
            "Step {} failed: {error}",
            step.label(),
        );
    }
}

fn agent_ended(op: &Op, agent: &Agent, duration_ms: f64, ending: &Ending<'_>) {
    let notes = op.notes.lock();
    let (input, output) = (notes.input_tokens, notes.output_tokens);
    let cost = notes
        .cost_usd
        .or_else(|| prices::cost(agent.model.as_deref(), input, output));
    match ending.error() {
        None => info!(
            target: TARGET,
            event_type = EventType::AgentComplete.as_str(),
            gen_ai.operation.name = agent.operation.as_ref(),
            gen_ai.agent.name = agent.name.as_ref(),
            gen_ai.provider.name = agent.provider.as_deref(),
            gen_ai.request.model = agent.model.as_deref(),
            gen_ai.usage.input_tokens = input,
            gen_ai.usage.output_tokens = output,
            cost_usd = cost,
            duration_ms,
            "Agent {} completed",
            agent.name,
        ),
        Some(error) => error!(
            target: TARGET,
            event_type = EventType::AgentError.as_str(),
            gen_ai.operation.name = agent.operation.as_ref(),
            gen_ai.agent.name = agent.name.as_ref(),
            gen_ai.provider.name = agent.provider.as_deref(),
            gen_ai.request.model = agent.model.as_deref(),
            gen_ai.usage.input_tokens = input,
            gen_ai.usage.output_tokens = output,
            cost_usd = cost,
            duration_ms,
            error,
            exception.type = ending.type_name(),
            "Agent {} failed: {error}",
            agent.name,
        ),
    }
}

fn call_ended(op: &Op, call: &ExternalApi, duration_ms: f64, ending: &Ending<'_>) {
    let status_code = op.notes.lock().status_code;
    let refused = status_code.filter(|status| *status >= 400);
    let failure = ending
        .one_line()
        .or_else(|| refused.map(|status| format!("HTTP {status}")));
    match failure.as_deref() {
        None => info!(
            target: TARGET,
            event_type = EventType::ExternalApiCall.as_str(),
            api = call.api.as_ref(),
            host = call.host.as_deref(),
            method = call.method.as_ref(),
            route = call.route.as_ref(),
            status_code,
            call_id = call.call_id.as_deref(),
            attempt = call.attempt,
            duration_ms,
            "{} {} of {} answered",
            call.method,
            call.route,
            call.api,
        ),
        Some(failure) => error!(
            target: TARGET,
            event_type = EventType::ExternalApiCall.as_str(),
            api = call.api.as_ref(),
            host = call.host.as_deref(),
            method = call.method.as_ref(),
            route = call.route.as_ref(),
            status_code,
            call_id = call.call_id.as_deref(),
            attempt = call.attempt,
            duration_ms,
            error = failure,
            "{} {} of {} failed: {failure}",
            call.method,
            call.route,
            call.api,
        ),
    }
}

fn query_ended(op: &Op, query: &DbQuery, duration_ms: f64, ending: &Ending<'_>) {
    let rows = op.notes.lock().rows;
    let budget_ms = ms(query.slow_after);
    let statement = query.statement.as_ref();
    if let Some(error) = ending.error() {
        error!(
            target: TARGET,
            event_type = EventType::DbQuery.as_str(),
            db.system = query.system.as_deref(),
            db.statement = statement,
            duration_ms,
            rows,
            error,
            exception.type = ending.type_name(),
            "Query failed: {error}",
        );
    } else if duration_ms > budget_ms {
        warn!(
            target: TARGET,
            event_type = EventType::SlowQuery.as_str(),
            db.system = query.system.as_deref(),
            db.statement = statement,
            duration_ms,
            budget_ms,
            rows,
            "Slow query",
        );
    } else {
        info!(
            target: TARGET,
            event_type = EventType::DbQuery.as_str(),
            db.system = query.system.as_deref(),
            db.statement = statement,
            duration_ms,
            rows,
            "Query",
        );
    }
}
