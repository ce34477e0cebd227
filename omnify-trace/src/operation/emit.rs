//! The events of operations: the only place that writes them.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use tracing::Level;

use super::agent::Agent;
use super::builder::{Step, Workflow};
use super::calls::{DbQuery, ExternalApi};
use super::notes::Notes;
use super::op::{Detail, Op};
use super::outcome::{Cancelled, Panicked};
use super::prices;
use crate::schema::EventType;

const TARGET: &str = "omnify_trace::operation";

/// One event whose level is known only now. Absent values are not written.
macro_rules! tell {
    ($level:expr, $($event:tt)*) => {
        match $level {
            Level::ERROR => tracing::error!(target: TARGET, $($event)*),
            Level::WARN => tracing::warn!(target: TARGET, $($event)*),
            _ => tracing::info!(target: TARGET, $($event)*),
        }
    };
}

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

    fn level(&self) -> Level {
        if self.is_failure() {
            Level::ERROR
        } else {
            Level::INFO
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

/// `completed`, or `failed: why`.
impl fmt::Display for Ending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.error() {
            None => f.write_str("completed"),
            Some(error) => write!(f, "failed: {error}"),
        }
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// To be called inside the operation's span.
pub(crate) fn started(op: &Op) {
    match &op.detail {
        Detail::Workflow(workflow) => tell!(
            Level::INFO,
            event_type = EventType::WorkflowStart.as_str(),
            workflow_name = workflow.name.as_deref(),
            steps = workflow.steps,
            input_bytes = workflow.input_bytes,
            "Workflow {} started",
            workflow.label(),
        ),
        Detail::Step(step) => step_event(step, "started", "started"),
        Detail::Agent(agent) => tell!(
            Level::INFO,
            event_type = EventType::AgentStart.as_str(),
            gen_ai.operation.name = agent.operation.as_ref(),
            gen_ai.agent.name = agent.agent_name(),
            gen_ai.tool.name = agent.tool_name(),
            gen_ai.tool.call.id = agent.call_id.as_deref(),
            gen_ai.provider.name = agent.provider.as_deref(),
            gen_ai.request.model = agent.model.as_deref(),
            "{} {} started",
            noun(agent),
            agent.name,
        ),
        Detail::ExternalApi(_) | Detail::DbQuery(_) => {}
    }
}

/// To be called inside the operation's span.
pub(crate) fn ended(op: &Op, ending: &Ending<'_>, took: Duration) {
    let took = ms(took);
    // Taken, not borrowed: an error's own text may record something.
    let notes = op.take_notes();
    let notes = notes.as_deref().unwrap_or(&Notes::NONE);
    match &op.detail {
        Detail::Workflow(workflow) => workflow_ended(workflow, notes, took, ending),
        Detail::Step(step) => step_ended(step, notes, took, ending),
        Detail::Agent(agent) => agent_ended(agent, notes, took, ending),
        Detail::ExternalApi(call) => call_ended(call, notes, took, ending),
        Detail::DbQuery(query) => query_ended(query, notes, took, ending),
    }
}

/// A step that does not run this time.
pub(crate) fn skipped(step: &Step, reason: &str) {
    tell!(
        Level::INFO,
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
    of_step_around(op, "waiting", "waits for a person");
}

/// The person answered.
pub(crate) fn resumed(op: &Op) {
    of_step_around(op, "started", "goes on");
}

fn of_step_around(op: &Op, status: &str, phrase: &str) {
    let step = op.ancestors().find_map(|op| match &op.detail {
        Detail::Step(step) => Some((op, step)),
        _ => None,
    });
    if let Some((op, step)) = step {
        op.span.in_scope(|| step_event(step, status, phrase));
    }
}

fn step_event(step: &Step, status: &str, phrase: &str) {
    tell!(
        Level::INFO,
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

fn workflow_ended(workflow: &Workflow, notes: &Notes, duration_ms: f64, ending: &Ending<'_>) {
    let event_type = match ending.is_failure() {
        false => EventType::WorkflowComplete,
        true => EventType::WorkflowError,
    };
    tell!(
        ending.level(),
        event_type = event_type.as_str(),
        workflow_name = workflow.name.as_deref(),
        duration_ms,
        output_bytes = notes.output_bytes,
        failed_step = notes.failed_step.as_deref().filter(|_| ending.is_failure()),
        error = ending.error(),
        exception.type = ending.type_name(),
        "Workflow {} {ending}",
        workflow.label(),
    );
}

fn step_ended(step: &Step, notes: &Notes, duration_ms: f64, ending: &Ending<'_>) {
    let will_retry = ending
        .is_failure()
        .then(|| !notes.no_retry && step.retries());
    let (event_type, status, level) = match will_retry {
        None => (EventType::WorkflowStep, Some("completed"), Level::INFO),
        Some(true) => (EventType::WorkflowStepError, None, Level::WARN),
        Some(false) => (EventType::WorkflowStepError, None, Level::ERROR),
    };
    let again = match level {
        Level::WARN => " (another attempt follows)",
        _ => "",
    };
    tell!(
        level,
        event_type = event_type.as_str(),
        step_name = step.name.as_deref(),
        status,
        attempt = step.attempt,
        depends_on = step.depends_on.as_deref(),
        agent_type = step.agent_type.as_deref(),
        duration_ms,
        will_retry,
        input_bytes = step.input_bytes,
        output_bytes = notes.output_bytes,
        error = ending.error(),
        exception.type = ending.type_name(),
        "Step {} {ending}{again}",
        step.label(),
    );
}

fn noun(agent: &Agent) -> &'static str {
    if agent.is_tool { "Tool" } else { "Agent" }
}

fn agent_ended(agent: &Agent, notes: &Notes, duration_ms: f64, ending: &Ending<'_>) {
    let (input, output) = (notes.input_tokens, notes.output_tokens);
    let answered_by = notes.response_model.as_deref();
    let price_of = |model| prices::cost(model, input, output);
    let cost_usd = notes
        .cost_usd
        .or_else(|| price_of(answered_by))
        .or_else(|| price_of(agent.model.as_deref()));
    let event_type = match ending.is_failure() {
        false => EventType::AgentComplete,
        true => EventType::AgentError,
    };
    let prompt = notes.prompt.as_deref();
    let answer = notes.answer.as_deref();
    let (messages, arguments) = (
        prompt.filter(|_| !agent.is_tool),
        prompt.filter(|_| agent.is_tool),
    );
    let (answers, result) = (
        answer.filter(|_| !agent.is_tool),
        answer.filter(|_| agent.is_tool),
    );
    tell!(
        ending.level(),
        event_type = event_type.as_str(),
        gen_ai.operation.name = agent.operation.as_ref(),
        gen_ai.agent.name = agent.agent_name(),
        gen_ai.tool.name = agent.tool_name(),
        gen_ai.tool.call.id = agent.call_id.as_deref(),
        gen_ai.provider.name = agent.provider.as_deref(),
        gen_ai.request.model = agent.model.as_deref(),
        gen_ai.response.model = answered_by,
        gen_ai.usage.input_tokens = input,
        gen_ai.usage.output_tokens = output,
        gen_ai.input.messages = messages,
        gen_ai.output.messages = answers,
        gen_ai.tool.call.arguments = arguments,
        gen_ai.tool.call.result = result,
        cost_usd,
        duration_ms,
        error = ending.error(),
        exception.type = ending.type_name(),
        "{} {} {ending}",
        noun(agent),
        agent.name,
    );
}

fn call_ended(call: &ExternalApi, notes: &Notes, duration_ms: f64, ending: &Ending<'_>) {
    let status_code = notes.status_code;
    let refused = status_code.filter(|status| *status >= 400);
    let failure = ending
        .one_line()
        .or_else(|| refused.map(|status| format!("HTTP {status}")));
    let (level, colon) = match &failure {
        None => (Level::INFO, "answered"),
        Some(_) => (Level::ERROR, "failed: "),
    };
    let failure = failure.as_deref();
    tell!(
        level,
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
        "{} {} of {} {colon}{}",
        call.method,
        call.route,
        call.api,
        failure.unwrap_or_default(),
    );
}

fn query_ended(query: &DbQuery, notes: &Notes, duration_ms: f64, ending: &Ending<'_>) {
    let threshold_ms = ms(query.slow_after);
    let slow = !ending.is_failure() && duration_ms > threshold_ms;
    let (event_type, level) = match slow {
        true => (EventType::SlowQuery, Level::WARN),
        false => (EventType::DbQuery, ending.level()),
    };
    let statement = query.statement.as_ref();
    let phrase = match (slow, ending.is_failure()) {
        (true, _) => "Slow query".into(),
        (_, false) => "Query".into(),
        (_, true) => Cow::Owned(format!("Query {ending}")),
    };
    tell!(
        level,
        event_type = event_type.as_str(),
        db.system = query.system.as_deref(),
        db.statement = statement,
        duration_ms,
        budget_ms = slow.then_some(threshold_ms),
        rows = notes.rows,
        error = ending.error(),
        exception.type = ending.type_name(),
        "{phrase}",
    );
}
