//! What is known of one operation while it is open.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tracing::Span;

use super::agent::Agent;
use super::builder::{DbQuery, ExternalApi, Step, Workflow};
use super::clock;
use super::kind::Kind;
use super::learned::{self, Learned};
use super::settings;
use super::watch::Watch;
use crate::redact::Redactor;

/// So far past its limit a text is searched for secrets.
const LONGEST_SECRET: usize = 8 * 1024;

/// Names are usually literals; those from definitions are owned.
pub(crate) type Text = std::borrow::Cow<'static, str>;

/// What the caller said, by kind.
#[derive(Debug)]
pub(crate) enum Detail {
    Workflow(Workflow),
    Step(Step),
    Agent(Agent),
    ExternalApi(ExternalApi),
    DbQuery(DbQuery),
}

/// What becomes known while it runs.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) input_tokens: Option<u64>,
    pub(crate) output_tokens: Option<u64>,
    pub(crate) cost_usd: Option<f64>,
    pub(crate) status_code: Option<u16>,
    pub(crate) rows: Option<u64>,
    pub(crate) output_bytes: Option<u64>,
    pub(crate) failed_step: Option<Text>,
    pub(crate) no_retry: bool,
    pub(crate) response_model: Option<Box<str>>,
    pub(crate) prompt: Option<Box<str>>,
    pub(crate) answer: Option<Box<str>>,
}

impl Notes {
    /// What most operations have to note.
    pub(crate) const NONE: Self = Self {
        input_tokens: None,
        output_tokens: None,
        cost_usd: None,
        status_code: None,
        rows: None,
        output_bytes: None,
        failed_step: None,
        no_retry: false,
        response_model: None,
        prompt: None,
        answer: None,
    };
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Op {
    pub(crate) detail: Detail,
    pub(crate) span: Span,
    pub(crate) parent: Option<Arc<Op>>,
    pub(crate) started: Instant,
    pub(crate) budget: Option<Duration>,
    /// Made when the first thing is noted: most operations have nothing to note.
    notes: Mutex<Option<Box<Notes>>>,
    pub(crate) watch: Watch,
}

impl Op {
    pub(crate) fn new(
        detail: Detail,
        span: Span,
        parent: Option<Arc<Self>>,
        budget: Option<Duration>,
    ) -> Self {
        Self {
            detail,
            span,
            parent,
            started: clock::base(),
            budget,
            notes: Mutex::new(None),
            watch: Watch::default(),
        }
    }

    /// Notes what became known.
    pub(crate) fn note(&self, note: impl FnOnce(&mut Notes)) {
        note(self.notes.lock().get_or_insert_default());
    }

    /// Whether something noted so far is so.
    pub(crate) fn noted(&self, is: impl FnOnce(&Notes) -> bool) -> bool {
        self.notes.lock().as_deref().is_some_and(is)
    }

    /// Everything noted, for its last event.
    pub(crate) fn take_notes(&self) -> Option<Box<Notes>> {
        self.notes.lock().take()
    }

    /// Its time begins now.
    pub(crate) fn begin(&mut self) {
        self.started = Instant::now();
        let learned = learned::of(self.lesson());
        let budget = match self.budget {
            Some(budget) => clock::nanos(budget),
            None => learned
                .and_then(Learned::budget)
                .unwrap_or_else(|| settings::assumed_budget(self.kind())),
        };
        let opened = clock::at(self.started);
        self.watch.opened = opened;
        self.watch.given = self.budget.is_some();
        self.watch.budget = budget;
        self.watch.deadline = AtomicU64::new(opened.saturating_add(budget));
        self.watch.learned = learned;
    }

    /// Operations with the same three parts should take about as long as each other.
    fn lesson(&self) -> [&str; 3] {
        let kind = self.kind().as_str();
        match &self.detail {
            Detail::ExternalApi(call) => [kind, &call.api, &call.route],
            Detail::Step(step) => [kind, &step.id, self.workflow().map_or("", |run| &run.id)],
            _ => [kind, self.name(), ""],
        }
    }

    /// The run that it belongs to.
    pub(crate) fn workflow(&self) -> Option<&Workflow> {
        self.ancestors().find_map(|op| match &op.detail {
            Detail::Workflow(workflow) => Some(workflow),
            _ => None,
        })
    }

    /// The step that it is or belongs to.
    pub(crate) fn step(&self) -> Option<&Step> {
        self.ancestors().find_map(|op| match &op.detail {
            Detail::Step(step) => Some(step),
            _ => None,
        })
    }

    /// The innermost operation, of this one and those around it, that has not ended.
    pub(crate) fn nearest_open(&self) -> Option<&Self> {
        self.ancestors().find(|op| !op.watch.has_ended())
    }

    /// Whether `other` is this operation or around it.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.ancestors().any(|op| std::ptr::eq(op, other))
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.detail {
            Detail::Workflow(_) => Kind::Workflow,
            Detail::Step(_) => Kind::Step,
            Detail::Agent(_) => Kind::Agent,
            Detail::ExternalApi(_) => Kind::ExternalApi,
            Detail::DbQuery(_) => Kind::DbQuery,
        }
    }

    /// The operation's name in reports: the id of a workflow or step, the name of an agent or
    /// API, the statement of a query.
    pub(crate) fn name(&self) -> &str {
        match &self.detail {
            Detail::Workflow(workflow) => &workflow.id,
            Detail::Step(step) => &step.id,
            Detail::Agent(agent) => &agent.name,
            Detail::ExternalApi(call) => &call.api,
            Detail::DbQuery(query) => &query.statement,
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// This operation and those around it, the innermost first.
    pub(crate) fn ancestors(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |op| op.parent.as_deref())
    }
}

/// An open operation, to be carried to a task or thread of its own, or to be told things.
#[derive(Debug, Clone)]
pub struct Handle(pub(crate) Arc<Op>);

impl Handle {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind()
    }

    /// The id of a workflow or step, the name of an agent or API, the statement of a query.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// What it waits for, as far as it is known.
    #[must_use]
    pub fn wait_kind(&self) -> super::WaitKind {
        self.0.watch.wait_kind()
    }

    /// How long it may take, where that was said.
    #[must_use]
    pub fn budget(&self) -> Option<Duration> {
        self.0.budget
    }

    /// The span that its lines are in.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.0.span
    }

    /// Tokens of prompt and answer. Adds up over several calls.
    pub fn record_usage(&self, input_tokens: u64, output_tokens: u64) {
        self.0.note(|notes| {
            *notes.input_tokens.get_or_insert(0) += input_tokens;
            *notes.output_tokens.get_or_insert(0) += output_tokens;
        });
    }

    /// Cost in US dollars. Adds up over several calls.
    pub fn record_cost(&self, cost_usd: f64) {
        self.0
            .note(|notes| *notes.cost_usd.get_or_insert(0.0) += cost_usd);
    }

    /// The HTTP status of an external call.
    pub fn record_status(&self, status_code: u16) {
        self.0.note(|notes| notes.status_code = Some(status_code));
    }

    /// The rows that a query returned or changed.
    pub fn record_rows(&self, rows: u64) {
        self.0.note(|notes| notes.rows = Some(rows));
    }

    /// The model that answered, where it is not the one that was asked for.
    pub fn record_response_model(&self, model: &str) {
        self.0
            .note(|notes| notes.response_model = Some(model.into()));
    }

    /// What an agent, model or tool was given. Kept only if the call asked for it with
    /// [`content`](super::Agent::content).
    pub fn record_prompt(&self, text: &str) {
        if let Some(text) = self.content(text) {
            self.0.note(|notes| notes.prompt = Some(text));
        }
    }

    /// What an agent, model or tool answered. Kept only if the call asked for it with
    /// [`content`](super::Agent::content).
    pub fn record_answer(&self, text: &str) {
        if let Some(text) = self.content(text) {
            self.0.note(|notes| notes.answer = Some(text));
        }
    }

    /// Cleaned before it is cut: half a secret is one, too.
    fn content(&self, text: &str) -> Option<Box<str>> {
        let Detail::Agent(Agent {
            content: Some(most),
            ..
        }) = self.0.detail
        else {
            return None;
        };
        let near = &text[..text.floor_char_boundary(most.saturating_add(LONGEST_SECRET))];
        let clean = Redactor::new().patterns().clean(near);
        Some(clean[..clean.floor_char_boundary(most)].into())
    }

    /// A failure of the step will not be followed by another attempt.
    pub fn no_retry(&self) {
        self.0.note(|notes| notes.no_retry = true);
    }

    /// The size of the output of a workflow or step.
    pub fn record_output_bytes(&self, bytes: u64) {
        self.0.note(|notes| notes.output_bytes = Some(bytes));
    }
}
